"""The page on detection shows the catalogue as it is."""

from pathlib import Path

from flink_masking.detect.catalogue import CATEGORIES, ROWS
from flink_masking.detect.checks_kernels import CHECKS
from flink_masking.detect.documentation import table
from flink_masking.detect.keyed_kernels import RULES

PAGE = Path(__file__).resolve().parents[2] / "flink_masking" / "docs" / "detection.md"


def test_the_page_has_the_table_of_types():
    """The table in the documentation is the catalogue's."""
    assert table() in PAGE.read_text()


def test_the_catalogue_is_consistent():
    """Names are unique, checks and rules exist, scores are in range, and a type can be found by some way."""
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.category in CATEGORIES and row.keyed in RULES, row.name
        for pattern in row.patterns:
            assert pattern.check in CHECKS, row.name
            assert all(0 <= score <= 100 for score in (pattern.weak, pattern.strong, pattern.context, pattern.alone)), row.name
            assert pattern.context >= max(pattern.weak, pattern.strong), row.name
        for word in (*row.keys, *row.words):
            assert word == word.lower() and "_" not in word, word
