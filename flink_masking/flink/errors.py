"""Hides the text of unexpected exceptions: Flink logs it, and it may quote a record."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from flink_masking.errors import FlinkMaskingError, JobError


@contextlib.contextmanager
def without_values(where: str) -> Iterator[None]:
    """Replace an unexpected exception of the body by one with its type and location but without its text.

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
        message = (f"{where}: internal error: {type(error).__name__}{place}; the message is hidden because it may contain data. "
                   "Hint: please report it with the release of flink-masking")
        raise JobError(message) from None
