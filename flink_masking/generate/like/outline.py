"""What the records of a sample look like: members that occur together, lengths, forms and ranges by path, and no value."""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.detect import TYPES
from flink_masking.generate.like.avoided import Avoided
from flink_masking.generate.like.forms import form_of, month_of
from flink_masking.records.kinds import Kind
from flink_masking.scan import Scanner
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.members import Members

TELLING = frozenset((
    "type", "system", "url", "key", "kind", "use", "category", "scheme", "rel", "resourcetype", "eventtype", "op", "event"))
"""Last keys, in small letters, of members that say what stands beside them: ``system`` beside a contact's ``value``."""
PERHAPS = TELLING | {"code", "name", "label", "field", "property", "attribute"}
"""Those that may; what they say is used only where the scan found that it decides what a sibling is."""
MOST_WORDS, MOST_SETS, MOST_FORMS = 64, 512, 64
"""Different values of a telling member, sets of members of an object, forms of texts: what is beyond is left out."""
LOOKED_AT = 24
"""Values of a path and class whose form is looked at, in a batch."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
TIMES = frozenset((kernels.DATE, kernels.DATETIME, kernels.TIME, *(
    kernels.SHAPES + 1 + number for number, one in enumerate(TYPES) if one.name in ("DATE", "DATE_OF_BIRTH"))))
"""Classes of dates and times."""
UNITS = {kernels.EPOCH_S: 1, kernels.EPOCH_MS: 10**3, kernels.EPOCH_US: 10**6, kernels.EPOCH_NS: 10**9}
"""Classes of times since 1970, and how many of their units are a second."""
_DECIMAL = re.compile(r"-?9+[.]9+")


class Child(NamedTuple):
    """A member of an object: its path, its kind, and the hash of its value where it is telling, otherwise 0."""

    path: int
    kind: int
    word: int


class Outline:
    """Counts of how the records of a sample are built.

    Attributes:
        scanner: reads the sample.
        avoided: all its values, as hashes.
        sets: by object path and context, how often its members occur together. A context is the hash of the telling values around: what
            ``value`` looks like depends on ``system``. Context 0 is all of them.
        classes: by path and context, how many values are of which kind and class (shape or type).
        lengths: by path of a container, how many members it has.
        sizes: by path, class and context, texts by the binary logarithm of their length.
        numbers: by path, numbers by sign, power of two and decimals.
        forms: by path, class and context.
        months: by path of dates and times since 1970, the first and the last month, counted from the year 0.
        words: by path of a telling member, its values by hash, with counts.
    """

    def __init__(self, format: str = "json", columns: tuple[str, ...] | None = None, keep: frozenset[str] = frozenset()) -> None:
        """Begin.

        Args:
            format: as of `Scanner`.
            columns: likewise.
            keep: paths of which a person has said that their values, texts of at most `MOST_WORDS` kinds, say nothing of anybody.
        """
        self.format, self.columns, self.keep = format, columns, keep
        self.scanner = Scanner(format, columns, watch=self._watch)
        self.avoided = Avoided()
        self.sets: dict[tuple[int, int], Counter[tuple[Child, ...]]] = {}
        self.classes: dict[tuple[int, int], Counter[tuple[int, int]]] = {}
        self.lengths: dict[int, Counter[int]] = {}
        self.sizes: dict[tuple[int, int, int], Counter[int]] = {}
        self.numbers: dict[int, Counter[tuple[bool, int, int]]] = {}
        self.forms: dict[tuple[int, int, int], Counter[str]] = {}
        self.months: dict[int, tuple[int, int]] = {}
        self.words: dict[int, dict[int, tuple[str, int]]] = {}
        self._banned: set[int] = set()
        self._known: dict[tuple[int, int, int], tuple[Child, ...]] = {}

    def add(self, batch: pa.BinaryArray) -> None:
        """Add a batch of records."""
        self.scanner.add(batch)

    def _watch(self, found: Members, hashes: np.ndarray, classes: np.ndarray) -> None:
        kinds = np.where(found.kinds == Kind.ENCODED, Kind.STRING, found.kinds).astype(np.int64)
        scalar = np.flatnonzero((kinds == Kind.STRING) | (kinds == Kind.NUMBER))
        self.avoided.add(hashes[scalar], (found.ends - found.starts)[scalar])
        words = self._telling(found, hashes, kinds)
        own = np.zeros(len(kinds), np.uint64)
        np.add.at(own, found.owners[words], hashes[words] * _SPREAD)
        around = _inherited(own, found.owners)
        outer = np.where(found.owners >= 0, around[found.owners], np.uint64(0))
        self._count_classes(found, kinds, classes, outer)
        self._count_sets(found, kinds, hashes, words, outer)
        boxes = np.flatnonzero(kinds >= Kind.OBJECT)
        for (path, length), times in _pairs(found.places[boxes], found.members[boxes]):
            self.lengths.setdefault(path, Counter())[length] += times
        self._look(found, kinds, classes, outer)

    def _telling(self, found: Members, hashes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """Numbers of the members that are telling."""
        steps, name = self.scanner.paths.steps, self.scanner.paths.name
        able = [path for path in np.unique(found.places[kinds == Kind.STRING]).tolist() if path not in self._banned
                and ((isinstance(step := steps[path], str) and step.lower() in PERHAPS) or (self.keep and name(path) in self.keep))]
        kept = [np.zeros(0, np.int64)]
        for path in able:
            at = np.flatnonzero((found.places == path) & (kinds == Kind.STRING))
            known = self.words.setdefault(path, {})
            values, first, counts = np.unique(hashes[at], return_index=True, return_counts=True)
            for value, k, times in zip(values.tolist(), at[first].tolist(), counts.tolist(), strict=True):
                before = known.get(value)
                text = before[0] if before else found.data[found.starts[k] : found.ends[k]].tobytes().decode("utf-8", "replace")
                known[value] = text, times + (before[1] if before else 0)
            if len(known) > MOST_WORDS:
                self._banned.add(path)
                del self.words[path]
                continue
            kept.append(at[(found.owners[at] >= 0) & (kinds[found.owners[at]] == Kind.OBJECT)])
        return np.concatenate(kept)

    def _count_classes(self, found: Members, kinds: np.ndarray, classes: np.ndarray, outer: np.ndarray) -> None:
        code = found.places.astype(np.int64) << 20 | kinds << 12 | classes.astype(np.int64)
        mixed = code.astype(np.uint64) * _SPREAD ^ outer
        _, first, counts = np.unique(mixed, return_index=True, return_counts=True)
        for k, times in zip(first.tolist(), counts.tolist(), strict=True):
            path, what = int(found.places[k]), (int(kinds[k]), int(classes[k]))
            self.classes.setdefault((path, 0), Counter())[what] += times
            if outer[k]:
                self.classes.setdefault((path, int(outer[k])), Counter())[what] += times

    def _count_sets(self, found: Members, kinds: np.ndarray, hashes: np.ndarray, words: np.ndarray, outer: np.ndarray) -> None:
        inside = np.flatnonzero(found.owners >= 0)
        inside = inside[kinds[found.owners[inside]] == Kind.OBJECT]
        word = np.zeros(len(kinds), np.uint64)
        word[words] = hashes[words]
        code = (found.places.astype(np.uint64) << np.uint64(4) | kinds.astype(np.uint64)) * _SPREAD
        code = (code ^ code >> np.uint64(29)) * np.uint64(0xBF58476D1CE4E5B9) ^ word
        sums = np.zeros(len(kinds), np.uint64)
        np.add.at(sums, found.owners[inside], ((code ^ code >> np.uint64(32)) * _SPREAD)[inside])
        boxes = np.flatnonzero(kinds == Kind.OBJECT)
        key = sums[boxes] ^ outer[boxes] ^ found.places[boxes].astype(np.uint64) * _SPREAD
        _, first, counts = np.unique(key, return_index=True, return_counts=True)
        order: np.ndarray | None = None
        for k, times in zip(boxes[first].tolist(), counts.tolist(), strict=True):
            path, context, total = int(found.places[k]), int(outer[k]), int(sums[k])
            members = self._known.get((path, context, total))
            if members is None:
                if len(self.sets.get((path, context), ())) >= MOST_SETS:
                    continue
                if order is None:
                    order = inside[np.argsort(found.owners[inside], kind="stable")]
                    owners = found.owners[order]
                at = order[np.searchsorted(owners, k) : np.searchsorted(owners, k, "right")]
                members = tuple(Child(*one) for one in zip(found.places[at].tolist(), kinds[at].tolist(), word[at].tolist(), strict=True))
                self._known[path, context, total] = members
            for of in {0, context}:
                self.sets.setdefault((path, of), Counter())[members] += times

    def _look(self, found: Members, kinds: np.ndarray, classes: np.ndarray, outer: np.ndarray) -> None:
        """Look at the forms of some values of every path and class."""
        at = np.flatnonzero((kinds == Kind.STRING) | (kinds == Kind.NUMBER))
        if not len(at):
            return
        code = (found.places[at].astype(np.uint64) << np.uint64(16) | classes[at].astype(np.uint64)) * _SPREAD ^ outer[at]
        order = np.argsort(code, kind="stable")
        edges = np.r_[0, np.flatnonzero(np.diff(code[order])) + 1]
        for begin, end in zip(edges.tolist(), [*edges[1:].tolist(), len(order)], strict=True):
            chosen = at[order[begin : min(end, begin + LOOKED_AT)]].tolist()
            path, class_ = int(found.places[chosen[0]]), int(classes[chosen[0]])
            context = int(outer[chosen[0]])
            timed = class_ in TIMES or class_ in UNITS
            for k in chosen:
                text = found.data[found.starts[k] : found.ends[k]].tobytes().decode("utf-8", "replace")
                if (month := month_of(text, UNITS.get(class_)) if timed else None) is not None:
                    first, last = self.months.get(path, (month, month))
                    self.months[path] = min(first, month), max(last, month)
                if kinds[k] == Kind.NUMBER:
                    self._number(path, text)
                    continue
                form = form_of(text, timed)
                if _DECIMAL.fullmatch(form):
                    self._number(path, text)
                for of in {0, context}:
                    self.sizes.setdefault((path, class_, of), Counter())[len(text).bit_length()] += 1
                    forms = self.forms.setdefault((path, class_, of), Counter())
                    if form in forms or len(forms) < MOST_FORMS:
                        forms[form] += 1

    def _number(self, path: int, text: str) -> None:
        size = abs(float(text))
        power = int(np.frexp(size)[1]) if size and np.isfinite(size) else 0
        mantissa = text.lower().partition("e")[0]
        self.numbers.setdefault(path, Counter())[text.startswith("-"), min(power, 62), min(9, len(mantissa.partition(".")[2]))] += 1


def _pairs(*columns: np.ndarray) -> list[tuple[tuple[int, int], int]]:
    """How often two numbers stand beside each other."""
    rows, counts = np.unique(np.stack([column.astype(np.int64) for column in columns], 1).reshape(-1, 2), axis=0, return_counts=True)
    return [((int(a), int(b)), int(times)) for (a, b), times in zip(rows.tolist(), counts.tolist(), strict=True)]


def _inherited(own: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """For each member the context of what it holds: its own, or that of the nearest container around that has one."""
    around = own.copy()
    without = np.flatnonzero((around == 0) & (owners >= 0))
    while len(without):  # each round reaches one level deeper
        found = around[owners[without]]
        around[without] = found
        if not found.any():
            break
        without = without[found == 0]
    return around
