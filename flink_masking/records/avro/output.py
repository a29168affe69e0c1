"""What a view's records can hold: the schema that follows from the writer's schema and the rules, and how values are written into it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from flink_masking.errors import InputError
from flink_masking.records.avro import splice_kernels as ops
from flink_masking.records.avro.decode import default_bytes
from flink_masking.records.avro.program import Site, kind_of
from flink_masking.records.avro.schema import MISSING, NULL, STRING, Field, Type, to_json
from flink_masking.records.codec import Outcome, Result
from flink_masking.records.kinds import Kind
from flink_masking.records.nodes import Trie
from flink_masking.records.span_kernels import EITHER, UNDECLARED_NODE

_PLACES = {"field": ops.FIELD, "element": ops.ITEM, "entry": ops.ENTRY}
KEPT = Outcome(Result.KEEP)


class Derivation:
    """The schema of a view of records with one writer schema.

    Attributes:
        schema: of the view; the writer's own where it can hold all results.
    """

    def __init__(self, schema: Type, trie: Trie, outcomes: Sequence[Outcome]) -> None:
        """Derive.

        Args:
            schema: of the writer.
            trie: of the declared paths.
            outcomes: by path number.

        Raises:
            InputError: a union would have to hold two things that Avro cannot tell apart, or nothing would be left.
        """
        self._trie, self._outcomes = trie, outcomes
        self._held: dict[tuple[int, int], Type] = {}
        self._changed: dict[tuple[int, int], bool] = {}
        self._names: dict[str, int] = {}
        self._derived: dict[int, list[Type]] = {}
        self._reserve(schema, 0, set())
        self.schema = self.held(schema, 0)

    def _outcome(self, node: int, kind: Kind) -> Outcome:
        path = self._trie.own(node, kind)
        return self._outcomes[path] if path >= 0 else KEPT

    def replaced(self, part: Type, node: int) -> Outcome | None:
        """What becomes of the values of a type at a node, where their type cannot stay for certain; None where it stays."""
        found = resolved(self._outcome(node, kind_of(part)), part)
        return found if part.kind != "null" and found.result in (Result.TEXT, Result.NULL) else None

    def dropped(self, field: Field, node: int) -> bool:
        """Whether a field is left out: a rule drops it, and it has no default to stand for it."""
        outcome = self._outcome(node, Kind.NULL)
        if outcome.result is not Result.DROP or self.is_either(node):
            return False
        return field.default is MISSING or default_bytes(field.type, field.default) is None

    def _reserve(self, outer: Type, node: int, met: set[tuple[int, int]]) -> None:
        """Note the records that stay as they are somewhere, so that a changed one beside them has another name."""
        if (id(outer), node) in met:
            return
        met.add((id(outer), node))
        touched = node >= 0 and self._touched(outer, node, set())
        for part in outer.options:
            if part.kind == "record" and not touched:
                self._names[part.name] = 1
            within = self._trie.within(node, kind_of(part)) if touched else -1
            if touched and self.replaced(part, node) is None and within >= 0:
                for inner, child in self._members(part, within):
                    self._reserve(inner, child, met)
            elif not touched:
                for inner in part.inner:
                    self._reserve(inner, -1, met)

    def is_either(self, node: int) -> bool:
        """Whether a node's path is that of elements, too."""
        return bool(self._trie.flags(node) & EITHER)

    def held(self, outer: Type, node: int) -> Type:
        """The type that takes the place of another one at a node of the trie."""
        if node < 0 or not self._touched(outer, node, set()):
            return outer
        if outer.kind != "union":
            outcome = self.replaced(outer, node)
            if outcome is None:
                return self._inner(outer, node)
            text = outer if outcome.result is Result.NULL or _plain(outer) else STRING
            return Type("union", branches=[NULL, text]) if outcome.nullable else text
        return self._union(outer, node)

    def _union(self, outer: Type, node: int) -> Type:
        outcomes = [(branch, self.replaced(branch, node)) for branch in outer.branches]
        found = [outcome for _, outcome in outcomes if outcome is not None]
        text = any(outcome.result is Result.TEXT for outcome in found)
        whole = all(outcome is not None or branch.kind == "null" for branch, outcome in outcomes)
        if not text or any(map(_plain, outer.branches)):
            branches = [branch if outcome is not None else self.held(branch, node) for branch, outcome in outcomes]
        elif whole:
            branches = [branch for branch in outer.branches if branch.kind == "null"]
            branches.insert(0 if outer.branches[0].kind != "null" else 1, STRING)
        elif len(found) == 1:
            branches = [self.held(branch, node) if outcome is None else STRING for branch, outcome in outcomes]
        else:
            raise InputError("Avro schema: a rule makes text of two branches of a union, and leaves a third as it is. Hint: a rule for the "
                             "whole field")
        if any(outcome.nullable for outcome in found) and not any(branch.kind == "null" for branch in branches):
            branches = [*branches, NULL]
        return Type("union", branches=branches)

    def _inner(self, part: Type, node: int) -> Type:
        within = self._trie.within(node, kind_of(part))
        if within < 0:
            return part
        if part.kind == "array":
            assert part.items is not None
            return replace(part, items=self.held(part.items, self._trie.element(within)))
        if part.kind == "map":
            return replace(part, items=self._values(part, within))
        if part.kind != "record":
            return part
        key = id(part), within
        if key not in self._held:
            number = self._names.get(part.name, 0)
            self._names[part.name] = number + 1
            made = self._held[key] = Type("record", name=part.name + (f"_{number + 1}" if number else ""), attributes=part.attributes)
            for field in part.fields:
                child = self._trie.member(within, field.name)
                if not self.dropped(field, child):
                    inner = self.held(field.type, child)
                    same = inner is field.type or field.default is MISSING or default_bytes(inner, field.default) is not None
                    made.fields.append(replace(field, type=inner, default=field.default if same else MISSING))
            self._held[key] = self._once(part, made, number)
        return self._held[key]

    def _once(self, part: Type, made: Type, number: int) -> Type:
        """A derived record, or one that is equal to it: the images of a changed row have one type, as they had before."""
        others = self._derived.setdefault(id(part), [])
        same = next((one for one in others if to_json(one) == to_json(replace(made, name=one.name))), None)
        if same is None:
            others.append(made)
            return made
        if self._names[part.name] == number + 1:
            self._names[part.name] = number
        return same

    def _values(self, part: Type, node: int) -> Type:
        """The type of a map's values, which is one for all keys."""
        assert part.items is not None
        children = {self._trie.member(node, key) for key in self._trie.named[node]} | {self._trie.other(node)}
        if not any(child >= 0 and self._touched(part.items, child, set()) for child in children):
            return part.items
        if len(children - {UNDECLARED_NODE}) > 1 or -1 in children:
            raise InputError("Avro schema: a rule changes the type of some values of a map. Hint: one rule for all of them, such as "
                             "attrs.*, or a technique that keeps the type")
        return self.held(part.items, (children - {UNDECLARED_NODE} or children).pop())

    def _touched(self, outer: Type, node: int, above: set[tuple[int, int]]) -> bool:
        """Whether the type of anything at or below a node changes."""
        key = id(outer), node
        if key in self._changed or key in above:
            return self._changed.get(key, False)
        found = False
        for part in outer.options:
            if (outcome := self.replaced(part, node)) is not None:
                nullable = outcome.nullable and not any(branch.kind == "null" for branch in outer.options)
                found = found or nullable or (outcome.result is Result.TEXT and not any(map(_plain, outer.options)))
                continue
            within = self._trie.within(node, kind_of(part))
            if within >= 0:
                found = found or any(self._touched(inner, child, above | {key}) for inner, child in self._members(part, within))
                found = found or any(self.dropped(field, self._trie.member(within, field.name)) for field in part.fields)
        if not above:
            self._changed[key] = found
        return found

    def _members(self, part: Type, within: int) -> list[tuple[Type, int]]:
        if part.kind == "record":
            return [(field.type, self._trie.member(within, field.name)) for field in part.fields]
        if part.items is None:
            return []
        if part.kind == "array":
            return [(part.items, self._trie.element(within))]
        nodes = {self._trie.member(within, key) for key in self._trie.named[within]} | {self._trie.other(within)}
        return [(part.items, node) for node in nodes if node >= 0]


def resolved(outcome: Outcome, part: Type) -> Outcome:
    """What an outcome that keeps the kind of values means for a type: numbers and booleans keep it, all else becomes text."""
    if outcome.result is not Result.KIND:
        return outcome
    return outcome._replace(result=Result.SAME if kind_of(part) in (Kind.NUMBER, Kind.TRUE) else Result.TEXT)


def _plain(part: Type) -> bool:
    return part.kind == "string" and not part.logical


class SiteTable:
    """How values are written at each site of a program.

    Attributes:
        table: int64, `splice_kernels.SITE` a site.
        types: for each site the type that its values are written as.
        branches: for each site the branch of that type, below 0 where there is no union.
    """

    def __init__(self, sites: Sequence[Site], derivation: Derivation, outcomes: Sequence[Outcome]) -> None:
        """Look at every site; for the arguments see `Derivation`."""
        self.table = np.zeros((len(sites), ops.SITE), np.int64)
        self._held: list[np.ndarray] = []
        self.types: list[Type] = []
        self.branches: list[int] = []
        for number, site in enumerate(sites):
            outcome = resolved(outcomes[site.path], site.type)
            held = derivation.held(site.outer, site.node)
            own = _own(held, site.outer, site.type, outcome)
            texts = next((b for b, part in enumerate(held.options) if _plain(part)), ops.NONE)
            null = next((b for b, part in enumerate(held.options) if part.kind == "null"), ops.NONE)
            self.types.append(held.options[own])
            self.branches.append(own if held.kind == "union" else ops.BARE)
            if held.kind != "union":
                texts, null = (ops.NONE if branch == ops.NONE else ops.BARE for branch in (texts, null))
            if outcome.result is not Result.TEXT and site.outer.kind == "union" and not _plain(site.type):
                texts = ops.NONE  # a number stays one, even where its union knows text
            row = self.table[number]
            row[: ops.S_DROP] = _PLACES[site.place], texts, null
            if site.field is not None and outcome.result is Result.DROP:
                constant = None if site.field.default is MISSING else default_bytes(site.field.type, site.field.default)
                if derivation.dropped(site.field, site.node):
                    row[ops.S_DROP] = ops.REMOVED
                elif constant is None or derivation.is_either(site.node):
                    row[ops.S_DROP] = ops.AS_NULL
                else:
                    held_bytes = np.frombuffer(constant + bytes(64), np.uint8)
                    self._held.append(held_bytes)
                    row[ops.S_DROP :] = ops.CONSTANT, held_bytes.ctypes.data, len(constant)


def _own(held: Type, outer: Type, part: Type, outcome: Outcome) -> int:
    """The branch of `held` that results of values of type `part` go to."""
    if part.kind == "null":  # where it becomes anything else: text, if that can be
        return next((b for b, branch in enumerate(held.options) if _plain(branch)),
                    next((b for b, branch in enumerate(held.options) if branch.kind != "null"), 0))
    if outcome.result is Result.TEXT:
        return next((b for b, branch in enumerate(held.options) if _plain(branch)), 0)
    place = next((b for b, branch in enumerate(outer.options) if branch is part), 0)
    if held is outer or len(held.options) == len(outer.options):
        return place
    return next((b for b, branch in enumerate(held.options) if branch is part), 0)


def outcomes_by_number(outcomes: Mapping[str, Outcome], ids: Mapping[str, int], count: int) -> list[Outcome]:
    """Outcomes by path number; paths that are not named stay."""
    found = [KEPT] * count
    for path, outcome in outcomes.items():
        if path in ids:
            found[ids[path]] = outcome
    return found
