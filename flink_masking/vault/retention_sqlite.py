"""Retention of the tokens in an SQLite vault."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa

from flink_masking.vault.base import listed
from flink_masking.vault.retention import SEEN, Kept, Swept

FORMAT = 2
"""Format of a vault file with retention: releases that would not note uses refuse to open it."""
SCHEMA = (
    f"ALTER TABLE tokens ADD COLUMN {SEEN} INTEGER",
    "CREATE TABLE token_retention (domain INTEGER NOT NULL, stream TEXT NOT NULL, keep INTEGER NOT NULL, since INTEGER NOT NULL,"
    " PRIMARY KEY (domain, stream)) WITHOUT ROWID",
    "CREATE TABLE token_sweep (one INTEGER PRIMARY KEY CHECK (one = 1), day INTEGER NOT NULL, position INTEGER NOT NULL)",
    "INSERT INTO token_sweep (one, day, position) VALUES (1, 0, -1)",
    f"PRAGMA user_version = {FORMAT}",
)
PIECE = 20_000
"""Tokens that one call of `sweep` looks at: some 10 ms, and at most a second where all of them are destroyed."""
CHUNK = 4096
_NUMBER = "(SELECT id FROM domains WHERE name = ?)"
_DOMAINS = "(SELECT domain, min(keep) AS keep, min(since) AS since FROM token_retention GROUP BY domain)"


class SqliteRetention:
    """See `flink_masking.vault.retention.RetentionStore`."""

    def __init__(self, run: Callable[[Callable[[], Any]], Any], transaction: Callable[[], AbstractContextManager[None]],
                 database: sqlite3.Connection, subjects: Callable[[], object]) -> None:
        """Nothing is made before a stream keeps tokens for some time only.

        Args:
            run: runs work on the database, again while other writers are at it.
            transaction: all that is written inside is written, or nothing.
            database: of the vault.
            subjects: makes the tables of subjects, which tell whose tokens are whose, unless they are there.
        """
        self._run, self._transaction, self._db, self._subjects = run, transaction, database, subjects

    def retain(self, domain: str, stream: str, keep: int | None, today: int) -> None:
        """See the protocol."""
        if keep is not None:
            self._subjects()

        def work() -> None:
            if keep is None and not self._there():
                return
            held = self._db.execute(f"SELECT keep FROM token_retention WHERE domain = {_NUMBER} AND stream = ?",
                                    (domain, stream)).fetchone() if self._there() else None
            if held == (None if keep is None else (keep,)):
                return
            with self._transaction():
                if not self._there():
                    for statement in SCHEMA:
                        self._db.execute(statement)
                if keep is None:
                    self._db.execute(f"DELETE FROM token_retention WHERE domain = {_NUMBER} AND stream = ?", (domain, stream))
                else:
                    self._db.execute("INSERT INTO token_retention (domain, stream, keep, since) SELECT id, ?, ?, ? FROM domains"
                                     " WHERE name = ? ON CONFLICT DO UPDATE SET keep = excluded.keep", (stream, keep, today + 1, domain))

        self._run(work)

    def kept(self, domain: str, today: int) -> Kept | None:
        """See the protocol."""
        def work() -> Kept | None:
            if not self._there():
                return None
            keep, since = self._db.execute(f"SELECT min(keep), min(since) FROM token_retention WHERE domain = {_NUMBER}",
                                           (domain,)).fetchone()
            return None if keep is None else Kept(today, today - keep if since < today - keep else 0)

        result: Kept | None = self._run(work)
        return result

    def seen(self, domain: str, lookups: pa.FixedSizeBinaryArray, kept: Kept) -> pa.BooleanArray:
        """See the protocol."""
        wanted = listed(lookups)

        def work() -> pa.BooleanArray:
            with self._transaction():
                number = self._db.execute(_NUMBER[1:-1], (domain,)).fetchone()[0]
                self.touch(number, wanted, kept)
                standing: set[bytes] = set()
                for begin in range(0, len(wanted), CHUNK):
                    chunk = wanted[begin : begin + CHUNK]
                    found = self._db.execute(f"SELECT lookup FROM tokens WHERE lookup IN ({','.join('?' * len(chunk))})"
                                             f" AND domain = {number} AND {SEEN} >= {kept.today}", chunk)
                    standing.update(lookup for (lookup,) in found)
            return pa.array([lookup in standing for lookup in wanted], pa.bool_())

        return self._run(work)

    def touch(self, number: int, lookups: Sequence[bytes], kept: Kept) -> None:
        """Note that the unexpired tokens among these are used today. Within a transaction. number: of the domain."""
        self._db.executemany(f"UPDATE tokens SET {SEEN} = {kept.today} WHERE lookup = ? AND domain = {number}"
                             f" AND coalesce({SEEN}, 0) >= {kept.oldest} AND coalesce({SEEN}, 0) < {kept.today}",
                             [(lookup,) for lookup in sorted(lookups)])

    def forget(self, number: int, lookups: Sequence[bytes], kept: Kept) -> None:
        """Destroy the expired tokens among these. Within a transaction. number: of the domain."""
        if not kept.oldest:
            return
        gone = self._db.executemany(f"DELETE FROM tokens WHERE lookup = ? AND domain = {number} AND coalesce({SEEN}, 0) < {kept.oldest}",
                                    [(lookup,) for lookup in sorted(lookups)])
        if gone.rowcount:
            self._db.executemany(f"DELETE FROM token_subjects WHERE lookup = ? AND domain = (SELECT name FROM domains WHERE id = {number})"
                                 f" AND NOT EXISTS (SELECT 1 FROM tokens WHERE lookup = ?1 AND domain = {number})",
                                 [(lookup,) for lookup in lookups])

    def sweep(self, today: int) -> Swept:
        """See the protocol."""
        if self._run(lambda: self._over(today)):
            return Swept(0, True)
        self._subjects()  # what is destroyed from now on is overwritten

        def work() -> Swept:
            with self._transaction():
                if self._over(today):
                    return Swept(0, True)
                day, position = self._db.execute("SELECT day, position FROM token_sweep").fetchone()
                start = position if day == today else 0
                last = self._db.execute(f"SELECT max(id) FROM (SELECT id FROM tokens WHERE id > ? ORDER BY id LIMIT {PIECE})",
                                        (start,)).fetchone()[0]
                gone = [] if last is None else self._db.execute(
                    f"SELECT t.id, d.name, t.lookup FROM tokens AS t JOIN {_DOMAINS} AS r ON r.domain = t.domain JOIN domains AS d"
                    f" ON d.id = t.domain WHERE t.id > ? AND t.id <= ? AND max(coalesce(t.{SEEN}, 0), r.since) + r.keep < ?",
                    (start, last, today)).fetchall()
                self._db.executemany("DELETE FROM tokens WHERE id = ?", [(row,) for row, _, _ in gone])
                self._db.executemany("DELETE FROM token_subjects WHERE domain = ? AND lookup = ?", [row[1:] for row in gone])
                self._db.execute("UPDATE token_sweep SET day = ?, position = ?", (today, -1 if last is None else last))
            if last is None:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the write-ahead log would still hold what was destroyed
            return Swept(len(gone), last is None)

        result: Swept = self._run(work)
        return result

    def _there(self) -> bool:
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'token_retention'").fetchone() is not None

    def _over(self, today: int) -> bool:
        """Whether there is nothing to sweep: no retention, or the sweep of today, or of a later day, is done."""
        if not self._there():
            return True
        day, position = self._db.execute("SELECT day, position FROM token_sweep").fetchone()
        return bool(day > today or (day == today and position < 0))
