"""flink-masking broker and demo: options, and what is said and written where Java or a jar is missing; no Java is started."""

import json
import signal

import pytest

from flink_masking.keys.files import create


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without Java, a jar cache and a resolver of jars."""
    for name in ("JAVA_HOME", "M2_REPO", "FLINK_MASKING_MAVEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *package: None)
    handler = signal.getsignal(signal.SIGTERM)  # broker sets its own
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(("arguments", "said"), [
    (("broker", "--port", "0"), "--port"), (("broker", "--port", "65536"), "--port"), (("broker", "--prot", "1"), "--port"),
    (("demo", "--events", "10"), "--events"), (("demo", "--kafka", "yes"), "yes"),
])  # fmt: skip
def test_wrong_arguments_end_with_2(cli, tmp_path, monkeypatch, arguments, said):
    """An option out of range, one that is none and a value that none takes are bad usage, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments)
    assert (done.code, list(tmp_path.iterdir())) == (2, []) and said in done.err


@pytest.mark.parametrize("command", [("broker",), ("demo", "--kafka", "--events", "2000", "--directory", "here"),
                                     ("demo", "--governance", "--directory", "here")])
def test_without_java_or_jars_the_hint_says_what_to_install(cli, bare, tmp_path, monkeypatch, command):
    """Exit 1 and a hint, without a traceback."""
    monkeypatch.chdir(tmp_path)
    done = cli(*command)
    assert done.code == 1 and "Hint: " in done.err and "Traceback" not in done.err


def test_the_demonstrations_material_is_complete_before_anything_starts(cli, bare, tmp_path):
    """The policy, a key ring that is kept, and the events with the two that are shown in front lie in --directory."""
    keys = tmp_path / "keys.json"
    create(keys)
    before = keys.read_bytes()
    assert cli("demo", "--kafka", "--events", 2_000, "--directory", tmp_path).code == 1
    assert keys.read_bytes() == before
    records = [json.loads(line) for line in (tmp_path / "raw.jsonl").read_bytes().splitlines()]
    assert len(records) == 2_002 and records[0].items() <= records[1].items()
    assert cli("check", tmp_path / "policy.yaml").code == 0
