"""Connector jars: coordinates, checksums, the cache, and what is said when a jar cannot be had."""

import hashlib
import http.server
import threading

import pytest

from flink_masking.errors import InputError, JobError
from flink_masking.jars import CENTRAL, CONNECTORS, REPOSITORY, Artifact, JarCache, needed, repository

BODY = b"the jar"
JAR = Artifact("org.example.deep", "some-jar", "1.2", hashlib.sha256(BODY).hexdigest())
PATH = "org/example/deep/some-jar/1.2/some-jar-1.2.jar"


@pytest.fixture
def server(monkeypatch):
    """A repository: its address, what it has, and the requests that came with their logins."""
    monkeypatch.setenv("no_proxy", "localhost")
    held, asked = {f"/maven/{PATH}": BODY}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            body = held.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"localhost:{running.server_port}/maven", held, asked
        running.shutdown()
        thread.join()


def test_a_jar_is_fetched_once(tmp_path, server):
    """The first use fetches the jar into the layout of a Maven repository, later ones need no network."""
    address, _, asked = server
    path = JarCache(tmp_path, f"http://{address}/").resolve(JAR)
    assert (path, path.read_bytes()) == (tmp_path / PATH, BODY)
    assert path == JarCache(tmp_path, offline=True).resolve(JAR)
    assert [(f"/maven/{PATH}", None)] == asked
    assert [path] == list(path.parent.iterdir())


def test_a_jar_that_was_changed_in_the_cache_is_not_used(tmp_path, server):
    """Every use verifies the checksum: a file that is not the jar is fetched again, or refused without a network."""
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).write_bytes(b"another")
    with pytest.raises(JobError, match=r"org.example.deep:some-jar:1.2: .* is not the jar that was pinned by checksum. Hint: remove it"):
        JarCache(tmp_path, offline=True).resolve(JAR)
    assert JarCache(tmp_path, f"http://{server[0]}").resolve(JAR).read_bytes() == BODY


def test_what_does_not_hash_to_the_checksum_never_reaches_the_cache(tmp_path, server):
    """A repository that sends something else is refused, and nothing of it stays."""
    address, held, _ = server
    held[f"/maven/{PATH}"] = BODY + b"!"
    with pytest.raises(JobError, match=r"what http://localhost:\d+/maven sent is not the jar that was pinned"):
        JarCache(tmp_path, f"http://{address}").resolve(JAR)
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("base", "reason"), [("http://localhost:1", "Connection refused"), ("http://{}/other", "HTTP 404"),
                                              ("nonsense", "ValueError")])  # fmt: skip
def test_a_jar_that_cannot_be_fetched_is_named_with_its_place(tmp_path, server, base, reason):
    """One line: coordinates, why, and where the file may be put by hand; it is used when it is put there."""
    with pytest.raises(JobError) as raised:
        JarCache(tmp_path, base.format(server[0])).resolve(JAR)
    message = str(raised.value)
    assert "\n" not in message
    assert [] == [part for part in (JAR.coordinates, reason, REPOSITORY, str(tmp_path / PATH)) if part not in message]
    with pytest.raises(JobError, match=r"org.example.deep:some-jar:1.2 is missing. Hint: .* put it to "):
        JarCache(tmp_path, offline=True).resolve(JAR)
    (tmp_path / PATH).write_bytes(BODY)
    assert JarCache(tmp_path, offline=True).resolve(JAR).read_bytes() == BODY


def test_a_login_in_the_address_is_sent_and_never_shown(tmp_path, server):
    """User and password of a repository go into the request's header, and into no message."""
    address, held, asked = server
    JarCache(tmp_path, f"http://me:se%20cret@{address}").resolve(JAR)
    assert [(f"/maven/{PATH}", "Basic bWU6c2UgY3JldA==")] == asked
    held.clear()
    with pytest.raises(JobError) as raised:
        JarCache(tmp_path / "other", f"http://me:secret@{address}").resolve(JAR)
    assert "secret" not in str(raised.value)


def test_the_repository_is_the_users(tmp_path, monkeypatch):
    """The environment comes first, then a mirror of Maven's settings, then Maven Central."""
    monkeypatch.delenv(REPOSITORY, raising=False)
    settings = tmp_path / "settings.xml"
    assert repository(settings) == CENTRAL
    settings.write_text("<settings>")
    assert repository(settings) == CENTRAL
    settings.write_text('<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors>'
                        "<mirror><mirrorOf>other</mirrorOf><url>https://a</url></mirror>"
                        "<mirror><mirrorOf>*,!central</mirrorOf><url>https://b</url></mirror>"
                        "<mirror><mirrorOf>external:*, other</mirrorOf><url> https://c </url></mirror></mirrors></settings>")  # fmt: skip
    assert repository(settings) == "https://c"
    monkeypatch.setenv(REPOSITORY, "https://d")
    assert repository(settings) == "https://d"


def test_connectors_bring_their_jars(tmp_path):
    """Both Kafka connectors come in one jar; other connectors need none, an empty list needs none at all."""
    assert needed(["kafka", "upsert-kafka", "filesystem"], None) == [CONNECTORS["kafka"]]
    assert needed(["filesystem"], None) == []
    assert needed(["kafka"], []) == []
    other = f"org.example:more:1@sha256:{'0' * 64}"
    assert needed(["kafka"], [other]) == [CONNECTORS["kafka"], Artifact("org.example", "more", "1", "0" * 64)]
    replaced = tmp_path / "flink-sql-connector-kafka-9.jar"
    assert needed(["kafka"], [replaced.as_uri()]) == [replaced]
    assert needed(["kafka"], ["org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"]) == [CONNECTORS["kafka"]]


@pytest.mark.parametrize(("text", "fault"), [
    ("org.example:more:1", "its checksum is not known"), ("org.apache.flink:flink-sql-connector-kafka:9", "its checksum is not known"),
    ("org.example:more", "no Maven coordinates"), ("org..:more:1", "no Maven coordinates"), ("a:b:1@sha256:12", "no Maven coordinates"),
    ("file:relative.jar", "not absolute"),
])  # fmt: skip
def test_jars_that_nobody_vouches_for_are_refused(text, fault):
    """A jar is named with its checksum or as a file; anything else is an error that says how."""
    with pytest.raises(InputError, match=f"{fault}.*Hint: "):
        needed(["kafka"], [text])


def test_a_file_that_is_named_must_be_there(tmp_path):
    """A jar named by its path is used as it is, and missed where it is not."""
    path = tmp_path / "x.jar"
    with pytest.raises(JobError, match=r"x.jar: there is no such file"):
        JarCache(tmp_path).resolve(path)
    path.touch()
    assert JarCache(tmp_path).resolve(path) == path
