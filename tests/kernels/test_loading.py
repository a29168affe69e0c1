"""How numba is loaded: inside a PyFlink worker, and with a cache that only its owner can write."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from flink_masking.kernels import PACKAGE

PROGRAM = """
import builtins
class Worker:
    def __init__(self): self._print = builtins.print
    def print(self, *args, **kwargs): self._print(*args, **kwargs)
builtins.print = Worker().print
import flink_masking.kernels as kernels
assert builtins.print.__self__.__class__ is Worker
builtins.print(kernels.os.environ["NUMBA_CACHE_DIR"])
"""


def loaded(**environment: str) -> str:
    """Import the kernels in a fresh process whose print is a bound method; the cache directory that it chose."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=inherited | environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_numba_loads_where_print_is_replaced(tmp_path):
    """In a process whose print is a bound method, as in PyFlink's workers, numba loads and print is left as it was."""
    cache = loaded(XDG_CACHE_HOME=str(tmp_path))
    assert cache.startswith(str(tmp_path / "flink-masking" / "kernels-"))
    assert stat.S_IMODE(os.stat(cache).st_mode) == 0o700


def test_a_given_cache_directory_is_used(tmp_path):
    """NUMBA_CACHE_DIR in the environment goes before the library's own choice."""
    assert str(tmp_path / "mine") == loaded(NUMBA_CACHE_DIR=str(tmp_path / "mine"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a directory that belongs to somebody else")
def test_a_cache_of_somebody_else_is_not_used(tmp_path):
    """Compiled code that another user could have written is never executed."""
    cache = loaded(XDG_CACHE_HOME=str(tmp_path))
    os.chown(cache, 12345, -1)
    assert cache != loaded(XDG_CACHE_HOME=str(tmp_path))


def test_a_prepared_directory_in_the_shared_temporary_folder_is_not_used(tmp_path):
    """Without a home, compiled code is kept in a fresh directory of the process, not in one whose parent others may have made."""
    shared = tmp_path / "shared"
    prepared = shared / f"flink-masking-{os.getuid()}" / "flink-masking"
    prepared.mkdir(parents=True)
    for directory in (shared, prepared.parent, prepared):
        directory.chmod(0o1777)
    places = [loaded(HOME="/nonexistent/home", TMPDIR=str(shared), XDG_RUNTIME_DIR="") for _ in range(2)]
    assert len({os.path.dirname(place) for place in places}) == 1 == len(list(shared.iterdir()))
    assert len(set(places)) == 2
    assert list(prepared.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_cache_in_a_folder_that_others_can_write_is_not_used(tmp_path, mode):
    """A cache directory of one's own is worth nothing where others may put another in its place."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    assert not loaded(XDG_CACHE_HOME=str(tmp_path / "cache"), XDG_RUNTIME_DIR="", TMPDIR="").startswith(str(tmp_path))


def test_a_given_cache_directory_that_others_can_write_is_refused(tmp_path):
    """NUMBA_CACHE_DIR is held to the same, with an error that says what to do; a container's only user can say that there are no others."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for name in ("open", "open/mine", "link"):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            loaded(NUMBA_CACHE_DIR=str(tmp_path / name))
        assert "NUMBA_CACHE_DIR: " in refused.value.stderr and "Hint: " in refused.value.stderr
    inside = str(tmp_path / "open" / "mine")
    assert inside == loaded(NUMBA_CACHE_DIR=inside, FLINK_MASKING_SOLE_USER="1")


def test_a_package_that_was_moved_finds_its_compiled_kernels(tmp_path):
    """Flink unpacks an archive into another directory at every start: what was compiled for one is used in the next."""
    kept = []
    for place in ("first", "second"):
        shutil.copytree(PACKAGE, tmp_path / place / "flink_masking", ignore=shutil.ignore_patterns("__pycache__"))
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path / place)}
        program = "import flink_masking.dp.bounding_kernels as k; print(k.__file__)"
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert done.stdout.startswith(str(tmp_path / place))
        kept.append({file.name: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*") if file.is_file()})
    assert len(kept[0]) >= 2
    assert kept[1] == kept[0]
