"""Before and after, record by record: what a policy does to a sample, without Flink."""

from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa

from flink_masking.engine.plan import Plan
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.records.edits import Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.trie import Paths

IMPERSONAL = frozenset({"plain", "measure"})
"""Classes of fields whose values are shown on the "before" side without being asked for."""
MISSING = "—"
"""Shown where a member is not there."""


def hidden(plan: Plan, payloads: pa.BinaryArray) -> pa.BinaryArray:
    """The raw records with every personal value replaced by its field's class; null where a record cannot be read."""
    personal = {path: field for path, field in plan.policy.fields.items() if field.role not in IMPERSONAL}
    known = [path for path in plan.policy.fields if path not in personal]
    opaque = [path for path, field in plan.policy.fields.items() if field.type in OBJECT_TYPES]
    table = scan(payloads, Paths(list(personal), known=known, opaque=opaque), plan.limits)
    edits = {path: Replace(pa.scalar(f"‹{field.role}›")) for path, field in personal.items()}
    return table.splice(edits, unknown=Replace(pa.scalar("‹unknown›")))


def side_by_side(before: bytes | None, after: bytes | None) -> Iterator[tuple[str, str, str]]:
    """Members of a record before and after, flattened: (path, before, after), in the order of the record."""
    left, right = _flat(before), _flat(after)
    for path in dict.fromkeys([*left, *right]):
        yield path, left.get(path, MISSING), right.get(path, MISSING)


def _flat(record: bytes | None) -> dict[str, str]:
    if record is None:
        return {}
    found: dict[str, str] = {}
    _walk("", orjson.loads(record), found)
    return found


def _walk(path: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _walk(f"{path}.{key}" if path else key, inner, found)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            _walk(f"{path}[{number}]", inner, found)
    else:
        found[path] = orjson.dumps(value).decode()
