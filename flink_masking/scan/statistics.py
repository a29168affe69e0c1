"""What the batches of a sample add up to, by path; no value is kept, of some a hash."""

from dataclasses import dataclass

import numpy as np

from flink_masking.detect import TYPES, Column, ColumnStatistics, Detectors, ValueKind, Values, keys
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Step
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.frames import Frames
from flink_masking.scan.members import Members
from flink_masking.scan.names import hinted
from flink_masking.scan.siblings import Siblings
from flink_masking.scan.sketch import Sketches
from flink_masking.scan.tree import Numbering

MARK = np.uint64(0xFF)
_TYPE, _CHECKED = 1 << 10, 2
"""A number above those of all types; the bit of `Reason` of findings whose check digits or ranges hold."""


@dataclass
class Evidence:
    """What speaks for a type at a path.

    Attributes:
        values: values in which it was found.
        whole: values that are nothing else.
        validated: findings whose check digits or form were checked.
        confidence: sum over the findings, each 0 to 100.
        findings: number of findings.
        reasons: `Reason` bits of all of them.
    """

    values: int = 0
    whole: int = 0
    validated: int = 0
    confidence: int = 0
    findings: int = 0
    reasons: int = 0

    def add(self, other: "Evidence") -> None:
        """Add the evidence of another path or batch."""
        self.values += other.values
        self.whole += other.whole
        self.validated += other.validated
        self.confidence += other.confidence
        self.findings += other.findings
        self.reasons |= other.reasons

    @property
    def mean(self) -> int:
        """Mean confidence of the findings, 0 to 100."""
        return round(self.confidence / self.findings) if self.findings else 0


CLASSIFIED = 20_000
"""Values of a path that it is classified by, at most: the first ones."""


class Names:
    """The names of a scan's paths by which types are told: of what a selector names, what it says."""

    def __init__(self, paths: Numbering) -> None:
        """Prepare; `paths` may grow."""
        self._paths, self._known = paths, list[str]()

    def __len__(self) -> int:
        """Number of paths."""
        return len(self._paths)

    @property
    def names(self) -> list[str]:
        """By number."""
        for number in range(len(self._known), len(self._paths)):
            told = hinted(self._paths.name(number), self._paths.path(number))
            self._known.append(next((name for name in told if keys.read(name).strengths), told[-1]))
        return self._known


class Statistics:
    """Counts, shapes, findings and hashes by path number.

    Attributes:
        counts: int64, `kernels.COUNTS` a path.
        shapes: int64, `kernels.SHAPES` a path.
        evidence: by path and type.
        values: hashes of values.
        parts: hashes of parts of values, the lowest byte of each (`MARK`) the separator in front of the part.
        columns: what paths are classified by.
        frames: what stands around the parts of texts.
        siblings: what members with telling names say of their siblings.
    """

    def __init__(self, paths: Numbering, detectors: Detectors) -> None:
        """Begin with nothing; `paths` may grow."""
        most = paths.most
        self._paths, self._detectors = paths, detectors
        self.counts = np.zeros((most, kernels.COUNTS), np.int64)
        self.shapes = np.zeros((most, kernels.SHAPES), np.int64)
        self._last = np.full(most, -1, np.int64)
        self.evidence: dict[int, dict[int, Evidence]] = {}
        self.values, self.parts = Sketches(most), Sketches(most)
        self.frames = Frames(most)
        self.siblings = Siblings(paths)
        self.names = Names(paths)
        self.columns = ColumnStatistics(detectors, self.names)
        self._classified = np.zeros(most, np.int64)
        self._hints = np.zeros(0, np.int32)

    def add(self, found: Members, first_row: int) -> tuple[np.ndarray, np.ndarray]:
        """Add a batch.

        Args:
            found: its members.
            first_row: number of its first record in the whole input.

        Returns:
            uint64, n: hashes of the scalars; int, n: what each value is as a whole, a shape or `SHAPES` and the number of a type and 1.
        """
        n = len(found.starts)
        if not n:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        hashes, shapes = np.empty(n, np.uint64), np.empty(n, np.uint8)
        kernels.describe(found.data, found.starts, found.ends, found.kinds, hashes, shapes)
        kernels.tally(found.starts, found.ends, found.kinds, found.rows, found.places, found.members, shapes, first_row, self._last,
                      self.counts.ravel(), self.shapes.ravel())
        scalars = np.flatnonzero(found.kinds < Kind.NULL)
        self.values.add(found.places[scalars], hashes[scalars])
        self._add_parts(found)
        self.frames.add(found)
        texts = np.flatnonzero(found.kinds <= Kind.NUMBER)
        self._classify(found, texts)
        whole = self._detect(found, texts)
        classes = np.where(whole > 0, whole + kernels.SHAPES, shapes)
        self.siblings.add(found, hashes, classes)
        return hashes, classes

    def _add_parts(self, found: Members) -> None:
        room, first, done, n = 1 << 20, 0, np.zeros(1, np.int64), len(found.starts)
        while first < n:
            hashes, of, before = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.uint8)
            count = kernels.parts(found.data, found.starts, found.ends, found.kinds, found.places, self.parts.below, first, hashes, of,
                                  before, done)
            if int(done[0]) == first:
                room *= 2
                continue
            first = int(done[0])
            self.parts.add(of[:count], hashes[:count] & ~MARK | before[:count])

    def _classify(self, found: Members, texts: np.ndarray) -> None:
        """Add to the evidence of columns the first values of each path."""
        texts = texts[self._classified[found.places[texts]] < CLASSIFIED]
        places = found.places[texts]
        order = np.argsort(places, kind="stable")
        sorted_places = places[order]
        rank = np.arange(len(order)) - np.searchsorted(sorted_places, sorted_places)
        texts = np.sort(texts[order[rank + self._classified[sorted_places] < CLASSIFIED]])
        if not len(texts):
            return
        np.add.at(self._classified, found.places[texts], 1)
        kinds = np.where(found.kinds[texts] == Kind.NUMBER, ValueKind.NUMBER, ValueKind.STRING).astype(np.uint8)
        self.columns.add(found.data, Values(found.starts[texts], found.ends[texts], kinds, found.rows[texts].astype(np.int64),
                                            found.places[texts], np.zeros(len(texts), np.uint8)))  # fmt: skip

    def column(self, number: int) -> Column | None:
        """What a path is classified as; None where it has no texts or numbers."""
        return self.columns.column(number)

    def _detect(self, found: Members, scalars: np.ndarray) -> np.ndarray:
        """Add findings; the result is int16, n: 1 and the type of what a value is as a whole, or 0."""
        known = len(self._hints)
        if known < len(self._paths):
            new = [self._detectors.hint(name) for name in self.names.names[known:]]
            self._hints = np.concatenate([self._hints, np.array(new, np.int32)])
        starts, ends, places = found.starts[scalars], found.ends[scalars], found.places[scalars]
        what = self._detectors.find(found.data, starts, ends, self._hints[places])
        types, values = what.types.astype(np.int64), what.values
        full = (what.starts == starts[values]) & (what.ends == ends[values])
        key = places[values].astype(np.int64) * _TYPE + types
        pairs, inverse = np.unique(key, return_inverse=True)
        firsts = np.unique(values * _TYPE + types, return_index=True)[1]
        sums = [np.bincount(inverse, weights, len(pairs)).astype(np.int64) for weights in (
            None, full, (what.reasons & _CHECKED) != 0, what.confidence)]
        inside = np.bincount(inverse[firsts], minlength=len(pairs))
        reasons = np.zeros(len(pairs), np.int64)
        np.bitwise_or.at(reasons, inverse, what.reasons.astype(np.int64))
        for k, pair in enumerate(pairs.tolist()):
            evidence = Evidence(int(inside[k]), int(sums[1][k]), int(sums[2][k]), int(sums[3][k]), int(sums[0][k]), int(reasons[k]))
            self.evidence.setdefault(pair // _TYPE, {}).setdefault(pair % _TYPE, Evidence()).add(evidence)
        whole = np.zeros(len(found.starts), np.int16)
        whole[scalars[values[full]]] = types[full] + 1
        return whole

    def join(self, into: int, place: int) -> None:
        """Add what was found at one path to another."""
        self.counts[into] += self.counts[place]
        self.shapes[into] += self.shapes[place]
        for type_, evidence in self.evidence.get(place, {}).items():
            self.evidence.setdefault(into, {}).setdefault(type_, Evidence()).add(evidence)
        self.values.join(into, place)
        self.parts.join(into, place)
        self.frames.join(into, place)
        self.columns.join(into, place)

    def lift(self, into: int, place: int) -> None:
        """Move what was found at one path, but for arrays and null, to another that is new."""
        kept = np.zeros_like(self.counts[place])
        for kind in (Kind.ARRAY, Kind.NULL):
            kept[kernels.KINDS + kind] = self.counts[place][kernels.KINDS + kind]
        kept[kernels.VALUES], kept[kernels.RECORDS] = kept.sum(), self.counts[place][kernels.RECORDS]
        self.join(into, place)
        self.counts[into] -= kept
        self.counts[into][kernels.RECORDS] += kept[kernels.RECORDS]
        self.counts[into][kernels.EMPTIES] = 0
        self.counts[place] = kept
        self.shapes[place] = 0
        self.evidence.pop(place, None)
        self.forget(place)

    def forget(self, place: int) -> None:
        """Leave out what is known of the values of a path that has none any more."""
        self.values.hashes.pop(place, None)
        self.parts.hashes.pop(place, None)
        self.columns.forget(place)

    def telling(self, step: Step) -> bool:
        """Whether a key looks like data: something is found in it, whatever stands around it."""
        if not isinstance(step, str) or not step:
            return False
        raw = np.frombuffer(step.encode("utf-8", "replace"), np.uint8)
        edges = np.zeros(1, np.int64), np.array([len(raw)], np.int64)
        shape, unused = np.empty(1, np.uint8), np.empty(1, np.uint64)
        kernels.describe(raw, *edges, np.zeros(1, np.uint8), unused, shape)
        if int(shape[0]) in _DATA or len(raw) > 100:
            return True
        return any(TYPES[number].category not in ("person", "place") for number, _ in self._mostly(raw))

    def personal(self, step: Step) -> bool:
        """Whether a key identifies somebody by itself: most of it is an address or a number to reach them, or has right check digits."""
        if not isinstance(step, str) or not step:
            return False
        found = self._mostly(np.frombuffer(step.encode("utf-8", "replace"), np.uint8))
        return any(TYPES[number].category == "contact" or (reasons & _CHECKED and TYPES[number].category not in ("person", "place"))
                   for number, reasons in found)

    def _mostly(self, raw: np.ndarray) -> list[tuple[int, int]]:
        """Types that more than half of a key is, with their `Reason` bits."""
        found = self._detectors.find(raw, np.zeros(1, np.int64), np.array([len(raw)], np.int64))
        large = found.ends - found.starts > len(raw) // 2
        return list(zip(found.types[large].tolist(), found.reasons[large].tolist(), strict=True))


_DATA = {kernels.INTEGER, kernels.DECIMAL, kernels.EPOCH_S, kernels.EPOCH_MS, kernels.EPOCH_US, kernels.EPOCH_NS, kernels.UUID,
         kernels.DATE, kernels.DATETIME, kernels.TIME, kernels.IP, kernels.MAC, kernels.EMAIL, kernels.URL, kernels.ARN, kernels.URN,
         kernels.HEX, kernels.TEXT, kernels.MONTH, kernels.YEAR}  # fmt: skip
"""Shapes that the name of a member does not have."""
