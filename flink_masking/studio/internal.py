"""Errors as text for the page, without what records hold."""

import traceback
from pathlib import Path

from flink_masking.errors import FlinkMaskingError


def message_of(error: Exception) -> str:
    """An expected error in its own words; an unexpected one by its type and place, since its text may quote a record."""
    if isinstance(error, FlinkMaskingError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "flink_masking" in Path(frame.filename).parts] or list(frames)
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"internal error: {type(error).__name__}{place}; the message is hidden because it may contain data"
