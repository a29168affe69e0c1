"""The shared vault: servers that go away, rights, and a schema that many make at once."""

import signal
import threading
import time
from contextlib import closing

import psycopg
import pyarrow as pa
import pytest

from flink_masking.errors import VaultError, VaultUnavailableError
from flink_masking.keys.ring import KeyRing
from flink_masking.techniques.tokenize.forms import uuids
from flink_masking.vault.postgres import DOMAINS, TOKENS, PostgresVault
from flink_masking.vault.providers import open_vault
from flink_masking.vault.tokenizer import Tokenizer

RING = KeyRing.new()


def make(vault, *texts):
    """Tokens of texts."""
    return Tokenizer(vault, RING, "d", "uuid", uuids).tokens(pa.array(texts)).to_pylist()


@pytest.fixture
def started(server):
    """The server, which runs again afterwards whatever a test did to it."""
    yield server
    if server._process.poll() is not None:
        server.start()


def test_many_make_the_schema_at_once(server):
    """Workers that open a new database at once all find the tables made."""
    uri, opened = server.database(), []
    threads = [threading.Thread(target=lambda: opened.append(open_vault(uri, patience=5))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    assert len({make(vault, "x")[0] for vault in opened}) == 1


def test_a_database_without_a_vault_is_told_to_those_who_need_one(server):
    """Whoever opens what is in a vault is refused a database that holds none, and makes no tables in it."""
    uri = server.database()
    with pytest.raises(VaultError, match="no token vault is there"):
        open_vault(uri, patience=5, existing=True)
    with psycopg.connect(uri) as connection:
        assert connection.execute("SELECT to_regclass(%s)", (TOKENS,)).fetchone() == (None,)
    open_vault(uri, patience=5).close()
    open_vault(uri, patience=5, existing=True).close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_comes_back_is_waited_for(started, how):
    """A server that stops, or crashes, and starts again costs time, no token and no error."""
    vault = PostgresVault(started.database(), patience=20)
    kept = make(vault, "x")
    started.stop(how)
    threading.Timer(0.5, started.start).start()
    after = make(vault, "x", "y")
    assert after[0] == kept[0]
    assert Tokenizer(vault, RING, "d", "uuid", uuids).values(pa.array(after)).to_pylist() == ["x", "y"]


def test_a_server_that_stays_away_is_an_error(started):
    """After the patience a batch fails whole, without value, token, password or server text; afterwards the same batch goes through."""
    vault = PostgresVault(started.database(), patience=0.5)
    kept = make(vault, "x")
    started.stop()
    begin = time.monotonic()
    with pytest.raises(VaultError, match=r"could not be reached for 0\.5 s") as caught:
        make(vault, "x", "SECRET")
    assert time.monotonic() - begin < 10
    for hidden in ("SECRET", "Kq7-not-to-be-shown", kept[0]):
        assert hidden not in str(caught.value)
    assert caught.value.__context__ is None
    started.start()
    assert make(vault, "x", "SECRET")[0] == kept[0]


def test_a_connection_that_is_cut_is_made_again(server):
    """A session that an administrator ends is replaced, and the batch goes through."""
    uri = server.database()
    vault = open_vault(uri, patience=5)
    kept = make(vault, "x")
    with psycopg.connect(uri, autocommit=True) as admin:
        ours = "application_name = 'flink-masking' AND datname = current_database()"
        assert admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}").fetchall() == [(True,)]
    assert make(vault, "x", "y")[0] == kept[0]


def failing(uri, code, times):
    """Have the server fail the first inserts of tokens with an error code; returns a function that counts the attempts."""
    with psycopg.connect(uri, autocommit=True) as owner:
        owner.execute("CREATE SEQUENCE attempts")  # no rollback takes a number back
        owner.execute(f"""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') <= {times} THEN RAISE EXCEPTION 'secret text' USING ERRCODE = '{code}'; END IF; RETURN NULL; END $$""")
        owner.execute(f"CREATE TRIGGER fail BEFORE INSERT ON {TOKENS} FOR EACH STATEMENT EXECUTE FUNCTION fail()")

    def attempts():
        with psycopg.connect(uri) as owner:
            return owner.execute("SELECT last_value FROM attempts").fetchone()[0]

    return attempts


@pytest.mark.parametrize("code", ["40001", "40P01", "57P01", "57014", "25006", "25P03", "53300", "55P03", "58030"])
def test_what_passes_is_tried_again(server, code):
    """Conflicts, deadlocks, shutdowns, time-outs, a failover that leaves a server read-only: the batch is sent again."""
    uri = server.database()
    with closing(PostgresVault(uri, patience=20)) as vault:
        make(vault, "w")
        attempts = failing(uri, code, 2)
        [token] = make(vault, "x")
        assert attempts() == 3
    with closing(PostgresVault(uri)) as other:
        assert make(other, "x") == [token]


@pytest.mark.parametrize("code", ["42501", "22P02", "23514", "42P01"])
def test_what_does_not_pass_is_tried_once(server, code):
    """A missing right or a wrong schema is an error at once, whatever the patience, without text of the server."""
    uri = server.database()
    with closing(PostgresVault(uri, patience=20)) as vault:
        make(vault, "w")
        attempts = failing(uri, code, 1_000)
        with pytest.raises(VaultError, match=f"cannot be used .*{code}") as raised:
            make(vault, "x")
        assert not isinstance(raised.value, VaultUnavailableError) and "secret" not in str(raised.value) and attempts() == 1


def test_missing_rights_are_an_error_at_once(server):
    """A role without rights on the tables gets an error that names them, and no second attempt; one with rights needs no CREATE."""
    uri = server.database()
    make(open_vault(uri), "x")
    role = f"reader{server.port}"
    with psycopg.connect(uri, autocommit=True) as owner:
        owner.execute(f"DROP ROLE IF EXISTS {role}")
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'other'")
    theirs = f"postgresql://{role}:other@127.0.0.1:{server.port}/{uri.rpartition('/')[2]}"
    begin = time.monotonic()
    with pytest.raises(VaultError, match=rf"InsufficientPrivilege, 42501.*rights of the role on {TOKENS}"):
        make(open_vault(theirs, patience=60), "x")
    assert time.monotonic() - begin < 10
    with psycopg.connect(uri, autocommit=True) as owner:
        owner.execute(f"GRANT SELECT, INSERT ON {DOMAINS}, {TOKENS} TO {role}")
    assert make(open_vault(theirs), "x") == make(open_vault(uri), "x")


def test_a_batch_is_one_transaction(server):
    """When a batch fails in the middle, nothing of it is written."""
    uri = server.database()
    vault = open_vault(uri, patience=0.2)
    make(vault, "x")
    with psycopg.connect(uri, autocommit=True) as owner:
        owner.execute(f"ALTER TABLE {TOKENS} ADD CONSTRAINT short CHECK (length(token) < 40)")
    broken = Tokenizer(vault, RING, "d", "long", lambda values: pa.array([f"t{k}" + "0" * (50 * (k == 3)) for k in range(len(values))]))
    with pytest.raises(VaultError, match="CheckViolation"):
        broken.tokens(pa.array(["SECRET1", "SECRET2", "SECRET3", "SECRET4"]))
    with psycopg.connect(uri) as owner:
        assert owner.execute(f"SELECT count(*) FROM {TOKENS}").fetchone() == (1,)


def test_a_closed_vault_is_an_error(server):
    """A vault that was closed makes no tokens."""
    vault = open_vault(server.database())
    vault.close()
    with pytest.raises(VaultError, match="is closed"):
        make(vault, "x")
