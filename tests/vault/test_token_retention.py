"""Retention of tokens: those that were not used for as long as a stream keeps them are destroyed, in every kind of vault."""

import gzip
import json
import os
import sqlite3
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from flink_masking.errors import VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.techniques.tokenize.forms import uuids
from flink_masking.tools.retention import destroy_tokens
from flink_masking.vault import retention_postgres, retention_sqlite
from flink_masking.vault.providers import open_vault
from flink_masking.vault.retention import DAY_MS
from flink_masking.vault.sqlite import SqliteVault
from flink_masking.vault.tokenizer import Tokenizer

RING, START = KeyRing.new(), 20_000
FORMAT_1 = Path(__file__).parent / "format_1"
"""A vault file of a release before there was retention, its key ring, and the tokens of value0, value1, … in the domains d and e."""


class Worker:
    """Tokenizes for a stream, on a day that can be changed; each has an open vault, and so a cache, of its own."""

    def __init__(self, vault, keep=None, stream="orders", ring=RING, linked=False, domain="d"):
        """On the first day."""
        self.vault, self.day = vault, START
        self.tokenizer = Tokenizer(vault, ring, domain, "uuid", uuids, linked, stream, keep)

    def on(self, day, *values, whose=None):
        """The tokens of values, so many days after the first one."""
        self.day = START + day
        self.vault.clock = lambda: self.day * DAY_MS + 1
        return self.tokenizer.tokens(pa.array(values), None if whose is None else pa.array(whose)).to_pylist()

    def back(self, *tokens):
        """The values of tokens, today."""
        self.vault.clock = lambda: self.day * DAY_MS + 1
        return self.tokenizer.values(pa.array(tokens, pa.string())).to_pylist()


def rows(vault, table="tokens"):
    """How many rows a table of the vault has; of a vault in memory, how many tokens."""
    if isinstance(vault, SqliteVault):
        return vault._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    if hasattr(vault, "_connection"):
        return vault._connection.execute(f"SELECT count(*) FROM token_vault_1_{table}").fetchone()[0]
    return len(vault._tokens if table == "tokens" else vault.subjects._links)


def test_a_token_that_is_not_used_expires(reopen):
    """Ten days after the end of its last day a token opens no more, and its value has a new one; one that was used meanwhile stays."""
    worker = Worker(reopen(), 10)
    idle, used = worker.on(0, "idle", "used")
    assert worker.on(6, "used") == [used]
    assert worker.on(10, "other") and worker.back(idle, used) == ["idle", "used"]
    worker.on(12, "other")
    assert worker.back(idle, used) == [None, "used"]
    [again] = worker.on(12, "idle")
    assert again != idle
    assert worker.back(idle, again) == [None, "idle"]
    worker.on(12, "other")
    assert rows(worker.vault) == 3


def test_uses_out_of_the_cache_count(reopen):
    """A token that was used every day by one worker only, out of its cache, stays for all others."""
    busy, other = Worker(reopen(), 5), Worker(reopen(), 5)
    [token] = busy.on(0, "x")
    for day in range(1, 30):
        assert busy.on(day, "x", None, "x", "") == [token, None, token, ""]
    assert other.on(30, "x") == [token]
    assert other.back(token) == ["x"]


def test_a_cached_token_that_expired_is_not_given_out(reopen):
    """A worker that has a token in its cache gives a new one after another worker has destroyed it, the same as the others give."""
    slow, quick = Worker(reopen(), 3), Worker(reopen(), 3)
    [old], _ = slow.on(0, "x"), quick.on(0, "y")
    quick.on(20, "y")
    quick.on(20, "y")
    assert rows(quick.vault) == 1
    [new] = slow.on(20, "x")
    assert new != old
    assert quick.on(20, "x") == [new]


def test_unused_tokens_of_before_count_from_the_first_day(reopen):
    """Tokens that were there before a stream kept them for some time only are lost no earlier than if they had been used that day."""
    before = Worker(reopen())
    [token] = before.on(0, "x")
    after = Worker(reopen(), 10)
    after.on(300, "y")
    after.on(311, "y")
    assert after.back(token) == ["x"]
    after.on(312, "y")
    assert after.back(token) == [None]


def test_a_stream_that_keeps_tokens_for_ever_notes_uses_for_others(reopen):
    """The fewest days decide, and uses by any stream count, also by one whose policy does not say how long tokens are kept."""
    silent, strict = Worker(reopen(), stream="silent"), Worker(reopen(), 4, stream="strict")
    [both], [alone] = silent.on(0, "both"), silent.on(0, "alone")
    strict.on(0, "x")
    for day in range(1, 10):
        assert silent.on(day, "both") == [both]
    strict.on(10, "x")
    assert strict.back(both, alone) == ["both", None]


def test_a_policy_that_keeps_tokens_for_ever_again(reopen):
    """Once no stream says otherwise any more tokens are kept; when one does again, uses that nobody noted meanwhile do no harm."""
    [token] = Worker(reopen(), 5).on(0, "x")
    worker = Worker(reopen())
    assert worker.on(3, "x") == [token]
    worker = Worker(reopen())
    assert worker.on(500, "x") == [token]
    again = Worker(reopen(), 5)
    assert again.on(501, "x") == [token]
    assert again.back(token) == ["x"]


def test_other_domains_are_left_alone(reopen):
    """A domain that no stream keeps for some time only loses nothing."""
    vault = reopen()
    [stays] = Worker(vault, domain="other").on(0, "x")
    worker = Worker(vault, 2)
    [goes] = worker.on(0, "x")
    worker.on(100, "y")
    assert worker.back(goes) == [None]
    assert Worker(vault, domain="other").back(stays) == ["x"]


def test_whose_a_token_was_is_forgotten_with_it(reopen):
    """Where the vault notes whose tokens are whose, it forgets that as well, and an erasure afterwards counts no token."""
    worker = Worker(reopen(), 3, linked=True)
    worker.on(0, "x", "y", whose=["ann", "ann"])
    worker.on(9, "y", whose=["bob"])
    worker.on(9, "y", whose=["bob"])
    links = {"SqliteVault": "token_subjects", "PostgresVault": "token_subjects"}.get(type(worker.vault).__name__, "links")
    assert rows(worker.vault) == rows(worker.vault, links) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_large_vault_is_swept_in_pieces(kind, request, tmp_path, monkeypatch):
    """Each batch destroys a piece, whichever worker has it; the command goes through what is left, and then has nothing more to do."""
    monkeypatch.setattr(retention_sqlite, "PIECE", 500)
    monkeypatch.setattr(retention_postgres, "PIECE", 8)
    uri = f"sqlite://{tmp_path}/vault.db" if kind == "sqlite" else request.getfixturevalue("server").database()
    one, two = Worker(open_vault(uri), 10), Worker(open_vault(uri), 10)
    one.on(0, *(f"v{k}" for k in range(3_000)))
    one.on(8, *(f"v{k}" for k in range(1_000)))
    two.on(12, "w")
    left = rows(one.vault)
    assert 1_000 < left < 3_001
    one.on(12, "w")
    assert 1_000 < rows(one.vault) < left
    policy = load(PolicySource("p.yaml", """
version: 1
stream: orders
vault: {keep: 10d}
fields: {ssn: {class: direct}}
segments: {one: {view: masked, rules: {ssn: {technique: tokenize, domain: d}}}}
"""))
    left = rows(one.vault)
    assert destroy_tokens(one.vault, policy, (START + 12) * DAY_MS) == left - 1_001
    assert destroy_tokens(two.vault, policy, (START + 12) * DAY_MS) == 0
    assert rows(two.vault) == 1_001
    assert None not in two.on(12, *(f"v{k}" for k in range(1_000)))
    assert rows(two.vault) == 1_001


def test_what_was_destroyed_is_overwritten(tmp_path):
    """After a sweep neither the file nor its write-ahead log holds a destroyed token."""
    path = tmp_path / "vault.db"
    worker = Worker(open_vault(f"sqlite://{path}"), 2)
    tokens = worker.on(0, *(f"v{k}" for k in range(200)))
    assert tokens[0].encode() in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for _ in range(3):
        worker.on(9, "x")
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [token for token in tokens if token.encode() in held] == []


def test_a_vault_file_of_before_opens_with_all_its_tokens(tmp_path):
    """A file of format 1 gives the tokens that it gave, keeps them for the time that a policy says, and then destroys them."""
    path = tmp_path / "vault.db"
    os.close(os.open(path, os.O_CREAT, 0o600))
    path.write_bytes(gzip.decompress((FORMAT_1 / "vault.db.gz").read_bytes()))
    ring, tokens = KeyRing.parse((FORMAT_1 / "keys.json").read_bytes(), "keys.json"), json.loads((FORMAT_1 / "tokens.json").read_text())
    names = [f"value{k}" for k in range(20)]
    plain = Worker(open_vault(f"sqlite://{path}"), ring=ring)
    assert plain.on(0, *names) == tokens["d"]
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (1,)
    kept = Worker(open_vault(f"sqlite://{path}"), 30, ring=ring)
    assert kept.on(0, *names) == tokens["d"]
    assert kept.back(*tokens["d"]) == names
    assert kept.on(20, *names[:5]) == tokens["d"][:5]
    kept.on(40, names[0])
    assert kept.back(*tokens["d"]) == names[:5] + [None] * 15
    assert Worker(open_vault(f"sqlite://{path}"), ring=ring, domain="e").back(*tokens["e"]) == names[:3]


def test_releases_that_do_not_note_uses_refuse_the_file(tmp_path):
    """The format of a file changes with its first retention: a release before would not note uses, and tokens would expire in use."""
    path = tmp_path / "vault.db"
    Worker(open_vault(f"sqlite://{path}")).on(0, "x")
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (1,)
    Worker(open_vault(f"sqlite://{path}"), 5).on(0, "x")
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (2,)
    with pytest.raises(VaultError, match="not a token vault of this release"):
        sqlite3.connect(path).execute("PRAGMA user_version = 3")
        open_vault(f"sqlite://{path}")


def test_a_role_that_may_not_alter_the_tables(server):
    """Without the right to add the column nothing is noted and the job fails with a hint; jobs without retention go on."""
    uri = server.database()
    [token] = Worker(open_vault(uri)).on(0, "x")
    with psycopg.connect(uri, autocommit=True) as owner:
        for statement in ("DROP ROLE IF EXISTS clerk", "CREATE ROLE clerk LOGIN PASSWORD 'p'",
                          "GRANT SELECT, INSERT, UPDATE, DELETE ON token_vault_1_domains, token_vault_1_tokens TO clerk"):
            owner.execute(statement)
    theirs = uri.replace("owner:", "clerk:").replace(uri.split(":")[2].split("@")[0], "p")
    assert Worker(open_vault(theirs, patience=1)).on(1, "x") == [token]
    with pytest.raises(VaultError, match=r"cannot be used.*Hint"):
        Worker(open_vault(theirs, patience=1), 5).on(1, "x")


def test_nothing_is_written_for_tokens_that_are_noted(reopen):
    """Within a day a token's use is written once, however often it is used."""
    worker, calls = Worker(reopen(), 5), []
    worker.on(0, "x", "y")
    store = worker.vault.retention
    original = store.seen
    store.seen = lambda *args: calls.append(len(args[1])) or original(*args)
    for day in (0, 0, 1, 1, 1, 2):
        worker.on(day, "x", "y", "x")
    assert calls == [2, 2]
