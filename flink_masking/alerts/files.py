"""Alerts appended to a file."""

import os
from pathlib import Path

from flink_masking.alerts.refusal import SendError


class FileSender:
    """A file of CloudEvents, a line each; its owner and group alone can read it."""

    def __init__(self, path: Path) -> None:
        """Keep the path; the file is opened for each alert, so that it can be moved away."""
        self._path = path

    def send(self, event: bytes, rule: str) -> None:
        """See `Sender.send`."""
        try:
            opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                size, line = os.fstat(opened).st_size, event + b"\n"
                if os.write(opened, line) != len(line):
                    os.ftruncate(opened, size)  # a disk that is full: no half lines
                    raise SendError("the file could not be written whole")
            finally:
                os.close(opened)
        except OSError as error:
            raise SendError(f"{self._path}: {error.strerror}") from None

    def close(self) -> None:
        """Nothing is held."""
