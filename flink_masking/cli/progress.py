"""Progress of long commands: one line on stderr where that is a terminal, nothing elsewhere."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_PARTS = 1_000
_RECENT = 3.0
"""Seconds that a rate is taken of, about."""
_STEP = 500
"""Items between two looks of `each`."""
_LOOKED = 1 << 20
"""Bytes whose records say how many the rest has."""
Told = Callable[[int, int], None]
"""Takes how many items are done, and how much of the total."""


class _Count(ProgressColumn):
    """How many items, and how many a second since the beginning; worked out ten times a second at most, whoever calls how often."""

    def render(self, task: Task) -> Text:
        """``1,200,000 records · 250,000/s``."""
        count = task.fields["count"]
        if not count:
            return Text("")
        rate = f" · {count / task.elapsed:,.0f}/s" if task.elapsed else ""
        return Text(f"{count:,} {task.fields['noun']}{rate}")


class _Remaining(TimeRemainingColumn):
    """The time remaining, where the total is known."""

    def render(self, task: Task) -> Text:
        """``0:00:12 left``."""
        return Text("") if task.total is None else Text.assemble(super().render(task), " left")


@contextlib.contextmanager
def progress(label: str, total: int | None = None, noun: str = "records") -> Iterator[Told]:
    """A line with items, items a second, elapsed and remaining time; it disappears when done.

    Args:
        label: what is being done.
        total: of what the second argument of the yielded function counts (bytes, items); None where it is not known.
        noun: of the items, in the plural.

    Yields:
        A function that takes the items done so far, and the part of the total done so far. Call it for a batch, not for a record.
    """
    from flink_masking.cli.console import err

    if not err.is_terminal:
        yield lambda count, done: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), _Count(), TimeElapsedColumn(), _Remaining())
    with Progress(*columns, console=err, transient=True) as shown:
        task: TaskID = shown.add_task(label, total=total or None, count=0, noun=noun)
        yield lambda count, done: shown.update(task, completed=done, count=count)


@contextlib.contextmanager
def reading(label: str, *inputs: Path) -> Iterator[None]:
    """Progress by the bytes that are read of files while the body runs, for what reads its files itself.

    Args:
        label: what is being done.
        inputs: files, and directories of files.
    """
    from flink_masking.files.opened import data_files
    from flink_masking.files.position import followed

    files = [file for path in inputs for file in (data_files(path) if path.is_dir() else [path])]
    with contextlib.ExitStack() as held:
        told: list[Told] = []
        position = held.enter_context(followed(files, lambda read: told[0](read // 1_000_000, read)))
        told.append(held.enter_context(progress(label, position.total, "MB")))
        yield


def each(label: str, items: Iterable[T], noun: str, total: int | None = None) -> Iterator[T]:
    """The items, while progress is shown.

    Args:
        label: what is being done.
        items: one by one.
        noun: of the items, in the plural.
        total: how many there are; None where it is not known.
    """
    step = _STEP if total is None else max(1, min(_STEP, total // 100))
    with progress(label, total, noun) as told:
        for number, item in enumerate(items, 1):
            yield item
            if number % step == 0 or number == total:
                told(number, number)


@contextlib.contextmanager
def parts(label: str, noun: str) -> Iterator[Callable[[int, int], None]]:
    """Progress of what tells by itself how many items are done, and of how many.

    Args:
        label: what is being done.
        noun: of the items, in the plural.
    """
    with progress(label, _PARTS, noun) as told:
        yield lambda count, total: told(count, _PARTS * count // total if total else 0)


def first(label: str, records: Iterable[T], most: int, files: Iterable[Path]) -> Iterator[T]:
    """The first items, while progress is shown: the part of them, or of the bytes of their files, whichever is further.

    Args:
        label: what is being done.
        records: one by one.
        most: how many are taken.
        files: that they are read from.
    """
    from flink_masking.files.position import followed

    with followed(files) as position, progress(label, _PARTS) as told:
        for number, record in enumerate(islice(records, most), 1):
            yield record
            if number % _STEP == 0:
                part = max(number / most, position.read / position.total if position.total else 0)
                told(number, int(_PARTS * part))


def estimated(records: Iterable[bytes], files: Iterable[Path]) -> int | None:
    """About how many records an input has, by the bytes of its first ones; None where it can be read once only.

    Args:
        records: of all files.
        files: that they are read from.
    """
    from flink_masking.files.position import followed

    with followed(files) as position:
        if position.total is None:
            return None
        number = read = 0
        for number, _ in enumerate(records, 1):
            if position.read != read:  # all records of what was read before were given
                if read >= _LOOKED:
                    return round((number - 1) * position.total / read)
                read = position.read
        return number


class Pace:
    """How fast a job reads, and about how long it goes on, in words; by moments of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing was read yet.

        Args:
            clock: seconds.
        """
        self._clock = clock
        self._begin: tuple[float, int] | None = None
        self._before = (0.0, 0)

    def told(self, read: int, expected: int | None) -> str:
        """`` · 250,000/s · about 0:00:12 left``, or less where it is not known yet.

        Args:
            read: records so far.
            expected: how many there are, about.
        """
        now = self._clock()
        if self._begin is None:
            self._begin = self._before = (now, read)
        (begun, first), (then, before) = self._begin, self._before
        if now - then > _RECENT:
            self._before = (now, read)
        if now <= then or now <= begun:
            return ""
        rate, pace = (read - before) / (now - then), (read - first) / (now - begun)
        left = "" if expected is None or read >= expected or not pace else (
            f" · about {timedelta(seconds=round((expected - read) / pace))} left")
        return f" · {rate:,.0f}/s{left}"


@contextlib.contextmanager
def waiting(label: str) -> Iterator[None]:
    """A line that says what the command does now and for how long, where nothing can be counted."""
    with progress(label):
        yield


def counting(label: str, batches: "Iterable[pa.Array]", files: Iterable[Path] = ()) -> "Iterator[pa.Array]":
    """The batches, while progress is shown.

    Args:
        label: what is being done.
        batches: of records.
        files: that they are read from; where all are regular files, the part of their bytes that was read is shown.
    """
    from flink_masking.files.position import followed

    count = 0
    with followed(files) as position, progress(label, position.total) as told:
        for batch in batches:
            yield batch
            count += len(batch)
            told(count, position.read)
