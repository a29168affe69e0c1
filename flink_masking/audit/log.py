"""An audit file that commands append to: one hash chain across runs."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flink_masking.audit.events import AuditChain
from flink_masking.errors import InputError

TAIL = 1 << 20
"""Bytes at the end of the file that are searched for the last event."""


class AuditLog:
    """Appends events to a file, each written durably before `append` returns; safe with several processes at once."""

    def __init__(self, path: Path, stream: str | None, policy_version: int | None, policy_digest: str | None, key_version: int,
                 key_check: str | None = None) -> None:
        """Keep the members of every event; see `AuditChain`. The file is created with the first event."""
        self._path, self._facts, self._key_check = path, (stream, policy_version, policy_digest, key_version), key_check

    def append(self, kind: str, now: int, body: Mapping[str, Any]) -> None:
        """Write an event behind the last one.

        Args:
            kind: as for `AuditChain.event`.
            now: ms since 1970.
            body: further members.

        Raises:
            InputError: what the file ends with is no audit event.
            OSError: the file cannot be written.
        """
        with self._path.open("a+b") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - TAIL))
            tail = opened.read()
            if tail and not tail.endswith(b"\n"):
                raise InputError(f"{self._path}: its last line is cut off. Hint: keep the file for a review, and name another output")
            last = tail[:-1].rpartition(b"\n")[2] if tail else None
            try:
                line = AuditChain(*self._facts, after=last, key_check=self._key_check).event(kind, now, body)
            except InputError:
                raise InputError(f"{self._path}: its last line is no audit event. Hint: name another output") from None
            opened.write(line + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
