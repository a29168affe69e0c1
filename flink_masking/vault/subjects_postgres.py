"""What a PostgreSQL vault keeps of subjects, in tables beside those of its tokens."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pyarrow as pa

from flink_masking.vault.base import LOOKUP, SEALED, listed
from flink_masking.vault.subjects import Erased, Erasure, Mark

DOMAINS, KEYS = "token_vault_1_subject_domains", "token_vault_1_subject_keys"
LINKS, ERASED = "token_vault_1_token_subjects", "token_vault_1_erased"
"""Names of the tables, with the format's number."""
ERASURE_LOCK = 0x464D4552
"""Key of the advisory lock that an erasure takes: others wait whose tokens could become a subject's meanwhile."""
SCHEMA = (
    f'CREATE TABLE IF NOT EXISTS {DOMAINS} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE,'
    " secret bytea NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {KEYS} (domain integer NOT NULL, subject bytea NOT NULL, wrapped bytea, destroyed bigint,"
    " generation integer NOT NULL DEFAULT 1, PRIMARY KEY (domain, subject)) WITH (fillfactor = 90)",
    f"CREATE TABLE IF NOT EXISTS {LINKS} (domain integer NOT NULL, subject bytea NOT NULL, lookup bytea NOT NULL,"
    " PRIMARY KEY (domain, subject, lookup), UNIQUE (domain, lookup, subject))",
    f'CREATE TABLE IF NOT EXISTS {ERASED} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text COLLATE "C" NOT NULL,'
    " version bigint NOT NULL, subject bytea NOT NULL, at bigint NOT NULL, UNIQUE (stream, version, subject))",
)
_NUMBER = f"(SELECT id FROM {DOMAINS} WHERE name = %b)"
# Every writer goes through its rows in the order of the hashes, so that two batches seldom wait for each other crosswise.
_INSERT = f"""INSERT INTO {KEYS} AS k (domain, subject, wrapped)
    SELECT {_NUMBER}, g.subject, g.wrapped FROM unnest(%b::bytea[], %b::bytea[]) AS g (subject, wrapped) ORDER BY g.subject
    ON CONFLICT """
_RENEW = """(domain, subject) DO UPDATE SET wrapped = excluded.wrapped, generation = k.generation + 1 WHERE k.wrapped IS NULL"""
_STANDING = f"""SELECT coalesce(k.wrapped, CASE WHEN k.subject IS NULL THEN NULL ELSE ''::bytea END)
    FROM unnest(%b::bytea[]) WITH ORDINALITY AS g (subject, n)
    LEFT JOIN {KEYS} AS k ON k.domain = {_NUMBER} AND k.subject = g.subject ORDER BY g.n"""
_DESTROY = f"""WITH new AS (SELECT DISTINCT subject FROM unnest(%b::bytea[]) AS g (subject)),
    gone AS (UPDATE {KEYS} AS k SET wrapped = NULL, destroyed = %b FROM new
             WHERE k.domain = {_NUMBER} AND k.subject = new.subject AND k.wrapped IS NOT NULL RETURNING 1),
    made AS (INSERT INTO {KEYS} (domain, subject, destroyed) SELECT d.id, new.subject, %b FROM new, {DOMAINS} AS d WHERE d.name = %b
             ON CONFLICT DO NOTHING RETURNING 1)
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM made)"""


class PostgresSubjects:
    """See `flink_masking.vault.subjects.SubjectStore`."""

    def __init__(self, run: Callable[[Callable[[psycopg.Connection], Any]], Any], schema_lock: int, token_tables: tuple[str, str]) -> None:
        """Make the tables unless they are there.

        Args:
            run: runs work on a connection, again while the server is away.
            schema_lock: key of the advisory lock under which tables are made.
            token_tables: names of the tables of domains and tokens.
        """
        self._run, self._schema_lock = run, schema_lock
        self._domains, self._tokens = token_tables
        self._run(self._prepare)

    def _prepare(self, connection: psycopg.Connection) -> None:
        asked = "SELECT to_regclass(%s), to_regclass(%s), to_regclass(%s), to_regclass(%s)"
        found = connection.execute(asked, (DOMAINS, KEYS, LINKS, ERASED))
        if None in (found.fetchone() or (None,)):
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._schema_lock,))
                for statement in SCHEMA:
                    connection.execute(statement)

    def secret(self, domain: str, proposal: bytes | None) -> bytes | None:
        """See the protocol."""

        def work(connection: psycopg.Connection) -> bytes | None:
            with connection.pipeline():
                if proposal is not None:
                    connection.execute(f"INSERT INTO {DOMAINS} (name, secret) VALUES (%b, %b) ON CONFLICT DO NOTHING", (domain, proposal))
                cursor = connection.execute(f"SELECT secret FROM {DOMAINS} WHERE name = %b", (domain,), binary=True)
            found = cursor.fetchone()
            return None if found is None else bytes(found[0])

        result: bytes | None = self._run(work)
        return result

    def secrets(self) -> dict[str, bytes]:
        """See the protocol."""
        statement = f"SELECT name, secret FROM {DOMAINS}"
        return {name: bytes(secret) for name, secret in self._run(lambda c: c.execute(statement, binary=True).fetchall())}

    def keys(self, domain: str, subjects: pa.FixedSizeBinaryArray, proposals: pa.BinaryArray | None, renew: bool = False) -> pa.BinaryArray:
        """See the protocol."""
        hashes = listed(subjects)
        proposed = None if proposals is None else listed(proposals)

        def work(connection: psycopg.Connection) -> pa.BinaryArray:
            if proposed is not None:
                made = connection.execute(_INSERT + (_RENEW if renew else "DO NOTHING"), (domain, hashes, proposed)).rowcount
                if made == len(hashes):  # as ever where subjects come for the first time: no need to send the keys back
                    return pa.array(proposed, SEALED)
            cursor = connection.execute(_STANDING, (hashes, domain), binary=True)
            return pa.array([wrapped for (wrapped,) in cursor.fetchall()], SEALED)

        return self._run(work)

    def link(self, domain: str, lookups: pa.FixedSizeBinaryArray, subjects: pa.FixedSizeBinaryArray) -> pa.BooleanArray:
        """See the protocol."""
        wanted, whose = listed(lookups), listed(subjects)
        stands = f"""SELECT t.lookup IS NOT NULL FROM unnest(%b::bytea[]) WITH ORDINALITY AS g (lookup, n) LEFT JOIN {self._tokens} AS t
            ON t.domain = (SELECT id FROM {self._domains} WHERE name = %b) AND t.lookup = g.lookup ORDER BY g.n"""
        insert = f"""INSERT INTO {LINKS} (domain, subject, lookup) SELECT t.domain, g.subject, g.lookup
            FROM unnest(%b::bytea[], %b::bytea[]) AS g (subject, lookup) JOIN {self._tokens} AS t
            ON t.domain = (SELECT id FROM {self._domains} WHERE name = %b) AND t.lookup = g.lookup
            ORDER BY g.subject, g.lookup ON CONFLICT DO NOTHING"""

        def work(connection: psycopg.Connection) -> pa.BooleanArray:
            with connection.transaction(), connection.pipeline():
                connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (ERASURE_LOCK,))
                connection.execute(insert, (whose, wanted, domain))
                cursor = connection.execute(stands, (wanted, domain), binary=True)
            return pa.array([found for (found,) in cursor.fetchall()], pa.bool_())

        return self._run(work)

    def erase(self, erasure: Erasure) -> Erased:
        """See the protocol."""

        def work(connection: psycopg.Connection) -> Erased:
            done = Erased()
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (ERASURE_LOCK,))
                for domain, subjects in erasure.subjects.items():
                    found = connection.execute(_DESTROY, (list(subjects), erasure.at, domain, erasure.at, domain)).fetchone() or (0, 0)
                    done += Erased(keys=found[0], tombstones=found[1]) + self._untied(connection, domain, list(subjects))
                connection.execute(f"""INSERT INTO {ERASED} (stream, version, subject, at) SELECT %b, g.version, g.subject, %b
                    FROM unnest(%b::bigint[], %b::bytea[]) AS g (version, subject) ON CONFLICT DO NOTHING""",
                    (erasure.stream, erasure.at, [mark.version for mark in erasure.marks], [mark.subject for mark in erasure.marks]))
            return done

        result: Erased = self._run(work)
        return result

    def _untied(self, connection: psycopg.Connection, domain: str, subjects: Sequence[bytes]) -> Erased:
        """Delete the tokens that belong to these subjects alone. Within a transaction that has the lock."""
        number = f"(SELECT id FROM {self._domains} WHERE name = %b)"
        gone = connection.execute(f"DELETE FROM {LINKS} WHERE domain = {number} AND subject = ANY (%b::bytea[]) RETURNING lookup",
                                  (domain, subjects), binary=True)
        lookups = sorted({bytes(lookup) for (lookup,) in gone.fetchall()})
        if not lookups:
            return Erased()
        deleted = connection.execute(f"""DELETE FROM {self._tokens} AS t WHERE t.domain = {number} AND t.lookup = ANY (%b::bytea[])
            AND NOT EXISTS (SELECT 1 FROM {LINKS} AS l WHERE l.domain = t.domain AND l.lookup = t.lookup)""", (domain, lookups)).rowcount
        return Erased(tokens=deleted, shared=len(lookups) - deleted)

    def erased(self, stream: str, after: int) -> tuple[list[Mark], int]:
        """See the protocol."""
        statement = f"SELECT id, stream, version, subject FROM {ERASED} WHERE id > %b ORDER BY id"
        rows = self._run(lambda c: c.execute(statement, (after,), binary=True).fetchall())
        return [Mark(version, bytes(subject)) for _, name, version, subject in rows if name == stream], rows[-1][0] if rows else after

    def counts(self, domain: str, subjects: pa.FixedSizeBinaryArray) -> tuple[int, int]:
        """See the protocol."""
        statement = f"""SELECT (SELECT count(wrapped) FROM {KEYS} WHERE domain = {_NUMBER} AND subject = ANY (%b::bytea[])),
            (SELECT count(*) FROM {LINKS} WHERE domain = (SELECT id FROM {self._domains} WHERE name = %b)
             AND subject = ANY (%b::bytea[]))"""
        asked = listed(subjects)
        result: tuple[int, int] = self._run(lambda c: c.execute(statement, (domain, asked, domain, asked)).fetchone())
        return result

    def sizes(self, domain: str) -> tuple[int, int]:
        """See the protocol."""
        statement = f"SELECT count(wrapped), count(*) - count(wrapped) FROM {KEYS} WHERE domain = {_NUMBER}"
        result: tuple[int, int] = self._run(lambda c: c.execute(statement, (domain,)).fetchone())
        return result

    def wrapped(self, domain: str, after: bytes, most: int) -> tuple[pa.FixedSizeBinaryArray, pa.BinaryArray]:
        """See the protocol."""
        statement = (f"SELECT subject, wrapped FROM {KEYS} WHERE domain = {_NUMBER} AND subject > %b AND wrapped IS NOT NULL"
                     " ORDER BY subject LIMIT %b")
        rows = self._run(lambda c: c.execute(statement, (domain, after, most), binary=True).fetchall())
        return pa.array([bytes(subject) for subject, _ in rows], LOOKUP), pa.array([bytes(wrapped) for _, wrapped in rows], SEALED)

    def rewrap(self, domain: str, subjects: pa.FixedSizeBinaryArray, old: pa.BinaryArray, new: pa.BinaryArray) -> int:
        """See the protocol."""
        statement = f"""UPDATE {KEYS} AS k SET wrapped = g.new FROM unnest(%b::bytea[], %b::bytea[], %b::bytea[]) AS g (subject, old, new)
            WHERE k.domain = {_NUMBER} AND k.subject = g.subject AND k.wrapped = g.old"""
        rows = (listed(subjects), listed(old), listed(new), domain)
        result: int = self._run(lambda c: c.execute(statement, rows).rowcount)
        return result

    def rewrap_secret(self, domain: str, old: bytes, new: bytes) -> bool:
        """See the protocol."""
        statement = f"UPDATE {DOMAINS} SET secret = %b WHERE name = %b AND secret = %b"
        changed: int = self._run(lambda c: c.execute(statement, (new, domain, old)).rowcount)
        return changed == 1
