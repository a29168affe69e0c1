"""What an SQLite vault keeps of subjects, in tables beside those of its tokens."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa

from flink_masking.vault.base import LOOKUP, SEALED, listed
from flink_masking.vault.subjects import DESTROYED, Erased, Erasure, Mark

TABLES = (
    "CREATE TABLE IF NOT EXISTS subject_domains (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, secret BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS subject_keys (id INTEGER PRIMARY KEY, domain INTEGER NOT NULL, subject BLOB NOT NULL, wrapped BLOB,"
    " destroyed INTEGER, generation INTEGER NOT NULL DEFAULT 1, UNIQUE (subject, domain))",
    "CREATE TABLE IF NOT EXISTS token_subjects (domain TEXT NOT NULL, subject BLOB NOT NULL, lookup BLOB NOT NULL,"
    " PRIMARY KEY (subject, lookup, domain)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS token_subjects_of_lookup ON token_subjects (lookup, domain)",
    "CREATE TABLE IF NOT EXISTS erased (id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, version INTEGER NOT NULL,"
    " subject BLOB NOT NULL, at INTEGER NOT NULL, UNIQUE (stream, version, subject))",
)
"""Tables that a vault file of format 1 has besides, from the first use on; releases that do not know them leave them alone."""
CHUNK = 4096
"""Values in one statement; SQLite takes 32,766 at most."""
_NUMBER = "(SELECT id FROM subject_domains WHERE name = ?)"
_RENEW = "DO UPDATE SET wrapped = excluded.wrapped, generation = generation + 1 WHERE wrapped IS NULL"
_TOKENS = "(SELECT id FROM domains WHERE name = ?)"


class SqliteSubjects:
    """See `flink_masking.vault.subjects.SubjectStore`."""

    def __init__(self, run: Callable[[Callable[[], Any]], Any], transaction: Callable[[], AbstractContextManager[None]],
                 database: sqlite3.Connection) -> None:
        """Make the tables unless they are there.

        Args:
            run: runs work on the database, again while other writers are at it.
            transaction: all that is written inside is written, or nothing.
            database: of the vault.
        """
        self._run, self._transaction, self._db = run, transaction, database
        self._run(self._prepare)

    def _prepare(self) -> None:
        self._db.execute("PRAGMA secure_delete = ON")  # what is destroyed is overwritten in the file, not only taken out of its lists
        there = self._db.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('subject_domains', 'subject_keys', 'token_subjects',"
                                 " 'token_subjects_of_lookup', 'erased')").fetchone()[0]
        if there < len(TABLES):
            with self._transaction():
                for statement in TABLES:
                    self._db.execute(statement)

    def secret(self, domain: str, proposal: bytes | None) -> bytes | None:
        """See the protocol."""

        def work() -> bytes | None:
            found = self._db.execute("SELECT secret FROM subject_domains WHERE name = ?", (domain,)).fetchone()
            if found is None and proposal is not None:
                with self._transaction():
                    self._db.execute("INSERT INTO subject_domains (name, secret) VALUES (?, ?) ON CONFLICT DO NOTHING", (domain, proposal))
                found = self._db.execute("SELECT secret FROM subject_domains WHERE name = ?", (domain,)).fetchone()
            return None if found is None else found[0]

        result: bytes | None = self._run(work)
        return result

    def secrets(self) -> dict[str, bytes]:
        """See the protocol."""
        return dict(self._run(lambda: self._db.execute("SELECT name, secret FROM subject_domains").fetchall()))

    def keys(self, domain: str, subjects: pa.FixedSizeBinaryArray, proposals: pa.BinaryArray | None, renew: bool = False) -> pa.BinaryArray:
        """See the protocol."""
        hashes = listed(subjects)
        proposed = {} if proposals is None else dict(zip(hashes, listed(proposals), strict=True))

        def work() -> pa.BinaryArray:
            found = self._standing(domain, hashes)
            new = [(subject, proposed[subject]) for subject in sorted(proposed) if subject not in found or (renew and not found[subject])]
            if new:
                again = _RENEW if renew else "DO NOTHING"
                number = self._db.execute(f"SELECT {_NUMBER}", (domain,)).fetchone()[0]
                with self._transaction():
                    self._db.executemany(f"INSERT INTO subject_keys (domain, subject, wrapped) VALUES ({number}, ?, ?) ON CONFLICT"
                                         f" (subject, domain) {again}", new)
                found |= self._standing(domain, [subject for subject, _ in new])
            return pa.array([found.get(subject) for subject in hashes], SEALED)

        return self._run(work)

    def _standing(self, domain: str, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        """The wrapped keys that stand, `DESTROYED` where one stood."""
        return {subject: DESTROYED if wrapped is None else wrapped for subject, wrapped in self._rows(
            f"SELECT subject, wrapped FROM subject_keys WHERE domain = {_NUMBER} AND subject IN", domain, hashes)}

    def _rows(self, statement: str, domain: str, values: Sequence[bytes]) -> Iterable[tuple[Any, ...]]:
        """The rows of a statement for some values, which is sent in pieces."""
        for begin in range(0, len(values), CHUNK):
            chunk = values[begin : begin + CHUNK]
            yield from self._db.execute(f"{statement} ({','.join('?' * len(chunk))})", (domain, *chunk))

    def link(self, domain: str, lookups: pa.FixedSizeBinaryArray, subjects: pa.FixedSizeBinaryArray) -> pa.BooleanArray:
        """See the protocol."""
        wanted, whose = listed(lookups), listed(subjects)

        def work() -> pa.BooleanArray:
            with self._transaction():
                found = self._rows(f"SELECT lookup FROM tokens WHERE domain = {_TOKENS} AND lookup IN", domain, wanted)
                standing = {lookup for (lookup,) in found}
                pairs = [(domain, *pair) for pair in sorted(zip(whose, wanted, strict=True)) if pair[1] in standing]
                self._db.executemany("INSERT INTO token_subjects (domain, subject, lookup) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", pairs)
            return pa.array([lookup in standing for lookup in wanted], pa.bool_())

        return self._run(work)

    def erase(self, erasure: Erasure) -> Erased:
        """See the protocol."""

        def work() -> Erased:
            done = Erased()
            with self._transaction():
                for domain, subjects in erasure.subjects.items():
                    done += self._destroyed(domain, subjects, erasure.at) + self._untied(domain, subjects)
                rows = [(erasure.stream, *mark, erasure.at) for mark in erasure.marks]
                self._db.executemany("INSERT INTO erased (stream, version, subject, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the write-ahead log would still hold the keys
            return done

        result: Erased = self._run(work)
        return result

    def _destroyed(self, domain: str, subjects: Sequence[bytes], at: int) -> Erased:
        """Take the keys of a domain's subjects away; who has none gets a tombstone. Within a transaction."""
        found = self._db.execute(f"SELECT {_NUMBER}", (domain,)).fetchone()[0]
        if found is None:
            return Erased()
        before = self._standing(domain, subjects)
        statement = (f"INSERT INTO subject_keys (domain, subject, destroyed) VALUES ({found}, ?, {at}) ON CONFLICT (subject, domain)"
                     f" DO UPDATE SET wrapped = NULL, destroyed = {at} WHERE wrapped IS NOT NULL")
        self._db.executemany(statement, [(subject,) for subject in subjects])
        keys = sum(wrapped != DESTROYED for wrapped in before.values())
        return Erased(keys=keys, tombstones=len(set(subjects)) - len(before))

    def _untied(self, domain: str, subjects: Sequence[bytes]) -> Erased:
        """Delete the tokens that belong to these subjects alone. Within a transaction."""
        mine = {lookup for (lookup,) in self._rows("SELECT lookup FROM token_subjects WHERE domain = ? AND subject IN", domain, subjects)}
        self._db.executemany("DELETE FROM token_subjects WHERE domain = ? AND subject = ?", [(domain, subject) for subject in subjects])
        lookups = sorted(mine)
        others = {lookup for (lookup,) in self._rows("SELECT lookup FROM token_subjects WHERE domain = ? AND lookup IN", domain, lookups)}
        gone = [(domain, lookup) for lookup in lookups if lookup not in others]
        self._db.executemany(f"DELETE FROM tokens WHERE domain = {_TOKENS} AND lookup = ?", gone)
        return Erased(tokens=len(gone), shared=len(others))

    def erased(self, stream: str, after: int) -> tuple[list[Mark], int]:
        """See the protocol."""
        def work() -> tuple[list[Mark], int]:
            rows = self._db.execute("SELECT id, stream, version, subject FROM erased WHERE id > ? ORDER BY id", (after,)).fetchall()
            return [Mark(version, subject) for _, name, version, subject in rows if name == stream], rows[-1][0] if rows else after

        result: tuple[list[Mark], int] = self._run(work)
        return result

    def counts(self, domain: str, subjects: pa.FixedSizeBinaryArray) -> tuple[int, int]:
        """See the protocol."""
        asked = listed(subjects)

        def work() -> tuple[int, int]:
            keys = sum(bool(wrapped) for wrapped in self._standing(domain, asked).values())
            return keys, sum(1 for _ in self._rows("SELECT lookup FROM token_subjects WHERE domain = ? AND subject IN", domain, asked))

        result: tuple[int, int] = self._run(work)
        return result

    def sizes(self, domain: str) -> tuple[int, int]:
        """See the protocol."""
        statement = f"SELECT count(wrapped), count(*) - count(wrapped) FROM subject_keys WHERE domain = {_NUMBER}"
        result: tuple[int, int] = self._run(lambda: self._db.execute(statement, (domain,)).fetchone())
        return result

    def wrapped(self, domain: str, after: bytes, most: int) -> tuple[pa.FixedSizeBinaryArray, pa.BinaryArray]:
        """See the protocol."""
        statement = (f"SELECT subject, wrapped FROM subject_keys WHERE domain = {_NUMBER} AND wrapped IS NOT NULL AND subject > ?"
                     " ORDER BY subject LIMIT ?")
        rows = self._run(lambda: self._db.execute(statement, (domain, after, most)).fetchall())
        return pa.array([subject for subject, _ in rows], LOOKUP), pa.array([wrapped for _, wrapped in rows], SEALED)

    def rewrap(self, domain: str, subjects: pa.FixedSizeBinaryArray, old: pa.BinaryArray, new: pa.BinaryArray) -> int:
        """See the protocol."""
        rows = [(after, domain, subject, before) for after, subject, before in zip(listed(new), listed(subjects), listed(old), strict=True)]

        statement = f"UPDATE subject_keys SET wrapped = ? WHERE domain = {_NUMBER} AND subject = ? AND wrapped = ?"

        def work() -> int:
            with self._transaction():
                done = self._db.executemany(statement, rows)
            return done.rowcount

        result: int = self._run(work)
        return result

    def rewrap_secret(self, domain: str, old: bytes, new: bytes) -> bool:
        """See the protocol."""
        def work() -> bool:
            with self._transaction():
                done = self._db.execute("UPDATE subject_domains SET secret = ? WHERE name = ? AND secret = ?", (new, domain, old))
            return done.rowcount == 1

        result: bool = self._run(work)
        return result
