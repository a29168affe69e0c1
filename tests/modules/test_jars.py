"""Connector jars: coordinates, checksums, the cache, and what is said when a jar cannot be had."""

import hashlib
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest
from answering import CUT, RESET, answering

from flink_masking.errors import InputError, JobError
from flink_masking.jar_resolvers import REPOSITORY, resolver
from flink_masking.jars import CONNECTORS, Artifact, JarCache, needed

BODY = b"the jar"
JAR = Artifact("org.example.deep", "some-jar", "1.2", hashlib.sha256(BODY).hexdigest())
PATH = "org/example/deep/some-jar/1.2/some-jar-1.2.jar"


@pytest.fixture(autouse=True)
def nobodys_configuration(tmp_path_factory, monkeypatch):
    """Neither Maven nor jgo is configured by whoever runs the tests, and no Maven is found."""
    home = tmp_path_factory.mktemp("home")
    for name, value in {"HOME": home, "JGO_CONFIG_FILE": home / "jgo.conf", "PATH": home / "bin"}.items():
        monkeypatch.setenv(name, str(value))
    for name in (REPOSITORY, "M2_REPO", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    (home / "bin").mkdir()
    return home


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
    assert [(f"/maven/{PATH}", None), (f"/maven/{PATH}.sha1", None)] == asked
    assert [path] == list(path.parent.iterdir())


def test_a_repository_may_be_a_directory(tmp_path):
    """A repository named by a file address needs no server and no network."""
    held = tmp_path / "repository of ours" / PATH
    held.parent.mkdir(parents=True)
    held.write_bytes(BODY)
    repository = (tmp_path / "repository of ours").as_uri()
    assert JarCache(tmp_path / "cache", repository).resolve(JAR).read_bytes() == BODY
    assert held.read_bytes() == BODY


def test_the_resolvers_configuration_names_the_repositories(tmp_path, server, nobodys_configuration):
    """Without a repository of our own jgo asks those of its configuration; the environment's comes first."""
    (nobodys_configuration / "jgo.conf").write_text(f"[repositories]\ncentral = http://{server[0]}\n")
    assert JarCache(tmp_path).resolve(JAR).read_bytes() == BODY
    os.environ[REPOSITORY] = "http://localhost:1"
    with pytest.raises(JobError, match="http://localhost:1: Connection refused"):
        JarCache(tmp_path / "other").resolve(JAR)


def test_a_jar_that_was_changed_in_the_cache_is_not_used(tmp_path, server):
    """Every use verifies the checksum: a file that is not the jar is fetched again, or refused without a network."""
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).write_bytes(b"another")
    with pytest.raises(JobError, match=r"org.example.deep:some-jar:1.2: .* does not match its pinned checksum. Hint: remove it"):
        JarCache(tmp_path, offline=True).resolve(JAR)
    assert JarCache(tmp_path, f"http://{server[0]}").resolve(JAR).read_bytes() == BODY


def test_what_does_not_hash_to_the_checksum_never_reaches_the_cache(tmp_path, server):
    """A repository that sends something else is refused, and nothing of it stays."""
    address, held, _ = server
    held[f"/maven/{PATH}"] = BODY + b"!"
    with pytest.raises(JobError, match=r"the jar that jgo fetched does not match its pinned checksum"):
        JarCache(tmp_path, f"http://{address}").resolve(JAR)
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("base", "reason"), [("http://localhost:1", "Connection refused"), ("http://{}/other", "not found in http://localhost"),
                                              ("nonsense", "Schema"), ("file:///nowhere", "not found in file:///nowhere")])  # fmt: skip
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


def test_a_download_that_is_cut_off_is_begun_anew(tmp_path, monkeypatch):
    """A connection that ends early is made again, and nothing of the first download is used; a jar that is not there is asked for once."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering(lambda path: 404 if path.endswith(".sha1") else BODY, [(CUT, BODY), RESET]) as repository:
        assert JarCache(tmp_path, repository.url).resolve(JAR).read_bytes() == BODY
        assert repository.asked.count(f"/{PATH}") == 3
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / PATH]
    with answering(404) as repository:
        with pytest.raises(JobError, match="not found"):
            JarCache(tmp_path / "other", repository.url).resolve(JAR)
        assert len(repository.asked) == 1


def test_a_login_in_the_address_is_sent_and_never_shown(tmp_path, server):
    """User and password of a repository go into the request's header, and into no message."""
    address, held, asked = server
    JarCache(tmp_path, f"http://me:se%20cret@{address}").resolve(JAR)
    assert (f"/maven/{PATH}", "Basic bWU6c2UgY3JldA==") == asked[0]
    held.clear()
    for unreachable in (f"http://me:secret@{address}", "http://me:secret@localhost:1"):
        with pytest.raises(JobError) as raised:
            JarCache(tmp_path / "other", unreachable).resolve(JAR)
        assert "secret" not in str(raised.value)


MAVEN = """#!/bin/sh
for argument; do case $argument in -DoutputDirectory=*) into=${argument#*=} ;; -Dartifact=*) artifact=${argument#*=} ;; esac; done
"""
"""The part of Maven's command line that is relied on, for a program in its place; `test_maven_itself` uses the real one."""
PUTS = MAVEN + '[ "$artifact" = org.example.deep:some-jar:1.2 ] && printf "the jar" > "$into/some-jar-1.2.jar"\n'
FAILS = MAVEN + """echo '[ERROR] Failed to execute goal x: Could not find it in own (https://me:secret@host/maven)'; exit 1
"""


def put_maven(home, script):
    """A program mvn on the PATH."""
    program = home / "bin" / "mvn"
    program.write_text(script)
    program.chmod(0o755)


def test_maven_is_used_where_its_user_has_configured_it(tmp_path, nobodys_configuration):
    """jgo reads no settings.xml: with one, and Maven installed, Maven fetches; a repository of our own is for jgo in any case."""
    put_maven(nobodys_configuration, PUTS)
    assert resolver(None)[0] == "jgo"
    (nobodys_configuration / ".m2").mkdir()
    (nobodys_configuration / ".m2" / "settings.xml").write_text("<settings/>")
    assert resolver("https://host/maven")[0] == "jgo"
    assert resolver(None)[0] == "Maven"
    assert JarCache(tmp_path).resolve(JAR) == tmp_path / PATH
    assert [tmp_path / PATH] == list((tmp_path / PATH).parent.iterdir())


def test_what_maven_says_is_told_without_logins(tmp_path, nobodys_configuration, monkeypatch):
    """Without jgo Maven fetches, and its reason is told on one line; what it brings is verified, too."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    put_maven(nobodys_configuration, FAILS)
    with pytest.raises(JobError, match=r"fetched with Maven \(Could not find it in own \(https://host/maven\)\)\. Hint: ") as raised:
        JarCache(tmp_path).resolve(JAR)
    assert "\n" not in str(raised.value)
    put_maven(nobodys_configuration, PUTS.replace("the jar", "another"))
    with pytest.raises(JobError, match="the jar that Maven fetched does not match its pinned checksum"):
        JarCache(tmp_path).resolve(JAR)
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_a_resolver_the_hint_says_what_to_install(tmp_path, monkeypatch):
    """Neither jgo nor Maven: one line with what brings jgo, and where the file may be put by hand."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(JobError, match=r"neither jgo nor Maven is installed .* Hint: pip install 'flink-masking\[jars\]', or put "):
        JarCache(tmp_path).resolve(JAR)
    with pytest.raises(JobError, match=r"1\.2: jgo is not installed "):
        JarCache(tmp_path, "https://host/maven").resolve(JAR)


@pytest.mark.skipif(shutil.which("mvn") is None, reason="Maven is not installed")
def test_maven_itself(tmp_path, long_form, monkeypatch):
    """The installed Maven takes the command line that it is given; it may fetch its plugins first, so this is of the long form."""
    if not long_form:
        pytest.skip("FLINK_MASKING_LONG=1 asks for it")
    monkeypatch.undo()
    _, fetch = resolver(None, Path(__file__))
    known = CONNECTORS["kafka"]
    fetch(known.coordinates, tmp_path)
    assert [known.sha256] == [hashlib.sha256(file.read_bytes()).hexdigest() for file in tmp_path.iterdir()]


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
