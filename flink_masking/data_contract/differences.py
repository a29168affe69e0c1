"""Differences of two lock files, and whether the views of a policy stay compatible."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from flink_masking.data_contract.views import ViewField, view_fields
from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.lock import LockedField, SchemaLock
from flink_masking.policy.source import PolicySource
from flink_masking.records.paths import format_path, parse_path
from flink_masking.techniques.promises import Shows

Kind = Literal["new field", "removed field", "lost tag", "new tag", "changed type", "changed class", "optional", "required", "new version"]


@dataclass(frozen=True, order=True)
class Change:
    """One difference.

    Attributes:
        path: of the field; empty for a version of the schema.
        kind: what has changed.
        before: type, tag or version before; empty where there was none.
        after: the same now.
    """

    path: str
    kind: Kind
    before: str = ""
    after: str = ""

    @property
    def alarm(self) -> bool:
        """Whether data may now be treated as less personal than it was reviewed to be."""
        return self.kind in ("lost tag", "changed class")

    def told(self) -> str:
        """The difference as a line."""
        change = f"{self.before} → {self.after}" if self.before and self.after else self.before or self.after
        return f"{self.path or 'schema'}: {self.kind}" + (f": {change}" if change else "")

    def body(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "alarm": self.alarm}


@dataclass(frozen=True)
class ViewCompatibility:
    """What becomes of one view.

    Attributes:
        compatible: readers of the view before can read it now.
        reasons: what they can no longer read.
        notes: what changes for them besides, such as fields that the view did not show before.
    """

    compatible: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def differences(old: SchemaLock, new: SchemaLock) -> list[Change]:
    """What is different in the new one, by path.

    Args:
        old: as reviewed.
        new: as the source is now, or another lock file.
    """
    found: list[Change] = []
    for path in sorted({*old.fields, *new.fields}):
        before, after = old.fields.get(path), new.fields.get(path)
        if before is None or (after is not None and before.removed and not after.removed):
            found.append(Change(path, "new field", "", after.type if after is not None else ""))
        if after is None or (before is not None and after.removed and not before.removed):
            found.append(Change(path, "removed field", before.type if before is not None else ""))
        found += _of_field(path, before, after)
    digests = {one.digest for one in old.versions}
    for one in new.versions:
        if digests and one.digest not in digests:
            found.append(Change("", "new version", "", str(one.version if one.version is not None else one.digest[:12])))
    return found


def _of_field(path: str, before: LockedField | None, after: LockedField | None) -> Iterator[Change]:
    if after is not None:
        had = {*before.effective} if before is not None else set()
        # A tag that the new lock file keeps as lost is lost in the source.
        yield from (Change(path, "lost tag", tag) for tag in sorted((had - {*after.tags}) | {*after.lost}))
        yield from (Change(path, "new tag", "", tag) for tag in sorted({*after.tags} - had))
    if before is None or after is None:
        return
    if before.type != after.type:
        yield Change(path, "changed type", before.type, after.type)
    if (before.role, before.holds) != (after.role, after.holds):
        yield Change(path, "changed class", _stated(before), _stated(after))
    if before.optional != after.optional:
        yield Change(path, "optional" if after.optional else "required")


def _stated(field: LockedField) -> str:
    return " ".join(filter(None, (field.role, field.holds))) or "none"


def compatibility(source: PolicySource, lock_name: str, old: SchemaLock, new: SchemaLock) -> dict[str, ViewCompatibility]:
    """For each view whether it stays compatible when the lock file changes.

    Args:
        source: of the policy.
        lock_name: name of its lock file, as it names it.
        old: as reviewed.
        new: as it would be.

    Raises:
        PolicyFaults: the policy has faults with the old lock file.
    """
    before = _with(source, lock_name, old)
    try:
        after = _with(source, lock_name, new)
    except PolicyFaults as faults:
        reason = f"the policy no longer loads: {faults.faults[0].message}"
        return {name: ViewCompatibility(False, (reason,)) for name in before.policy.segments}
    return {name: _of_view(_shown(before, name, old), _shown(after, name, new)) for name in before.policy.segments}


def _with(source: PolicySource, lock_name: str, lock: SchemaLock) -> LoadedPolicy:
    unreadable = {name: why for name, why in source.unreadable.items() if name != lock_name}
    return load(replace(source, files={**source.files, lock_name: lock.text()}, unreadable=unreadable))


Shown = Mapping[str, tuple[str, bool]]
"""Fields of a view: what readers find there, and whether it may be missing."""


def _shown(loaded: LoadedPolicy, segment: str, lock: SchemaLock) -> Shown:
    locked = {format_path(parse_path(path)): field for path, field in lock.fields.items()}
    found = {}
    for one in view_fields(loaded, segment):
        fields = [locked.get(format_path(parse_path(path))) for path in one.inputs]
        if any(field is not None and field.removed for field in fields) and not one.technique.startswith("count"):
            continue
        kinds = [field.type for field in fields if field is not None] or [one.type or ""]
        optional = all(field.optional for field in fields if field is not None) if any(fields) else True
        found[one.path] = (_form(one, kinds[0]), optional)
    return found


def _form(field: ViewField, kind: str) -> str:
    """What readers find: the type of the field where it stays, text of text, and otherwise what the technique makes of the type."""
    if field.shows is Shows.EXACT:
        return kind
    textual = kind.split(" ")[0].split("(")[0].lower() in ("string", "text", "varchar", "char", "bytes", "")
    return "string" if textual and field.shows is not Shows.NOISE else f"{field.technique} of {kind}"


def _of_view(before: Shown, after: Shown) -> ViewCompatibility:
    reasons: list[str] = []
    notes: list[str] = []
    for path, (form, optional) in before.items():
        if path not in after:
            (notes if optional else reasons).append(f"{path} is no longer shown")
        elif after[path][0] != form:
            reasons.append(f"{path}: {form} → {after[path][0]}")
        elif after[path][1] and not optional:
            notes.append(f"{path} may be missing")
    notes += [f"{path} is shown for the first time" for path in after if path not in before]
    return ViewCompatibility(not reasons, tuple(reasons), tuple(notes))
