"""A log in an object store: S3, as moto's server has it."""

from itertools import cycle

import boto3
import pytest
from answering import CUT, RESET, answering
from moto.server import ThreadedMotoServer
from sealed_logs import RING, SIGNER, batches, sealed

from flink_masking.audit.entries import expire_leaves, read_entries
from flink_masking.audit.events import is_leaves
from flink_masking.audit.sealer import Sealer
from flink_masking.audit.stores import Directory, ObjectStore, WebServer, open_store
from flink_masking.audit.verify import verify
from flink_masking.errors import ExitCode, InputError, LogUnavailableError


@pytest.fixture(scope="module")
def s3():
    """Address of a server with a bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", aws_access_key_id="test",
                 aws_secret_access_key="test").create_bucket(Bucket="audit")
    yield f"{host}:{port}"
    server.stop()


def test_a_log_in_s3_is_sealed_and_verified_like_a_directory(s3, tmp_path):
    """Sealing in rounds, another sealer, a state that is lost, and expiry of leaf hashes work on objects as on files."""
    address = f"s3://test:test@audit/orders?endpoint_override={s3}&scheme=http&region=us-east-1"
    _, lines = batches(300, 2)
    for state, mine in (("a", lines[:300]), ("a", lines[300:]), ("b", lines)):
        with Sealer(open_store(address), SIGNER, tmp_path / state) as sealer:
            sealer.seal(mine, {})
    store = open_store(address)
    found = verify(store, [SIGNER.verifier], ring=RING)
    assert isinstance(store, ObjectStore) and found.faults == [] and found.untraced == 0
    assert list(read_entries(store, found.checkpoint.size)) == [line for line in lines if not is_leaves(line)]
    assert expire_leaves(store, "2999-01-01T00:00:00.000Z") == 3 and store.names("leaves") == []


def test_addresses_say_what_kind_of_store_it_is(tmp_path):
    """Paths and file:// are directories, http(s):// is read only, what nobody knows is an error with a hint."""
    assert isinstance(open_store(str(tmp_path)), Directory) and isinstance(open_store(tmp_path.as_uri()), Directory)
    web = open_store("https://audit.example.com/log")
    assert isinstance(web, WebServer)
    with pytest.raises(InputError, match="only read"):
        web.write("checkpoint", b"")
    with pytest.raises(InputError, match=r"Hint: a directory"):
        open_store("nothing://x/y")


def test_a_server_that_fails_now_and_then_is_asked_again(tmp_path):
    """What is busy, cut off or reset says nothing of a log: each file is asked for again, and the log verifies."""
    folder = sealed(tmp_path / "log", batches(2)[1])
    failures = cycle([503, CUT, None, RESET, 429, None])

    def answer(path):
        file, failure = folder / path[1:], next(failures)
        whole = file.read_bytes() if file.is_file() else 404
        if failure is None or whole == 404:
            return whole
        return (CUT, whole) if failure == CUT else failure

    with answering(answer) as server:
        found = verify(WebServer(server.url, patience=30), [SIGNER.verifier], ring=RING)
        assert found.faults == [] and found.checkpoint.size == 2 and len(server.asked) > 2 * len(set(server.asked))


@pytest.mark.parametrize(("answer", "patience", "why"), [
    (503, 0.2, "HTTP 503"), ((CUT, b"checkpoint"), 0.2, "IncompleteRead"), (RESET, 0.2, "Connection reset"),
    (401, 30, "HTTP 401"), (403, 30, "HTTP 403"), (400, 30, "HTTP 400"),
])
def test_a_server_that_does_not_answer_is_no_fault_of_the_log(tmp_path, answer, patience, why):
    """It ends with 75, whatever of the log was read before; what will not pass is not asked for again."""
    folder = sealed(tmp_path / "log", batches(2)[1])
    with answering(answer, [(folder / "checkpoint").read_bytes()]) as server:
        with pytest.raises(LogUnavailableError, match=rf"{why}.*Hint: ") as raised:
            verify(WebServer(server.url, patience), [SIGNER.verifier])
        assert raised.value.exit_code is ExitCode.UNAVAILABLE and (patience < 1 or len(server.asked) == 2)


def test_a_store_that_refuses_is_no_fault_of_the_log():
    """What an object store's client gives up on is told apart from an object that is not there, without the login in the address."""
    with answering(403) as server:
        host = server.url.removeprefix("http://")
        store = open_store(f"s3://test:s3cret@audit/orders?endpoint_override={host}&scheme=http&region=us-east-1")
        for call in (lambda: store.read("checkpoint"), lambda: store.names("leaves"), lambda: store.write("checkpoint", b"x")):
            with pytest.raises(LogUnavailableError, match=r"cannot be used now \(ACCESS_DENIED\)\. Hint: ") as raised:
                call()
            assert "s3cret" not in str(raised.value) and raised.value.__cause__ is None
