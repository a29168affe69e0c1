"""Files as they come and grow, looked through for personal data."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from flink_masking.errors import InputError
from flink_masking.files.directory import files_below
from flink_masking.leaks.files import look_from
from flink_masking.leaks.monitor import Leak, Monitor
from flink_masking.leaks.recent import Recent

MONITORS = 1_000
"""Files whose counts are remembered, the ones that changed last; of all others, how far they were looked through."""


class _Seen(NamedTuple):
    """A file as it was at the last look.

    Attributes:
        state: modification time in ns, size and inode.
        position: bytes that need not be looked through again: those of whole lines.
        looked: bytes that were looked through, the unfinished line at the end included.
        monitor: what was found; None where it is no longer remembered.
    """

    state: tuple[int, int, int]
    position: int
    looked: int
    monitor: Monitor | None


class FileWatch:
    """Looks through what is new below some paths.

    A file that grows is looked through from its last whole line on, a compressed one as a whole when it has changed. A last line without
    an end is looked through when it has not grown between two looks, and once more when it has: a value in it then counts twice.
    """

    def __init__(self, paths: Iterable[Path], monitor: Callable[[str], Monitor], unread: Callable[[str], None],
                 recent: Recent | None = None) -> None:
        """Nothing is looked through yet.

        Args:
            paths: files and directories, which may come later.
            monitor: makes a monitor for a file by its name.
            unread: is told why a file could not be read, twice in the same state: one that is being written may be cut off once.
            recent: what all monitors keep for `look_again`; None: nothing is kept.
        """
        self._recent = recent
        self._paths, self._monitor, self._unread = list(paths), monitor, unread
        self._seen: dict[Path, _Seen] = {}
        self._failed: dict[Path, tuple[tuple[int, int, int], bool]] = {}

    def look(self) -> list[Leak]:
        """Look through what has come since the last look, and return what was found in it."""
        found, there, away = list[Leak](), set[Path](), dict[Path, OSError]()
        for path in self._files(away):
            there.add(path)
            state = 0, 0, 0
            try:
                facts = path.stat()
                state = facts.st_mtime_ns, facts.st_size, facts.st_ino
                found += self._look(path, state)
                self._failed.pop(path, None)
            except FileNotFoundError:
                continue  # it came and went, as checkpoints do
            except (InputError, OSError) as error:
                self._tell(path, state, str(error) if isinstance(error, InputError) else f"{path}: {error.strerror}")
        for path, refused in away.items():
            self._tell(path, (0, 0, 0), f"{path}: {refused.strerror}")
        known = self._seen.keys() | self._failed.keys()
        there |= {path for path in known if any(path.is_relative_to(one) for one in away)}
        for gone in known - there:
            self._seen.pop(gone, None)
            self._failed.pop(gone, None)
        remembered = [path for path, seen in self._seen.items() if seen.monitor is not None]
        for path in remembered[: max(0, len(remembered) - MONITORS)]:
            self._seen[path] = self._seen[path]._replace(monitor=None)
        return found

    def look_again(self, ended: bool = False) -> list[Leak]:
        """Look up canaries that are new in what came last, see `Recent.look_again`, and return what was found in it."""
        looked = [] if self._recent is None else self._recent.look_again(ended)
        return [leak for monitor in looked for leak in monitor.news()]

    def _tell(self, path: Path, state: tuple[int, int, int], text: str) -> None:
        """Note that something cannot be read; the second time in the same state it is told, once."""
        before, told = self._failed.get(path, (None, False))
        if before == state and not told:
            self._unread(text)
        self._failed[path] = state, before == state

    def _files(self, away: dict[Path, OSError]) -> Iterator[Path]:
        """The files that are there now; `away` gets the directories that cannot be listed."""
        def failed(error: OSError) -> None:
            away[Path(os.fsdecode(error.filename))] = error

        for path in self._paths:
            try:
                folder, there = path.is_dir(), path.exists()
            except OSError as error:
                away[path] = error
                continue
            if folder:
                yield from files_below(path, failed)
            elif there:
                yield path

    def _look(self, path: Path, state: tuple[int, int, int]) -> list[Leak]:
        seen, size = self._seen.get(path), state[1]
        if seen is not None and seen.state == state and seen.looked >= size:
            return []
        same = seen is not None and seen.state == state  # then what is left is a line without an end
        grown = seen is not None and seen.state[2] == state[2] and seen.position <= size
        monitor = (seen.monitor if seen is not None and grown else None) or self._monitor(str(path))
        position = look_from(path, seen.position if seen is not None and grown else 0, size, monitor, whole=not same)
        self._seen.pop(path, None)  # the one that changed last stands last
        self._seen[path] = _Seen(state, position, size if same else position, monitor)
        return monitor.news()
