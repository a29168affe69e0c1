"""How numba is loaded: inside a PyFlink worker, for the baseline, and with a cache that only its owner can write."""

import os
import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flink_masking.kernels import PACKAGE, SHIPPED, baseline

PROGRAM = """
import builtins
class Worker:
    def __init__(self): self._print = builtins.print
    def print(self, *args, **kwargs): self._print(*args, **kwargs)
builtins.print = Worker().print
import flink_masking.kernels as kernels
kernels.numba()
assert builtins.print.__self__.__class__ is Worker
builtins.print(kernels.private_directory())
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


def test_directories_on_the_way_are_made_private(tmp_path):
    """With a umask that lets a group write, the library trusts the directory that it has just made: all are its owner's alone."""
    before = os.umask(0o002)
    try:
        cache = loaded(HOME=str(tmp_path), XDG_RUNTIME_DIR="", TMPDIR="")
        assert loaded(NUMBA_CACHE_DIR=str(tmp_path / "a" / "b" / "c")) == str(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert cache.startswith(str(tmp_path / ".cache" / "flink-masking" / "kernels-"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")} == {0o700}


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in a fresh process, outside of a checkout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    return subprocess.run([sys.executable, "-P", "-c", program], env=inherited | environment, capture_output=True, text=True, check=True)


def copied(place: Path) -> Path:
    """A copy of the installed package without its machine code, as an installation from sources has it."""
    shutil.copytree(PACKAGE, place / "flink_masking", ignore=shutil.ignore_patterns("__pycache__", "compiled"))
    return place


CALL = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
import numpy as np
from flink_masking.dp import bounding_kernels
assert "numba" not in sys.modules
out = np.zeros(2, np.uint64)
bounding_kernels.start_ranks(np.arange(2, dtype=np.uint64), np.zeros(2, np.int64), out)
from flink_masking.kernels.cache import COMPILED
print(bounding_kernels.__file__, out.tolist(), *COMPILED.names)
"""
"""Calls one kernel that takes the compiler less than a second."""


def test_a_package_that_was_moved_finds_its_compiled_kernels(tmp_path):
    """Flink unpacks an archive into another directory at every start: what was compiled for one is used in the next."""
    kept, said = [], []
    for place in ("first", "second"):
        environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(copied(tmp_path / place))}
        done = run(CALL, **environment)
        path, *said_now = done.stdout.split("] ")[0].split(" ", 1) + done.stdout.split("]")[1].split()
        assert path.startswith(str(tmp_path / place))
        said.append(said_now[1:])
        kept.append({file.name: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*") if file.is_file()})
        assert ("INFO kernels are compiled here" in done.stderr) is (place == "first")
    assert said == [["dp.bounding_kernels.start_ranks", "dp.bounding_kernels.mix"], []]
    assert len(kept[0]) == 4
    assert kept[1] == kept[0]


def test_shipped_machine_code_is_used_wherever_the_package_lies_and_never_written(tmp_path):
    """Kernels that came with the package are found from a read-only copy of it, without a home, and nothing is compiled or made."""
    place = copied(tmp_path / "site")
    run(CALL, NUMBA_CACHE_DIR=str(tmp_path / "built"), PYTHONPATH=str(place))
    shipped = place / "flink_masking" / "kernels" / "compiled"
    for built in (tmp_path / "built").iterdir():
        shutil.copytree(built, shipped / built.name.partition(".")[2])
    moved = tmp_path / "elsewhere"
    place.rename(moved)
    subprocess.run(["chmod", "-R", "a-w", str(moved)], check=True)
    before = sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    done = run(CALL, PYTHONPATH=str(moved), HOME="/nonexistent/home", XDG_CACHE_HOME="", XDG_RUNTIME_DIR="", TMPDIR="",
               PYTHONDONTWRITEBYTECODE="1")
    subprocess.run(["chmod", "-R", "u+w", str(moved)], check=True)
    assert done.stdout.startswith(str(moved)) and done.stdout.rstrip().endswith("]")
    assert "kernels are compiled here" not in done.stderr
    assert before == sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)


LIMITED = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
"""No file can be written, as on a full disk."""


@pytest.mark.parametrize("home", [True, False])
def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, home):
    """On a full disk, and where there is not even a temporary directory, kernels run as compiled; a warning says once what is missing."""
    site = copied(tmp_path / "site")
    given = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} if home else {"HOME": "/nonexistent/home", "XDG_CACHE_HOME": "",
                                                                       "XDG_RUNTIME_DIR": "", "TMPDIR": ""}
    done = run(LIMITED + CALL, PYTHONPATH=str(site), PYTHONDONTWRITEBYTECODE="1", **given)
    assert done.stdout.rstrip().endswith("dp.bounding_kernels.start_ranks dp.bounding_kernels.mix")
    [warning] = [line for line in done.stderr.splitlines() if line.startswith("WARNING")]
    assert "compiled kernels are not kept, every process compiles them for itself: " in warning and "Hint: " in warning
    assert [path for path in tmp_path.joinpath("cache").rglob("*") if path.is_file()] == []


def test_a_cache_that_cannot_be_read_costs_time_only(tmp_path):
    """Kernels whose index was cut off or cannot be read are compiled; the first is kept again, of the second a warning tells."""
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(copied(tmp_path / "site"))}
    run(CALL, **environment)
    [cut_off] = (tmp_path / "cache").rglob("start_ranks-*.nbi")
    [unreadable] = (tmp_path / "cache").rglob("mix-*.nbi")
    cut_off.write_bytes(b"")
    unreadable.unlink()
    unreadable.mkdir()
    done = run(CALL, **environment)
    assert done.stdout.rstrip().endswith("dp.bounding_kernels.start_ranks dp.bounding_kernels.mix")
    assert done.stderr.count("WARNING compiled kernels are not kept") == 1
    assert run(CALL, **environment).stdout.rstrip().endswith("]")


def test_compiled_kernels_are_their_owners_alone(tmp_path):
    """In a cache directory that others can read, with a umask that lets a group write, nobody else can replace machine code."""
    (tmp_path / "cache").mkdir(mode=0o755)
    before = os.umask(0o002)
    try:
        run(CALL, NUMBA_CACHE_DIR=str(tmp_path / "cache"), PYTHONPATH=str(copied(tmp_path / "site")))
    finally:
        os.umask(before)
    made = list((tmp_path / "cache").iterdir())
    assert made and {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}


BUILD = """
from flink_masking.kernels import build
build.kernel_modules = lambda: ["flink_masking.dp.sampling_kernels"]
build.compile_all(1)
"""


def test_a_wheel_without_all_machine_code_is_not_made(tmp_path):
    """Where machine code cannot be written, building the wheel fails instead of leaving out a part of it."""
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run(f"import tempfile\ntempfile.gettempdir()\n{LIMITED}{BUILD}", TMPDIR=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert "machine code cannot be written" in refused.value.stderr


EVERY = """
import importlib
from flink_masking.kernels import build
from flink_masking.kernels.lazily import Kernel
for name in build.kernel_modules():
    importlib.import_module(name)
found = [kernel.dispatcher for kernel in list(Kernel.declared) if kernel.signatures is not None]
from flink_masking.kernels.cache import COMPILED
assert COMPILED.reason is None, COMPILED.reason
print(len(found), *COMPILED.names)
"""


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="this installation brings no machine code")
def test_every_kernel_is_shipped(tmp_path):
    """No kernel of the library that Python calls is missing from the machine code of the installation."""
    found, *compiled = run(EVERY, NUMBA_CACHE_DIR=str(tmp_path / "cache")).stdout.split()
    assert int(found) > 100
    assert compiled == []
    assert not (tmp_path / "cache").exists()


def test_machine_code_of_other_sources_is_not_used(tmp_path):
    """Machine code that came with a package whose kernels were edited since is passed over: the kernel is compiled."""
    place = copied(tmp_path / "site")
    run(CALL, NUMBA_CACHE_DIR=str(tmp_path / "built"), PYTHONPATH=str(place))
    for built in (tmp_path / "built").iterdir():
        shutil.copytree(built, place / "flink_masking" / "kernels" / "compiled" / built.name.partition(".")[2])
    edited = place / "flink_masking" / "dp" / "sampling_kernels.py"
    edited.write_text(edited.read_text() + "\n")
    done = run(CALL, NUMBA_CACHE_DIR=str(tmp_path / "cache"), PYTHONPATH=str(place))
    assert "start_ranks" in done.stdout.partition("]")[2]
    assert "made for another release of Python, numba or the kernels' sources" in done.stderr


WEAK = """
import sys
from llvmlite import binding
features = binding.get_host_cpu_features()
class Old(dict):
    pass
old = Old(features, avx2=False)
binding.get_host_cpu_features = lambda: old
from flink_masking.kernels import baseline
print(baseline.choose())
import os
print(*(name in os.environ for name in baseline.VARIABLES))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a baseline of x86-64 processors")
def test_a_processor_below_the_baseline_compiles_for_itself():
    """Where the processor lacks something of the baseline, numba is left to compile for it, and the reason names what is missing."""
    reason, kept = run(WEAK).stdout.splitlines()
    assert reason == "this processor lacks avx2, and kernels are compiled ahead for x86-64-v3"
    assert kept == "False False"


@pytest.mark.parametrize("ours", [True, False])
def test_a_processor_named_by_the_user_is_kept(ours):
    """NUMBA_CPU_NAME and NUMBA_CPU_FEATURES of the environment go before the baseline; the baseline itself is one of their values."""
    name, features, _ = baseline.BASELINES["x86_64" if platform.machine() == "x86_64" else "aarch64"]
    given = {"NUMBA_CPU_NAME": name if ours else "generic", "NUMBA_CPU_FEATURES": features}
    program = "import os\nfrom flink_masking.kernels import baseline\nprint(baseline.choose())\nprint(os.environ['NUMBA_CPU_NAME'])"
    reason, kept = run(program, **given).stdout.splitlines()
    assert kept == given["NUMBA_CPU_NAME"]
    assert (reason == "None") is ours


def test_numba_in_use_by_others_is_left_as_it_is():
    """A process that has compiled with numba before it imports flink_masking goes on with the processor that numba chose."""
    program = """
import numba
numba.njit("int64(int64)")(lambda x: x + 1)
from flink_masking.kernels import baseline
print(baseline.choose())
import os
print("NUMBA_CPU_NAME" in os.environ)
"""
    reason, touched = run(program).stdout.splitlines()
    assert (reason, touched) == ("numba has compiled for this processor before flink_masking was imported", "False")
