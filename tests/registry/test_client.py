"""The registry client against a server that answers as registries do, and as they do when something is wrong."""

import contextlib
import json
import socket
import ssl
import threading
import time

import pytest
from answering import CUT, RESET
from answering import answering as in_turn
from certificates import Authority

from flink_masking.cli import contract
from flink_masking.errors import RegistryError, RegistryUnavailableError
from flink_masking.registry.cache import SchemaCache
from flink_masking.registry.client import RegistryClient, open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.preflight import preflight
from flink_masking.registry.source import Schema, SchemaId

SECRET = "s3cr3t-token-4711"
ONE = SchemaId("id", 1)


def answer(body, status=200):
    """An answer in JSON."""
    return status, json.dumps(body).encode()


def missing(code=40403):
    """The answer that something does not exist."""
    return answer({"error_code": code, "message": "not found"}, 404)


def test_a_schema_comes_with_what_it_refers_to(answering):
    """References of references are there, each after what it needs, and a circle ends."""
    subjects = {
        "/subjects/b/versions/2": {"schema": "B", "references": [{"name": "c.proto", "subject": "c/x", "version": 1}]},
        "/subjects/c%2Fx/versions/1": {"schema": "C", "references": [{"name": "b.proto", "subject": "b", "version": 2}]},
    }
    top = {"schema": "A", "schemaType": "PROTOBUF", "references": [{"name": "b.proto", "subject": "b", "version": 2}]}
    server = answering(lambda path, _: answer(top if path == "/schemas/ids/1" else subjects[path]))
    found = RegistryClient(RegistryOptions(server.url)).schema(ONE)
    assert found == Schema("A", "PROTOBUF", {"c.proto": "C", "b.proto": "B"})
    assert list(found.references) == ["c.proto", "b.proto"]


def test_what_does_not_exist_is_none_and_a_wrong_path_is_an_error(answering):
    """A 404 with a code of the API says that there is no such schema; any other says that there is no such API."""
    server = answering(lambda path, _: missing() if path.startswith("/api/") else (404, b"<html>not found</html>"))
    assert RegistryClient(RegistryOptions(server.url + "/api")).schema(ONE) is None
    with pytest.raises(RegistryError, match="no answer of the Confluent API") as caught:
        RegistryClient(RegistryOptions(server.url)).schema(ONE)
    assert not isinstance(caught.value, RegistryUnavailableError)


@pytest.mark.parametrize("status", [408, 429, 500, 503, 504])
def test_a_server_that_may_answer_later_is_away(answering, status):
    """Server errors and requests to slow down are the registry being away, never an identifier that does not exist."""
    server = answering(lambda *_: (status, b"{}"))
    with pytest.raises(RegistryUnavailableError, match=f"HTTP {status}"):
        RegistryClient(RegistryOptions(server.url)).schema(ONE)


@pytest.mark.parametrize("answered, what", [
    ((200, b"<html>"), "no answer of the Confluent API"), (answer([1]), "of another form"),
    (answer({"schemaType": "AVRO"}), "of another form"),
    (answer({"schema": "x", "references": [{"name": "y"}]}), "of another form"), ((302, b""), "redirects elsewhere"),
    (answer({"schema": "x", "references": [{"name": "y", "subject": "z", "version": "latest"}]}), "of another form"),
    ((200, b'{"schema": "x", "references": [{"name": "y", "subject": "z", "version": 1e999}]}'), "of another form"),
    (answer({"schema": {"type": "string"}}), "of another form"), (answer({"schema": None}), "of another form"),
    ((200, b"[" * 100_000), "no answer of the Confluent API"), (answer({"schema": "x", "references": 5}), "of another form"),
    ((401, b""), "login is refused"), ((403, b""), "login is refused"),
])
def test_answers_that_are_none_are_errors(answering, answered, what):
    """What is no answer of a registry is told, and not taken for one that may pass by itself."""
    server = answering(lambda *_: answered)
    with pytest.raises(RegistryError, match=what) as caught:
        RegistryClient(RegistryOptions(server.url)).schema(ONE)
    assert not isinstance(caught.value, RegistryUnavailableError)


def test_logins_are_resolved_where_they_are_used(answering, tmp_path, monkeypatch):
    """Token and password are sent from their references, and neither stands in the options, their text or their repr."""
    seen = []
    server = answering(lambda _, headers: (seen.append(headers.get("Authorization")), answer([]))[1])
    (tmp_path / "token").write_text(SECRET + "\n")
    monkeypatch.setenv("REGISTRY_PASSWORD", SECRET)
    for options in (RegistryOptions(server.url, token=f"${{file:{tmp_path}/token}}"),
                    RegistryOptions(server.url, user="me", password="${env:REGISTRY_PASSWORD}")):
        assert RegistryClient(options).subjects() == []
        assert RegistryOptions.decode(options.encode()) == options
        assert SECRET not in options.encode() + repr(options)
    assert seen == [f"Bearer {SECRET}", "Basic bWU6czNjcjN0LXRva2VuLTQ3MTE="]


@pytest.mark.parametrize("options, what", [
    ({"url": "https://me:pw@host"}, "holds a login"), ({"url": "ftp://host"}, "no http:// or https://"),
    ({"url": "https://h/?x=1"}, "no http"),
    ({"url": "https://h:99999"}, "no address"), ({"url": "https://h", "token": SECRET}, "in clear"),
    ({"url": "https://h", "user": "me"}, "password is missing"), ({"url": "https://h", "password": "${env:X}"}, "user is missing"),
    ({"url": "https://h", "token": "${file:token}"}, "relative file name"), ({"url": "https://h", "ca": "ca.pem"}, "relative file name"),
    ({"url": "https://h", "key": "/k.pem"}, "certificate is missing"),
    ({"url": "https://h", "token": "${env:T}", "user": "me", "password": "${env:P}"}, "at once"),
])
def test_options_that_cannot_be_used_are_refused(options, what):
    """Each with a hint, and without the value."""
    with pytest.raises(RegistryError, match=what) as caught:
        RegistryOptions(**options)
    assert "Hint: " in str(caught.value) and SECRET not in str(caught.value) and "pw" not in str(caught.value)


def test_tls_holds_the_certificate_against_the_authority(answering, tmp_path):
    """A server of the named authority is taken, one of another is refused; a client's certificate is shown where it is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = Authority(tmp_path)
    context.load_cert_chain(authority.certificate("server", server=True))
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    server = answering(lambda *_: answer(["AVRO"]), context)
    paths = {"ca": str(authority.path), "certificate": str(authority.certificate("client"))}
    assert preflight(RegistryOptions(server.url, **paths)) == f"registry: {server.url} answers (AVRO)"
    with pytest.raises(RegistryError, match="certificate does not hold"):
        preflight(RegistryOptions(server.url, certificate=paths["certificate"]))
    with pytest.raises(RegistryError):
        preflight(RegistryOptions(server.url, ca=paths["ca"], patience=0.1))


def test_nobody_listens(answering):
    """An address without a server is a registry that is away."""
    server = answering(lambda *_: answer([]))
    server.close()
    with pytest.raises(RegistryUnavailableError, match="cannot be reached"):
        preflight(RegistryOptions(server.url, patience=0.1))


class Flaky:
    """A source that is away for some calls."""

    def __init__(self, away: int, found: Schema | None) -> None:
        """Be away for so many calls."""
        self.away, self.found, self.calls = away, found, 0

    def schema(self, identifier: SchemaId) -> Schema | None:
        """As a source does."""
        self.calls += 1
        if self.calls <= self.away:
            raise RegistryUnavailableError("away")
        return self.found


def test_a_registry_that_is_away_is_waited_for():
    """Within the patience the schema comes; after it, the error."""
    source = Flaky(3, Schema("A"))
    assert SchemaCache(source, patience=30).schema(ONE) == Schema("A")
    assert source.calls == 4
    with pytest.raises(RegistryUnavailableError):
        SchemaCache(Flaky(10**6, None), patience=0.05).schema(ONE)


def test_schemas_are_asked_for_once_and_bounded():
    """A schema that was found is kept until there is no room; that there is none is kept for seconds."""
    now = [0.0]
    source = Flaky(0, Schema("A"))
    cache = SchemaCache(source, entries=2, clock=lambda: now[0])
    for number in (1, 2, 1, 2, 1, 3, 1):
        cache.schema(SchemaId("id", number))
    assert source.calls == 3
    source.found = None
    for _ in range(5):
        assert cache.schema(SchemaId("id", 9)) is None
    assert source.calls == 4
    now[0], source.found = 11.0, Schema("B")
    assert cache.schema(SchemaId("id", 9)) == Schema("B")


def test_schemas_in_use_need_no_registry(answering):
    """What a process has met goes on while the registry is away."""
    server = answering(lambda *_: answer({"schema": "A"}))
    schemas = open_registry(RegistryOptions(server.url, patience=0.05, timeout=2))
    assert schemas.schema(ONE) == Schema("A", "AVRO")
    server.close()
    assert schemas.schema(ONE) == Schema("A", "AVRO")
    with pytest.raises(RegistryUnavailableError):
        schemas.schema(SchemaId("id", 2))


@pytest.mark.parametrize("found", [b'{"id": 1e999, "version": 1, "schema": "x"}', b'{"id": 1, "version": "x", "schema": "x"}',
                                   b'{"id": 1, "version": 1, "schema": "x", "metadata": {"tags": 5}}', b'{"version": 1, "schema": "x"}'])
def test_versions_of_another_form_are_errors(answering, found):
    """Numbers that are none, and tags that are none, are told like any other answer of another form."""
    server = answering(lambda *_: (200, found))
    with pytest.raises(RegistryError, match="of another form"):
        RegistryClient(RegistryOptions(server.url)).latest("orders-value")


@pytest.mark.parametrize("found", [{"id": -1}, {"id": 1 << 32}, {"id": "x"}, {"guid": "x"}, {"guid": 7}, {"version": None}])
def test_identifiers_that_no_framing_has_room_for_are_errors(answering, found):
    """What would stand in front of every record of a view is looked at before the first one is written."""
    server = answering(lambda *_: answer({"id": 1, "version": 1, "guid": "0a1b2c3d-0000-4000-8000-00000000ABCD"} | found))
    with pytest.raises(RegistryError, match="of another form"):
        RegistryClient(RegistryOptions(server.url)).placed("view-value", Schema('"string"', "AVRO"))


class Raw:
    """Listens on loopback, reads a request, and sends what a test says, a part at a time."""

    def __init__(self, parts):
        """Start it."""
        self.parts, self.sent = parts, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """One connection after the other."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    for part in self.parts():
                        connection.sendall(part)
                        self.sent += 1


def test_an_answer_that_is_cut_off_may_be_whole_the_next_time():
    """The registry, or something on the way to it, ended: that passes by itself, and is no answer of another form."""
    server = Raw(lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b'{"schema": "'])
    with contextlib.closing(server.socket), pytest.raises(RegistryUnavailableError, match="cannot be reached"):
        RegistryClient(RegistryOptions(server.url)).schema(ONE)


@pytest.mark.parametrize("status", ["404 Not Found", "409 Conflict", "401 Unauthorized"])
def test_an_error_that_is_cut_off_may_be_another_the_next_time(status):
    """Half of what says that something does not exist says nothing: the worker waits for all of it, as for any other answer."""
    whole = json.dumps({"error_code": 40403, "message": "not found"}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(whole)}\r\n\r\n".encode()
    server = Raw(lambda: [head, whole[:10]])
    with contextlib.closing(server.socket), pytest.raises(RegistryUnavailableError, match="cannot be reached"):
        RegistryClient(RegistryOptions(server.url)).schema(ONE)


@pytest.mark.parametrize("ask", [
    lambda options: preflight(options), lambda options: RegistryClient(options, options.command_patience).subjects(),
    lambda options: contract._client(options.url, None).subjects()])
def test_commands_ask_again_while_a_registry_is_away(ask):
    """What passes within seconds ends neither a command nor the checks before a job starts; a refusal is not asked for again."""
    with in_turn(b"[]", [503, RESET, 429, (CUT, b"[1, 2]")]) as server:
        ask(RegistryOptions(server.url))
        assert len(server.asked) == 5
    with in_turn(401) as server:
        with pytest.raises(RegistryError, match="login is refused"):
            ask(RegistryOptions(server.url))
        assert len(server.asked) == 1


def test_an_answer_that_never_ends_is_none():
    """A byte now and then does not keep a worker waiting for longer than an answer may take."""
    def parts():
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
        while True:
            time.sleep(0.02)
            yield b" "

    server = Raw(parts)
    with contextlib.closing(server.socket), pytest.raises(RegistryUnavailableError, match="no answer in time"):
        RegistryClient(RegistryOptions(server.url, timeout=1)).schema(ONE)
    assert server.sent > 3
