"""Retention of the tokens in a PostgreSQL vault."""

from collections.abc import Callable
from typing import Any

import psycopg
import pyarrow as pa

from flink_masking.vault.base import listed
from flink_masking.vault.retention import SEEN, Kept, Swept
from flink_masking.vault.subjects_postgres import LINKS

RETENTION, SWEEP = "token_vault_1_retention", "token_vault_1_sweep"
"""Names of the tables, with the format's number."""
PIECE = 1024
"""Blocks of 8 KiB of tokens that one call of `sweep` looks at: some 50,000 tokens."""
TID_RANGES = 140_000
"""Version of the server from which on a range of blocks is read without reading all others; before, one call goes through all of them."""
_DOMAINS = f"(SELECT domain, min(keep) AS keep, min(since) AS since FROM {RETENTION} GROUP BY domain)"
_OVER = f"SELECT day > %b OR (day = %b AND position < 0) FROM {SWEEP}"


class PostgresRetention:
    """See `flink_masking.vault.retention.RetentionStore`."""

    def __init__(self, run: Callable[[Callable[[psycopg.Connection], Any]], Any], schema_lock: int, token_tables: tuple[str, str],
                 subjects: Callable[[], object]) -> None:
        """Nothing is made before a stream keeps tokens for some time only.

        Args:
            run: runs work on a connection, again while the server is away.
            schema_lock: key of the advisory lock under which tables are made.
            token_tables: names of the tables of domains and tokens.
            subjects: makes the tables of subjects, which tell whose tokens are whose, unless they are there.
        """
        self._run, self._schema_lock, self._subjects = run, schema_lock, subjects
        self._domains, self._tokens = token_tables
        self._there_is = False

    def retain(self, domain: str, stream: str, keep: int | None, today: int) -> None:
        """See the protocol."""
        if keep is not None:
            self._subjects()
            self._run(self._prepare)
        number = f"(SELECT id FROM {self._domains} WHERE name = %b)"

        def work(connection: psycopg.Connection) -> None:
            if not self._there(connection):
                return
            held = connection.execute(f"SELECT keep FROM {RETENTION} WHERE domain = {number} AND stream = %b", (domain, stream)).fetchone()
            if held == (None if keep is None else (keep,)):
                return
            if keep is None:
                connection.execute(f"DELETE FROM {RETENTION} WHERE domain = {number} AND stream = %b", (domain, stream))
            else:
                connection.execute(f"INSERT INTO {RETENTION} (domain, stream, keep, since) SELECT id, %b, %b, %b FROM {self._domains}"
                                   " WHERE name = %b ON CONFLICT (domain, stream) DO UPDATE SET keep = excluded.keep",
                                   (stream, keep, today + 1, domain))

        self._run(work)

    def kept(self, domain: str, today: int) -> Kept | None:
        """See the protocol."""
        def work(connection: psycopg.Connection) -> Kept | None:
            if not self._there(connection):
                return None
            found = connection.execute(f"SELECT min(keep), min(since) FROM {RETENTION} WHERE domain = (SELECT id FROM {self._domains}"
                                       " WHERE name = %b)", (domain,)).fetchone()
            keep, since = found or (None, None)
            return None if keep is None or since is None else Kept(today, today - keep if since < today - keep else 0)

        result: Kept | None = self._run(work)
        return result

    def seen(self, domain: str, lookups: pa.FixedSizeBinaryArray, kept: Kept) -> pa.BooleanArray:
        """See the protocol."""
        wanted = listed(lookups)
        stands = f"""SELECT t.lookup IS NOT NULL FROM unnest(%b::bytea[]) WITH ORDINALITY AS g (lookup, n) LEFT JOIN {self._tokens} AS t
            ON t.domain = %b AND t.lookup = g.lookup AND t.{SEEN} >= %b ORDER BY g.n"""

        def work(connection: psycopg.Connection) -> pa.BooleanArray:
            number = (connection.execute(f"SELECT id FROM {self._domains} WHERE name = %b", (domain,)).fetchone() or (0,))[0]
            with connection.pipeline():  # what stands between two syncs of a pipeline is one transaction
                self.touch(connection, number, wanted, kept)
                cursor = connection.execute(stands, (wanted, number, kept.today), binary=True)
            return pa.array([found for (found,) in cursor.fetchall()], pa.bool_())

        return self._run(work)

    def touch(self, connection: psycopg.Connection, number: int, lookups: list[bytes], kept: Kept) -> None:
        """Note that the unexpired tokens among these are used today. number: of the domain."""
        # Rows are locked in the order of their lookups, so that two batches do not wait for each other crosswise.
        connection.execute(f"""UPDATE {self._tokens} AS t SET {SEEN} = %b FROM (
                SELECT s.lookup FROM {self._tokens} AS s WHERE s.domain = %b AND s.lookup = ANY (%b::bytea[])
                AND coalesce(s.{SEEN}, 0) >= %b AND coalesce(s.{SEEN}, 0) < %b ORDER BY s.lookup FOR NO KEY UPDATE) AS g
            WHERE t.domain = %b AND t.lookup = g.lookup""", (kept.today, number, lookups, kept.oldest, kept.today, number))

    def forget(self, connection: psycopg.Connection, number: int, lookups: list[bytes], kept: Kept) -> None:
        """Destroy the expired tokens among these. number: of the domain."""
        connection.execute(f"""WITH gone AS (DELETE FROM {self._tokens} WHERE domain = %b AND lookup = ANY (%b::bytea[])
                AND coalesce({SEEN}, 0) < %b RETURNING lookup)
            DELETE FROM {LINKS} WHERE domain = %b AND lookup IN (SELECT lookup FROM gone)""", (number, lookups, kept.oldest, number))

    def sweep(self, today: int) -> Swept:
        """See the protocol."""
        def over(connection: psycopg.Connection) -> bool:
            return not self._there(connection) or bool((connection.execute(_OVER, (today, today)).fetchone() or (True,))[0])

        def work(connection: psycopg.Connection) -> Swept:
            if over(connection):
                return Swept(0, True)
            with connection.transaction():
                row = connection.execute(f"SELECT day, position FROM {SWEEP} FOR UPDATE").fetchone()
                if row is None or over(connection):  # another process has ended it meanwhile
                    return Swept(0, True)
                start = row[1] if row[0] == today else 0
                size = "SELECT (pg_relation_size(%s::regclass) / current_setting('block_size')::bigint)::bigint"
                blocks = (connection.execute(size, (self._tokens,)).fetchone() or (0,))[0]
                stop = min(start + PIECE, blocks) if connection.info.server_version >= TID_RANGES else blocks
                gone = 0 if start >= blocks else self._removed(connection, start, stop, today)
                done = stop >= blocks
                connection.execute(f"UPDATE {SWEEP} SET day = %b, position = %b", (today, -1 if done else stop))
            return Swept(gone, done)

        result: Swept = self._run(work)
        return result

    def _removed(self, connection: psycopg.Connection, start: int, stop: int, today: int) -> int:
        """How many tokens of a range of blocks have expired and are destroyed."""
        found = connection.execute(f"""WITH gone AS (DELETE FROM {self._tokens} AS t USING {_DOMAINS} AS r
                WHERE t.ctid >= %s::tid AND t.ctid < %s::tid AND t.domain = r.domain
                AND greatest(coalesce(t.{SEEN}, 0), r.since) + r.keep < %s RETURNING t.domain, t.lookup),
            untied AS (DELETE FROM {LINKS} AS l USING gone WHERE l.domain = gone.domain AND l.lookup = gone.lookup)
            SELECT count(*) FROM gone""", (f"({start},0)", f"({stop},0)", today)).fetchone()
        return int(found[0]) if found is not None else 0

    def _prepare(self, connection: psycopg.Connection) -> None:
        if self._there(connection):
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._schema_lock,))
            for statement in (
                f"ALTER TABLE {self._tokens} ADD COLUMN IF NOT EXISTS {SEEN} integer",
                # By the server's clock, for writers that have not noticed yet that uses are noted.
                f"ALTER TABLE {self._tokens} ALTER COLUMN {SEEN} SET DEFAULT floor(extract(epoch FROM now()) / 86400)::integer",
                f"ALTER TABLE {self._tokens} SET (fillfactor = 90)",  # room for the day to be changed in place
                f'CREATE TABLE IF NOT EXISTS {RETENTION} (domain integer NOT NULL, stream text COLLATE "C" NOT NULL,'
                " keep integer NOT NULL, since integer NOT NULL, PRIMARY KEY (domain, stream))",
                f"CREATE TABLE IF NOT EXISTS {SWEEP} (one boolean PRIMARY KEY DEFAULT true CHECK (one), day integer NOT NULL,"
                " position bigint NOT NULL)",
                f"INSERT INTO {SWEEP} (day, position) VALUES (0, -1) ON CONFLICT DO NOTHING",
            ):
                connection.execute(statement)

    def _there(self, connection: psycopg.Connection) -> bool:
        """Whether any stream keeps tokens for some time only, or did."""
        if not self._there_is:
            found = connection.execute("SELECT to_regclass(%s)", (SWEEP,)).fetchone()
            self._there_is = found is not None and found[0] is not None
        return self._there_is
