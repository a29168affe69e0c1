"""Key ring files: made once, read by their owner only, changed as a whole."""

import contextlib
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator

from flink_masking.errors import KeyRingError
from flink_masking.files.directory import sync_directory
from flink_masking.files.private_file import ending_in_order, new_file
from flink_masking.keys.document import LARGEST
from flink_masking.keys.ring import KeyRing

PATIENCE_S = 10.0
"""How long a change waits for another one."""

PathName = str | os.PathLike[str]


def create(path: PathName) -> KeyRing:
    """Make a new key ring file, mode 0600, and return its ring.

    Args:
        path: a file that does not exist yet.

    Raises:
        KeyRingError: the file exists, or its directory cannot be written.
    """
    ring = KeyRing.new()
    save_new(path, ring.dump())
    return ring


def save_new(path: PathName, data: bytes) -> None:
    """Write a file that does not exist yet, mode 0600 whatever the umask.

    Raises:
        KeyRingError: the file exists, or its directory cannot be written.
    """
    where = os.fspath(path)
    try:
        with new_file(where) as file:
            file.write(data)
    except FileExistsError:
        raise KeyRingError(f"{where}: already exists and is not changed. Hint: choose another name") from None
    except OSError as error:
        raise KeyRingError(f"{where}: cannot be written ({error.strerror}). Hint: check the directory") from None


def read(path: PathName) -> KeyRing:
    """The ring in a file that only its owner can read.

    Raises:
        KeyRingError: no such file, not a regular file, open to others or not ours (see `exposure`), not readable, too large, or no key
            ring.
    """
    return KeyRing.parse(read_bytes(path), os.fspath(path))


def read_bytes(path: PathName) -> bytes:
    """The contents of a key ring file, not parsed.

    Raises:
        KeyRingError: as for `read`, but for what is no key ring.
    """
    where = os.fspath(path)
    with _opened(where) as file:
        return _contents(file, where)


def stamp(path: PathName) -> str:
    """A text that changes when the file is replaced or written: device, inode, time of change and size.

    Raises:
        KeyRingError: the file cannot be read.
    """
    where = os.fspath(path)
    try:
        facts = os.stat(where)
    except OSError as error:
        raise KeyRingError(f"{where}: the key ring cannot be read ({error.strerror}). Hint: check the path and its owner") from None
    return f"{facts.st_dev}:{facts.st_ino}:{facts.st_ctime_ns}:{facts.st_size}"


def edit(path: PathName, change: Callable[[bytes], bytes]) -> None:
    """Replace a key ring file as a whole: readers see the old or the new ring; mode and owner stay; concurrent changes wait.

    Args:
        path: an existing file; of a symbolic link the file that it leads to.
        change: contents to contents; when it raises, the file stays as it is.

    Raises:
        KeyRingError: as for `read`, the directory cannot be written, or another change holds the file for too long.
    """
    where = os.path.realpath(path)
    with ending_in_order(), _locked(where) as file:
        facts = os.fstat(file)
        data = change(_contents(file, where))
        beside = os.path.join(os.path.dirname(where), f".{os.path.basename(where)}.{secrets.token_hex(8)}")
        try:
            with new_file(beside) as new:
                made = os.fstat(new.fileno())
                if (made.st_uid, made.st_gid) != (facts.st_uid, facts.st_gid):
                    os.fchown(new.fileno(), facts.st_uid, facts.st_gid)
                os.fchmod(new.fileno(), stat.S_IMODE(facts.st_mode))
                new.write(data)
            os.replace(beside, where)
            sync_directory(os.path.dirname(where))
        except OSError as error:
            raise KeyRingError(f"{where}: cannot be replaced ({error.strerror}). Hint: check the directory and the file's owner") from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)


def exposure(mode: int, owner: int, user: int) -> str | None:
    """Why a file is not secret enough, or None.

    Its owner is this user or root: anyone else could change it, and choose the keys. Group and others may do nothing with it. One
    exception: a file of root's that a user who is not root reads through its group, for that is how Kubernetes mounts a secret under
    ``fsGroup``.

    Args:
        mode: permission bits.
        owner: user id of the file's owner.
        user: effective user id of this process.
    """
    if owner not in (0, user):
        return f"it belongs to another user (uid {owner}), who could change it"
    allowed = 0o040 if owner == 0 and user != 0 else 0
    return f"accessible to other users (mode {mode:04o})" if mode & 0o077 & ~allowed else None


@contextlib.contextmanager
def _opened(where: str) -> Iterator[int]:
    """The file, open for reading; not waiting for a writer where it is a pipe."""
    try:
        file = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyRingError(f"{where}: no such key ring. Hint: check the path. Only for a first run make one, 'flink-masking keys "
                           f"new {where}': another ring gives other pseudonyms, which do not match those made before") from None
    except OSError as error:
        raise KeyRingError(f"{where}: the key ring cannot be read ({error.strerror}). Hint: check the path and its owner") from None
    try:
        yield file
    finally:
        os.close(file)


@contextlib.contextmanager
def _locked(where: str) -> Iterator[int]:
    """The file, open and locked, and still the one of that name: whoever waited for the lock may hold a file that was replaced."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with _opened(where) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                if os.path.exists(where) and os.path.samestat(os.fstat(file), os.stat(where)):
                    yield file
                    return
        if time.monotonic() > until:
            raise KeyRingError(f"{where}: another command is changing it. Hint: try again when that has ended")
        time.sleep(0.02)


def _contents(file: int, where: str) -> bytes:
    facts = os.fstat(file)  # of the file that is open, not of the name: it could be exchanged in between
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST:
        raise KeyRingError(f"{where}: not a key ring. Hint: name the file that 'flink-masking keys new' made")
    if exposed := exposure(stat.S_IMODE(facts.st_mode), facts.st_uid, os.geteuid()):
        change = f"chmod 600 {where}" if facts.st_uid in (0, os.geteuid()) else f"chown {os.geteuid()} {where}, or have it owned by root"
        raise KeyRingError(f"{where}: {exposed}. Hint: {change}")
    try:
        with os.fdopen(file, "rb", closefd=False) as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise KeyRingError(f"{where}: the key ring cannot be read ({error.strerror}). Hint: check the path and its owner") from None
