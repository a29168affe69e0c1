"""A masked view from the perspective of an attacker who joins views: what it shows of each field and of a person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flink_masking.errors import InputError
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import MaskedSegment, RuleSpec
from flink_masking.records.paths import parse_path, unselected
from flink_masking.techniques.promises import Promises, Shows
from flink_masking.verify.lines import ABSENT, Column, Table, getter
from flink_masking.verify.population import combined
from flink_masking.verify.records import Held, Records, place
from flink_masking.verify.shown import interval, partly, promised, tells

DEFAULT = "*"
SAME = 0.999
"""Share of lines of two views that must agree for their order to be the same; some values are redacted."""
BY_CHANCE = 0.95
"""Above this share, lines in a random order agree as well, and agreement says nothing."""


@dataclass(frozen=True)
class Shown:
    """What a masked view shows of a field.

    Attributes:
        path: the field.
        rule: what was done to it.
        promises: of the rule.
        values: the different values.
        codes: the number of each line's value.
    """

    path: str
    rule: RuleSpec | None
    promises: Promises
    values: list[Any]
    codes: np.ndarray

    def intervals(self) -> np.ndarray:
        """Lowest and highest number that each line's raw value may have, float64 (lines, 2)."""
        read = interval(self.promises)
        ends = [read(None if value is ABSENT else value) for value in self.values] or [(0.0, 0.0)]
        found: np.ndarray = np.array(ends)[self.codes]
        return found


@dataclass(frozen=True)
class MaskedView:
    """The lines of one masked segment, or of several that their order joins.

    Attributes:
        names: of the segments.
        size: lines.
        shown: by field, what is shown of it, by each of the segments.
        people: int64, what stands for the person of each line: a lasting stand-in, parts of direct identifiers, or the line itself.
        shuffled: whether the policy says so of any of the segments.
    """

    names: tuple[str, ...]
    size: int
    shown: Mapping[str, Sequence[Shown]]
    people: np.ndarray
    shuffled: bool

    def agrees(self, other: "MaskedView") -> bool:
        """Whether line by line the two views are about the same records."""
        if self.size != other.size or not self.size:
            return False
        permuted = np.random.Generator(np.random.PCG64(self.size)).permutation(self.size)
        same, chance = np.ones(self.size, np.bool_), np.ones(self.size, np.bool_)
        for path in self.shown.keys() & other.shown.keys():
            for one in self.shown[path]:
                for two in other.shown[path]:
                    same &= _compatible(one, two, None)
                    chance &= _compatible(one, two, permuted)
        if same.mean() < SAME:
            return False
        return bool(chance.mean() < BY_CHANCE) or not (self.shuffled or other.shuffled)

    def with_lines_of(self, other: "MaskedView") -> "MaskedView":
        """Both views as one, line by line."""
        shown = {path: (*self.shown.get(path, ()), *other.shown.get(path, ())) for path in self.shown.keys() | other.shown.keys()}
        few = len(np.unique(self.people)) < len(np.unique(other.people))
        return MaskedView((*self.names, *other.names), self.size, shown, self.people if few else other.people, False)


def _compatible(one: Shown, two: Shown, order: np.ndarray | None) -> np.ndarray:
    """Whether two views can show the same raw value, line by line; in another order of the second one's lines if given."""
    if one.rule == two.rule and one.promises.deterministic and one.promises.shows in (Shows.EXACT, Shows.COARSER):  # one function of it
        numbers = {_key(value): at for at, value in enumerate(one.values)}
        codes = np.array([numbers.get(_key(value), -1) for value in two.values] or [-1], np.int64)[two.codes]
        equal: np.ndarray = one.codes == (codes if order is None else codes[order])
        return equal
    mine, theirs = one.intervals(), two.intervals()
    theirs = theirs if order is None else theirs[order]
    overlap: np.ndarray = (mine[:, 0] <= theirs[:, 1]) & (theirs[:, 0] <= mine[:, 1])
    return overlap


def _key(value: Any) -> Any:
    return (type(value), repr(value))


def read_masked(name: str, segment: MaskedSegment, policy: Policy, path: Path | Held, columns: Mapping[str, Column]) -> MaskedView:
    """Read the lines of a masked segment.

    Args:
        name: of the segment.
        segment: as in the policy.
        policy: that it belongs to.
        path: where the lines are.
        columns: by path: fields whose values are numbered together with those of other files.

    Raises:
        InputError: there are no such files, or lines have a member twice.
    """
    rules = {field: rule for field in policy.fields if (rule := _rule(field, segment)) is not None}
    promises = {field: promised(rule) for field, rule in rules.items()}
    told = [field for field, kept in promises.items() if tells(kept)]
    identifying = [field for field in policy.fields if field == policy.subject or policy.fields[field].role in ("identifier", "direct")]
    standing = [field for field in sorted(identifying, key=lambda one: one != policy.subject) if field in rules]
    stand_ins = [field for field in standing if promises[field].stands_for_a_person][:1]
    stand_ins = stand_ins or [field for field in standing if partly(promises[field])]
    wanted = list(dict.fromkeys([*told, *stand_ins]))
    own = {field: columns[field] if field in columns and promises[field].shows is Shows.EXACT else Column() for field in wanted}
    getters: list[tuple[Callable[[dict[str, Any]], Any], Column]] = [(getter(field, policy.fields), own[field]) for field in wanted]
    table = Table(Records(path, policy, once=True), getters)
    if table.twice:
        raise InputError(f"{place(path)}: {table.twice:,} lines have a member twice. Hint: which of two values counts is up to their "
                         "readers")
    codes = dict(zip(wanted, table.codes, strict=True))
    people = combined([codes[field] for field in stand_ins], table.size) if stand_ins else np.arange(table.size)
    shown = {field: (Shown(field, rules[field], promises[field], own[field].values, codes[field]),) for field in told}
    return MaskedView((name,), table.size, shown, people, segment.order == "shuffled")


def _rule(field: str, segment: MaskedSegment) -> RuleSpec | None:
    """The rule for a field: its own, that of a parent, or the default."""
    steps = parse_path(field)
    rules = {parse_path(written): rule for written, rule in segment.rules.items() if written != DEFAULT}
    for end in range(len(steps), 0, -1):
        for above in (steps[:end], unselected(steps[:end])):
            if above in rules and (end < len(steps) or above == steps):
                return rules[above]
    return segment.rules.get(DEFAULT)
