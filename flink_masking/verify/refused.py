"""Raw records that the policy sends to quarantine as a whole, by the verifier's own reading: they are in no view."""

from collections.abc import Callable
from typing import Any

from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.records.paths import Wild, parse_path
from flink_masking.verify.attributes import OUTSIDE, attribute
from flink_masking.verify.lines import ABSENT, getter

_Tree = dict[Any, Any]
_LEAF = None
"""Stands for a field that takes anything below it."""


def refusing(policy: Policy) -> Callable[[dict[str, Any]], bool]:
    """Make the function that says whether a record goes to quarantine for its members.

    It knows undeclared members (`unknown_fields: quarantine`), objects where values are declared and the reverse, members that must be
    there, and quasi-identifiers outside their domain. It does not know paths with selectors, hierarchies and ``contract: strict``, so some
    refused records are taken for good ones.

    Args:
        policy: with fields for JSON records.
    """
    tree = _declared(policy)
    closed = policy.unknown_fields == "quarantine" and policy.record is None
    needed = [getter(path) for path, field in policy.fields.items() if not field.optional and _plain(path)]
    bounded = [(getter(path), attribute(path, policy.fields[path], {}, False))
               for segment in policy.segments.values() if isinstance(segment, AnonymizedSegment) and segment.outside == "quarantine"
               for path in segment.quasi_identifiers if _plain(path) and policy.fields[path].hierarchy is None]

    def refused(record: dict[str, Any]) -> bool:
        if tree is not None and _strange(record, tree, closed):
            return True
        if any(get(record) in (None, ABSENT) for get in needed):
            return True
        return any(int(values.positions([get(record)])[0, 0]) == OUTSIDE for get, values in bounded)

    return refused


def _plain(path: str) -> bool:
    return all(isinstance(step, str) for step in parse_path(path))


def _declared(policy: Policy) -> _Tree | None:
    """Members by name, elements of arrays under `Wild.ELEMENT`; None where a path says more than that."""
    tree: _Tree = {}
    for path, field in policy.fields.items():
        steps = parse_path(path)
        if not all(isinstance(step, str) or step is Wild.ELEMENT for step in steps):
            return None
        node = tree
        for step in steps[:-1]:
            node = node.setdefault(step, {})
            if node is _LEAF:
                return None
        if field.type in OBJECT_TYPES:
            node[steps[-1]] = _LEAF
        else:
            node.setdefault(steps[-1], {})
    return tree


def _strange(value: Any, node: _Tree | None, closed: bool) -> bool:
    """Whether something lies here that the policy does not declare, or declares otherwise."""
    if node is _LEAF or value is None:
        return False
    if type(value) is dict:
        if not node or Wild.ELEMENT in node:
            return True
        return any(_strange(one, node[name], closed) if name in node else closed for name, one in value.items())
    if type(value) is list:
        return Wild.ELEMENT not in node or any(_strange(one, node[Wild.ELEMENT], closed) for one in value)
    return bool(node)
