"""Faults that nobody planned for, as Flink may see them: it logs an exception's text, and that of a library may quote a record."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from flink_masking.errors import FlinkMaskingError, JobError


@contextlib.contextmanager
def without_values(where: str) -> Iterator[None]:
    """Replace an unforeseen exception of the body by one that tells its type and place, not its text.

    Args:
        where: the step of the job, for the message.

    Raises:
        FlinkMaskingError: as it was raised in the body; its texts hold no values.
        JobError: in place of any other exception.
    """
    try:
        yield
    except FlinkMaskingError:
        raise
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        ours = [frame for frame in frames if "flink_masking" in Path(frame.filename).parts][-1:] or frames[-1:]
        place = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in ours)
        message = f"{where}: unexpected {type(error).__name__}{place}. Hint: this is a fault of flink-masking; its text is withheld"
        raise JobError(message) from None
