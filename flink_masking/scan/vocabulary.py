"""Texts that a proposal may write: words of a format, such as ``Patient/`` or ``email``, never data about somebody."""

import re
from collections.abc import Iterable

import numpy as np

from flink_masking.detect import TYPES, Detectors
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.sketch import Sketches

LONGEST = 150
"""Characters of such a text, at most."""
_DATA = re.compile(r"[0-9]{5}|(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{12}|[^\x20-\x7e]")
"""What a word of a format does not hold: long numbers, hashes, characters beyond ASCII."""
_OID = re.compile(r"urn:oid:[0-9.]+")
_WORDS = re.compile(r"[^/:|#?=&,;\s\"'()<>\[\]{}]+")
_HARMLESS = frozenset(("URL", "ORGANIZATION", "TITLE", "CITY", "COUNTRY", "NATIONALITY"))


class Vocabulary:
    """Tells words of a format from data."""

    def __init__(self, detectors: Detectors, values: Sketches, personal: Iterable[int]) -> None:
        """Begin.

        Args:
            detectors: find data in a text.
            values: hashes of the values of each path.
            personal: numbers of the paths whose values are data about people: a text that holds one of them is none of a format.
        """
        self._detectors = detectors
        known = [values.of(path) for path in personal]
        self._personal = np.unique(np.concatenate(known)) if known else np.zeros(0, np.uint64)

    def holds(self, text: str) -> bool:
        """Whether a text may be written."""
        text = _OID.sub("oid", text)
        if len(text) > LONGEST or _DATA.search(text):
            return False
        if not text:
            return True
        raw = np.frombuffer(text.encode(), np.uint8)
        found = self._detectors.find(raw, np.zeros(1, np.int64), np.array([len(raw)], np.int64))
        if any(TYPES[number].name not in _HARMLESS for number in found.types.tolist()):
            return False
        return not any(self._known(word) for word in {text, *_WORDS.findall(text)})

    def _known(self, word: str) -> bool:
        """Whether a word is a value of a path that holds data about people."""
        raw = np.frombuffer(word.encode(), np.uint8)
        h, shape = np.empty(1, np.uint64), np.empty(1, np.uint8)
        kernels.describe(raw, np.zeros(1, np.int64), np.array([len(raw)], np.int64), np.zeros(1, np.uint8), h, shape)
        at = int(np.searchsorted(self._personal, h[0]))
        return at < len(self._personal) and self._personal[at] == h[0]
