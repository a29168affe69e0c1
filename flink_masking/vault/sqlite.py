"""The embedded vault: one SQLite file, for any number of processes on one machine."""

import os
import pathlib
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa

from flink_masking.crypto.prf import Prf
from flink_masking.errors import VaultError, VaultUnavailableError
from flink_masking.patience import SECONDS, persist
from flink_masking.vault.base import SEALED, Enrolment, OpenVault, listed
from flink_masking.vault.cache import TokenCache
from flink_masking.vault.retention import SEEN, Kept
from flink_masking.vault.retention_sqlite import FORMAT as WITH_RETENTION
from flink_masking.vault.retention_sqlite import SqliteRetention
from flink_masking.vault.subjects_sqlite import SqliteSubjects

APPLICATION = 0x464D5456
"""SQLite's application id of a vault file (``FMTV``)."""
FORMAT = 1
# Rows stand in the order of their coming, and both indices are thin: random keys in thick trees would write a page for each row.
SCHEMA = (
    "CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, proof BLOB NOT NULL)",
    "CREATE TABLE tokens (id INTEGER PRIMARY KEY, domain INTEGER NOT NULL, lookup BLOB NOT NULL, token TEXT NOT NULL,"
    " sealed BLOB NOT NULL, mark INTEGER NOT NULL, UNIQUE (lookup, domain), UNIQUE (mark))",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)
PROBE = 64
"""Lookups that are asked for first: where none of them is known, the rest is written without asking."""
CHUNK = 4096
"""Keys asked for in one statement; SQLite takes 32,766 parameters at most."""
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_CREATION = threading.Lock()
INSERT = "INSERT INTO tokens (lookup, token, sealed, mark, domain"
Result = TypeVar("Result")


class SqliteVault(OpenVault):
    """A vault in an SQLite file; refuses to be pickled, copied or printed.

    Write-ahead log and ``synchronous = FULL``: what a call returned survives a power failure. Readers never wait; writers take turns.
    The write-ahead log needs shared memory, so the file lies on a local disk, not on a network file system.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = SECONDS, cache: TokenCache | None = None) -> None:
        """Open a vault file, or make one that its owner alone can read (mode 0600).

        Args:
            path: the file; its directory exists.
            patience: seconds for which other writers are waited for.
            cache: in front of the vault; of the default size when None.

        Raises:
            VaultError: the file cannot be made or opened, accessible to other users, or it is no token vault.
        """
        path = os.path.abspath(path)
        super().__init__(f"sqlite://{path}", cache)
        self._patience, self._lock = patience, threading.RLock()
        self._numbers: dict[str, int] = {}
        with _CREATION:
            self._private(pathlib.Path(path))
            try:
                self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            except sqlite3.Error as error:
                raise self._failure(error) from None
        self._run(self._prepare)

    def enrol(self, domain: str, enrolment: Enrolment) -> Enrolment:
        """As `flink_masking.vault.base.Vault.enrol`."""

        def work() -> Enrolment:
            found = self._domain(domain)
            if found is None:
                with self._transaction():
                    insert = "INSERT INTO domains (name, version, proof) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
                    self._db.execute(insert, (domain, *enrolment))
                found = self._domain(domain)
            assert found is not None
            return found

        return self._run(work)

    def tokens(self, domain: str, lookups: pa.FixedSizeBinaryArray, sealed: pa.BinaryArray, proposals: pa.StringArray,
               kept: Kept | None = None) -> pa.StringArray:
        """As `flink_masking.vault.base.Vault.tokens`; readers only, where every value has its token already
        (and its use of the day is noted)."""
        keys = listed(lookups)
        rows = list(zip(keys, listed(proposals), listed(sealed), _marks(domain, proposals), strict=True))
        rows.sort()  # neighbours in the tree one after the other

        def work() -> pa.StringArray:
            number = self._number(domain)
            if number is None:
                raise self.unknown(domain)
            found = self._standing(number, keys[:PROBE], kept)
            if found:
                found |= self._standing(number, keys[PROBE:], kept)
            new = [row for row in rows if row[0] not in found] if found else rows
            if new:
                with self._transaction():
                    if kept is not None:
                        self.retention.forget(number, [row[0] for row in new], kept)
                        self.retention.touch(number, [row[0] for row in new], kept)
                    day, to = ("", "") if kept is None else (f", {kept.today}", f", {SEEN}")
                    insert = f"{INSERT}{to}) VALUES (?, ?, ?, ?, {number}{day}) ON CONFLICT DO NOTHING"
                    inserted = self._db.executemany(insert, new).rowcount == len(new)
                    again = {} if inserted else self._standing(number, [row[0] for row in new], kept)
                found |= {lookup: token for lookup, token, _, _ in new} if inserted else again
            return pa.array([found.get(key) for key in keys], pa.string())

        return self._run(work)

    def values(self, domain: str, tokens: pa.StringArray, kept: Kept | None = None) -> pa.BinaryArray:
        """As `flink_masking.vault.base.Vault.values`."""
        texts, marks = listed(tokens), _marks(domain, tokens)

        def work() -> pa.BinaryArray:
            number = self._number(domain)
            oldest = 0 if kept is None else kept.oldest
            found = {} if number is None else dict(self._rows("token, sealed", "mark", number, marks, oldest))
            return pa.array([found.get(text) for text in texts], SEALED)

        return self._run(work)

    @cached_property
    def subjects(self) -> SqliteSubjects:
        """As `flink_masking.vault.base.Vault.subjects`."""
        return SqliteSubjects(self._run, self._transaction, self._db)

    @cached_property
    def retention(self) -> SqliteRetention:
        """As `flink_masking.vault.base.Vault.retention`."""
        return SqliteRetention(self._run, self._transaction, self._db, lambda: self.subjects)

    def close(self) -> None:
        """As `flink_masking.vault.base.Vault.close`."""
        with self._lock:
            self._db.close()

    def _private(self, path: pathlib.Path) -> None:
        """Make the file, mode 0600, or check that nobody else can use the one that is there.

        A file that is there is not opened here: closing it would release the locks that other connections of this process hold on it.
        """
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            facts = path.stat()
            if not stat.S_ISREG(facts.st_mode):
                raise VaultError(f"{self.where}: not a file. Hint: name a file in a directory that exists") from None
            if facts.st_mode & 0o077:
                mode = stat.S_IMODE(facts.st_mode)
                raise VaultError(f"{self.where}: accessible to other users (mode {mode:04o}). Hint: chmod 600 {path}") from None
        except OSError as error:
            raise VaultError(f"{self.where}: cannot be made ({error.strerror}). Hint: check the directory") from None

    def _prepare(self) -> None:
        """Set the connection up and make the tables of an empty file."""
        self._db.execute("PRAGMA page_size = 8192")  # of a file that is empty yet
        if self._db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise VaultError(f"{self.where}: no write-ahead log can be kept beside it. Hint: use a local, writable disk")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA cache_size = -65536")
        self._db.execute("PRAGMA wal_autocheckpoint = 4000")
        if self._empty():  # a vault that is there opens while another writer is at it
            with self._transaction():
                if self._empty():
                    for statement in SCHEMA:
                        self._db.execute(statement)
        marks = tuple(self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        if marks not in ((APPLICATION, FORMAT), (APPLICATION, WITH_RETENTION)):
            raise VaultError(f"{self.where}: a database, but not a token vault of this release. Hint: name a file of its own")

    def _empty(self) -> bool:
        return not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    def _domain(self, domain: str) -> Enrolment | None:
        row = self._db.execute("SELECT id, version, proof FROM domains WHERE name = ?", (domain,)).fetchone()
        if row is None:
            return None
        self._numbers[domain] = row[0]
        return Enrolment(row[1], row[2])

    def _number(self, domain: str) -> int | None:
        if domain not in self._numbers:
            self._domain(domain)
        return self._numbers.get(domain)

    def _standing(self, number: int, lookups: Sequence[bytes], kept: Kept | None) -> dict[bytes, str]:
        """The tokens that stand for lookups; where uses are noted, those whose use is noted already."""
        return dict(self._rows("lookup, token", "lookup", number, lookups, 0 if kept is None else kept.today))

    def _rows(self, columns: str, key: str, number: int, keys: Sequence[object], oldest: int) -> Iterator[tuple]:
        """Columns of the rows with these keys, which are read in a few statements; last used on a day, or later, unless that is 0."""
        since = f" AND {SEEN} >= {oldest}" if oldest else ""
        for begin in range(0, len(keys), CHUNK):
            chunk = keys[begin : begin + CHUNK]
            marks = ",".join("?" * len(chunk))
            yield from self._db.execute(f"SELECT {columns} FROM tokens WHERE {key} IN ({marks}) AND domain = {number}{since}", chunk)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is written inside is written, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _run(self, work: Callable[[], Result]) -> Result:
        """The result of some work on the database, tried again while other writers are at it."""
        self.guard()
        with self._lock:
            try:
                return persist(work, _busy, self._patience, self.note_wait)
            except sqlite3.Error as error:
                raise self._failure(error) from None

    def _failure(self, error: sqlite3.Error) -> VaultError:
        """Convert an error of SQLite; only its name is shown."""
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        if _busy(error):
            return VaultUnavailableError(f"{self.where}: busy with other writers for {self._patience:g} s. "
                                         "Hint: use a PostgreSQL vault for many writers")
        if name == "SQLITE_NOTADB":
            return VaultError(f"{self.where}: not a token vault. Hint: name a file that a vault was made in")
        return VaultError(f"{self.where}: the vault file cannot be used ({name}). Hint: check the file, its disk and its owner")


def _marks(domain: str, tokens: pa.StringArray) -> list[int]:
    """A number of 63 bits for each token and domain, which keeps the index of tokens thin.

    Two tokens that share one, which is rare, count as one: the later is not taken, and another is proposed.
    """
    marks: list[int] = (Prf(domain.encode()).words(tokens) >> np.uint64(1)).tolist()
    return marks


def _busy(error: Exception) -> bool:
    """Whether another writer was in the way."""
    return isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY
