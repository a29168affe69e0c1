"""Files with mode 0600 that appear complete or not at all, even if the writing process is killed."""

import contextlib
import errno
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn

from flink_masking.files.directory import sync_directory

MODE = 0o600
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NO_ANONYMOUS_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)
"""How a file system or kernel without O_TMPFILE answers; a directory that does not exist is told by the attempt that follows."""
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Ended(BaseException):
    """The process received a signal that ends it.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int) -> None:
        """Keep the number."""
        super().__init__(signal.Signals(number).name)
        self.signal = number


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into exceptions of the body (KeyboardInterrupt, `Ended`), so that it cleans up; once each.

    Where a signal arrives in a finalizer or in a weak reference's callback, Python drops the exception: the signal then comes again.
    Signals that the process ignores stay ignored. Outside the main thread, where Python takes no signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    taken = [number for number, handler in before.items() if handler in (signal.SIG_DFL, signal.default_int_handler)]

    def end(number: int, _: FrameType | None) -> NoReturn:
        for other in taken:  # a second signal must not interrupt the cleaning up
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Ended(number)

    def listen() -> None:
        for number in taken:
            signal.signal(number, end)

    def dropped(lost: "sys.UnraisableHookArgs") -> None:
        if not isinstance(lost.exc_value, KeyboardInterrupt | Ended) or threading.current_thread() is not threading.main_thread():
            report(lost)
            return
        number = lost.exc_value.signal if isinstance(lost.exc_value, Ended) else signal.SIGINT
        listen()
        again = threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), number))  # wakes a read that waits, too
        again.daemon = True
        again.start()

    report = sys.unraisablehook
    try:
        if taken:
            listen()
            sys.unraisablehook = dropped
        yield
    finally:
        if taken:
            sys.unraisablehook = report
        for number in taken:
            signal.signal(number, before[number])


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file under a new name, mode 0600 whatever the umask, that gets its name when the body has ended well.

    Until then it has no name (``O_TMPFILE``), so a process that is killed leaves nothing. On file systems without such files it has a
    hidden name beside the final one, which is removed when the body fails or a signal of `ending_in_order` arrives; SIGKILL leaves it.

    Args:
        path: where it appears, complete and on the disk; its directory exists.

    Yields:
        The open file. The caller may change its owner and mode.

    Raises:
        FileExistsError: something has that name.
        OSError: the directory cannot be written, or the disk is full.
    """
    where = Path(path)
    if os.path.lexists(where):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(where))
    with ending_in_order():
        file = _anonymous(where.parent)
        if file is not None:
            with os.fdopen(file, "wb") as opened:
                yield _private(opened)
                _complete(opened)
                # os.link follows the link in /proc only where it is given a directory, too (linkat instead of link).
                directory = os.open(where.parent, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.link(f"/proc/self/fd/{file}", where, src_dir_fd=directory, follow_symlinks=True)
                    os.fsync(directory)
                finally:
                    os.close(directory)
            return
        partial = where.with_name(f".{where.name}.{secrets.token_hex(8)}.partial")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE), "wb") as opened:
                yield _private(opened)
                _complete(opened)
            name_new(partial, where)
            sync_directory(where.parent)
        finally:
            partial.unlink(missing_ok=True)


def _anonymous(directory: Path) -> int | None:
    """An open file without a name, or None where there is no such thing."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(directory, flag | os.O_WRONLY | os.O_CLOEXEC, MODE)
    except OSError as error:
        if error.errno in _NO_ANONYMOUS_FILES:
            return None
        raise


def _private(opened: BinaryIO) -> BinaryIO:
    os.fchmod(opened.fileno(), MODE)
    return opened


def _complete(opened: BinaryIO) -> None:
    opened.flush()
    os.fsync(opened.fileno())


def name_new(partial: Path, where: Path) -> None:
    """Give a complete file its final name, replacing nothing; also on file systems without hard links.

    Args:
        partial: the file; where links are possible it keeps this name, too, for the caller to remove.
        where: in the same directory.

    Raises:
        FileExistsError: something has that name.
        OSError: the directory cannot be written.
    """
    try:
        os.link(partial, where)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(where):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(where)) from None
        os.rename(partial, where)
