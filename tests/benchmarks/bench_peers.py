"""Format-preserving encryption beside the packages of PyPI: ``python tests/benchmarks/bench_peers.py``; never fails for want of a network.

The packages go into a throw-away environment of their own and run there, one thread and one process each: a loop over numbers of 16 digits
in a list, one call a value, with the cipher made once where the package allows that. Ours is the technique `fpe` over the same kind of
numbers, Arrow array to Arrow array, with its checks. All in processor time, the best of several runs, one after the other on one machine.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.algorithms import AES

from flink_masking.crypto.ff1_exact import ExactFf1

INSTALL_SECONDS, MEASURE_SECONDS = 120, 60
"""Patience with the installation of one package, and with its measurement."""
KEY, TWEAK, FIRST = "2b7e151628aed2a6abf7158809cf4f3c" * 2, b"tweak", "4000000000000000"


class Peer(NamedTuple):
    """What a package computes, and the statements that make `encrypt`, a function of one text."""

    cipher: str
    statements: str


PEERS = {
    "fastfpe": Peer(
        "FF1, in Rust", f"from fastfpe import ff1\nencrypt = lambda text: ff1.encrypt('{KEY}', '{TWEAK.hex()}', '0123456789', text)"
    ),
    "pyffx": Peer("FFX over HMAC-SHA1, not FF1", f"import pyffx\nencrypt = pyffx.String(bytes.fromhex('{KEY}'), '0123456789', 16).encrypt"),
    "ff3": Peer("FF3-1", f"from ff3 import FF3Cipher\nencrypt = FF3Cipher('{KEY}', 'd8e7920afa330a').encrypt"),
}
LOOP = f"""
import json, time
values = [str({FIRST} + 7919 * k) for k in range(2_000)]
best, end, runs = float("inf"), time.process_time() + 1.0, 0
while runs < 3 or time.process_time() < end:
    start = time.process_time()
    made = [encrypt(value) for value in values]
    best, runs = min(best, time.process_time() - start), runs + 1
print(json.dumps([len(values) / max(best, 1e-9), made[0]]))
"""


def fetch(package: str, folder: Path) -> bool:
    """Install a package from PyPI, with what it needs, below a folder; false, and a note on stderr, where that is not possible."""
    python, site = folder / "environment" / "bin" / "python", folder / package
    try:
        if not python.exists():
            make = [sys.executable, "-m", "venv", str(folder / "environment")]
            subprocess.run(make, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"]
        subprocess.run([*command, "--target", str(site), package], check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"{package} is left out: it could not be installed ({type(error).__name__})", file=sys.stderr)
        return False
    return True


def rate(package: str, folder: Path) -> float | None:
    """Values per second of a fetched package; nothing, and a note on stderr, where it does not run or is not what it says."""
    peer = PEERS[package]
    command = [str(folder / "environment" / "bin" / "python"), "-c", peer.statements + LOOP]
    try:
        environment = os.environ | {"PYTHONPATH": str(folder / package)}
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=MEASURE_SECONDS, env=environment)
        speed, first = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        print(f"{package} is left out: it did not run ({type(error).__name__})", file=sys.stderr)
        return None
    expected = "".join(map(str, ExactFf1(AES(bytes.fromhex(KEY)), 10).encrypt([int(digit) for digit in FIRST], TWEAK)))
    if peer.cipher.startswith("FF1") and first != expected:
        print(f"{package} is left out: its result is not that of FF1", file=sys.stderr)
        return None
    return float(speed)


def _ours() -> int:
    spec = importlib.util.spec_from_file_location("bench_ff1", Path(__file__).with_name("bench_ff1.py"))
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return int(module.measure(["16 digits"])["fpe:16 digits"]["value"])


def measure() -> dict[str, dict[str, Any]]:
    """For each package that could be had: our values per second, and how many times that is of the package's."""
    with tempfile.TemporaryDirectory(prefix="flink-masking-peers-") as name:
        folder = Path(name)
        rates = {package: speed for package in PEERS if fetch(package, folder) and (speed := rate(package, folder))}
    own = _ours() if rates else 0
    return {
        f"peer:fpe of 16 digits beside {package}": {
            "value": own, "unit": "values/s", "ratio": round(own / speed, 1),
            "against": f"{package} ({PEERS[package].cipher}), {speed:,.0f} values/s"}
        for package, speed in rates.items()
    }  # fmt: skip


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:<40}{figure['value']:>12,} {figure['unit']}{figure['ratio']:10.1f} × {figure['against']}")
