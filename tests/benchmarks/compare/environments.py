"""Environments of the peers: one for each list of versions in ``locks``, made once below build/compare."""

import hashlib
import subprocess
import sys
from pathlib import Path

LOCKS = Path(__file__).parent / "locks"
OWN = ""
"""The environment that this program runs in: this library's."""
PATIENCE_S = 300
_ALSO = {"presidio": ("presidio", "templates")}


class NotHad(Exception):
    """An environment that cannot be made, and why."""


def python_of(name: str, folder: Path) -> Path:
    """The Python of an environment, which is made if it is not there or its lists have changed.

    Args:
        name: of a list of versions, or `OWN`.
        folder: below which environments are.

    Raises:
        NotHad: the packages cannot be installed.
    """
    if name == OWN:
        return Path(sys.executable)
    lists = [LOCKS / f"{one}.txt" for one in _ALSO.get(name, (name,))]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in lists) + version.encode()).hexdigest()
    home, stamp = folder / name, folder / name / "made-of"
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"installing {name} into {home}: {', '.join(one.name for one in lists)}", file=sys.stderr, flush=True)
        _make(home, lists)
        stamp.write_text(digest)
    return home / "bin" / "python"


def _make(home: Path, lists: list[Path]) -> None:
    install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--require-hashes"]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, capture_output=True, timeout=PATIENCE_S)
        subprocess.run([*install, *(word for one in lists for word in ("-r", str(one)))], check=True, capture_output=True, text=True,
                       timeout=PATIENCE_S)
    except subprocess.CalledProcessError as error:
        lines = [line for line in (error.stderr or "").splitlines() if line.startswith("ERROR")]
        raise NotHad(lines[-1].removeprefix("ERROR: ") if lines else f"pip ended with {error.returncode}") from None
    except (subprocess.TimeoutExpired, OSError) as error:
        raise NotHad(f"it could not be installed ({type(error).__name__})") from None
