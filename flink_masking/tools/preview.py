"""Before and after, record by record: what a policy does to a sample, without Flink."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from flink_masking.engine.masking import keep
from flink_masking.engine.plan import Plan
from flink_masking.engine.view import RecordView
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.model import Policy
from flink_masking.policy.privacy_account import account, groups_in_words
from flink_masking.policy.segments import AnonymizedSegment, MaskedSegment
from flink_masking.records.codec import View
from flink_masking.records.edits import DROP, KEEP, Edit, Keys, Replace
from flink_masking.records.paths import Wild, format_path, parse_path, selects
from flink_masking.records.trie import UNDECLARED, Paths

IMPERSONAL = frozenset({"plain", "measure"})
"""Classes of fields whose values are shown on the "before" side without being asked for."""
MISSING = "—"
"""Shown where a member is not there."""


def hidden(plan: Plan, payloads: pa.BinaryArray) -> tuple[pa.BinaryArray, list[int], tuple[str, ...]]:
    """Raw records without what is personal.

    Args:
        plan: the compiled policy.
        payloads: n raw records.

    Returns:
        The records with every personal value replaced by its field's class, others redacted where they break the contract, and without
        undeclared members, whose keys may be personal, too; keys of open objects are numbers, unless the policy says that they are
        plain; null where a record cannot be read. The number of undeclared members of each record. And what the header of such records
        would name, where their format has one.
    """
    personal = {path: field for path, field in plan.policy.fields.items() if field.role not in IMPERSONAL}
    checked = [path for path in plan.contracts if path not in personal]
    known = [path for path in plan.policy.fields if path not in personal and path not in plan.contracts]
    opaque = [path for path, field in plan.policy.fields.items() if field.type in OBJECT_TYPES]
    closed = _with_personal_keys(plan.policy)
    selected = [path for path in plan.policy.fields if selects(parse_path(path))]
    emitted = dict.fromkeys([*personal, *closed, *checked])
    table = plan.codec.scan(payloads, Paths(emitted, known=known, opaque=opaque, selected=selected), plan.limits)
    edits: dict[str, Edit] = dict.fromkeys(closed, KEEP)
    edits.update((path, Replace(pa.scalar(f"‹{field.role}›"))) for path, field in personal.items())
    view = RecordView(table, None, None, plan.contracts)
    edits.update((path, keep(view.unfit(path), "redact")) for path in checked)
    undeclared = np.bincount(table.rows(UNDECLARED), minlength=table.n)
    made = table.splice(edits, keys={path: _numbered(table.count(path)) for path in closed}, view=View("preview"))
    return made, undeclared.tolist(), plan.codec.shown(table.paths, edits, DROP)


def _with_personal_keys(policy: Policy) -> list[str]:
    """Paths of members whose keys are data: all that end in ``*``, but those that some masked segment declares plain, and none masks."""
    steps = [parse_path(path) for path in policy.fields]
    places = dict.fromkeys(format_path(path[: k + 1]) for path in steps for k, step in enumerate(path) if step is Wild.KEY)
    written = [segment.keys for segment in policy.segments.values() if isinstance(segment, MaskedSegment)]
    rules = [(format_path(parse_path(path)), spec) for keys in written for path, spec in keys.items()]
    plain = {path for path, spec in rules if spec is None} - {path for path, spec in rules if spec is not None}
    return [place for place in places if place not in plain]


def _numbered(count: int) -> Keys:
    return Keys(pa.array([f"‹key {number}›" for number in range(1, count + 1)], pa.string()))


def side_by_side(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Members of two records from a codec: (path, before, after), in the order of the first, then of the second."""
    within: dict[str, dict[str, str]] = {}
    for path in [path for path in before if path not in after]:  # a field that holds an object as a whole is one value on this side
        inner = {other[len(path) :].removeprefix("."): text for other, text in after.items()
                 if other.startswith((path + ".", path + "[")) and other not in before}
        if inner:
            within[path] = inner
    members = {f"{path}.{rest}" if not rest.startswith("[") else path + rest for path, inner in within.items() for rest in inner}
    for path in dict.fromkeys([*before, *after]):
        if path not in members:
            kept = within.get(path)
            told = after.get(path, MISSING) if kept is None else f"{{{', '.join(f'{rest}: {text}' for rest, text in kept.items())}}}"
            yield path, before.get(path, MISSING), told


def why_empty(loaded: LoadedPolicy, name: str, accepted: int) -> str:
    """Why a view of groups or figures shows nothing of a sample.

    Args:
        loaded: the policy.
        name: of the anonymized or aggregated segment.
        accepted: records that were not quarantined.
    """
    if not accepted:
        return "every event went to quarantine"
    segment = loaded.policy.segments[name]
    if isinstance(segment, AnonymizedSegment):
        return (f"{accepted:,} event{'s' * (accepted != 1)} could be shown, and none is: a group, or a value, needs {segment.k:,} distinct "
                "people who fit together in their quasi-identifiers; records that lack one are left out (missing: suppress)")
    return (f"groups are {groups_in_words(account(name, loaded.aggregate(name))['groups'])} A larger sample, coarser groups or a larger "
            "epsilon show more; flink-masking dp explain tells the figures")
