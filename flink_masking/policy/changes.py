"""What lies between two policies, and what a running job needs to follow: nothing, a restart from a savepoint, or a new state.

*live*: the rules of masked segments, fields that no stateful segment reads, what becomes of undeclared members. *savepoint*: the set of
segments and sinks, what crosses the job graph (columns, headers, schemas), and settings that keyed operators are started with. *new state*:
what the state of an anonymized or aggregated segment depends on (`flink_masking.policy.state_shape`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.outcomes import view_of
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, MaskedSegment
from flink_masking.policy.state_shape import differences, state_shapes
from flink_masking.records.codec import FORMATS
from flink_masking.techniques.base import Action

Effect = Literal["live", "savepoint", "new state"]
EFFECTS: tuple[Effect, ...] = ("live", "savepoint", "new state")
"""From the least to the most that a job must do."""
_LIVE = ("contract", "erasure", "quarantine", "vault", "reverse", "unknown_fields", "isolation", "shared_domains", "held_apart")
"""Members of a policy that are read in each batch, or by nothing that runs."""
_APART = ("version", "stream", "subject", "audit", "fields", "segments", "tags", "privacy")
"""Members with a treatment of their own: `tags` are written out into fields and rules, `privacy` into segments. What is in neither list is
part of the job graph (sources, sinks and queries are made of it), or not known to be live."""
_LONGEST = 120


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        place: where in the policy, with dots.
        effect: what a running job needs to follow.
        text: from what to what, in the policy's words.
    """

    place: str
    effect: Effect
    text: str


def changes(before: LoadedPolicy, after: LoadedPolicy) -> list[Change]:
    """Every change from one policy to another, in the order of the new one; the version is none.

    Contract: where no change is more than *live*, a job that was submitted with `before` can take `after` between two batches: its columns,
    headers, sinks and keyed operators stay as they are.
    """
    old, new = before.policy, after.policy
    found = [Change("stream", "new state", _told(old.stream, new.stream))] if old.stream != new.stream else []
    found += [Change(_written(name), "savepoint", _told(_plain(getattr(old, name)), _plain(getattr(new, name))))
              for name in type(new).model_fields if name not in (*_LIVE, *_APART) and getattr(old, name) != getattr(new, name)]
    found += [Change(name, "live", _told(_plain(getattr(old, name)), _plain(getattr(new, name))))
              for name in _LIVE if getattr(old, name) != getattr(new, name)]
    if old.subject != new.subject:  # of stateful segments, their shapes say more
        found.append(Change("subject", "live", _told(old.subject, new.subject)))
    if old.audit != new.audit:
        moved = (old.audit and old.audit.sink) != (new.audit and new.audit.sink)
        found.append(Change("audit", "savepoint" if moved else "live", _told(_plain(old.audit), _plain(new.audit))))
    found += _fields(before, after)
    found += _files(before, after)
    found += _segments(before, after)
    return found


def most(found: list[Change]) -> Effect:
    """What the job needs to follow all of them."""
    return max((change.effect for change in found), key=EFFECTS.index, default="live")


def _fields(before: LoadedPolicy, after: LoadedPolicy) -> Iterator[Change]:
    old, new, read = before.policy.fields, after.policy.fields, _read(before) | _read(after)
    for path in dict.fromkeys([*new, *old]):
        if old.get(path) == new.get(path):
            continue
        effect: Effect = "savepoint" if path in read else "live"
        if path not in old:
            yield Change(f"fields.{path}", effect, "declared")
        elif path not in new:
            yield Change(f"fields.{path}", effect, "no longer declared")
        else:
            yield Change(f"fields.{path}", effect, _told(_plain(old[path]), _plain(new[path])))


def _files(before: LoadedPolicy, after: LoadedPolicy) -> Iterator[Change]:
    """Files whose contents differ: hierarchies, schemas, the lock file."""
    old, new = before.source.files, after.source.files
    needed = {*_named(before), *_named(after)}
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            what = "new" if name not in old else "no longer named" if name not in new else "other contents"
            yield Change(f"file {name}", "savepoint" if name in needed else "live", what)


def _named(loaded: LoadedPolicy) -> Iterator[str]:
    """Files that schemas and stateful segments are made of."""
    policy = loaded.policy
    if policy.schema_files is not None:
        yield from policy.schema_files.values() if isinstance(policy.schema_files, dict) else [policy.schema_files]
    read = _read(loaded)
    for path in read:
        declared = policy.fields.get(path)
        if declared is not None and declared.hierarchy:
            yield declared.hierarchy
    for segment in policy.segments.values():
        if isinstance(segment, AggregatedSegment):
            for key in segment.group_by:
                yield from (value for value in key.parameters.values() if isinstance(value, str) and value in loaded.source.files)


def _read(loaded: LoadedPolicy) -> set[str]:
    """Fields that keyed operators, or what is sent to them, depend on."""
    policy, found = loaded.policy, set[str]()
    for segment in policy.segments.values():
        if isinstance(segment, AnonymizedSegment):
            found |= {*segment.quasi_identifiers, *segment.release, *segment.sensitive}
        elif isinstance(segment, AggregatedSegment):
            found |= {key.field for key in segment.group_by} | {metric.field for metric in segment.metrics.values() if metric.field}
    if found or any(not isinstance(segment, MaskedSegment) for segment in policy.segments.values()):
        found |= {path for path in (policy.subject, policy.event_time and policy.event_time.field) if path}
    return found


def _segments(before: LoadedPolicy, after: LoadedPolicy) -> Iterator[Change]:
    old, new = before.policy.segments, after.policy.segments
    for name in old:
        if name not in new:
            yield Change(f"segments.{name}", "savepoint", "removed, with its sink")
    shapes = state_shapes(before), state_shapes(after)
    for name, segment in new.items():
        place = f"segments.{name}"
        if name not in old:
            yield Change(place, "savepoint", "added, with its sink")
        elif old[name].view != segment.view:
            yield Change(place, "new state", f"view: {_told(old[name].view, segment.view)}")
        elif isinstance(segment, MaskedSegment):
            yield from _masked(before, after, name)
        else:
            shaped = differences({name: shapes[0][name]}, {name: shapes[1][name]})
            yield from (Change(place, "new state", text.partition(": ")[2]) for text in shaped)
            if not shaped and old[name] != segment:
                yield from _members(place, _plain(old[name]), _plain(segment), "savepoint")


def _masked(before: LoadedPolicy, after: LoadedPolicy, name: str) -> Iterator[Change]:
    place, old, new = f"segments.{name}", before.rules(name), after.rules(name)
    for path in dict.fromkeys([*new, *old]):
        mine, theirs = old.get(path), new.get(path)
        if _rule(mine) != _rule(theirs):
            yield Change(f"{place}.rules.{path}", _effect(after, mine, theirs), _told(_rule(mine), _rule(theirs)))
    yield from _differing(f"{place}.keys", before.keys(name), after.keys(name), "live")
    parts = before.record(name), after.record(name)
    yield from _differing(f"{place}.record.headers", parts[0].headers, parts[1].headers, "savepoint")
    keys = [{"key": one.key} if one.key is not None else {} for one in parts]
    yield from _differing(f"{place}.record", keys[0], keys[1], "savepoint")
    if parts[0].timestamp != parts[1].timestamp:
        yield Change(f"{place}.record.timestamp", "savepoint", _told(parts[0].timestamp, parts[1].timestamp))
    if _keyed(before, name) != _keyed(after, name):
        yield Change(f"{place}.record.key", "savepoint", "the key of changed rows is there in one of the two only")
    segments = before.policy.segments[name], after.policy.segments[name]
    rest = [{key: value for key, value in _plain(one).items() if key not in ("rules", "record", "keys")} for one in segments]
    yield from _members(place, rest[0], rest[1], "live")
    if FORMATS[after.policy.format].schemas and view_of(before.policy, name, old) != view_of(after.policy, name, new):
        yield Change(place, "savepoint", "the schema of the view changes")


def _differing(place: str, old: Mapping[str, Rule], new: Mapping[str, Rule], coming: Effect) -> Iterator[Change]:
    """Rules that differ; `coming` is the effect of one that is there in one of the two only."""
    for name in dict.fromkeys([*new, *old]):
        if _rule(old.get(name)) != _rule(new.get(name)):
            effect: Effect = "live" if name in old and name in new else coming
            yield Change(f"{place}.{name}", effect, _told(_rule(old.get(name)), _rule(new.get(name))))


def _effect(after: LoadedPolicy, mine: Rule | None, theirs: Rule | None) -> Effect:
    """Of a rule: a field that comes or goes changes the columns of a format with a header."""
    shown = [rule is not None and rule.technique.action is not Action.DROP for rule in (mine, theirs)]
    return "savepoint" if FORMATS[after.policy.format].header and shown[0] != shown[1] else "live"


def _keyed(loaded: LoadedPolicy, name: str) -> bool:
    """Whether changed rows have a key that follows from the policy's envelope."""
    if loaded.images is None or not loaded.images.envelope.key:
        return False
    rules = [loaded.rules(name).get(loaded.declared(loaded.images.place(column))) for column in loaded.images.envelope.key]
    return all(rule is not None and rule.technique.action is not Action.DROP for rule in rules)


def _members(place: str, old: Mapping[str, Any], new: Mapping[str, Any], effect: Effect) -> Iterator[Change]:
    for key in dict.fromkeys([*new, *old]):
        if old.get(key) != new.get(key):
            yield Change(f"{place}.{key}", effect, _told(old.get(key), new.get(key)))


def _rule(rule: Rule | None) -> Any:
    """A rule as it is written."""
    if rule is None:
        return None
    parameters, parts = _plain(rule.params), getattr(rule.technique, "parts", None)
    if parts is not None:
        parameters["within"] = [_plain(part) for part in parts]
    return {"technique": rule.technique.name, **parameters} if parameters else rule.technique.name


def _plain(model: Any) -> Any:
    """A model as JSON values, without what has its default."""
    return model.model_dump(mode="json", exclude_defaults=True, by_alias=True) if hasattr(model, "model_dump") else model


def _written(name: str) -> str:
    return "schema" if name == "schema_files" else name


def _told(old: Any, new: Any) -> str:
    return f"{_cut(old)} → {_cut(new)}"


def _cut(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
