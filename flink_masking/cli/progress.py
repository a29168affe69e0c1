"""Progress of long commands: one line on stderr where that is a terminal, nothing elsewhere."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
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
_STEP = 500
"""Items between two looks of `each`."""
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
    number = 0
    with progress(label, total, noun) as told:
        for number, item in enumerate(items, 1):
            yield item
            if number % _STEP == 0 or number == total:
                told(number, number)


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
