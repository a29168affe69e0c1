"""What each kind of rule measures in a line: names, a number, and the whole that it is a part of."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from flink_masking.alerts import rules
from flink_masking.alerts.rules import Rule


class Measured(NamedTuple):
    """A number in a line.

    Attributes:
        names: what it is of, for the alert; alerts with the same names are the same.
        part: the number.
        whole: records or values that it is a part of; 0 where there is no whole.
    """

    names: dict[str, str]
    part: int
    whole: int = 0


Event = dict[str, Any]
AUDIT, COMMANDS = ("protect", "release"), ("unmask", "rekey", "reveal", "replay")


def _in(value: str, names: tuple[str, ...] | None) -> bool:
    return names is None or value in names


def _quarantined(rule: rules.Quarantined, event: Event) -> Iterator[Measured]:
    rejected, records = event.get("quarantined") or {}, event.get("records", 0)
    if rule.reasons is None:
        yield Measured({}, sum(rejected.values()), records)
        return
    for reason in rule.reasons:
        yield Measured({"reason": reason}, rejected.get(reason, 0), records)


def _rejected_field(rule: rules.RejectedField, line: Event) -> Iterator[Measured]:
    reason, path = line["reason"], line.get("path")
    if path is None or reason == "unknown_field":
        return  # what is not declared is no name of the policy
    if _in(reason, rule.reasons) and _in(path, rule.fields):
        yield Measured({"reason": reason, "field": path}, 1)


def _drift(rule: rules.Drift, event: Event) -> Iterator[Measured]:
    rejected = event.get("quarantined") or {}
    for what, count in (("field", rejected.get("unknown_field", 0)),
                        ("schema", len(event.get("drift") or ()) + rejected.get("unknown_schema", 0))):
        if count:
            yield Measured({"unknown": what}, count)


def _segments(rule: Any, event: Event) -> Iterator[tuple[str, Event]]:
    for name, done in (event.get("segments") or {}).items():
        if _in(name, rule.segments):
            yield name, done


def _refused(rule: rules.Refused, event: Event) -> Iterator[Measured]:
    for segment, done in _segments(rule, event):
        for path, report in (done.get("fields") or {}).items():
            if (values := report.get("values")) and _in(path, rule.fields):
                yield Measured({"segment": segment, "field": path}, report.get("refused") or 0, values)


def _suppressed(rule: rules.Suppressed, event: Event) -> Iterator[Measured]:
    for segment, done in _segments(rule, event):
        left_out = done.get("suppressed") or 0
        yield Measured({"segment": segment}, left_out, left_out + (done.get("released") or done.get("packed") or 0))


def _exhausted(rule: rules.Exhausted, event: Event) -> Iterator[Measured]:
    for segment, done in _segments(rule, event):
        if people := done.get("people_exhausted"):
            yield Measured({"segment": segment}, people)


def _granted(rule: rules.Granted, event: Event) -> Iterator[Measured]:
    for segment, done in _segments(rule, event):
        grants = done.get("grants") or {}
        if rule.above is not None:
            for grant, records in grants.items():
                yield Measured({"segment": segment, "grant": grant}, records)
        if rule.share_above is not None:  # of all batches, those included in which no grant opened a record
            yield Measured({"segment": segment}, (done.get("released") or 0) if grants else 0, event.get("records") or 0)


def _reverse(rule: rules.Reverse, event: Event) -> Iterator[Measured]:
    kind, actor = event["event"], str(event.get("actor", ""))
    if event.get("outcome", "begun") != "begun" or not _in(kind, rule.events) or (rule.except_actors and actor in rule.except_actors):
        return  # the end of what has begun is told by a second event
    granted = bool(event.get("grant") or event.get("grants"))
    if not (granted and rule.without_grant):
        yield Measured({"event": kind, "actor": actor, "granted": "yes" if granted else "no"}, 1)


def _control(rule: rules.Control, event: Event) -> Iterator[Measured]:
    for one in event.get("control") or ():
        outcome, kind = one["outcome"], one.get("kind", "")
        if outcome in rule.outcomes and _in(kind, rule.kinds):
            facts = {"outcome": outcome, "kind": kind, "document": one.get("id", "")}
            yield Measured({name: text for name, text in facts.items() if text}, 1)


def _leak(rule: rules.Leak, line: Event) -> Iterator[Measured]:
    for leak in line["leaks"]:
        yield Measured({name: str(leak.get(name, "")) for name in ("source", "path", "kind", "what")}, int(leak["values"]))


def _erased(rule: rules.Erased, event: Event) -> Iterator[Measured]:
    if event["event"] == "protect":
        if count := event.get("erased"):
            yield Measured({"event": "protect"}, count)
    elif event.get("outcome") == "begun":
        yield Measured({"event": "erase", "actor": str(event.get("actor", ""))}, 1)


def _unreadable(rule: rules.Unreadable, line: Event) -> Iterator[Measured]:
    yield Measured({}, 1)


MEASURES: dict[str, tuple[tuple[str, ...], Callable[[Any, Event], Iterator[Measured]]]] = {
    "quarantined": (("protect",), _quarantined), "rejected_field": (("quarantine",), _rejected_field), "drift": (("protect",), _drift),
    "refused": (("protect",), _refused), "suppressed": (AUDIT, _suppressed), "exhausted": (("release",), _exhausted),
    "reverse": (COMMANDS, _reverse), "control": (("protect",), _control), "granted": (("protect",), _granted), "leak": (("leaks",), _leak),
    "erased": (("protect", "erase"), _erased), "unreadable": (("unreadable",), _unreadable),
}  # fmt: skip
"""By kind of rule: the kinds of lines that it looks at, and the function."""


def by_line(rules_: dict[str, Rule]) -> dict[str, list[tuple[str, Any, Callable[[Any, Event], Iterator[Measured]]]]]:
    """The rules that look at each kind of line, with their names and functions."""
    found: dict[str, list[tuple[str, Any, Callable[[Any, Event], Iterator[Measured]]]]] = {}
    for name, rule in rules_.items():
        lines, measure = MEASURES.get(getattr(rule, "when", ""), ((), _unreadable))
        for line in lines:
            found.setdefault(line, []).append((name, rule, measure))
    return found
