"""The shared vault: two tables of a PostgreSQL database (12 or later), for workers on any number of machines."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import psycopg
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict

from flink_masking.addresses.endpoints import is_loopback
from flink_masking.errors import VaultError, VaultUnavailableError
from flink_masking.patience import SECONDS, persist
from flink_masking.vault.address import NO_VAULT, UNENCRYPTED
from flink_masking.vault.base import SEALED, Enrolment, OpenVault, listed
from flink_masking.vault.cache import TokenCache
from flink_masking.vault.retention import SEEN, Kept
from flink_masking.vault.retention_postgres import PostgresRetention
from flink_masking.vault.subjects_postgres import PostgresSubjects

DOMAINS, TOKENS = "token_vault_1_domains", "token_vault_1_tokens"
"""Names of the tables, with the format's number."""
SCHEMA_LOCK = 0x464D5456
"""Key of the advisory lock under which the tables are made."""
SCHEMA = (
    f"CREATE TABLE IF NOT EXISTS {DOMAINS} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE \"C\" NOT NULL UNIQUE,"
    " version bigint NOT NULL, proof bytea NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {TOKENS} (domain integer NOT NULL, lookup bytea NOT NULL, token text COLLATE \"C\" NOT NULL,"
    " sealed bytea NOT NULL, PRIMARY KEY (domain, lookup), UNIQUE (domain, token))",
)
# Every writer goes through its rows in the order of their lookups, so that two batches seldom wait for each other crosswise.
_INSERT = f"""INSERT INTO {TOKENS} (domain, lookup, token, sealed{{}})
    SELECT %b, g.lookup, g.token, g.sealed{{}} FROM unnest(%b::bytea[], %b::text[], %b::bytea[]) AS g (lookup, token, sealed)
    ORDER BY g.lookup ON CONFLICT DO NOTHING"""
INSERT, INSERT_SEEN = _INSERT.format("", ""), _INSERT.format(f", {SEEN}", ", %b")
STANDING = f"""SELECT t.token FROM unnest(%b::bytea[]) WITH ORDINALITY AS g (lookup, n)
    LEFT JOIN {TOKENS} AS t ON t.domain = %b AND t.lookup = g.lookup ORDER BY g.n"""
_SEALED_VALUES = f"""SELECT t.sealed FROM unnest(%b::text[]) WITH ORDINALITY AS g (token, n)
    LEFT JOIN {TOKENS} AS t ON t.domain = (SELECT id FROM {DOMAINS} WHERE name = %b) AND t.token = g.token{{}} ORDER BY g.n"""
SEALED_VALUES, SEALED_SINCE = _SEALED_VALUES.format(""), _SEALED_VALUES.format(f" AND coalesce(t.{SEEN}, 0) >= %b")
DEFAULTS: dict[str, Any] = {
    "application_name": "flink-masking",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": "-c statement_timeout=30s",
}
"""Settings of a connection that its address leaves open: a server that is gone is noticed within half a minute."""
Result = TypeVar("Result")


class PostgresVault(OpenVault):
    """A vault in a PostgreSQL database; refuses to be pickled, copied or printed.

    A batch is one round trip and one transaction: insert and look-up go out together. A connection that breaks is made again and the
    batch is sent once more, which does no harm: what has been written stands.
    """

    def __init__(self, uri: str, *, patience: float = SECONDS, cache: TokenCache | None = None, require_tls: bool = False,
                 existing: bool = False) -> None:
        """Connect, and make the tables unless they are there or must be (`existing`).

        Args:
            uri: ``postgresql://user:password@host:port/database?sslmode=…``; what is missing comes from libpq's environment and its
                password file.
            patience: seconds for which a server that is away is waited for, at each call.
            cache: in front of the vault; of the default size when None.
            require_tls: refuse a connection without TLS to another machine, whatever address, environment or service file led to it.
            existing: make no tables; without them it is an error.

        Raises:
            VaultError: no usable address, no server, no TLS, no tables, no right to make or use them. The password is never shown.
        """
        try:
            given = conninfo_to_dict(uri)
        except psycopg.Error:
            given = None  # raised below: the text of the error may hold the password
        if given is None:
            raise VaultError("the address of the PostgreSQL vault cannot be read. Hint: write postgresql://user@host:5432/database")
        self._settings: dict[str, Any] = {**DEFAULTS, **given}
        shown = f"{given.get('host', '')}:{given.get('port', '')}".strip(":")
        super().__init__(f"postgresql://{shown}/{given.get('dbname', '')}", cache)
        self._patience, self._lock, self._require_tls = patience, threading.Lock(), require_tls
        self._existing = existing
        self._numbers: dict[str, int] = {}
        self._connection: psycopg.Connection | None = None
        self._closed = False
        self._run(self._prepare)

    def enrol(self, domain: str, enrolment: Enrolment) -> Enrolment:
        """As `flink_masking.vault.base.Vault.enrol`."""

        def work(connection: psycopg.Connection) -> Enrolment:
            with connection.pipeline():
                insert = f"INSERT INTO {DOMAINS} (name, version, proof) VALUES (%b, %b, %b) ON CONFLICT DO NOTHING"
                connection.execute(insert, (domain, *enrolment))
                cursor = connection.execute(f"SELECT id, version, proof FROM {DOMAINS} WHERE name = %b", (domain,), binary=True)
            number, version, proof = cursor.fetchone() or (0, 0, b"")
            self._numbers[domain] = number
            return Enrolment(version, bytes(proof))

        return self._run(work)

    def tokens(self, domain: str, lookups: pa.FixedSizeBinaryArray, sealed: pa.BinaryArray, proposals: pa.StringArray,
               kept: Kept | None = None) -> pa.StringArray:
        """As `flink_masking.vault.base.Vault.tokens`."""
        if domain not in self._numbers:
            raise self.unknown(domain)
        keys, number = listed(lookups), self._numbers[domain]
        rows = (number, keys, listed(proposals), listed(sealed))

        def work(connection: psycopg.Connection) -> pa.StringArray:
            with connection.pipeline():  # what stands between two syncs of a pipeline is one transaction
                if kept is None:
                    connection.execute(INSERT, rows)
                else:
                    if kept.oldest:
                        self.retention.forget(connection, number, keys, kept)
                    connection.execute(INSERT_SEEN, (number, kept.today, *rows[1:]))
                    self.retention.touch(connection, number, keys, kept)
                cursor = connection.execute(STANDING, (keys, number), binary=True)
            return pa.array([token for (token,) in cursor.fetchall()], pa.string())

        return self._run(work)

    def values(self, domain: str, tokens: pa.StringArray, kept: Kept | None = None) -> pa.BinaryArray:
        """As `flink_masking.vault.base.Vault.values`."""
        texts = ["" if "\0" in text else text for text in listed(tokens)]  # PostgreSQL's texts hold no NUL, and no token is ""

        def work(connection: psycopg.Connection) -> pa.BinaryArray:
            oldest = () if kept is None or not kept.oldest else (kept.oldest,)
            cursor = connection.execute(SEALED_SINCE if oldest else SEALED_VALUES, (texts, domain, *oldest), binary=True)
            return pa.array([sealed for (sealed,) in cursor.fetchall()], SEALED)

        return self._run(work)

    @cached_property
    def subjects(self) -> PostgresSubjects:
        """As `flink_masking.vault.base.Vault.subjects`."""
        return PostgresSubjects(self._run, SCHEMA_LOCK, (DOMAINS, TOKENS))

    @cached_property
    def retention(self) -> PostgresRetention:
        """As `flink_masking.vault.base.Vault.retention`."""
        return PostgresRetention(self._run, SCHEMA_LOCK, (DOMAINS, TOKENS), lambda: self.subjects)

    def close(self) -> None:
        """As `flink_masking.vault.base.Vault.close`."""
        with self._lock:
            self._closed = True
            self._drop()

    def _prepare(self, connection: psycopg.Connection) -> None:
        """Make the tables, one worker at a time; a role that may not create tables can use those that are there."""
        found = connection.execute("SELECT to_regclass(%s), to_regclass(%s)", (DOMAINS, TOKENS)).fetchone()
        if found is not None and None not in found:
            return
        if self._existing:
            raise VaultError(f"{self.where}: {NO_VAULT}")
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            for statement in SCHEMA:
                connection.execute(statement)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            connection = psycopg.connect(autocommit=True, **self._settings)
            if self._require_tls and not connection.pgconn.ssl_in_use and not is_loopback(connection.info.hostaddr or connection.info.host):
                connection.close()
                raise VaultError(f"{self.where}: {UNENCRYPTED}")
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        """Close the connection, if there is one, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _run(self, work: Callable[[psycopg.Connection], Result]) -> Result:
        """The result of some work on a connection, which is made again and again while the server is away."""

        def attempt() -> Result:
            try:
                return work(self._connected())
            except psycopg.Error:
                self._drop()
                raise

        self.guard()
        with self._lock:
            if self._closed:
                raise VaultError(f"{self.where}: the token vault is closed. Hint: open it again")
            try:
                return persist(attempt, _passing, self._patience, self.note_wait)
            except psycopg.Error as error:
                failure = self._failure(error)
            raise failure

    def _failure(self, error: psycopg.Error) -> VaultError:
        """Convert an error of PostgreSQL; only class and code are shown: its text may quote values."""
        what = f"{type(error).__name__}, {error.sqlstate or 'no code'}"
        if _passing(error):
            told = f"the token vault could not be reached for {self._patience:g} s ({what}). Hint: check server, network and role"
            return VaultUnavailableError(f"{self.where}: {told}")
        return VaultError(f"{self.where}: the token vault cannot be used ({what}). Hint: check the rights of the role on {TOKENS}")


def _passing(error: Exception) -> bool:
    """Whether an error may pass by itself: connections that break, servers that start, stop or fail over, time-outs and deadlocks."""
    return isinstance(error, (psycopg.OperationalError, psycopg.errors.InFailedSqlTransaction, psycopg.errors.ReadOnlySqlTransaction,
                              psycopg.errors.IdleInTransactionSessionTimeout))
