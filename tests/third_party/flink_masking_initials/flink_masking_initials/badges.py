"""badges: numbers of badges, which are a sign and four digits: a detector of another package."""

import re
from collections.abc import Sequence

from flink_masking.detect.plugins import Span


class Badges:
    """Finds badge numbers in running text."""

    def __init__(self, sign: str) -> None:
        """Take the sign before the digits."""
        self._badge = re.compile(re.escape(sign) + r"\d{4}\b")

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """See `flink_masking.detect.plugins.Detector`."""
        return [[Span("USERNAME", match.start(), match.end(), 80) for match in self._badge.finditer(text)] for text in texts]


def make(sign: str = "§") -> Badges:
    """Make the detector.

    Args:
        sign: what a badge number begins with.
    """
    return Badges(sign)
