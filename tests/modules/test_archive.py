"""What is packed for the workers of a cluster; that they run from it is shown in tests/cluster."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from flink_masking.archive import JAVA, OMITTED, closure, write_archive
from flink_masking.errors import InputError
from flink_masking.files.shared_object import without_symbols


def test_all_that_the_library_needs_is_packed_and_no_more():
    """The closure of the installed distribution has its dependencies and theirs, extras on request, and none of the developer's tools."""
    plain, extra = closure("flink-masking"), closure("flink-masking", ["postgres"])
    assert {"flink-masking", "apache-flink", "numba", "llvmlite", "pyarrow", "cffi", JAVA} <= plain
    assert plain.isdisjoint({"pytest", "ruff", "mypy", "psycopg"})
    assert extra - plain >= {"psycopg"}


def test_what_no_worker_needs_is_left_out_where_nothing_else_needs_it():
    """A dependency is left out for the distribution that states it only: whoever else states it has it packed."""
    beam = closure("apache-beam", omitted=OMITTED)
    assert "redis" not in beam and "redis" in closure("apache-beam")
    assert "redis" in closure("apache-beam", omitted={**OMITTED, "apache-beam": frozenset()})
    assert "rich" in closure("typer", omitted=OMITTED)


@pytest.mark.parametrize("name", ["cryptography.hazmat.bindings._rust", "fastavro._read", "zstandard.backend_c"])
def test_shared_objects_work_without_their_symbols(tmp_path: Path, name: str):
    """An extension module whose tables for debuggers are left out is loaded in the place of the installed one."""
    module = importlib.import_module(name)
    whole = Path(str(module.__file__)).read_bytes()
    short = without_symbols(whole)
    assert len(short) < len(whole)
    assert without_symbols(short) == short
    place = tmp_path / Path(str(module.__file__)).name
    place.write_bytes(short)
    program = ("import importlib, importlib.util, sys\n"
               f"importlib.import_module({name.rpartition('.')[0]!r}); sys.modules.pop({name!r}, None)\n"
               f"spec = importlib.util.spec_from_file_location({name!r}, {str(place)!r})\n"
               "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
               f"assert len(vars(module)) >= {len(vars(module))} - 5\n"
               f"assert any({str(place)!r} in line for line in open('/proc/self/maps'))")
    subprocess.run([sys.executable, "-P", "-c", program], check=True)


@pytest.mark.parametrize("body", [b"", b"#!/bin/sh\n", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + bytes(100),
                                  b"\x7fELF\x01\x01" + b"\xff" * 100, b"\x7fELF\x02\x01" + b"\xff" * 100])
def test_what_is_no_shared_object_stays_as_it_is(body: bytes):
    """Another kind of file, or half of one, is packed unchanged."""
    assert without_symbols(body) == body


def test_an_extra_that_is_not_installed_is_refused():
    """A distribution that is not there is named, before anything is written."""
    with pytest.raises(InputError, match="no-such-distribution is not installed here"):
        closure("no-such-distribution")


def test_an_archive_has_the_ending_that_flink_goes_by(tmp_path: Path):
    """Flink unpacks by the ending of the name, so another one is refused."""
    with pytest.raises(InputError, match=r"ends in \.zip"):
        write_archive(tmp_path / "workers.tar")
    assert list(tmp_path.iterdir()) == []
