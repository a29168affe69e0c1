"""flink-masking run, up to the point where a Java virtual machine would start."""

import sys

import pytest

from flink_masking.cli.addresses import absolute
from flink_masking.cli.run import prepare, show_why_empty, too_many
from flink_masking.errors import InputError
from flink_masking.keys.providers.address import Address
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.tools.reconcile import SegmentAccount, Summary

POLICY = """\
version: 1
stream: orders
fields:
  customer: {class: identifier}
  mail: {class: direct}
segments:
  analytics: {view: masked, rules: {customer: {technique: pseudonym, domain: customer}, mail: nullify}}
"""
FIGURES = """\
    view: aggregated
    window: {tumbling: 1min}
    metrics: {orders: count}
    privacy: {epsilon: 1.0, delta: 1.0e-9, max_groups_per_subject: 1, max_records_per_group: 3, lifetime_epsilon: 100.0}
"""
GROUPS = f"""\
version: 1
stream: orders
subject: customer
event_time: {{field: time}}
fields:
  customer: {{class: identifier}}
  time: {{class: plain, type: datetime}}
  age: {{class: quasi, domain: [0, 120]}}
segments:
  analytics: {{view: masked, rules: {{customer: drop, time: drop, age: drop}}}}
  partners: {{view: anonymized, k: 5, quasi_identifiers: [age], max_delay: 30s, max_buffer: 100}}
  figures:
{FIGURES}  more:
{FIGURES}"""
OURS = {"analytics", "audit", "quarantine", "summary.json"}


@pytest.fixture
def place(tmp_path):
    """A directory with a policy and an input."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "in.jsonl").write_text("{}\n")
    return tmp_path


@pytest.fixture
def run(cli, place, key_uri, monkeypatch):
    """The command with a policy text, where any start of Java would fail loudly."""
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")
    monkeypatch.setitem(sys.modules, "pyflink", None)

    def run(text=POLICY, keys=key_uri, input_="in.jsonl", output="out", extra=()):
        (place / "policy.yaml").write_text(text)
        return cli("run", place / "policy.yaml", "--input", place / input_, "--output", place / output, "--keys", keys, *extra)

    return run


def test_an_unknown_technique_ends_before_flink(run, place):
    """A faulty policy ends with 2, with place and hint, and nothing is written."""
    done = run(POLICY.replace("nullify", "nulify"))
    assert (done.code, done.out) == (2, "")
    assert f"{place / 'policy.yaml'}:7:" in done.err and "did you mean 'nullify'" in done.err
    assert "Traceback" not in done.err and not (place / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe", b'{"format":"flink-masking key ring 1","versions":[]}'])
def test_keys_that_cannot_be_read_end_before_flink(run, place, content):
    """A key ring that is missing or broken ends with 1 and a hint, without its content, and nothing is written."""
    path = place / "keys.json"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    done = run(keys=f"file://{path}")
    assert (done.code, done.out) == (1, "")
    assert "keys.json" in done.err and "Hint: " in done.err and "Traceback" not in done.err
    assert not (place / "out").exists()


@pytest.mark.parametrize("keys", ["env://NO_SUCH_VARIABLE", "file://", "/plain/path", "vault://x", "file:///"])
def test_an_address_without_keys_ends_before_flink(run, place, keys):
    """An address that leads to no key ring ends with 1 and a hint."""
    done = run(keys=keys)
    assert done.code == 1 and "Hint: " in done.err and "Traceback" not in done.err and not (place / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_": "nowhere"}, "there is no such file"),
        ({"input_": "empty"}, "holds no files"),
        ({"output": "in.jsonl"}, "is a file"),
        ({"output": "full"}, "not empty"),
        ({"output": "full", "extra": ["--overwrite"]}, "was not written by a run"),
    ],
)
def test_input_and_output_are_checked_before_flink(run, place, options, said):
    """What cannot be read or must not be overwritten ends with 1 and one short message."""
    (place / "empty").mkdir()
    (place / "empty" / ".hidden").write_text("{}\n")
    (place / "full").mkdir()
    (place / "full" / "mine.txt").write_text("precious")
    done = run(**options)
    assert done.code == 1 and said in done.err and "Hint: " in done.err and len(done.err.splitlines()) <= 3
    assert (place / "full" / "mine.txt").read_text() == "precious" and (place / "in.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize(("share", "quarantined", "expected"), [
    (None, 100, False), (0, 0, False), (0, 1, True), (0.01, 1, False), (0.01, 2, True), (1, 100, False)])  # fmt: skip
def test_a_share_of_the_quarantine_is_too_large(share, quarantined, expected):
    """More than the share that --max-quarantined allows; without the option none is."""
    assert too_many(Summary(100, quarantined, {}, {}), share) is expected


def test_an_empty_view_says_why(place, capsys):
    """Of groups: how many people fit together; of figures: how many people a group needs; other views say nothing."""
    (place / "groups.yaml").write_text(GROUPS)
    summary = Summary(40, 2, {"analytics": SegmentAccount(0, 0, 0), "partners": SegmentAccount(0, 38, 0),
                              "figures": SegmentAccount(0, 38, 0), "more": SegmentAccount(38, 0, 1)}, {"malformed": 2})  # fmt: skip
    show_why_empty(load(PolicySource.read(place / "groups.yaml")), summary)
    partners, figures = capsys.readouterr().out.splitlines()
    assert partners.startswith("partners is empty: 38 events could be shown") and "needs 5 distinct people" in partners
    assert figures.startswith("figures is empty: groups are ") and "people" in figures


def test_parallelism_is_a_positive_number(run):
    """An option out of range is a usage error."""
    assert run(extra=["--parallelism", "0"]).code == 2


def test_a_new_output_directory_is_made(place):
    """Parents included; an empty one that is there is taken as it is."""
    for _ in range(2):
        prepare(place / "in.jsonl", place / "a" / "b", OURS, False)
        assert list((place / "a" / "b").iterdir()) == []


def test_overwrite_removes_what_a_run_wrote_and_nothing_else(place):
    """Views, audit, quarantine and summary of this policy go; anything else in the directory stops the run before a file is removed."""
    out = place / "out"
    for name in ("analytics/.part", "audit/part-0", "summary.json"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("old")
    (out / "other").write_text("mine")
    with pytest.raises(InputError, match="other was not written by a run"):
        prepare(place / "in.jsonl", out, OURS, True)
    assert (out / "audit" / "part-0").exists() and (out / "other").exists()
    (out / "other").unlink()
    with pytest.raises(InputError, match="not empty"):
        prepare(place / "in.jsonl", out, OURS, False)
    prepare(place / "in.jsonl", out, OURS, True)
    assert list(out.iterdir()) == []


def test_overwrite_follows_no_links(place):
    """A link in the place of a view is removed at most, never what it leads to."""
    target = place / "target"
    target.mkdir()
    (target / "precious").write_text("mine")
    (place / "out").mkdir()
    (place / "out" / "audit").symlink_to(target)
    prepare(place / "in.jsonl", place / "out", OURS, True)
    assert (target / "precious").read_text() == "mine" and list((place / "out").iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("input_", "output"), [("d", "d"), ("d/in", "d"), ("d/in/raw.jsonl", "d"), ("d/in", "d/in/out"), ("link", "d")])
def test_input_and_output_may_not_hold_each_other(place, input_, output, overwrite):
    """An input within the output would be removed or mixed up; an output within an input directory would be read by the next run."""
    (place / "d" / "in").mkdir(parents=True)
    (place / "d" / "in" / "raw.jsonl").write_text("{}\n")
    (place / "link").symlink_to(place / "d" / "in")
    with pytest.raises(InputError, match=r"(lies in|inside) .*Hint: "):
        prepare(place / input_, place / output, {*OURS, "in"}, overwrite)
    assert (place / "d" / "in" / "raw.jsonl").exists()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("file://keys.json", "file://{here}/keys.json"),
        ("file://a%20b/../k%25.json", "file://{here}/k%25.json"),
        ("sqlite://v.db", "sqlite://{here}/v.db"),
        ("env://KEYS", "env://KEYS"),
        ("aws-kms://alias/x?region=eu-west-1&ring=file://keys.json", "aws-kms://alias/x?region=eu-west-1&ring=file://{here}/keys.json"),
        ("gcp-kms://p/k?ring=file%3A%2F%2Fa%26b.json", "gcp-kms://p/k?ring=file://{here}/a%26b.json"),
        ("azure-kv://v/k?ring=env://KEYS", "azure-kv://v/k?ring=env://KEYS"),
        ("vault://h:8200/secret/data/x?ca=ca.pem&tls=on#ring", "vault://h:8200/secret/data/x?ca={here}/ca.pem&tls=on#ring"),
        (
            "aws-kms://k?ring=vault://h/secret/data/x%3Ftoken_file%3Dt%23f",
            "aws-kms://k?ring=vault://h/secret/data/x%3Ftoken_file%3D{here}/t%23f",
        ),
        ("postgresql://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("aws-kms://k?ring", "aws-kms://k?ring"),
        ("keys.json", "keys.json"),
        ("file://", "file://"),
    ],
)
def test_paths_in_addresses_become_absolute(place, monkeypatch, given, wanted):
    """Paths of key rings and vaults, also those within the options of another address, are absolute before workers get them."""
    monkeypatch.chdir(place)
    whole = absolute(given)
    assert whole == wanted.format(here=place)
    if not given.startswith(("sqlite", "postgresql", "keys", "file:///")) and given not in ("file://", "aws-kms://k?ring"):
        before, after = Address.parse(given), Address.parse(whole)
        assert (before.scheme, before.field, set(before.options)) == (after.scheme, after.field, set(after.options))
