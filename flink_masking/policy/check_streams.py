"""Checks of the policies of several streams together: whether the records of one person can be joined where they are meant to be."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from flink_masking.documents.document import cut
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import MaskedSegment
from flink_masking.policy.tree import several


class _Subject(NamedTuple):
    """How a masked segment shows whom a record is about."""

    stream: str
    segment: str
    path: str
    rule: Rule


def differences(policies: Sequence[LoadedPolicy]) -> Iterator[tuple[str, str]]:
    """What keeps the people of two streams apart although both name one key domain for them: messages and hints.

    Args:
        policies: of different streams.
    """
    subjects = [subject for loaded in policies for subject in _subjects(loaded)]
    told = set()
    for one, other in combinations(subjects, 2):
        if one.stream == other.stream or one.rule.promises.domain != other.rule.promises.domain:
            continue
        reason = _apart(one.rule, other.rule)
        if reason is not None and (one[:3], other[:3]) not in told:
            told.add((one[:3], other[:3]))
            domain = cut(one.rule.promises.domain or "")
            yield (f"{_named(one)} and {_named(other)} share the domain '{domain}', and {reason}: the same person gets two results, and "
                   "records cannot be joined",
                   "write both rules alike; of a reference such as Patient/17, within: {prefix: ...} masks what the other stream has")


def _subjects(loaded: LoadedPolicy) -> Iterator[_Subject]:
    """The rules for the subject, and for other fields that have results for a person."""
    subject = loaded.policy.subject
    for name, segment in loaded.policy.segments.items():
        if not isinstance(segment, MaskedSegment):
            continue
        for path, rule in loaded.rules(name).items():
            field = loaded.policy.fields.get(path)
            person = path == subject or (field is not None and field.role == "identifier" and not several(path))
            if person and rule.promises.stands_for_a_person and rule.promises.domain is not None:
                yield _Subject(loaded.policy.stream, name, path, rule)


def _apart(one: Rule, other: Rule) -> str | None:
    """Why two rules make different results of one value; None where they make the same."""
    if one.technique.name != other.technique.name:
        return f"one is {one.technique.name}, the other {other.technique.name}"
    if one.promises.bound_to_field and one.path != other.path:
        return f"{one.technique.name} binds its results to the field's path"
    mine, theirs = (rule.params.model_dump(exclude={"on_error"}) for rule in (one, other))
    unlike = [key for key in mine if mine[key] != theirs.get(key)]
    return f"their {', '.join(unlike)} differ" if unlike else None


def _named(subject: _Subject) -> str:
    return f"{cut(subject.stream)}: {cut(subject.segment)}: '{cut(subject.path)}'"
