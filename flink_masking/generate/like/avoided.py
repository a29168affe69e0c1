"""The values of a sample that no generated record may hold: kept as hashes, not as values."""

import re
from collections.abc import Sequence

import numpy as np

from flink_masking.scan import value_kernels as kernels

SHORTEST = 5
"""Bytes of a value that is avoided. Shorter ones, ``true`` or ``42``, say nothing, and there are too few of them to avoid any."""
_PARTS = re.compile(r"[\s/:|#?=&,;\"'()<>\[\]{}@]+|(?<=\d)T(?=\d\d:)")
_MERGE = 1 << 20
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Avoided:
    """Hashes of all texts and numbers of a sample."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sorted = np.zeros(0, np.uint64)
        self._new: list[np.ndarray] = []
        self._count = 0

    def add(self, hashes: np.ndarray, sizes: np.ndarray) -> None:
        """Add values by hash (uint64, n) and length in bytes (int64, n)."""
        found = np.unique(hashes[sizes >= SHORTEST])
        self._new.append(found)
        self._count += len(found)
        if self._count > _MERGE:
            self._merge()

    def add_texts(self, texts: Sequence[str]) -> None:
        """Add texts."""
        self.add(hashes_of(texts), np.array([len(text.encode("utf-8", "replace")) for text in texts], np.int64))

    def _merge(self) -> None:
        if not self._new:
            return
        self._sorted = np.unique(np.concatenate([self._sorted, *self._new]))
        self._new, self._count = [], 0

    def none_of(self, texts: Sequence[str]) -> list[str]:
        """Those of the texts that are no value of the sample, and of which no part between separators is one; numbers count by value."""
        self._merge()
        parts = [(k, part) for k, text in enumerate(texts) for part in {text, *_PARTS.split(text), *_spellings(text)}
                 if len(part) >= SHORTEST - 3]
        if not parts or not len(self._sorted):
            return list(texts)
        hashes = hashes_of([part for _, part in parts])
        at = np.searchsorted(self._sorted, hashes).clip(max=len(self._sorted) - 1)
        hit = {parts[k][0] for k in np.flatnonzero(self._sorted[at] == hashes).tolist()}
        return [text for k, text in enumerate(texts) if k not in hit]


def hashes_of(texts: Sequence[str]) -> np.ndarray:
    """Hashes of texts as the scan computes them, uint64."""
    raw = [text.encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(one) for one in raw], dtype=np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    hashes, shapes = np.zeros(len(raw), np.uint64), np.zeros(len(raw), np.uint8)
    data = np.frombuffer(b"".join(raw) or b"\0", np.uint8)
    kernels.describe(data, starts[: len(raw)], ends, np.zeros(len(raw), np.uint8), hashes, shapes)
    return hashes


def _spellings(text: str) -> list[str]:
    """Other ways to write a number."""
    if not _NUMBER.fullmatch(text):
        return []
    whole, point, decimals = text.partition(".")
    short = decimals.rstrip("0")
    return [whole + ("." + short + zeros if short + zeros else "") for zeros in ("", "0", "00", "000")] + [f"{whole}.{short}"] * bool(point)
