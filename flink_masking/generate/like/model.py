"""An outline made ready for generation: what belongs to a map is one path, words of the format are chosen, joins are known."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from flink_masking.errors import InputError
from flink_masking.generate.like.forms import form_of
from flink_masking.generate.like.outline import MOST_WORDS, TELLING, Child, Outline
from flink_masking.records.paths import Wild, format_path
from flink_masking.scan import Report
from flink_masking.scan.forms import within
from flink_masking.scan.weight import weighty

FEWEST = 5
"""Records that a value of a telling member stands in before it is used as it is."""
PERSONAL = 0.1
"""Part of a telling member's values that are personal data as a whole, from which on none of them is used."""


class Model:
    """The counts of an outline by the paths of its report, and what is decided about them.

    Attributes:
        report: of the sample.
        kept: by path, as written, how many values of the sample are used as they are.
        steps: last step of each path, by number.
        stars: paths of members whose keys are data.
        maps: by path of an object of which all keys are, the path of its members.
        numbers: of paths, by name.
        reports: by path.
        sets: as of `Outline`.
        classes: as of `Outline`.
        lengths: as of `Outline`.
        sizes: as of `Outline`.
        forms: as of `Outline`.
        number_forms: as `Outline.numbers`.
        months: as of `Outline`.
        words: by path and hash the words of the format; invented ones are added.
        chosen: by path, all values that a person lets be used, with counts.
        with_frames: paths of texts in which a part is surrounded by words of the format.
        roots: for paths whose values stand at another path, that path.
        inside: for paths of texts in which values of another path stand, that path and the part of the texts.
        sources: the paths that `roots` and `inside` lead to.
        keys: by path of a map's members, the forms of its keys.
    """

    def __init__(self, outline: Outline) -> None:
        """Prepare.

        Args:
            outline: of the sample, complete.

        Raises:
            InputError: values that are to be kept are not there, or too many.
        """
        self.report: Report = outline.scanner.report()
        self.outline = outline
        paths, targets = outline.scanner.paths, outline.scanner.targets
        self.steps = paths.steps
        self.stars = frozenset(outline.scanner.maps)
        others = {paths.parents[number] for number in range(1, len(paths)) if targets[number] == number and number not in self.stars}
        self.maps = {paths.parents[star]: star for star in self.stars if paths.parents[star] not in others}
        self.numbers = {paths.name(number): number for number in range(1, len(paths)) if targets[number] == number}
        self.reports = {self.numbers[one.path]: one for one in self.report.paths}
        self.target: list[int] = targets.tolist()
        self.sets: dict[tuple[int, int], Counter[tuple[Child, ...]]] = _joined(outline.sets, self._rest, self._child)
        self.classes: dict[tuple[int, int], Counter[tuple[int, int]]] = _joined(outline.classes, self._rest)
        self.lengths: dict[int, Counter[int]] = _joined(outline.lengths, self.target.__getitem__)
        self.sizes: dict[tuple[int, int, int], Counter[int]] = _joined(outline.sizes, self._rest)
        self.forms: dict[tuple[int, int, int], Counter[str]] = _joined(outline.forms, self._rest)
        self.number_forms: dict[int, Counter[tuple[bool, int, int]]] = _joined(outline.numbers, self.target.__getitem__)
        self.months: dict[int, tuple[int, int]] = {}
        for path, (first, last) in outline.months.items():
            known = self.months.get(self.target[path], (first, last))
            self.months[self.target[path]] = min(first, known[0]), max(last, known[1])
        self.words: dict[tuple[int, int], str] = {}
        self.kept: dict[str, int] = {}
        self.chosen: dict[int, Counter[str]] = {}
        self._keep()
        if missing := outline.keep - self.kept.keys():
            raise InputError(f"{min(missing)}: no values of it can be kept. Hint: name a path of the sample, as scan prints it, of at most "
                             f"{MOST_WORDS} different texts, some of them in {FEWEST} records")
        self.with_frames = {number for number, one in self.reports.items() if within(one) is not None}
        self.roots, self.inside = self._related()
        self.sources = {*self.roots.values(), *(source for source, _ in self.inside.values())}
        self.keys: dict[int, Counter[str]] = {}
        for number in range(1, len(paths)):
            star = self.target[number]
            if star != number and star in self.stars and isinstance(step := paths.steps[number], str):
                self.keys.setdefault(star, Counter())[form_of(step)] += 1
                outline.avoided.add_texts([step])
        self._elements: dict[int, int] = {}
        for number in range(1, len(paths)):
            if self.target[number] == number and paths.steps[number] is Wild.ELEMENT:
                self._elements.setdefault(paths.parents[number], number)

    def element(self, path: int) -> int | None:
        """The path of an array's elements."""
        return self._elements.get(path)

    def kinds_of(self, path: int) -> set[str]:
        """The kinds of the values at a path."""
        return set(self.reports[path].kinds)

    def _rest(self, key: tuple[int, ...]) -> tuple[int, ...]:
        return (self.target[key[0]], *key[1:])

    def _child(self, members: tuple[Child, ...]) -> tuple[Child, ...]:
        return tuple({self.target[one.path]: one._replace(path=self.target[one.path]) for one in members}.values())

    def _keep(self) -> None:
        """Decide which values of telling members are words of the format."""
        vocabulary = self.outline.scanner.vocabulary
        deciding = {(self.numbers.get(format_path((*one.path[: one.anchor], *one.inside))), value)
                    for one in self.report.selectors for value in one.values}
        for path, words in self.outline.words.items():
            target = self.target[path]
            report = self.reports.get(target)
            if report is None or target in self.stars:
                continue
            if report.path in self.outline.keep:
                frequent = {word: one for word, one in words.items() if one[1] >= FEWEST}
                self.words |= {(target, word): text for word, (text, _) in frequent.items()}
                self.chosen[target] = Counter(dict(frequent.values()))
                if frequent:
                    self.kept[report.path] = len(frequent)
                continue
            if any(one.whole >= PERSONAL * report.scalars for one in weighty(report, light=False)):
                continue
            telling = str(self.steps[target]).lower() in TELLING
            for word, (text, times) in words.items():
                if times >= FEWEST and text and (telling or (target, text) in deciding) and vocabulary.holds(text):
                    self.words[target, word] = text
                    self.kept[report.path] = self.kept.get(report.path, 0) + 1

    def _related(self) -> tuple[dict[int, int], dict[int, tuple[int, float]]]:
        """For each path the one whose values it has, too; and the one whose values are part of its own, with their share."""
        roots: dict[int, int] = {}
        inside: dict[int, tuple[int, float]] = {}
        for number, one in self.reports.items():
            for other in one.equals:
                source = self.numbers[other.path]
                while source in roots:
                    source = roots[source]
                numbers = ["number" in self.kinds_of(number), "string" in self.kinds_of(source)]
                if source != number and not all(numbers):  # a text is no number
                    roots.setdefault(number, source)
                    break
            if one.frames and one.contains:
                best = max(one.contains, key=lambda other: other.common / max(1, other.of))
                inside[number] = self.numbers[best.path], best.common / max(1, best.of)
        return roots, inside


def _joined(counts: Any, key: Callable[[Any], Any], value: Callable[[Any], Any] | None = None) -> Any:
    """Counters of paths that belong to one another, added up."""
    found: dict[Any, Counter[Any]] = {}
    for one, times in counts.items():
        into = found.setdefault(key(one), Counter())
        for what, number in times.items():
            into[what if value is None else value(what)] += number
    return found
