"""The command and its server: loopback only, bodies that no page sends, the newest edit first, no value in what it writes."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from studios import RunningStudio

from flink_masking.cli import main
from flink_masking.studio.worker import Worker


@pytest.fixture(scope="module")
def folder(tmp_path_factory, events, customer_policy):
    """With a policy and a sample."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "events.jsonl").write_bytes(events.read_bytes())
    (folder / "policy.yaml").write_text(customer_policy)
    return folder


@pytest.fixture(scope="module")
def studio(folder):
    """Running on them, and entered."""
    with RunningStudio(folder, "policy.yaml", "--sample", "events.jsonl") as running:
        running.enter()
        yield running


def command(monkeypatch, capsys, *arguments):
    """Run the command in this process: code and error text."""
    monkeypatch.setattr(sys, "argv", ["flink-masking", "studio", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code, capsys.readouterr().err


def test_it_listens_on_loopback_only(studio):
    """The port is open on 127.0.0.1 and on no other address of this machine."""
    port = int(studio.host.partition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        pass
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    open_ = [local.partition(":") for _, local, _, state, *_ in lines if state == "0A"]
    assert {address for address, _, number in open_ if int(number, 16) == port} == {"0100007F"}


def test_an_answer_comes_part_by_part(studio, customer_policy):
    """An edit is answered with faults, view, coverage, groups and joins, a line each."""
    status, parts = studio.post("answer", {"text": customer_policy, "page": "p", "number": 1})
    assert (status, [part["part"] for part in parts]) == (200, ["policy", "view", "coverage", "groups", "joins"])
    assert studio.post("view", {"text": customer_policy, "segment": "anonymized-customer-events"})[1]["kind"] == "lines"


def test_the_page_and_its_files(studio):
    """Everything that the page names is there, with its type, and is not kept by the browser; other names and paths are not there."""
    status, headers, page = studio.ask("GET", f"{studio.path}/")
    assert status == 200 and headers["content-type"].startswith("text/html") and headers["cache-control"] == "no-store"
    nonce = headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'content="{nonce}"'.encode() in page
    names = {part.partition('"')[0] for part in page.decode().split('"page/')[1:]}
    assert {"studio.js", "studio.css", "results.css", "icon.svg"} == names
    for name in (*names, "codemirror.js", "codemirror.LICENSE.txt"):
        assert studio.get(f"page/{name}")[0] == 200
    others = ("..", "../server.py", "%2e%2e/server.py", "__init__.py", "", "studio.js/", "x" * 5000)
    for name in ("server.py", *(f"page/{one}" for one in others)):
        assert studio.get(name)[0] == 404


@pytest.mark.parametrize("body", [
    b"", b"null", b"[]", b"{", b'"text"', b"\xff\xfe", b'{"text": 1}', b'{"text": "a", "other": 1}', b'{"text": "a", "start": -1}',
    b'{"text": "a", "number": 1e400}', b'{"text": "a", "raw": "yes"}', b'{"text": "\\ud800"}', b'{"text": "' + b"x" * 1_100_000 + b'"}',
    b"[" * 100_000], ids=range(14))
@pytest.mark.parametrize("name", ["answer", "view", "complete", "propose", "save"])
def test_bodies_that_the_page_never_sends(studio, name, body):
    """Other JSON, broken JSON, lone surrogates and large bodies are refused without being quoted, and the server goes on."""
    status, _, told = studio.ask("POST", f"{studio.path}/{name}", body, content_type="application/json")
    assert status == 400 and set(json.loads(told)) == {"error"} and b"xxx" not in told
    assert studio.get("digest")[0] == 200


def test_other_types_of_a_body_are_refused(studio):
    """What a form of another page could send is no JSON by its type."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert studio.ask("POST", f"{studio.path}/save", b'{"text":"","digest":""}', content_type=kind)[0] == 400


def test_the_guard_stands_in_front(studio):
    """Without its cookie, with another host or origin, the running server tells nothing."""
    path = f"{studio.path}/start"
    assert studio.ask("GET", path, cookie="")[0] == 403 and studio.ask("GET", path, host="localhost:80")[0] == 403
    assert studio.ask("POST", f"{studio.path}/save", b"{}", origin="http://attacker.example", content_type="application/json")[0] == 403
    assert studio.ask("GET", f"/?{studio.address.partition('?')[2]}")[0] == 403


def test_saving_and_conflicts(folder, events, customer_policy):
    """The file is saved, a change of it on disk is a conflict that leaves it, and nothing else is written."""
    (folder / "other").mkdir()
    with RunningStudio(folder / "other", "new.yaml", "--sample", "../events.jsonl") as running:
        running.enter()
        begun = json.loads(running.get("start")[1])
        assert (begun["new"], begun["text"], begun["digest"], begun["show_raw"]) == (True, "", "", False)
        status, told = running.post("save", {"text": customer_policy, "digest": ""})
        assert status == 200 and (folder / "other" / "new.yaml").read_text() == customer_policy
        (folder / "other" / "new.yaml").write_text("theirs")
        status, refused = running.post("save", {"text": "mine", "digest": told["digest"]})
        assert status == 409 and "not overwritten" in refused["error"] and (folder / "other" / "new.yaml").read_text() == "theirs"
        assert json.loads(running.get("digest")[1])["digest"] != told["digest"]
        assert [one.name for one in (folder / "other").iterdir()] == ["new.yaml"]


def test_nothing_of_the_sample_is_written(tmp_path):
    """After records that break every rule, and errors, the streams of the process hold the address and no value."""
    records = '{"email":"jane@example.com","n":1}\n{"email":"lost@example.com","secret":"s3cr3t"}\n{"email":\n'
    (tmp_path / "events.jsonl").write_text(records)
    text = ("version: 1\nstream: s\nfields:\n  email: {class: direct, type: email}\n  n: {class: plain}\nsegments:\n  m:\n"
            "    view: masked\n    rules: {email: {technique: partial, keep_first: 1}}\n")
    with RunningStudio(tmp_path, "--sample", "events.jsonl", "--show-raw") as running:
        running.enter()
        for edit in (text, text.replace("email}", "nothing}"), text.replace("stream: s", "stream: s\nformat: csv"), "\0"):
            running.post("answer", {"text": edit, "raw": True})
        running.get("proposals")
        running.ask("POST", f"{running.path}/answer", b'{"text":"jane@example.com', content_type="application/json")
        running.ask("GET", f"{running.path}/jane@example.com")
    written = "".join(running.written)
    assert "http://127.0.0.1:" in written and [word for word in ("jane", "lost", "s3cr3t", "Traceback") if word in written] == []


def test_the_newest_edit_goes_first():
    """Parts of an answer end when the same page has sent a newer edit; another page's answer goes on."""
    worker, made = Worker(), []

    def parts(name):
        for number in range(3):
            made.append((name, number))
            yield name, number

    async def run():
        old, other = worker.parts("page", 1, parts("old")), worker.parts("else", 1, parts("other"))
        first = [await anext(old), await anext(other)]
        new = [one async for one in worker.parts("page", 2, parts("new"))]
        late = [one async for one in worker.parts("page", 1, parts("late"))]
        return first, new, [one async for one in old], [one async for one in other], late

    first, new, old, other, late = asyncio.run(run())
    assert first == [("old", 0), ("other", 0)] and len(new) == 3 and old == late == [] and len(other) == 2
    assert ("old", 1) not in made and ("late", 0) not in made


def test_an_existing_default_file_is_not_opened_by_accident(folder, monkeypatch, capsys):
    """Without a policy's name, a policy.yaml that is there must be named."""
    monkeypatch.chdir(folder)
    code, told = command(monkeypatch, capsys, "--sample", "events.jsonl")
    assert code == 1 and "policy.yaml: already exists. " not in told and "Hint: to edit it" in told.replace("\n", " ")


@pytest.mark.parametrize(("arguments", "text"), [
    (("p.yaml", "--sample", "none.jsonl"), "there is no such file"), (("p.yaml", "--sample", "-"), "cannot be read twice"),
    ((".", "--sample", "events.jsonl"), "name a policy file"), (("p.yaml",), "--sample"),
    (("p.yaml", "--sample", "events.jsonl", "--keys", "file:///none"), "none")])
def test_what_cannot_be_opened_is_said(folder, monkeypatch, capsys, arguments, text):
    """Missing samples, standard input, directories in place of policies and key rings that are not there end with a message."""
    monkeypatch.chdir(folder)
    code, told = command(monkeypatch, capsys, *arguments)
    assert code and text in told


def test_a_port_in_use_is_said(folder, monkeypatch, capsys):
    """A port that another program has is named, with what to do."""
    monkeypatch.chdir(folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, told = command(monkeypatch, capsys, "p.yaml", "--sample", "events.jsonl", "--port", taken.getsockname()[1])
    assert code == 1 and "in use" in told and "omit it" in told


@pytest.mark.parametrize("module", ["starlette", "uvicorn"])
def test_without_the_extra_one_line_says_what_to_install(folder, monkeypatch, capsys, module):
    """Where the server's packages are missing, the message is the command that installs them."""
    monkeypatch.chdir(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] == module or name == "flink_masking.studio.server"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    code, told = command(monkeypatch, capsys, "p.yaml", "--sample", "events.jsonl")
    assert code == 1 and "Hint: pip install 'flink-masking[studio]'" in told
