"""Which entries of a quarantine in files were replayed: an append-only file beside it, so that each is sent once."""

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from flink_masking.errors import InputError


class ReplayLedger:
    """The ledger, held by one replay at a time.

    A replay notes its entries and the name of its output before the output gets that name, which it does in one step, and notes afterwards
    that it is done. Where the second note is missing because the process was killed, the output tells: it is there, whole and with the
    digest that was noted, or it never was. Do not remove an output between a replay that was killed and the next one.

    Attributes:
        done: ids of the entries that were sent.
    """

    def __init__(self, file: int, path: Path) -> None:
        """Users call `held`."""
        self._file, self._path = file, path
        self.done: set[str] = set()
        self._read()

    @classmethod
    @contextlib.contextmanager
    def held(cls, path: Path) -> Iterator["ReplayLedger"]:
        """Open the ledger, which is made if need be (mode 0600), and keep others out.

        Args:
            path: of the file.

        Raises:
            InputError: another replay is under way, or the file is no ledger.
            OSError: it cannot be written.
        """
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{path}: another replay of this quarantine is under way. Hint: try again when it has ended") from None
            yield cls(file, path)
        finally:
            os.close(file)

    def begin(self, output: Path, digest: str, entries: Sequence[str]) -> str:
        """Note what is about to appear.

        Args:
            output: the file with all of the records; it is not there yet.
            digest: SHA-256 of what it will hold, hex.
            entries: ids.

        Returns:
            The replay's name, for `end`.
        """
        name = secrets.token_hex(8)
        self._append({"replay": name, "output": str(output.resolve()), "sha256": digest, "entries": list(entries)})
        return name

    def end(self, name: str) -> None:
        """Note that the output has appeared."""
        self._append({"done": name})

    def _read(self) -> None:
        with open(self._file, "rb", closefd=False) as opened:
            data = opened.read()
        whole, _, torn = data.rpartition(b"\n")
        if torn:  # a note that was cut off: its output never appeared
            os.ftruncate(self._file, len(data) - len(torn))
        os.lseek(self._file, 0, os.SEEK_END)
        begun: dict[str, tuple[Path, str, list[str]]] = {}
        try:
            for line in whole.splitlines():
                note = orjson.loads(line)
                if "replay" in note:
                    begun[note["replay"]] = Path(note["output"]), note["sha256"], note["entries"]
                else:
                    self.done.update(begun.pop(note["done"])[2])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise InputError(f"{self._path}: not a ledger of replays. Hint: restore it from a backup; without it entries could be "
                             "sent twice") from None
        for name, (output, digest, entries) in begun.items():
            if _digest(output) == digest:
                self.done.update(entries)
                self.end(name)

    def _append(self, note: dict[str, object]) -> None:
        data = orjson.dumps(note) + b"\n"
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)


def _digest(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return None
