"""Replaces the functions with which PyFlink's coder converts between Arrow and pandas; the coder itself is compiled."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from flink_masking.flink.compat.patch import Mismatch, require_source

SCHEMA = pa.schema([pa.field("value", pa.binary())])
"""The columns of the coder that `in_use` gets."""


def replace_conversion(name: str, digest: str, replacement: type[Any], in_use: Callable[[Any], bool]) -> None:
    """Replace a function of ``pyflink.table.utils`` in the coder's module.

    Args:
        name: the function's.
        digest: of its source, see `require_source`.
        replacement: a class that is made with PyFlink's function and called in its place.
        in_use: tells, of a coder of one column of BYTES, whether it calls the replacement; tried because compiled code cannot be read.

    Raises:
        Mismatch: PyFlink's function or its coder is not as it was when the patch was written; nothing is changed.
    """
    from pyflink.fn_execution import coders
    from pyflink.table import DataTypes, utils

    module, before = coders.coder_impl, getattr(utils, name)
    if isinstance(getattr(module, name), replacement):
        return
    require_source(before, digest)
    if getattr(module, name) is not before:
        raise Mismatch(f"PyFlink's coder does not use its own {name}")
    setattr(module, name, replacement(before))
    row = DataTypes.ROW([DataTypes.FIELD("value", DataTypes.BYTES())])
    if not in_use(coders.ArrowCoder(SCHEMA, row, "UTC").get_impl()):
        setattr(module, name, before)
        raise Mismatch("PyFlink's compiled coder does not call it")
