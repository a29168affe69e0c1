"""Where control documents lie."""

import http.server
import threading

import pytest
from answering import CUT, RESET, answering

from flink_masking.control.options import ControlOptions
from flink_masking.control.sources import local, open_source
from flink_masking.control.sources.bundle import pack, unpack
from flink_masking.control.sources.http import HttpSource
from flink_masking.control.sources.local import BundleSource, DirectorySource
from flink_masking.errors import ControlError, ControlUnavailableError


@pytest.fixture
def server():
    """A web server on loopback that answers as the test says; counts requests by status."""
    class Handler(http.server.BaseHTTPRequestHandler):
        body, length, status, seen, location, slow = pack([b"{}"]), None, 200, [], None, 0.0

        def do_GET(self):
            tag = f'"{hash(Handler.body)}"'
            status = 304 if Handler.status == 200 and self.headers.get("If-None-Match") == tag else Handler.status
            Handler.seen.append(status)
            self.send_response(status)
            self.send_header("ETag", tag)
            if Handler.location:
                self.send_header("Location", Handler.location)
            if status == 200:
                self.send_header("Content-Length", str(Handler.length or len(Handler.body)))
            self.end_headers()
            if status == 200:
                for number in range(len(Handler.body) if Handler.slow else 0):
                    if ended.wait(Handler.slow):
                        return
                    self.wfile.write(Handler.body[number : number + 1])
                if not Handler.slow:
                    self.wfile.write(Handler.body)

        def log_message(self, *_):
            """Say nothing."""

    Handler.seen, ended = [], threading.Event()
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/control.jsonl", Handler
    ended.set()
    running.shutdown()
    running.server_close()


def http_source(address, **options):
    """A source at an address; its trust file is not looked at."""
    return HttpSource(ControlOptions(address, "", **options))


def test_a_directory_is_read_when_it_has_changed(tmp_path):
    """Documents come sorted by name, None follows while nothing changes, and unfinished files are passed over."""
    source = DirectorySource(tmp_path)
    source.publish("b", b"B")
    source.publish("a", b"A")
    (tmp_path / ".half").write_bytes(b"x")
    (tmp_path / "README.md").write_text("x")
    assert source.read() == [b"A", b"B"] and source.read() is None
    source.publish("a", b"C")
    assert source.read() == [b"C", b"B"]
    (tmp_path / "b.json").unlink()
    assert source.read() == [b"C"] and [path.name for path in tmp_path.glob(".*")] == [".half"]


def test_a_directory_that_is_away(tmp_path):
    """A missing directory is a failure that may pass, and everything is read when it is back."""
    source = DirectorySource(tmp_path / "control")
    with pytest.raises(ControlUnavailableError):
        source.read()
    (tmp_path / "control").mkdir()
    assert source.read() == []


def test_a_document_that_is_removed_after_the_directory_was_listed(tmp_path, monkeypatch):
    """The directory is listed again, and what is there is read."""
    source, read = DirectorySource(tmp_path), local._read
    source.publish("a", b"A")
    source.publish("b", b"B")

    def removing(path):
        path.unlink(missing_ok=path.name == "b.json")
        return read(path)

    monkeypatch.setattr(local, "_read", lambda path: removing(path) if path.name == "a.json" else read(path))
    assert source.read() == [b"B"] and source.read() is None


def test_a_bundle_that_is_cut_off_is_no_bundle():
    """Every true beginning of a bundle is refused, at a line's end as well."""
    whole = pack([b'{"a":1}', b'{"b":2}'])
    assert unpack(whole) == [b'{"a":1}', b'{"b":2}'] and unpack(pack([])) == []
    for end in range(len(whole)):
        with pytest.raises(ControlUnavailableError):
            unpack(whole[:end])


def test_a_bundle_file_keeps_one_of_each_document(tmp_path, signers):
    """A document with more signatures replaces itself; others stay."""
    from flink_masking.control.envelope import countersigned, parse

    source, policy = BundleSource(tmp_path / "control.jsonl"), signers.policy(2)
    other = signers.grant()
    both = countersigned(parse(policy), signers["peter"]).dump()
    for data in (policy, other, both):
        source.publish("x", data)
    assert source.read() == [other, both] and source.read() is None


def test_an_unchanged_bundle_is_not_transferred(server):
    """The second request carries the ETag, and 304 means unchanged; the server's clock is compared."""
    address, handler = server
    source = http_source(address)
    assert source.read() == [b"{}"] and source.read() is None and handler.seen == [200, 304]
    handler.body = pack([b"{}", b"[]"])
    assert source.read() == [b"{}", b"[]"] and abs(source.skew_s) < 5


@pytest.mark.parametrize(("status", "kind"), [(500, ControlUnavailableError), (404, ControlUnavailableError), (401, ControlError),
                                              (304, ControlUnavailableError)])
def test_failures_of_a_server(server, status, kind):
    """Each is an error of its kind; 304 without a request for it, too."""
    address, handler = server
    handler.status = status
    with pytest.raises(kind):
        http_source(address, timeout=300).read()


@pytest.mark.parametrize("failures", [[503, 503], [429], [RESET, 502], [(CUT, pack([b"{}"])), 504], [pack([b"{}", b"{}"])[:-3]]])
def test_failures_that_pass_are_no_events(failures):
    """A server that is busy, ends a connection, or is about to replace the bundle is asked again by the same look."""
    with answering(pack([b"{}"]), failures) as server:
        assert http_source(f"{server.url}/control.jsonl").read() == [b"{}"] and len(server.asked) == len(failures) + 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_what_will_not_pass_is_asked_for_once(status):
    """The same look does not ask again."""
    with answering(status) as server:
        with pytest.raises(ControlError):
            http_source(f"{server.url}/control.jsonl").read()
        assert len(server.asked) == 1


def test_redirects_are_not_followed(server):
    """A redirect is an error, so that a token goes nowhere else."""
    address, handler = server
    handler.status, handler.location = 302, address
    with pytest.raises(ControlError, match="302"):
        http_source(address).read()
    assert handler.seen == [302]


def test_an_answer_that_is_cut_off(server):
    """Fewer bytes than promised are no answer, and the ETag of the bundle before is kept."""
    address, handler = server
    source = http_source(address, timeout=300)
    source.read()
    handler.body, handler.length = pack([b"{}", b"[]"])[:-3], 1000
    with pytest.raises(ControlUnavailableError):
        source.read()
    handler.body, handler.length = pack([b"{}"]), None
    assert source.read() is None


def test_a_server_that_drips(server):
    """An answer that comes byte by byte ends with the time-out as a whole."""
    address, handler = server
    handler.slow = 0.02
    with pytest.raises(ControlUnavailableError):
        http_source(address, timeout=100).read()


@pytest.mark.parametrize(("source", "topic"), [
    ("http://example.org/x", {}), ("ftp://x/y", {}), ("relative", {}), ("https://user:pw@host/x", {}), ("file://host/x", {}),
    ("", {"connector": "kafka", "topic": "t"}), ("", {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "h:1", "x": "y"}),
    ("", {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "h:1", "properties.sasl.password": "clear"}),
    ("", {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "h:1", "properties.sasl.jaas.config": "x"})])
def test_addresses_that_are_none(source, topic):
    """Addresses in clear, with logins or of no known kind are refused, and no password stands in the message."""
    with pytest.raises(ControlError) as refused:
        ControlOptions(source, "", topic)
    assert "Hint:" in str(refused.value) and "clear'" not in str(refused.value) and "pw" not in str(refused.value)


def test_an_address_opens_its_source(tmp_path):
    """A directory, a bundle, a server: by the address; and a web server is not written to."""
    kinds = {f"file://{tmp_path}": DirectorySource, f"file://{tmp_path}/x.jsonl": BundleSource, "https://h/x.jsonl": HttpSource}
    for address, kind in kinds.items():
        assert isinstance(open_source(ControlOptions(address, "")), kind)
    with pytest.raises(ControlError, match="read only"):
        open_source(ControlOptions("https://h/x.jsonl", "")).publish("x", b"")
    options = ControlOptions("", "t", {"connector": "kafka", "topic": "c", "properties.bootstrap.servers": "h:1"})
    assert ControlOptions.decode(options.encode()) == options
