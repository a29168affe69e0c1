"""An audit file that commands append to: one hash chain across runs, each event signed with the key ring."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from flink_masking.audit.events import AuditChain
from flink_masking.errors import InputError
from flink_masking.files.directory import sync_directory
from flink_masking.keys.ring import KeyRing

TAIL = 1 << 20
"""Bytes at the end of the file that are searched for the last event."""
COMMANDS = "commands.jsonl"
"""The file of commands in an audit directory."""


class EventLog(Protocol):
    """What events of commands are written to, each durably before `append` returns."""

    def append(self, kind: str, now: int, body: Mapping[str, Any]) -> None:
        """Write an event; see `AuditLog.append`."""
        ...


class AuditLog:
    """Appends events to a file, each written durably before `append` returns; safe with several processes at once."""

    def __init__(self, path: Path, ring: KeyRing, stream: str | None = None, policy_version: int | None = None,
                 policy_digest: str | None = None) -> None:
        """Keep the members of every event; see `AuditChain`. The file is created with the first event.

        Args:
            path: a file, or an audit directory, in which it is `COMMANDS`.
            ring: signs the events.
            stream: of the policy; None where there is none.
            policy_version: likewise.
            policy_digest: likewise.
        """
        self._path = path / COMMANDS if path.is_dir() else path
        self._ring, self._facts = ring, (stream, policy_version, policy_digest)

    def append(self, kind: str, now: int, body: Mapping[str, Any]) -> None:
        """Write an event behind the last one.

        Args:
            kind: as for `AuditChain.event`.
            now: ms since 1970.
            body: further members.

        Raises:
            InputError: what the file ends with is no audit event.
            KeyRingError: an exported ring that lacks the key of events.
            OSError: the file cannot be written.
        """
        with self._path.open("a+b", buffering=0) as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - TAIL))
            tail = opened.read(TAIL) or b""
            if tail and not tail.endswith(b"\n"):
                raise InputError(f"{self._path}: its last line is cut off. Hint: keep the file for a review, and name another output")
            last = tail[:-1].rpartition(b"\n")[2] if tail else None
            try:
                line = AuditChain.signed(self._ring, *self._facts, after=last).event(kind, now, body)
            except InputError:
                raise InputError(f"{self._path}: its last line is no audit event. Hint: name another output") from None
            try:
                left = memoryview(line + b"\n")
                while left:
                    left = left[opened.write(left) or 0 :]
                os.fsync(opened.fileno())
                if not size:
                    sync_directory(self._path.parent)
            except OSError:
                os.ftruncate(opened.fileno(), size)  # a disk that is full: half a line would keep every later event out
                raise
