"""Classifies the columns of records, which are paths, by all of their values: counts over batches, no value is kept."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from flink_masking.detect import keys
from flink_masking.detect.catalogue import ROWS
from flink_masking.detect.detectors import Detectors
from flink_masking.detect.reasons import Reason
from flink_masking.detect.records import ValueKind, Values
from flink_masking.detect.statistics_kernels import (
    BYTES,
    DIGITS_IN,
    EMPTY,
    LONGEST,
    NAMES_IN,
    NOTHING,
    NUMBERS,
    PLACES_IN,
    SKETCH,
    VALUES,
    WORDS_IN,
    count_values,
)
from flink_masking.detect.tables import tables

WHOLE, CHECKED, INSIDE = range(3)
"""Counts of a path and type: values that are of the type as a whole, those of them whose check holds, values with one inside."""
ENOUGH = 20
"""Values from which shares are trusted."""
CHANCE = {"US_SSN": 0.9, "BANK_ACCOUNT": 1.0, "POSTCODE": 1.0, "CARD_CVV": 1.0, "DATE": 1.0, "UUID": 1.0, "PHONE": 1.0, "URL": 1.0,
          "DRIVER_LICENSE": 1.0, "PASSPORT": 1.0, "CARD_EXPIRY": 1.0, "BIC": 0.5, "GEO": 0.5, "US_MBI": 1.0, "VAT_ID": 0.5,
          "US_TAX_ID": 1.0}
"""How many values of the right form pass a type's check by chance, where it is more than one in nine."""


class Column(NamedTuple):
    """What a path holds.

    Attributes:
        path: ``customer.contacts[*].phone``.
        type: name of the type that its values are of; None where none stands out.
        confidence: 0 to 100.
        reasons: why.
        values: number of values that are not ``null``, ``true`` or ``false``.
        matched: values that are of the type as a whole.
        checked: those of them whose check holds.
        distinct: number of different values, estimated above `SKETCH`.
        longest: bytes of the longest value.
        mean: bytes of a value on average.
        inside: for each type that was found inside of values, in how many.
    """

    path: str
    type: str | None
    confidence: int
    reasons: Reason
    values: int
    matched: int
    checked: int
    distinct: int
    longest: int
    mean: float
    inside: dict[str, int]


class Named(Protocol):
    """Paths by their numbers, such as `flink_masking.detect.records.Paths`."""

    @property
    def names(self) -> Sequence[str]:
        """The names by which types are told, by number."""

    def __len__(self) -> int:
        """Number of paths."""


class ColumnStatistics:
    """Evidence of each path over all batches that were added."""

    def __init__(self, detectors: Detectors, paths: Named) -> None:
        """No values yet.

        Args:
            detectors: what decides on single values; its types are those that columns can be of.
            paths: the paths that all batches share; there may be more of them with each batch.
        """
        self._detectors, self._paths = detectors, paths
        self._counts = np.zeros(0, np.int64)
        self._sketch = np.zeros(0, np.int64)
        self._found = np.zeros((0, len(ROWS), 3), np.int64)

    def add(self, data: np.ndarray, values: Values) -> None:
        """Add a batch.

        Args:
            data: uint8, the bytes that the values lie in.
            values: as `Paths.values` has listed them.
        """
        self._grow()
        data = np.ascontiguousarray(data, np.uint8)
        count_values(data, values.starts, values.ends, values.kinds, values.paths, tables().names[0], self._counts, self._sketch)
        ends = np.where((values.kinds == ValueKind.WORD) | (values.kinds == ValueKind.KEY), values.starts, values.ends)
        found = self._detectors.candidates(data, values.starts, ends)
        size = values.ends[found.values] - values.starts[found.values]
        whole = (found.ends - found.starts) * 10 >= size * 9
        checked = whole & (found.reasons & int(Reason.CHECK) != 0)
        # A value counts once for each type, however often the type stands in it.
        for column, chosen in ((WHOLE, whole), (CHECKED, checked), (INSIDE, ~whole & (found.confidence >= self._detectors.minimum))):
            once = np.unique(np.stack([found.values[chosen], found.types[chosen].astype(np.int64)]), axis=1)
            np.add.at(self._found, (values.paths[once[0]], once[1], column), 1)

    def _grow(self) -> None:
        """Make room for the paths that are new."""
        more = len(self._paths) - len(self._found)
        if more > 0:
            more = max(more, len(self._found))  # twice as much, or paths that come one by one would copy everything each time
            self._counts = np.concatenate([self._counts, np.zeros(more * NUMBERS, np.int64)])
            self._sketch = np.concatenate([self._sketch, np.full(more * SKETCH, NOTHING, np.int64)])
            self._found = np.concatenate([self._found, np.zeros((more, len(ROWS), 3), np.int64)])

    def columns(self) -> list[Column]:
        """All paths that have values, in the order in which they were first seen."""
        self._grow()
        counts = self._counts.reshape(-1, NUMBERS)
        return [self._column(number) for number in range(len(counts)) if counts[number, VALUES]]

    def column(self, number: int) -> Column | None:
        """One path; None where it has no values."""
        self._grow()
        return self._column(number) if self._counts[number * NUMBERS + VALUES] else None

    def join(self, into: int, number: int) -> None:
        """Add the evidence of one path to that of another, as if its values had been there."""
        self._grow()
        counts, sketches = self._counts.reshape(-1, NUMBERS), self._sketch.reshape(-1, SKETCH)
        longest = max(counts[into, LONGEST], counts[number, LONGEST])
        counts[into] += counts[number]
        counts[into, LONGEST] = longest
        both = np.unique(np.concatenate([sketches[into], sketches[number]]))[:SKETCH]
        sketches[into] = np.concatenate([both, np.full(SKETCH - len(both), NOTHING, np.int64)])
        self._found[into] += self._found[number]

    def forget(self, number: int) -> None:
        """Leave out the evidence of a path."""
        self._grow()
        self._counts[number * NUMBERS : (number + 1) * NUMBERS] = 0
        self._sketch[number * SKETCH : (number + 1) * SKETCH] = NOTHING
        self._found[number] = 0

    def distinct(self, number: int) -> int:
        """The number of different values of a path: exact below `SKETCH`, else estimated from the smallest hashes."""
        sketch = self._sketch[number * SKETCH : (number + 1) * SKETCH]
        if sketch[-1] == NOTHING:
            return int(np.searchsorted(sketch, NOTHING))
        return round((SKETCH - 1) * (NOTHING / float(sketch[-1])))

    def _column(self, number: int) -> Column:
        counts, found = self._counts.reshape(-1, NUMBERS)[number], self._found[number]
        values, path = int(counts[VALUES]), self._paths.names[number]
        present = max(1, values - int(counts[EMPTY]))
        hint = keys.read(path)
        scores = [(*self._score(kind, found[kind], counts, present, hint), kind) for kind in sorted(self._detectors.enabled)]
        confidence, reasons, kind = max(scores, key=lambda score: score[0], default=(0, Reason(0), -1))
        inside = {ROWS[k].name: int(found[k, INSIDE]) for k in np.flatnonzero(found[:, INSIDE])}
        known = confidence >= self._detectors.minimum
        matched, checked = (int(found[kind, WHOLE]), int(found[kind, CHECKED])) if known else (0, 0)
        return Column(path, ROWS[kind].name if known else None, int(confidence) if known else 0, reasons if known else Reason(0), values,
                      matched,
                      checked, self.distinct(number), int(counts[LONGEST]), int(counts[BYTES]) / values, inside)

    def _score(self, kind: int, found: np.ndarray, counts: np.ndarray, present: int, hint: keys.Hint) -> tuple[int, Reason]:
        """Confidence that a path is of a type, and why: the key's word and the shares of values together."""
        row, strength = ROWS[kind], hint.strengths.get(kind, 0)
        share, checked = found[WHOLE] / present, found[CHECKED] / present
        reasons = Reason.KEY if strength == keys.KEY else Reason.CONTEXT if strength else Reason(0)
        trusted = present >= ENOUGH
        names, places = counts[NAMES_IN] / max(1, counts[WORDS_IN]), counts[PLACES_IN] / present
        if row.name == "PERSON":
            words, digits = counts[WORDS_IN] / present, counts[DIGITS_IN] / present
            listed = trusted and names >= 0.55 and 1 <= words <= 5 and digits < 0.05 and places < 0.5
            if strength and digits < 0.2 and (listed or hint.type == kind):
                return (92 if listed else 75), reasons | (Reason.LIST | Reason.COLUMN if listed else Reason(0))
            return (70, Reason.LIST | Reason.COLUMN) if listed and words >= 1.5 else (0, Reason(0))
        if row.name in ("CITY", "COUNTRY"):
            if trusted and places >= 0.5 and (strength or places >= 0.8):
                return (85 if strength else 60), reasons | Reason.LIST | Reason.COLUMN
            return (70, reasons) if strength == keys.KEY else (0, Reason(0))
        chance = CHANCE.get(row.name, 0.12)
        if share >= 0.6 and trusted and chance < 1 and checked >= max(0.6, 3 * chance if chance < 0.3 else 0.95):
            return 90 if strength else 80, reasons | Reason.FORM | Reason.CHECK | Reason.COLUMN
        if strength == keys.KEY and share >= 0.3:
            return 92, reasons | Reason.FORM | (Reason.COLUMN if trusted else Reason(0))
        if strength and share >= 0.6:
            return 80, reasons | Reason.FORM
        if hint.type == kind and row.keyed:
            return row.keyed_score - 10 * (row.keyed in ("date", "digits", "code", "age", "postcode", "phone",
                                                         "coordinate") and share < 0.3), reasons
        if row.name in ("PHONE", "UUID", "DATE", "URL") and share >= 0.8:
            return 40, Reason.FORM
        return 0, Reason(0)
