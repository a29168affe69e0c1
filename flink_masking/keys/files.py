"""Key ring files: made once, for their owner's eyes only."""

import os
import pathlib
import stat

from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing

LARGEST = 1 << 20


def create(path: str | os.PathLike[str]) -> KeyRing:
    """Make a new key ring file, mode 0600, and return its ring.

    Args:
        path: a file that does not exist yet.

    Raises:
        KeyRingError: the file exists, or its directory cannot be written.
    """
    ring, where = KeyRing.new(), os.fspath(path)
    try:
        file = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyRingError(f"{where}: exists, and is left as it is. Hint: choose another name") from None
    except OSError as error:
        raise KeyRingError(f"{where}: cannot be written ({error.strerror}). Hint: check the directory") from None
    with os.fdopen(file, "wb") as stream:
        os.fchmod(file, 0o600)  # whatever the umask
        stream.write(ring.dump())
        stream.flush()
        os.fsync(file)
    return ring


def read(path: str | os.PathLike[str]) -> KeyRing:
    """The ring in a file that only its owner can read.

    Raises:
        KeyRingError: no such file, not a regular file, readable by group or others, not readable, too large, or no key ring.
    """
    where = os.fspath(path)
    try:
        with pathlib.Path(where).open("rb") as stream:
            facts = os.fstat(stream.fileno())  # of the file that is open, not of the name: it could be exchanged in between
            data = stream.read(LARGEST + 1) if stat.S_ISREG(facts.st_mode) else b""
    except FileNotFoundError:
        raise KeyRingError(f"{where}: no such key ring. Hint: make one with 'flink-masking keys new {where}'") from None
    except OSError as error:
        raise KeyRingError(f"{where}: the key ring cannot be read ({error.strerror}). Hint: check the path and its owner") from None
    if not stat.S_ISREG(facts.st_mode) or len(data) > LARGEST:
        raise KeyRingError(f"{where}: not a key ring. Hint: name the file that 'flink-masking keys new' made")
    if facts.st_mode & 0o077:
        mode = stat.S_IMODE(facts.st_mode)
        raise KeyRingError(f"{where}: others than its owner can use it (mode {mode:04o}). Hint: chmod 600 {where}")
    return KeyRing.parse(data, where)
