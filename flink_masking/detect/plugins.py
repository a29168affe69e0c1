"""Detectors of other packages, by the entry point group ``flink_masking.detectors``: ``ner = "my_package:make"``.

An entry point names a function that makes a `Detector` from keyword arguments. Detectors see the text of every value, so they are as
trusted as the job itself; none is used unless it is named.
"""

from collections.abc import Sequence
from importlib import metadata
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from flink_masking.detect.catalogue import NUMBERS
from flink_masking.detect.reasons import Reason
from flink_masking.detect.resolve_kernels import FIELDS
from flink_masking.errors import PolicyError

GROUP = "flink_masking.detectors"


class Span(NamedTuple):
    """One finding of a detector in a text.

    Attributes:
        type: name of a type of `flink_masking.detect.TYPES`.
        start: first character.
        end: character after the last one.
        confidence: 1 to 100.
    """

    type: str
    start: int
    end: int
    confidence: int


@runtime_checkable
class Detector(Protocol):
    """What a detector of another package does."""

    def find(self, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """For each text its spans. Equal texts have equal spans, whatever the others are."""


def load(name: str, **options: Any) -> Detector:
    """Make the detector of an entry point.

    Args:
        name: of the entry point.
        options: keyword arguments for the function that it names.

    Raises:
        PolicyError: there is none of that name, or it cannot be imported or made; the message holds no text of the package's errors.
    """
    entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    if name not in entries:
        raise PolicyError(f"unknown detector {name[:40]!r}. Hint: installed are {', '.join(sorted(entries)) or 'none'}")
    try:
        made = entries[name].load()(**options)
    except PolicyError:
        raise
    except Exception as error:  # whatever a foreign module raises; its text may hold anything
        raise PolicyError(f"detector {name!r} cannot be made ({type(error).__name__}). Hint: check its options, and that "
                          f"'import {entries[name].module}' works") from None
    if not isinstance(made, Detector):
        raise PolicyError(f"detector {name!r} has no method find. Hint: see flink_masking.detect.plugins.Detector")
    return made


def packages() -> frozenset[str]:
    """The other distributions that bring detectors."""
    found = {entry.dist.name for entry in metadata.entry_points(group=GROUP) if entry.dist is not None}
    return frozenset(found - {"flink-masking"})


def candidates(detector: Detector, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, enabled: frozenset[int],
               lowest: int) -> np.ndarray:  # fmt: skip
    """What a detector finds in values, as rows for `resolve_kernels.merge`.

    Args:
        detector: of another package.
        data: uint8.
        starts: int64, m.
        ends: int64, m.
        enabled: numbers of the types that are looked for.
        lowest: findings of lower confidence are left out.

    Returns:
        int64, `FIELDS` numbers a finding, by ascending values.

    Raises:
        PolicyError: the detector raises, or gives something else than spans in the texts.
    """
    # Bytes that are no UTF-8 become one surrogate each, so that positions can be counted back.
    texts = [data[s:e].tobytes().decode("utf-8", "surrogateescape") for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]
    try:
        found = [list(spans) for spans in detector.find([text.encode("utf-8", "replace").decode() for text in texts])]
    except Exception as error:
        raise PolicyError(f"a detector failed ({type(error).__name__}); its message is hidden because it may contain data") from None
    if len(found) != len(texts):
        raise PolicyError("a detector gave spans for another number of texts")
    rows: list[tuple[int, ...]] = []
    for value, (text, spans) in enumerate(zip(texts, found, strict=True)):
        for span in spans:
            if span.type not in NUMBERS or not 0 <= span.start < span.end <= len(text) or not 1 <= span.confidence <= 100:
                raise PolicyError("a detector gave a span of an unknown type, outside of its text or with a confidence not in 1 to 100")
            if NUMBERS[span.type] in enabled and span.confidence >= lowest:
                first = len(text[: span.start].encode("utf-8", "surrogateescape"))
                size = len(text[span.start : span.end].encode("utf-8", "surrogateescape"))
                start = int(starts[value]) + first
                rows.append((NUMBERS[span.type], start, start + size, value, span.confidence, int(Reason.MODEL)))
    return np.array(rows, np.int64).reshape(-1, FIELDS).ravel()
