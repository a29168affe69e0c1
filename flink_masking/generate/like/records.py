"""Records made of an outline: the members that occur together, and values from pools, so that what recurs recurs and what joins joins."""

import csv
import io
import json
import os
import pathlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from flink_masking.detect import TYPES
from flink_masking.errors import InputError
from flink_masking.files.opened import created
from flink_masking.generate.like.forms import form_of
from flink_masking.generate.like.outline import MOST_WORDS, TELLING, Child, Outline
from flink_masking.generate.like.values import Form, Values
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Wild, format_path
from flink_masking.scan import Report
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.forms import within
from flink_masking.scan.weight import weighty

FEWEST = 5
"""Records that a value of a telling member stands in before it is used as it is."""
UNIQUE = 0.8
"""Part of the values at a path that differ, from which on no value comes back."""
PERSONAL = 0.1
"""Part of a telling member's values that are personal data as a whole, from which on none of them is used."""
DEEPEST = 100
_KEYS, _FRAMED, _AGAIN = -1, -2, 8
_STEP = 500
_FRAMES = frozenset((kernels.CODE, kernels.OTHER, kernels.WORD, kernels.URL, kernels.ARN, kernels.URN, *(
    kernels.SHAPES + 1 + number for number, one in enumerate(TYPES) if one.name == "URL")))
"""Classes of texts in which words of the format may stand around the part that varies; in a date the year would be such a word."""


class _Pool:
    """Values of one path: new ones, or those that were given out."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.given: list[str] = []
        self.due: list[str] = []
        self.fresh: list[str] = []


class Likeness:
    """Makes records of the types and shapes of a sample.

    Attributes:
        report: of the sample.
        kept: by path how many values of the sample are used as they are: those of members that say what stands beside them, such as
            ``system``, each in five records or more, in words that hold no data.
    """

    def __init__(self, outline: Outline, seed: int = 0) -> None:
        """Prepare.

        Args:
            outline: of the sample, complete.
            seed: 0 or more; the same seed makes the same records of the same outline.

        Raises:
            InputError: values that are to be kept are not there, or too many.
        """
        self.report: Report = outline.scanner.report()
        self._outline, self._draw = outline, random.Random(seed)
        self._values = Values(outline.avoided, self._draw, seed)
        self._pick = self._values.pick
        paths, targets = outline.scanner.paths, outline.scanner.targets
        self._steps, self._columns = paths.steps, outline.columns
        self._maps = {paths.parents[star]: star for star in outline.scanner.maps}
        self._numbers = {paths.name(number): number for number in range(1, len(paths)) if targets[number] == number}
        self._reports = {self._numbers[one.path]: one for one in self.report.paths}
        self._target = targets.tolist()
        self._sets = _joined(outline.sets, lambda key: (self._target[key[0]], key[1]), self._child)
        self._classes = _joined(outline.classes, lambda key: (self._target[key[0]], key[1]))
        self._lengths = _joined(outline.lengths, self._target.__getitem__)
        self._sizes = _joined(outline.sizes, lambda key: (self._target[key[0]], *key[1:]))
        self._forms = _joined(outline.forms, lambda key: (self._target[key[0]], *key[1:]))
        self._number_forms = _joined(outline.numbers, self._target.__getitem__)
        self._months: dict[int, tuple[int, int]] = {}
        for path, (first, last) in outline.months.items():
            known = self._months.get(self._target[path], (first, last))
            self._months[self._target[path]] = min(first, known[0]), max(last, known[1])
        self._pools: dict[tuple[int, int, int, int], _Pool] = {}
        self._by_kind: dict[tuple[int, int], Counter[int]] = {}
        self._children: dict[int, list[int]] = {}
        self._here: dict[int, str] = {}
        self._made: dict[tuple[int, int, int, int], Form] = {}
        self._words: dict[tuple[int, int], str] = {}
        self.kept: dict[str, int] = {}
        self._chosen: dict[int, Counter[str]] = {}
        self._keep()
        if missing := outline.keep - self.kept.keys():
            raise InputError(f"{min(missing)}: no values of it can be kept. Hint: name a path of the sample, as scan prints it, of at most "
                             f"{MOST_WORDS} different texts, some of them in {FEWEST} records")
        self._with_frames = {number for number, one in self._reports.items() if within(one) is not None}
        self._roots, self._inside = self._related()
        self._sources = {*self._roots.values(), *(source for source, _ in self._inside.values())}
        self._keys: dict[int, Counter[str]] = {}
        for number in range(1, len(paths)):
            star = self._target[number]
            if star != number and star in self._maps.values() and isinstance(step := paths.steps[number], str):
                self._keys.setdefault(star, Counter())[form_of(step)] += 1
                outline.avoided.add_texts([step])

    def _child(self, members: tuple[Child, ...]) -> tuple[Child, ...]:
        return tuple({self._target[one.path]: one._replace(path=self._target[one.path]) for one in members}.values())

    def _keep(self) -> None:
        """Decide which values of telling members are words of the format."""
        vocabulary = self._outline.scanner.vocabulary
        deciding = {(self._numbers.get(format_path((*one.path[: one.anchor], *one.inside))), value)
                    for one in self.report.selectors for value in one.values}
        for path, words in self._outline.words.items():
            target = self._target[path]
            report = self._reports.get(target)
            if report is None or target in self._maps.values():
                continue
            if report.path in self._outline.keep:
                frequent = {word: one for word, one in words.items() if one[1] >= FEWEST}
                self._words |= {(target, word): text for word, (text, _) in frequent.items()}
                self._chosen[target] = Counter(dict(frequent.values()))
                if frequent:
                    self.kept[report.path] = len(frequent)
                continue
            if any(one.whole >= PERSONAL * report.scalars for one in weighty(report, light=False)):
                continue
            telling = str(self._steps[target]).lower() in TELLING
            for word, (text, times) in words.items():
                if times >= FEWEST and text and (telling or (target, text) in deciding) and vocabulary.holds(text):
                    self._words[target, word] = text
                    self.kept[report.path] = self.kept.get(report.path, 0) + 1

    def _related(self) -> tuple[dict[int, int], dict[int, tuple[int, float]]]:
        """For each path the one whose values it has, too; and the one whose values are part of its own, with their share."""
        roots: dict[int, int] = {}
        inside: dict[int, tuple[int, float]] = {}
        for number, one in self._reports.items():
            for other in one.equals:
                source = self._numbers[other.path]
                while source in roots:
                    source = roots[source]
                if source != number:
                    roots.setdefault(number, source)
                    break
            if one.frames and one.contains:
                best = max(one.contains, key=lambda other: other.common / max(1, other.of))
                inside[number] = self._numbers[best.path], best.common / max(1, best.of)
        return roots, inside

    def lines(self, count: int) -> Iterator[bytes]:
        """The lines of so many records; for a format with a header, the header first."""
        if self._outline.format == "csv":
            yield from self._rows(count)
            return
        for _ in range(count):
            out: list[str] = []
            self._here.clear()
            self._object(0, 0, out, 0)
            yield "".join(out).encode("utf-8", "replace")

    def _rows(self, count: int) -> Iterator[bytes]:
        columns = list(self._columns or ())
        buffer = io.StringIO()
        rows = csv.writer(buffer, lineterminator="\n")
        numbers = [self._numbers.get(name) for name in columns]
        for row in range(count + 1):
            rows.writerow(columns if not row else ["" if number is None else self._cell(number) for number in numbers])
            yield buffer.getvalue().rstrip("\n").encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()

    def _cell(self, path: int) -> str:
        kind, class_ = self._pick(self._classes[path, 0]) if (path, 0) in self._classes else (int(Kind.NULL), 0)
        return "" if kind == Kind.NULL else self._scalar(path, class_, kind == Kind.NUMBER)

    def _object(self, path: int, context: int, out: list[str], depth: int, beside: set[tuple[int, ...]] | None = None) -> None:
        """Write an object."""
        if path in self._maps:
            self._map(path, context, out, depth)
            return
        sets = self._sets.get((path, context)) or self._sets.get((path, 0))
        members = [one for one in self._pick(sets) if one.path != path] if sets and depth < DEEPEST else []
        told = tuple(one.word for one in members if one.word)
        for _ in range(_AGAIN if beside is not None and told in beside and sets else 0):  # elements of an array tell different things
            members = [one for one in self._pick(sets) if one.path != path]
            if (told := tuple(one.word for one in members if one.word)) not in (beside or ()):
                break
        if beside is not None and told:
            beside.add(told)
        own = sum(one.word for one in members) * 0x9E3779B97F4A7C15 & (1 << 64) - 1
        out.append("{")
        for number, one in enumerate(members):
            out.append(f"{',' * (number > 0)}{json.dumps(self._steps[one.path], ensure_ascii=False)}:")
            if one.word:
                out.append(json.dumps(self._word(one.path, one.word), ensure_ascii=False))
            else:
                self._value(one.path, one.kind, own or context, out, depth + 1)
        out.append("}")

    def _map(self, path: int, context: int, out: list[str], depth: int) -> None:
        star = self._maps[path]
        length = self._pick(self._lengths[path]) if path in self._lengths else 0
        keys = dict.fromkeys(self._key(star) for _ in range(length if depth < DEEPEST else 0))
        out.append("{")
        for number, key in enumerate(keys):
            out.append(f"{',' * (number > 0)}{json.dumps(key, ensure_ascii=False)}:")
            self._element(star, context, out, depth)
        out.append("}")

    def _key(self, star: int) -> str:
        pool = self._pools.setdefault((star, _KEYS, 0, 0), _Pool(None))
        forms = self._keys.get(star) or Counter({"aaaaaaaa": 1})
        return self._next(pool, Form(kernels.OTHER, False, forms, Counter(), Counter(), None))

    def _element(self, path: int, context: int, out: list[str], depth: int, beside: set[tuple[int, ...]] | None = None) -> None:
        """Write a value of any kind that the path has; `beside` is what the elements before it tell."""
        counts = self._classes.get((path, context)) or self._classes.get((path, 0))
        kind = self._pick(counts)[0] if counts else int(Kind.NULL)
        if kind == Kind.OBJECT:
            self._object(path, context, out, depth + 1, beside)
        else:
            self._value(path, kind, context, out, depth + 1)

    def _value(self, path: int, kind: int, context: int, out: list[str], depth: int) -> None:
        if kind == Kind.OBJECT:
            self._object(path, context, out, depth)
        elif kind == Kind.ARRAY:
            element = next((n for n in self._below(path) if self._steps[n] is Wild.ELEMENT), None)
            length = self._pick(self._lengths[path]) if path in self._lengths else 0
            beside: set[tuple[int, ...]] = set()
            out.append("[")
            for number in range(length if element is not None and depth < DEEPEST else 0):
                out.append("," * (number > 0))
                self._element(element or 0, context, out, depth, beside)
            out.append("]")
        elif kind in (Kind.TRUE, Kind.FALSE, Kind.NULL):
            out.append({Kind.TRUE: "true", Kind.FALSE: "false"}.get(Kind(kind), "null"))
        else:
            counts = self._classes.get((path, context)) or self._classes[path, 0]
            class_ = self._pick(self._of_kind(counts, kind) or self._of_kind(self._classes[path, 0], kind))
            text = self._scalar(path, class_, kind == Kind.NUMBER, context if (path, context) in self._classes else 0)
            out.append(text if kind == Kind.NUMBER else json.dumps(text, ensure_ascii=False))

    def _of_kind(self, counts: Counter[tuple[int, int]], kind: int) -> Counter[int]:
        key = id(counts), kind
        if key not in self._by_kind:
            found: Counter[int] = Counter()
            for (one, class_), times in counts.items():
                if one == kind:
                    found[class_] += times
            self._by_kind[key] = found
        return self._by_kind[key]

    def _below(self, path: int) -> list[int]:
        if not self._children:
            parents = self._outline.scanner.paths.parents
            for number in range(1, len(parents)):
                if self._target[number] == number:
                    self._children.setdefault(parents[number], []).append(number)
        return self._children.get(path, [])

    def _word(self, path: int, word: int) -> str:
        """A telling value: the sample's, or an invented word in its place."""
        if (path, word) not in self._words:
            form = Form(kernels.WORD, False, Counter({"aaaaaaaa": 1}), Counter(), Counter(), None)
            self._words[path, word] = self._next(_Pool(None), form)
        return self._words[path, word]

    def _scalar(self, path: int, class_: int, number: bool, context: int = 0) -> str:
        if not number and self._chosen.get(path):
            return self._pick(self._chosen[path])
        if not number and class_ in _FRAMES and path in self._with_frames:
            return self._framed(path, class_)
        root = self._roots.get(path, path)
        if root == path:
            if path not in self._sources:
                return self._given(path, class_, number, context)
            self._here[path] = self._given(path, class_, number)
        elif root not in self._here:
            self._here[root] = self._existing(root)
        return self._here[root]

    def _given(self, path: int, class_: int, number: bool, context: int = 0) -> str:
        pool = self._pool(path, class_, number, context)
        if pool.due:
            return pool.due.pop()
        return self._drawn(pool, self._form(path, class_, number, context))

    def _drawn(self, pool: _Pool, form: Form) -> str:
        """A value of a pool: another one each time, or one of few."""
        if pool.most is None:
            text = self._next(pool, form)
            pool.given.append(text)
            return text
        at = self._draw.randrange(pool.most)
        while at >= len(pool.given):
            pool.given.append(self._next(pool, form))
            at = min(at, len(pool.given) - 1) if pool.given else at
        return pool.given[at]

    def _existing(self, path: int) -> str:
        """A value that another path has, too."""
        counts = self._classes[path, 0]
        kind = int(Kind.STRING) if self._of_kind(counts, int(Kind.STRING)) else int(Kind.NUMBER)
        class_, number = self._of_kind(counts, kind).most_common(1)[0][0], kind == Kind.NUMBER
        pool = self._pool(path, class_, number)
        if pool.most is None and pool.given:
            return self._draw.choice(pool.given)
        text = self._given(path, class_, number)
        if pool.most is None:
            pool.due.append(text)
        return text

    def _framed(self, path: int, class_: int) -> str:
        """What stands around the part that varies, and a part: a value of another path, or a new one of the same form."""
        report = self._reports[path]
        frame = self._draw.choices(report.frames, [one.values for one in report.frames])[0]
        if path in self._inside and self._draw.random() < self._inside[path][1]:
            return frame.before + self._existing(self._roots.get(self._inside[path][0], self._inside[path][0])) + frame.after
        key = path, _FRAMED, report.frames.index(frame), 0
        pool = self._pools.setdefault(key, _Pool(self._pool(path, class_, False).most))
        if key not in self._made:
            first, last = form_of(frame.before), form_of(frame.after)
            forms: Counter[str] = Counter()
            for (number, _, context), found in self._forms.items():
                for form, times in found.items() if number == path and not context else ():
                    if form.startswith(first) and form.endswith(last):
                        forms[form[len(first) : len(form) - len(last)]] += times
            self._made[key] = Form(kernels.OTHER, False, forms or Counter({"aaaaaaaa": 1}), Counter(), Counter(), None)
        return frame.before + self._drawn(pool, self._made[key]) + frame.after

    def _pool(self, path: int, class_: int, number: bool, context: int = 0) -> _Pool:
        key = path, class_, int(number), context
        if key not in self._pools:
            report = self._reports[path]
            counts = self._classes[path, context]
            here = sum(times for (kind, one), times in counts.items() if one == class_)
            share = here / max(1, sum(times for (kind, _), times in self._classes[path, 0].items() if kind in (Kind.STRING, Kind.NUMBER)))
            unique = report.distinct >= UNIQUE * max(1, report.scalars)
            self._pools[key] = _Pool(None if unique else max(1, round(report.distinct * share)))
        return self._pools[key]

    def _form(self, path: int, class_: int, number: bool, context: int) -> Form:
        key = path, class_, int(number), context
        if key not in self._made:
            forms = self._forms.get((path, class_, context)) or Counter({"aaaaaa": 1})
            numbers = self._number_forms.get(path) or Counter({(False, 5, 0): 1})
            sizes = self._sizes.get((path, class_, context), Counter())
            self._made[key] = Form(class_, number, forms, sizes, numbers, self._months.get(path), str(self._steps[path]))
        return self._made[key]

    def _next(self, pool: _Pool, form: Form) -> str:
        if not pool.fresh:
            pool.fresh = self._values.block(form)[::-1]
        return pool.fresh.pop()


def _joined(counts: Any, key: Callable[[Any], Any], value: Callable[[Any], Any] | None = None) -> Any:
    """Counters of paths that belong to one another, added up."""
    found: dict[Any, Counter[Any]] = {}
    for one, times in counts.items():
        into = found.setdefault(key(one), Counter())
        for what, number in times.items():
            into[what if value is None else value(what)] += number
    return found


def write_like(path: str | os.PathLike[str], likeness: Likeness, count: int, progress: Callable[[int], None] | None = None) -> int:
    """Write records, one a line; .gz and .zst are compressed.

    Args:
        path: written whole or not at all; what is there is replaced.
        likeness: makes them.
        count: how many.
        progress: called with the number of records written, from time to time.

    Returns:
        The bytes written.

    Raises:
        OSError: the file cannot be written.
    """
    target = pathlib.Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        with created(part, target) as stream:
            for number, line in enumerate(likeness.lines(count)):
                stream.write(line + b"\n")
                if progress is not None and number % _STEP == 0:
                    progress(min(number, count))
        size = part.stat().st_size
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size
