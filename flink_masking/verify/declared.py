"""Which values of a field its declaration does not allow: a view shows ``***`` in their place."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.policy.fields import Field
from flink_masking.verify.lines import ABSENT

HIDDEN = "***"
"""What a view shows of a value that breaks its declaration."""
DECIMALS = 6
"""Of a number whose field has a `scale` of no more, at most."""
DIGITS = 40
"""Characters of a number, at most."""


def broken(field: Field, values: Sequence[Any]) -> np.ndarray:
    """Find the values that a field may not have by its numbers, lists, patterns and lengths.

    Types with a form of their own (e-mail addresses, IBANs, dates …) are not judged here: a view that hides such a value has a line that
    no raw record fits.

    Args:
        field: as the policy declares it.
        values: different raw values; null, missing, empty, arrays and objects always fit.

    Returns:
        bool, one for each value.
    """
    found = np.zeros(len(values), np.bool_)
    judged = [k for k, value in enumerate(values) if value is not ABSENT and value not in (None, "") and type(value) not in (list, dict)]
    limits = field.domain if field.domain is not None else field.bounds
    numeric = field.type in ("number", "integer") or (field.type is None and field.scale is not None) or (
        field.type is None and limits is not None and not isinstance(limits[0], str))
    if numeric:
        found[judged] = [_no_number(field, values[k], limits) for k in judged]
    elif field.type == "boolean":
        found[judged] = [type(values[k]) is not bool for k in judged]
    elif field.type != "geo" and (field.values is not None or field.pattern is not None or field.prefix is not None):
        texts = [k for k in judged if type(values[k]) is str]
        if field.values is None and field.pattern is None and field.type is None:  # a length alone takes numbers, too
            found[judged] = [type(values[k]) is bool or len(str(values[k])) > (field.prefix or 0) for k in judged]
        else:
            found[judged] = True
        found[texts] = _no_text(field, pa.array([values[k] for k in texts], pa.string()))
    return found


def _no_number(field: Field, value: Any, limits: tuple[Any, Any] | None) -> bool:
    if type(value) not in (int, float) or (field.type == "integer" and type(value) is float) or len(repr(value)) > DIGITS:
        return True
    if limits is not None and not limits[0] <= value <= limits[1]:
        return True
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return field.scale is not None and -int(exponent) > max(field.scale, DECIMALS)


def _no_text(field: Field, texts: pa.StringArray) -> np.ndarray:
    good = pa.scalar(True)
    if field.values is not None:
        good = pc.and_(good, pc.is_in(texts, value_set=pa.array(field.values, pa.string())))
    if field.pattern is not None:
        good = pc.and_(good, pc.match_substring_regex(texts, rf"\A(?:{field.pattern})\z"))
    if field.prefix is not None:
        good = pc.and_(good, pc.less_equal(pc.utf8_length(texts), field.prefix))
    return ~np.asarray(good.to_numpy(zero_copy_only=False), np.bool_)
