"""JSON text: text columns as JSON strings, records as one line, records as members."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records.json.quote_kernels import quote_rows
from flink_masking.records.json.splice_kernels import count_special

_LINE_FEED, _RETURN, _BLANK = 10, 13, 32


def one_line(records: pa.BinaryArray) -> pa.BinaryArray:
    """Records without line breaks: JSON has them between tokens only, where a blank says the same.

    Whoever reads a view line by line would take a record with a line break for two.

    Args:
        records: n JSON values, null where there is none.

    >>> one_line(pa.array([b'{"a":\\r\\n1}'])).to_pylist()
    [b'{"a":  1}']
    """
    data, offsets, valid = arrow.parts(records)
    used = data[offsets[0] : offsets[-1]]
    if not len(used) or used.min() > _RETURN:
        return records
    buffer, out = arrow.output(len(used))
    np.copyto(out[: len(used)], used)
    out[: len(used)][(used == _LINE_FEED) | (used == _RETURN)] = _BLANK
    return arrow.assemble(records.type, buffer, (offsets - offsets[0]).astype(np.int32), valid)


def quote(text: pa.StringArray) -> pa.BinaryArray:
    """Every value as a JSON string, quotes included; null stays null.

    >>> quote(pa.array(['a"b', None])).to_pylist()
    [b'"a\\\\"b"', None]
    """
    data, offsets, valid = arrow.parts(text)
    used = data[offsets[0] : offsets[-1]]
    buffer, out = arrow.output(len(used) + 5 * int(count_special(used)) + 2 * len(text))
    ends = np.zeros(len(text) + 1, np.int32)
    quote_rows(data, offsets, valid, out, ends)
    return arrow.assemble(pa.binary(), buffer, ends, valid)


def flat(record: bytes) -> dict[str, str]:
    """The members of a valid JSON record, nested ones under paths such as ``contacts[0].phone``, as JSON text; numbers as they stand."""
    found: dict[str, str] = {}
    _walk("", json.loads(record, parse_float=_Number, parse_int=_Number).items(), found)
    return found


class _Number(str):
    """The text of a number: as a float it would lose digits and trailing zeros."""

    __slots__ = ()


def _walk(prefix: str, members: Iterable[tuple[str, Any]], found: dict[str, str]) -> None:
    for key, value in members:
        if value and isinstance(value, dict):
            _walk(f"{prefix}{key}.", value.items(), found)
        elif value and isinstance(value, list):
            _walk(f"{prefix}{key}", ((f"[{number}]", inner) for number, inner in enumerate(value)), found)
        else:
            found[prefix + key] = value if type(value) is _Number else orjson.dumps(value).decode()
