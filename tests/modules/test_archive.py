"""What is packed for the workers of a cluster; that they run from it is shown in tests/cluster."""

from pathlib import Path

import pytest

from flink_masking.archive import JAVA, closure, write_archive
from flink_masking.errors import InputError


def test_all_that_the_library_needs_is_packed_and_no_more():
    """The closure of the installed distribution has its dependencies and theirs, extras on request, and none of the developer's tools."""
    plain, extra = closure("flink-masking"), closure("flink-masking", ["postgres"])
    assert {"flink-masking", "apache-flink", "numba", "llvmlite", "pyarrow", "cffi", JAVA} <= plain
    assert plain.isdisjoint({"pytest", "ruff", "mypy", "psycopg"})
    assert extra - plain >= {"psycopg"}


def test_an_extra_that_is_not_installed_is_refused():
    """A distribution that is not there is named, before anything is written."""
    with pytest.raises(InputError, match="no-such-distribution is not installed here"):
        closure("no-such-distribution")


def test_an_archive_has_the_ending_that_flink_goes_by(tmp_path: Path):
    """Flink unpacks by the ending of the name, so another one is refused."""
    with pytest.raises(InputError, match=r"ends in \.zip"):
        write_archive(tmp_path / "workers.tar")
    assert list(tmp_path.iterdir()) == []
