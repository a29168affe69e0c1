"""The leak monitor: looks through records and texts for personal data, and counts what it finds; it keeps no value."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.detect import TYPES, Detectors, Paths
from flink_masking.leaks.canaries import Canaries
from flink_masking.leaks.filters import Filters
from flink_masking.leaks.places import Place, Places
from flink_masking.leaks.recent import Looked, Recent

CATEGORIES = frozenset({"contact", "device", "finance", "health", "identity", "secret"})
"""Categories of types that are looked for: those that say something of one person by their form."""
_HARMLESS = frozenset({"UUID", "URL", "COOKIE", "CARD_EXPIRY", "BIC", "ISIN", "SORT_CODE"})
_KEY = re.compile(r"[A-Za-z_$][A-Za-z_-]{0,39}[0-9]{0,2}(\[\*\])*")
"""A key that reads like a name that a program gives; every other one may be data, and is told as ``*``."""
MINIMUM = 85
"""Lowest confidence of a finding."""
BY_CHANCE = 14
"""Readable parts of binary data below so many characters look like an e-mail address by chance."""
SHARE, LEAST = 0.0025, 5
"""Stand-ins that look real equal a real value now and then: only this share of a path's values, and so many, are a leak."""


class Leak(NamedTuple):
    """What was found at one place.

    Attributes:
        source: where: the name of a topic, view or file.
        path: of the member, or "" in text. Keys of maps are part of it as ``*``.
        kind: canary, a value that Protect has met, or detected, something that detection knows.
        what: the field of the canary, as ``stream/path``, or the type.
        values: how many.
    """

    source: str
    path: str
    kind: str
    what: str
    values: int


class Monitor:
    """Looks through batches of one source and adds up what it finds."""

    def __init__(self, source: str, places: Places | None = None, canaries: Canaries | None = None,
                 detectors: Detectors | None = None, recent: Recent | None = None) -> None:
        """Get ready.

        Args:
            source: its name.
            places: what a view may show; None where nothing may be shown.
            canaries: looked up as they are with each batch; None: detection only.
            detectors: what detection looks for; None for `leak_detectors()`.
            recent: keeps what came last for `look_again`, of this monitor or of several; None: nothing is kept.
        """
        self._source, self._places, self._canaries = source, places, canaries
        self._detectors, self._recent = detectors or leak_detectors(), recent
        self._paths = Paths()
        self._place_of: list[Place] = []
        self._hints: list[int] = []
        self._shown: list[str] = []
        self._found: Counter[tuple[str, str, str]] = Counter()
        self._realistic: Counter[tuple[str, str]] = Counter()
        self._values: Counter[str] = Counter()
        self._told: Counter[tuple[str, str, str]] = Counter()
        self.records = 0

    def records_of(self, batch: pa.BinaryArray) -> None:
        """Look through JSON records.

        Args:
            batch: n records; what is no JSON is looked through as far as it is.
        """
        data, offsets, _ = parts(batch)
        starts, ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
        values = self._paths.values(data, starts, ends)
        self._learn()
        self.records += len(batch)
        place = np.array(self._place_of, np.uint8)[values.paths]
        hints = np.array(self._hints, np.int32)[values.paths]
        self._canary(data, values.starts, values.ends, values.paths, place)
        searched = np.flatnonzero(place == Place.SEARCHED)
        self._detect(data, values.starts[searched], values.ends[searched], values.paths[searched], hints[searched])

    def text_of(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, binary: bool = False) -> None:
        """Look through texts, such as the lines of a log.

        Args:
            data: uint8.
            starts: int64, m: text i is ``data[starts[i]:ends[i]]``.
            ends: int64, m.
            binary: they are the readable parts of binary data. The first byte of one may be no part of it, nor the last one, and short
                ones look like an e-mail address by chance: in them only canaries are looked up.
        """
        self.records += len(starts)
        nowhere = np.zeros(len(starts), np.int32)
        self._learn()
        self._canary(data, starts, ends, nowhere, np.zeros(len(starts), np.uint8), binary)
        if binary:
            long = ends - starts >= BY_CHANCE
            starts, ends, nowhere = starts[long], ends[long], nowhere[long]
        self._detect(data, starts, ends, nowhere, nowhere)

    def look_again(self, ended: bool = False) -> None:
        """Look up canaries that are new in what came last, see `Recent.look_again`."""
        if self._recent is not None:
            self._recent.look_again(ended)

    def look_up(self, batch: Looked) -> None:
        """Look up canaries that are newer than a batch in it; what was found in it before does not count again."""
        if self._canaries is not None and (newer := self._canaries.newer(batch.generation)):
            starts, ends = batch.starts.astype(np.int64), batch.ends.astype(np.int64)
            self._count(_hits(newer, batch.data, starts, ends, batch.binary) - batch.hits, batch.paths, batch.place)

    @property
    def leaks(self) -> list[Leak]:
        """All that was found so far, by path."""
        found = dict(self._found)
        for (path, what), count in self._realistic.items():
            if count >= LEAST and count >= SHARE * self._values[path]:
                found[path, "canary", what] = found.get((path, "canary", what), 0) + count
        return [Leak(self._source, path, kind, what, count) for (path, kind, what), count in sorted(found.items())]

    def news(self) -> list[Leak]:
        """What was found since the last call, each with the values that have come since then."""
        new = []
        for leak in self.leaks:
            key = (leak.path, leak.kind, leak.what)
            if grown := leak.values - self._told[key]:
                new.append(leak._replace(values=grown))
                self._told[key] = leak.values
        return new

    def _learn(self) -> None:
        """Look at the paths that are new."""
        for name in self._paths.names[len(self._place_of):]:
            self._place_of.append(Place.SEARCHED if self._places is None else self._places.of(name))
            self._hints.append(self._detectors.hint(name))
            declared = self._places is not None and self._places.declared(name)
            self._shown.append(name if declared else _without_data(name))

    def _canary(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, paths: np.ndarray, place: np.ndarray,
                binary: bool = False) -> None:
        if self._canaries is None:
            return
        for path in np.flatnonzero(np.bincount(paths[place == Place.REALISTIC], minlength=1)):
            self._values[self._shown[path]] += int((paths == path).sum())
        looked = np.flatnonzero(place != Place.SHOWN)
        starts, ends, paths, place = starts[looked], ends[looked], paths[looked], place[looked]
        hits = _hits(self._canaries.filters, data, starts, ends, binary)
        self._count(hits, paths, place)
        if self._recent is not None:
            narrow = np.int32 if len(data) < 1 << 31 else np.int64
            self._recent.add(Looked(self, self._canaries.generation, data, starts.astype(narrow), ends.astype(narrow), paths, place, binary,
                                    hits))

    def _count(self, hits: set[tuple[int, str, str]], paths: np.ndarray, place: np.ndarray) -> None:
        for value, stream, field in hits:
            name, what = self._shown[paths[value]], f"{stream}/{field}"
            if place[value] == Place.REALISTIC:
                self._realistic[name, what] += 1
            else:
                self._found[name, "canary", what] += 1

    def _detect(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, paths: np.ndarray, hints: np.ndarray) -> None:
        found = self._detectors.find(data, starts, ends, hints)
        where = paths[found.values]
        for (path, type_), count in Counter(zip(where.tolist(), found.types.tolist(), strict=True)).items():
            self._found[self._shown[path], "detected", TYPES[type_].name] += count


def _hits(filters: Iterable[tuple[Filters, np.ndarray]], data: np.ndarray, starts: np.ndarray, ends: np.ndarray,
          binary: bool) -> set[tuple[int, str, str]]:
    """Number of the value, stream and field of each canary in some values."""
    hits = set()
    for one, keys in filters:
        # In binary data a length before a text, or what follows it, may look like one of its letters.
        for begin, end in ((0, 0), (1, 0), (0, 1), (1, 1)) if binary else ((0, 0),):
            hits |= {(hit.value, one.stream, one.fields[hit.field]) for hit in one.find(keys, data, starts + begin, ends - end)}
    return hits


def _without_data(path: str) -> str:
    """A path that nobody declared, without keys that may be data."""
    return ".".join(step if _KEY.fullmatch(step) else "*" for step in path.split(".")) if path else ""


def leak_detectors(minimum: int = MINIMUM) -> Detectors:
    """Detection of what says something of one person by its form, without names in running text."""
    types = [row.name for row in TYPES if row.category in CATEGORIES and row.name not in _HARMLESS]
    return Detectors(types, minimum=minimum, names=False)


def total(leaks: Iterable[Leak]) -> int:
    """Values in all of them."""
    return sum(leak.values for leak in leaks)
