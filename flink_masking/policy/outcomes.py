"""What rules make of the types of fields: how a view's schema follows from that of the records."""

from collections.abc import Mapping

from flink_masking.policy.model import Policy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import MaskedSegment
from flink_masking.records.codec import FORMATS, Outcome, Result, View
from flink_masking.techniques.base import Action

UNDECLARED = ""
"""The path of members that no path leads to, as `flink_masking.records.trie` has it."""
_RESULTS = {"text": Result.TEXT, "kind": Result.KIND, "same": Result.SAME}


def view_of(policy: Policy, name: str, rules: Mapping[str, Rule]) -> View:
    """The view of a masked segment.

    Args:
        policy: the policy.
        name: of the segment.
        rules: of it, by path, as `flink_masking.policy.load.LoadedPolicy.rules` gives them.
    """
    unknown = Outcome(Result.TEXT if policy.unknown_fields == "redact" else Result.DROP)
    if policy.unknown_fields == "quarantine" and not FORMATS[policy.format].schemas:  # a record that names its members leaves without any
        unknown = Outcome(Result.KEEP)
    segment = policy.segments.get(name)
    keys = segment.keys if isinstance(segment, MaskedSegment) else {}
    renamed = frozenset(path for path, spec in keys.items() if spec is not None)
    return View(name, {UNDECLARED: unknown, **{path: _outcome(rule) for path, rule in rules.items()}}, renamed)


def view_of_keys(name: str, rules: Mapping[str, Rule]) -> View:
    """The keys of changed rows in a masked segment.

    Args:
        name: of the segment.
        rules: of the columns of the key, by path within the key.
    """
    return View(name, {path: _outcome(rule)._replace(nullable=False, absent=False) for path, rule in rules.items()}, key=True)


def _outcome(rule: Rule) -> Outcome:
    absent = rule.technique.action is not Action.DROP and rule.params.on_error == "drop"
    match rule.technique.action:
        case Action.DROP:
            return Outcome(Result.DROP)
        case Action.KEEP:
            return Outcome(Result.KEEP, rule.params.on_error == "nullify", absent)
    if rule.promises.always_null:
        return Outcome(Result.NULL, True)
    return Outcome(_RESULTS[rule.promises.result], rule.params.on_error not in ("redact", "quarantine"), absent)
