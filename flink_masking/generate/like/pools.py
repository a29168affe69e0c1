"""Values for generated records from pools: what recurs recurs, what joins joins."""

import random
from collections import Counter

from flink_masking.detect import TYPES
from flink_masking.generate.like.forms import form_of
from flink_masking.generate.like.model import Model
from flink_masking.generate.like.values import Form, Values
from flink_masking.records.kinds import Kind
from flink_masking.scan import value_kernels as kernels

UNIQUE = 0.8
"""Part of the values at a path that differ, from which on no value comes back."""
_KEYS, _FRAMED = -1, -2
_FRAMES = frozenset((kernels.CODE, kernels.OTHER, kernels.WORD, kernels.URL, kernels.ARN, kernels.URN, *(
    kernels.SHAPES + 1 + number for number, one in enumerate(TYPES) if one.name == "URL")))
"""Classes of texts in which words of the format may stand around the part that varies; in a date the year would be such a word."""


class _Pool:
    """Values of one path: `most` different ones, or for None another one each time."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.given: list[str] = []
        self.due: list[str] = []
        self.fresh: list[str] = []


class Pools:
    """Draws values.

    Attributes:
        pick: draws by counts.
    """

    def __init__(self, model: Model, draw: random.Random, seed: int) -> None:
        """Begin with empty pools; `seed` is faker's."""
        self._model, self._draw = model, draw
        self._values = Values(model.outline.avoided, draw, seed)
        self.pick = self._values.pick
        self._pools: dict[tuple[int, int, int, int], _Pool] = {}
        self._made: dict[tuple[int, int, int, int], Form] = {}
        self._by_kind: dict[tuple[int, int], Counter[int]] = {}
        self._here: dict[int, str] = {}

    def next_record(self) -> None:
        """Forget which values the last record had."""
        self._here.clear()

    def key(self, star: int) -> str:
        """A key of a map; `star` is the path of its members."""
        pool = self._pools.setdefault((star, _KEYS, 0, 0), _Pool(None))
        forms = self._model.keys.get(star) or Counter({"aaaaaaaa": 1})
        return self._next(pool, Form(kernels.OTHER, False, forms, Counter(), Counter(), None))

    def of_kind(self, counts: Counter[tuple[int, int]], kind: int) -> Counter[int]:
        """The classes of the values of one kind."""
        key = id(counts), kind
        if key not in self._by_kind:
            found: Counter[int] = Counter()
            for (one, class_), times in counts.items():
                if one == kind:
                    found[class_] += times
            self._by_kind[key] = found
        return self._by_kind[key]

    def word(self, path: int, word: int) -> str:
        """A telling value: the sample's, or an invented word in its place."""
        if (path, word) not in self._model.words:
            form = Form(kernels.WORD, False, Counter({"aaaaaaaa": 1}), Counter(), Counter(), None)
            self._model.words[path, word] = self._next(_Pool(None), form)
        return self._model.words[path, word]

    def scalar(self, path: int, class_: int, number: bool, context: int = 0) -> str:
        """The text of a value of a class; of a JSON number where `number`."""
        if not number and self._model.chosen.get(path):
            return self.pick(self._model.chosen[path])
        if not number and class_ in _FRAMES and path in self._model.with_frames:
            return self._framed(path, class_)
        root = self._model.roots.get(path, path)
        if root == path:
            if path not in self._model.sources:
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
        counts = self._model.classes[path, 0]
        kind = int(Kind.STRING) if self.of_kind(counts, int(Kind.STRING)) else int(Kind.NUMBER)
        class_, number = self.of_kind(counts, kind).most_common(1)[0][0], kind == Kind.NUMBER
        pool = self._pool(path, class_, number)
        if pool.most is None and pool.given:
            return self._draw.choice(pool.given)
        text = self._given(path, class_, number)
        if pool.most is None:
            pool.due.append(text)
        return text

    def _framed(self, path: int, class_: int) -> str:
        """What stands around the part that varies, and a part: a value of another path, or a new one of the same form."""
        report = self._model.reports[path]
        frame = self._draw.choices(report.frames, [one.values for one in report.frames])[0]
        if path in self._model.inside and self._draw.random() < self._model.inside[path][1]:
            source = self._model.inside[path][0]
            return frame.before + self._existing(self._model.roots.get(source, source)) + frame.after
        key = path, _FRAMED, report.frames.index(frame), 0
        pool = self._pools.setdefault(key, _Pool(self._pool(path, class_, False).most))
        if key not in self._made:
            first, last = form_of(frame.before), form_of(frame.after)
            forms: Counter[str] = Counter()
            for (number, _, context), found in self._model.forms.items():
                for form, times in found.items() if number == path and not context else ():
                    if form.startswith(first) and form.endswith(last):
                        forms[form[len(first) : len(form) - len(last)]] += times
            self._made[key] = Form(kernels.OTHER, False, forms or Counter({"aaaaaaaa": 1}), Counter(), Counter(), None)
        return frame.before + self._drawn(pool, self._made[key]) + frame.after

    def _pool(self, path: int, class_: int, number: bool, context: int = 0) -> _Pool:
        key = path, class_, int(number), context
        if key not in self._pools:
            report = self._model.reports[path]
            counts = self._model.classes[path, context]
            here = sum(times for (kind, one), times in counts.items() if one == class_)
            share = here / max(1, report.scalars)
            unique = report.distinct >= UNIQUE * max(1, report.scalars)
            self._pools[key] = _Pool(None if unique else max(1, round(report.distinct * share)))
        return self._pools[key]

    def _form(self, path: int, class_: int, number: bool, context: int) -> Form:
        key = path, class_, int(number), context
        if key not in self._made:
            forms = self._model.forms.get((path, class_, context)) or Counter({"aaaaaa": 1})
            numbers = self._model.number_forms.get(path) or Counter({(False, 5, 0): 1})
            sizes = self._model.sizes.get((path, class_, context), Counter())
            self._made[key] = Form(class_, number, forms, sizes, numbers, self._model.months.get(path), str(self._model.steps[path]))
        return self._made[key]

    def _next(self, pool: _Pool, form: Form) -> str:
        if not pool.fresh:
            pool.fresh = self._values.block(form)[::-1]
        return pool.fresh.pop()
