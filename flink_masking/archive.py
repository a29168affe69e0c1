"""The archive that a Flink cluster's workers run from: this installation's packages, and a small script in the place of an interpreter.

``jobs/fan_out.py --archive ARCHIVE`` has it unpacked on every TaskManager. Nothing in it is a link or an absolute path, so it
runs wherever it is unpacked; what the machine has to bring is a Python of the same release and the same kind of processor and C library.
"""

import importlib.metadata
import os
import re
import struct
import sys
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path, PurePosixPath

from flink_masking.detect.plugins import packages as detector_packages
from flink_masking.errors import InputError
from flink_masking.files.shared_object import without_symbols
from flink_masking.techniques.registry import TECHNIQUES

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
JAVA = "apache-flink-libraries"
"""Flink itself: the cluster has it."""
OMITTED: Mapping[str, frozenset[str]] = {
    # What only commands need: synthetic events, and what they print with.
    "flink-masking": frozenset({"faker", "rich", "typer"}),
    # What only some of Beam's transforms need, which import it when they are used.
    "apache-beam": frozenset({"jsonschema", "pydot", "redis"}),
    "pymongo": frozenset({"dnspython"}),
}
"""Dependencies of distributions that no worker needs; what something else depends on, too, stays."""
DP = "opendp"
"""What only aggregated segments need."""
LEFT_OUT = re.compile(
    r"(^|/)(__pycache__|tests|testing/data)/|\.(pyi|c|cpp|h|hpp|pxd|pxi|pyx|a|jar)$|\.dist-info/RECORD$|^(pyflink|apache_beam)/examples/"
    r"|^pyarrow/((include|src)/|(_|lib|libarrow_)[a-z_]*(flight|substrait|cpp_tests|orc|feather)[._])|^zstandard/_cffi"
    r"|^apache_beam/(.*_test\.py$|(dataframe|ml|testing|yaml|runners/interactive|transforms/enrichment_handlers)/)"
    r"|^numba/((cuda|testing)/|np/ufunc/tbbpool)|^numpy/((distutils|f2py)/|_core/_(simd|[a-z_]+_tests)\.)|^avro/test/"
    r"|^pandas/plotting/_matplotlib/|^flink_masking/(cli|docs|examples|generate|verify)/")
"""What no worker needs: tests, sources and headers of others, and parts of Arrow, Beam, numba and numpy that nothing imports there;
and the commands."""
SHARED_OBJECT = re.compile(r"\.so(\.[0-9.]+)?$")
INTERPRETER = f"""#!/bin/sh
# {PYTHON} of this machine with the packages of this archive before all others; FLINK_MASKING_PYTHON names another interpreter.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
PYTHONPATH="$here/packages${{PYTHONPATH:+:$PYTHONPATH}}" exec "${{FLINK_MASKING_PYTHON:-{PYTHON}}}" "$@"
"""
MOMENT = (2020, 1, 1, 0, 0, 0)
"""The time of all files, so that equal installations make equal archives."""


def write_archive(path: Path, extras: Iterable[str] = (), aggregates: bool = True, level: int = 9) -> int:
    """Write the archive of this installation, the packages whose techniques and detectors are installed here among it.

    Args:
        path: a file ending in ``.zip``; replaced.
        extras: extras of flink-masking that the workers need (``postgres``, ``vault``, ``aws`` …), installed here.
        aggregates: whether the workers run aggregated segments; without them OpenDP is not packed.
        level: of compression, 1 (quick) to 9 (small).

    Returns:
        The archive's size in bytes.

    Raises:
        InputError: flink-masking or something that it needs is not installed here, or the file cannot be written.
    """
    if path.suffix != ".zip":
        raise InputError(f"{path}: no zip file. Hint: Flink unpacks an archive by its ending; give a name that ends in .zip")
    omitted = dict(OMITTED) if aggregates else {**OMITTED, "flink-masking": OMITTED["flink-masking"] | {DP}}
    needed = closure("flink-masking", extras, omitted).union(
        *(closure(name, omitted=omitted) for name in sorted({*TECHNIQUES.packages.values(), *detector_packages()})))
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, "bin/python", INTERPRETER.encode(), 0o755, level)
            for name in sorted(needed - {JAVA}):
                for inside, file in _files(importlib.metadata.distribution(name)):
                    body = file.read_bytes()
                    if SHARED_OBJECT.search(inside):
                        body = without_symbols(body)
                    _add(archive, f"packages/{inside}", body, 0o755 if os.access(file, os.X_OK) else 0o644, level)
                    if file.suffix == ".py" and (code := _bytecode(file)) is not None:
                        _add(archive, f"packages/{cache_from_source(inside)}", code, 0o644, level)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}). Hint: choose another place") from None
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size


def _bytecode(source: Path) -> bytes | None:
    """What Python has compiled of a module here, marked so that it is loaded without a look at the source, whose time unpacking changes.

    Returns:
        The contents of a ``.pyc`` file (PEP 552); None where there is none, or it is of another state of the source.
    """
    try:
        code, stat = Path(cache_from_source(str(source))).read_bytes(), source.stat()
    except OSError:
        return None
    flags, written, size = struct.unpack_from("<4xIII", code) if len(code) > 16 else (1, 0, 0)
    if code[:4] != MAGIC_NUMBER or flags != 0 or (written, size) != (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF):
        return None
    return MAGIC_NUMBER + struct.pack("<I", 1) + source_hash(source.read_bytes()) + code[16:]


def closure(name: str, extras: Iterable[str] = (), omitted: Mapping[str, Collection[str]] | None = None) -> set[str]:
    """Normalised names of a distribution and of all that it needs, as installed here.

    Args:
        name: of the distribution.
        extras: of the distribution.
        omitted: dependencies to leave out by the distribution that states them, and with them what only they need.

    Raises:
        InputError: one of them is not installed.
    """
    from packaging.requirements import Requirement

    seen: set[tuple[str, str]] = set()
    todo = [(name, extra) for extra in ("", *extras)]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        try:
            stated = importlib.metadata.requires(at[0]) or []
        except importlib.metadata.PackageNotFoundError:
            raise InputError(f"{at[0]} is not installed here. Hint: pip install 'flink-masking[…]' with the extras") from None
        for requirement in map(Requirement, stated):
            if _normal(requirement.name) in (omitted or {}).get(at[0], ()):
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": at[1]}):
                todo += [(_normal(requirement.name), extra) for extra in ("", *requirement.extras)]
    return {name for name, _ in seen}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """A distribution's files, with their paths inside ``packages``."""
    for file in distribution.files or ():
        inside = PurePosixPath(file)
        if ".." not in inside.parts and not inside.is_absolute() and not LEFT_OUT.search(str(inside)):
            located = Path(str(file.locate()))
            if located.is_file():
                yield str(inside), located


def _add(archive: zipfile.ZipFile, name: str, body: bytes, mode: int, level: int) -> None:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, body, compresslevel=level)
