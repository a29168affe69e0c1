"""Writes out what a policy says by tags and classes: fields of the lock file, and rules that name a class or a tag."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from flink_masking.documents.document import cut, listed
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.fields import OBJECT_TYPES, Field, Role
from flink_masking.policy.lock import LockedField, SchemaLock
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import MaskedSegment, RuleSpec
from flink_masking.policy.source import PolicySource
from flink_masking.policy.tags import Tags, best
from flink_masking.policy.tree import FieldTree
from flink_masking.records.paths import format_path, parse_path

BY_CLASS, BY_TAG = "class:", "tag:"
"""Begin the name of a rule that is for all fields of a class, or with a tag."""
_ROLES: tuple[str, ...] = get_args(Role)


class TaggedField(NamedTuple):
    """How a field of the lock file was resolved.

    Attributes:
        path: its path.
        tags: that count.
        by: the tag of the map, ``contract`` or ``untagged``, that its class comes from; ``fields`` where the policy declares it; empty
            where it is not declared.
        role: its class; empty where it is not declared.
        type: its type, or None.
    """

    path: str
    tags: tuple[str, ...]
    by: str
    role: str
    type: str | None = None


@dataclass(frozen=True)
class Tagged:
    """What tags and classes were resolved to.

    Attributes:
        lock: the lock file; None where the policy has no tags.
        fields: of the lock file, by path.
        rules: by segment, by rule as written, the paths that it is for.
    """

    lock: SchemaLock | None = None
    fields: tuple[TaggedField, ...] = ()
    rules: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def tags_of(self, path: str) -> tuple[str, ...]:
        """The tags of a field, as declared; none where the lock file does not have it."""
        return next((one.tags for one in self.fields if one.path == path), ())


def by_name(key: str) -> bool:
    """Whether the key of a rule names a class or a tag."""
    return key.startswith((BY_CLASS, BY_TAG))


def write_out(policy: Policy, source: PolicySource, findings: Findings) -> tuple[Policy, Tagged]:
    """The policy with the fields of its lock file declared and with a rule for each field that a class or tag names.

    Args:
        policy: as written.
        source: of its lock file.
        findings: where faults go.

    Returns:
        The policy as if all of it were written there, and what was resolved.
    """
    lock, told = None, []
    fields = dict(policy.fields)
    if policy.tags is not None:
        try:
            lock = SchemaLock.parse(source.file(policy.tags.lock), policy.tags.lock)
        except PolicyError as error:
            text = str(error).partition(" Hint:")[0].removesuffix(".")
            findings.error(("tags", "lock"), text, f"flink-masking contract pull {source.name}")
            return policy, Tagged()
        told = [*_declared(policy.tags, lock, fields, findings)]
        _warn(policy.tags, lock, told, findings)
    tree = FieldTree()
    for path in fields:
        try:
            tree.add(path)
        except PolicyError:  # a fault of the field
            continue
    tags = {one.path: one.tags for one in told}
    segments, rules = {}, {}
    for name, segment in policy.segments.items():
        if isinstance(segment, MaskedSegment) and any(by_name(key) and key not in fields for key in segment.rules):
            chosen = _Chosen(name, segment, fields, tags, tree, findings)
            segment, rules[name] = segment.model_copy(update={"rules": chosen.rules()}), chosen.paths
        segments[name] = segment
    return policy.model_copy(update={"fields": fields, "segments": segments}), Tagged(lock, tuple(told), rules)


def _declared(tags: Tags, lock: SchemaLock, fields: dict[str, Field], findings: Findings) -> Iterator[TaggedField]:
    """Declare what the lock file has and the policy has not."""
    written = {steps: path for path in fields if (steps := _canonical(path)) is not None}
    for path, locked in sorted(lock.fields.items()):
        resolved = _resolved(tags, locked)
        own = written.get(_canonical(path) or "")
        if own is not None:
            declared = fields[own]
            if resolved is not None and resolved[0] != "untagged" and resolved[1] != declared.role:
                text = f"'{cut(own)}' is declared {declared.role}, and its tags say {resolved[1]} ({cut(resolved[0])})"
                findings.warn(("fields", own, "class"), text, "the declaration counts; omit it, or correct the tag")
            yield TaggedField(own, locked.effective, "fields", declared.role, declared.type)
        elif resolved is None:
            yield TaggedField(path, locked.effective, "", "")
        else:
            by, role, kind = resolved
            findings.document.stand_in(("fields", path), ("tags", "source"))
            fields[path] = Field.model_validate({"class": role, "type": kind, "optional": locked.optional or locked.removed})
            yield TaggedField(path, locked.effective, by, role, kind)


def _resolved(tags: Tags, locked: LockedField) -> tuple[str, str, str | None] | None:
    """What a field's class comes from, its class and type; None where nothing tells."""
    if locked.role is not None:
        return "contract", locked.role, locked.holds
    if (found := tags.meaning(locked.effective)) is not None:
        return found[0], found[1].role, locked.holds if locked.holds in OBJECT_TYPES else found[1].type or locked.holds
    if tags.untagged is None or tags.unmapped(locked.effective):  # nobody has said what such a tag means
        return None
    return "untagged", tags.untagged, locked.holds


def _warn(tags: Tags, lock: SchemaLock, told: list[TaggedField], findings: Findings) -> None:
    if unmapped := tags.unmapped(tag for one in lock.fields.values() for tag in one.effective):
        findings.warn(("tags", "map"), f"the schema has tags that are not mapped: {listed(unmapped)}",
                      "map each to a class, or to none where it says nothing of a person", at_key=True)
    if bare := [one.path for one in told if not one.by]:
        findings.warn(("tags",), f"fields of the schema have no class and are not declared: {listed(bare)}",
                      "untagged: plain, or declare them under 'fields'; undeclared fields reach no view", at_key=True)
    if lost := sorted(path for path, one in lock.fields.items() if one.lost):
        findings.warn(("tags", "lock"), f"fields have lost a tag in the source, which still counts here: {listed(lost)}",
                      "tag them again, or release them with flink-masking contract pull --accept-lost-tags")


def _canonical(path: str) -> str | None:
    try:
        return format_path(parse_path(path))
    except PolicyError:
        return None


class _Chosen:
    """The rules of one segment for fields that no rule of their own covers."""

    def __init__(self, name: str, segment: MaskedSegment, fields: Mapping[str, Field], tags: Mapping[str, tuple[str, ...]],
                 tree: FieldTree, findings: Findings) -> None:
        self._loc = ("segments", name, "rules")
        self._written, self._fields, self._tags, self._findings = segment.rules, fields, tags, findings
        self._names = [key for key in segment.rules if by_name(key) and key not in fields]
        self._leaves = self._uncovered(tree)
        self.paths: dict[str, tuple[str, ...]] = {}

    def rules(self) -> dict[str, RuleSpec]:
        """The segment's rules by path, written out."""
        by_tag = {key.removeprefix(BY_TAG): key for key in self._names if key.startswith(BY_TAG)}
        by_class = {key.removeprefix(BY_CLASS): key for key in self._names if key.startswith(BY_CLASS)}
        chosen: dict[str, list[str]] = {key: [] for key in self._names}
        for path in self._leaves:
            named = {found for tag in self._tags.get(path, ()) if (found := best(tag, by_tag)) is not None}
            order = [*by_tag]
            key = next((by_tag[tag] for tag in sorted(named, key=lambda one: (-one.count("."), order.index(one)))), None)
            key = key or by_class.get(self._fields[path].role)
            if key is not None:
                chosen[key].append(path)
        self.paths = {key: tuple(paths) for key, paths in chosen.items()}
        self._check(by_tag, by_class)
        rules = {path: spec for path, spec in self._written.items() if path not in chosen}
        for key, paths in chosen.items():
            for path in paths:
                rules[path] = self._written[key]
                self._findings.document.stand_in((*self._loc, path), (*self._loc, key))
        return rules

    def _uncovered(self, tree: FieldTree) -> list[str]:
        found = []
        for path in self._written:
            if path not in self._names:
                try:
                    place = tree.find(path)
                except PolicyError:  # a fault of the rule; so is "*", which is no path to a field
                    continue
                found += [place] if place is not None else []
        return [path for path in tree.uncovered(found)[1] if path in self._fields]

    def _check(self, by_tag: Mapping[str, str], by_class: Mapping[str, str]) -> None:
        for role, key in by_class.items():
            if role not in _ROLES:
                self._findings.error((*self._loc, key), f"'{cut(role)}' is no class", did_you_mean(role, _ROLES, "classes"), at_key=True)
            elif not self.paths[key]:
                self._unused(key, f"no field of class {role}")
        known = {part for tags in self._tags.values() for tag in tags for part in _and_above(tag)}
        for tag, key in by_tag.items():
            if not self._tags:
                self._findings.error((*self._loc, key), "the policy has no tags", "add the section 'tags', or name a class: class:direct",
                                     at_key=True)
            elif tag not in known:
                hint = did_you_mean(tag, sorted(known), "tags") or "flink-masking contract pull brings new tags"
                self._findings.error((*self._loc, key), f"no field of the lock file has the tag '{cut(tag)}'", hint, at_key=True)
            elif not self.paths[key]:
                self._unused(key, f"no declared field with the tag {cut(tag)}")

    def _unused(self, key: str, what: str) -> None:
        self._findings.warn((*self._loc, key), f"{what} is left for this rule", "other rules cover them, or there are none", at_key=True)


def _and_above(tag: str) -> Iterator[str]:
    """A tag and the ones that stand for it."""
    while tag:
        yield tag
        tag = tag.rpartition(".")[0]
