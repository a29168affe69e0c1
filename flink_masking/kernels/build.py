"""Compiles every kernel of the installed library and puts the machine code into its wheel: ``python -m flink_masking.kernels.build WHEEL``.

The wheel is replaced by one for this kind of machine and this release of Python, which brings the machine code along and asks for the
release of numba that made it; no process that runs from it compiles anything. The wheel that was given stays what people with other
machines install; their processes compile what they need at its first use.
"""

import base64
import csv
import gc
import hashlib
import importlib
import io
import multiprocessing
import os
import re
import stat
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from flink_masking.kernels.directories import PACKAGE, SHIPPED, sources_digest
from flink_masking.kernels.lazily import Kernel, numba

MOMENT = (2020, 1, 1, 0, 0, 0)
"""The time of all files, so that equal sources make equal wheels."""
INSIDE = SHIPPED.relative_to(PACKAGE.parent).as_posix()
TABLES = ("flink_masking.detect.kept_automaton",)
"""Modules with a function `shipped`: files by name."""


def kernel_modules() -> list[str]:
    """The dotted names of all modules that hold kernels, those that take longest to compile first."""
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in sorted(PACKAGE.rglob("*kernels.py"))]
    return sorted(names, key=lambda name: (name.split(".")[1] != "anonymity", name))


def compile_all(workers: int) -> dict[str, bytes]:
    """Compile every kernel for the baseline.

    Args:
        workers: number of processes.

    Returns:
        The files to put into `INSIDE`, by their path there.

    Raises:
        RuntimeError: this process cannot compile for the baseline, whose reason is the message.
        OSError: machine code cannot be written.
    """
    numba()
    from flink_masking.kernels.cache import COMPILED

    if COMPILED.reason is not None:
        raise RuntimeError(COMPILED.reason)
    with tempfile.TemporaryDirectory(prefix="flink-masking-kernels-") as place:
        os.environ["NUMBA_CACHE_DIR"] = place
        names = kernel_modules()
        # Modules of one part of the library share helpers, which one process compiles once: the first half and the second half.
        tasks = [[n for n in names if ".anonymity." in n], [n for n in names if ".anonymity." not in n]]
        if workers > 1:
            with multiprocessing.get_context("spawn").Pool(min(workers, len(tasks))) as pool:
                pool.map(_compile, tasks, chunksize=1)
        _compile(names)  # and whatever two processes kept from each other
        if COMPILED.unkept is not None:
            raise OSError(f"machine code cannot be written: {COMPILED.unkept}. Hint: TMPDIR names a directory on a disk with space left")
        return {**dict(_called_from_python(Path(place))), **_tables()}


def _tables() -> dict[str, bytes]:
    """Files that take seconds to build and are read beside machine code."""
    return {name: body for module in TABLES for name, body in importlib.import_module(module).shipped().items()}


def _compile(names: list[str]) -> None:
    """Have modules compiled for the private directory, whatever the installation brings."""
    # Compiling makes millions of objects that live on, and looking through them again and again took a fifth of the time.
    gc.set_threshold(1_000_000)
    numba()
    from flink_masking.kernels.cache import COMPILED

    COMPILED.shipped = PACKAGE / "no machine code"
    for name in names:
        importlib.import_module(name)
    for kernel in list(Kernel.declared):
        if kernel.signatures is not None and kernel.__module__ in names:
            _ = kernel.dispatcher


def _called_from_python(place: Path) -> Iterator[tuple[str, bytes]]:
    """Files of the functions with signatures of their own; the code of all others is inside that of their callers."""
    from flink_masking.kernels.cache import KernelCache

    for cache in KernelCache.made:
        if cache.called_from_python:
            folder = f"{sources_digest()}.{cache.place}"
            for path in sorted((place / folder).glob(f"{cache.base}.*")):
                yield f"{cache.place}/{path.name}", path.read_bytes()


def with_machine_code(wheel: Path, files: dict[str, bytes]) -> Path:
    """Replace a wheel for all machines by one for this kind of machine.

    Args:
        wheel: ``NAME-VERSION-py3-none-any.whl``; removed.
        files: bodies by their path in the directory of machine code.

    Returns:
        The new wheel, beside the old one.
    """
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{python}-{python}-{re.sub(r'[-.]', '_', sysconfig.get_platform())}"
    name, version, *_ = wheel.name.split("-")
    target = wheel.with_name(f"{name}-{version}-{tag}.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    held = {path: body for path, body in held.items() if not path.startswith(f"{INSIDE}/")}
    held |= {f"{INSIDE}/{path}": body for path, body in files.items()}
    info = f"{name}-{version}.dist-info"
    held[f"{info}/WHEEL"] = re.sub(rb"(?m)^Tag: .*$", b"Tag: " + tag.encode(), held[f"{info}/WHEEL"].replace(
        b"Root-Is-Purelib: true", b"Root-Is-Purelib: false"))
    held[f"{info}/METADATA"] = re.sub(rb"(?m)^Requires-Dist: numba\b.*$", f"Requires-Dist: numba=={numba().__version__}".encode(),
                                      held[f"{info}/METADATA"])
    record = f"{info}/RECORD"
    held[record] = _record(held, record)
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in held.items():
            entry = zipfile.ZipInfo(path, MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, body)
    wheel.unlink()
    part.replace(target)
    return target


def _record(held: dict[str, bytes], record: str) -> bytes:
    """A wheel's list of its files with their digests and sizes (PEP 376); its own entry has neither."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for path, body in held.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        rows.writerow((path, "", "") if path == record else (path, f"sha256={digest}", len(body)))
    if record not in held:
        rows.writerow((record, "", ""))
    return out.getvalue().encode()


def main() -> None:
    """Compile, and write the wheel; where the baseline cannot be compiled for, say why and leave the wheel as it is."""
    begin = time.perf_counter()
    if len(sys.argv) != 2:
        sys.exit("usage: python -m flink_masking.kernels.build WHEEL")
    try:
        files = compile_all(os.cpu_count() or 1)
    except RuntimeError as error:
        print(f"no kernels are compiled ahead: {error}", file=sys.stderr)
        return
    target = with_machine_code(Path(sys.argv[1]), files)
    size = sum(map(len, files.values()))
    print(f"{len(files)} files of machine code, {size / 1e6:.0f} MB, in {time.perf_counter() - begin:.0f} s: {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
