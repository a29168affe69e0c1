"""flink-masking check."""

import re

import pytest

POLICY = """\
version: 1
stream: orders
subject: customer
event_time: {field: at, max_out_of_orderness: 5s}
fields:
  customer: {class: identifier}
  email: {class: direct, type: email}
  age: {class: quasi, domain: [0, 120]}
  amount: {class: measure, bounds: [1, 5], scale: 0}
  at: {class: plain, type: datetime}
segments:
  analytics:
    view: masked
    rules:
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      amount: keep
      at: {technique: generalize, date: hour}
      "*": drop
  partners:
    view: anonymized
    k: 5
    quasi_identifiers: [age]
    release: [amount]
"""


@pytest.fixture
def policy(tmp_path):
    """Write a policy, one text replaced by another, and return its path."""

    def write(old: str = "", new: str = ""):
        assert old in POLICY
        path = tmp_path / "policy.yaml"
        path.write_text(POLICY.replace(old, new, 1) if old else POLICY)
        return path

    return write


def test_a_sound_policy_is_summed_up(cli, policy):
    """A policy that can be used ends with 0 and a table of its segments."""
    path = policy()
    done = cli("check", path)
    assert (done.code, done.err) == (0, "")
    assert f"{path}: stream orders, version 1; 5 fields, 2 segments, 0 warnings" in done.out
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "masked" in rows["analytics"] and "partial, keep, generalize, drop" in rows["analytics"]
    assert "anonymized" in rows["partners"] and "age, amount" in rows["partners"] and "k = 5" in rows["partners"]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "named"),
    [
        ("partial,", "partail,", 15, 26, "partial"),
        ("k: 5", "k: 1", 21, 8, "k"),
        ("[age]", "[age, email]", 22, 30, "email"),
        ("amount: keep", "amuont: keep", 16, 7, "amount"),
    ],
)
def test_a_fault_is_shown_where_it_stands(cli, policy, old, new, line, column, named):
    """A fault ends with 2 and is printed as file:line:column: error: message, unbroken, with a hint below; nothing goes to stdout."""
    path = policy(old, new)
    done = cli("check", path)
    assert (done.code, done.out) == (2, "")
    first = next(text for text in done.err.splitlines() if text.startswith(f"{path}:{line}:{column}: error: "))
    assert named in done.err[done.err.index(first) :]
    assert "Traceback" not in done.err


def test_every_fault_is_shown(cli, policy):
    """All faults of a policy come in one go, each with its place, in the order of the text."""
    path = policy("k: 5", "k: 1")
    path.write_text(path.read_text().replace("amount: keep", "amount: {technique: nulify}"))
    done = cli("check", path)
    places = [int(found) for found in re.findall(rf"^{re.escape(str(path))}:(\d+):\d+: error: ", done.err, re.MULTILINE)]
    assert done.code == 2
    assert places == sorted(places) and {16, 21} <= set(places)


def test_long_lines_are_not_broken(cli, policy, monkeypatch):
    """However narrow the terminal, a fault and its hint take one line each."""
    monkeypatch.setenv("COLUMNS", "30")
    done = cli("check", policy("k: 5", "k: 1"))
    assert all(line.startswith(("    Hint: ", "/")) for line in done.err.splitlines())


def test_broken_yaml_is_a_fault_with_a_place(cli, policy):
    """A text that is no YAML is a fault at a line, not a traceback."""
    path = policy("segments:", "segments")
    done = cli("check", path)
    assert done.code == 2
    assert re.search(rf"{re.escape(str(path))}:1[0-3]:\d+: error: ", done.err)


def test_a_warning_does_not_refuse(cli, policy):
    """A policy with a warning can be used: it is printed with its place, and the exit code is 0."""
    path = policy("k: 5", "k: 4")
    done = cli("check", path)
    assert done.code == 0
    assert f"{path}:21:" in done.err and ": warning: " in done.err
    assert "1 warning" in done.out


def test_a_missing_policy_is_a_clear_error(cli, tmp_path):
    """A policy that is not there is named in one short message."""
    done = cli("check", tmp_path / "nowhere.yaml")
    assert done.code == 2
    assert "nowhere.yaml" in done.err and len(done.err.splitlines()) <= 3


def test_a_segment_without_delay_is_not_shown_as_k(cli, tmp_path):
    """Mode zero_delay forms no groups of k people, and the table says what it promises instead."""
    file = tmp_path / "policy.yaml"
    file.write_text("""\
version: 1
stream: s
subject: id
fields: {id: {class: identifier}, age: {class: quasi, domain: [0, 120]}}
segments:
  groups: {view: anonymized, k: 7, quasi_identifiers: [age]}
  values: {view: anonymized, mode: zero_delay, k: 6, quasi_identifiers: [age]}
""")
    rows = {line.split()[0]: line for line in cli("check", file).out.splitlines() if line.strip()}
    assert "k = 7" in rows["groups"]
    assert "k = " not in rows["values"] and "z = 6 by value, no groups" in rows["values"]


def test_long_names_of_fields_are_shown_whole(cli, tmp_path):
    """A field's name that is wider than its column goes on in the next line, and is not cut."""
    name = "policyHolder.addresses.current.postalCodeOfTheHolderOfThePolicy"
    (tmp_path / "policy.yaml").write_text(
        f"version: 1\nstream: s\nsubject: id\nfields: {{id: {{class: identifier}}, {name}: {{class: quasi, prefix: 5}}}}\n"
        f"segments: {{groups: {{view: anonymized, k: 5, quasi_identifiers: [{name}], max_delay: 30s}}}}\n")
    done = cli("check", tmp_path / "policy.yaml")
    words = done.out.partition("anonymized")[2].replace("k = 5", "").split()
    assert done.code == 0 and "".join(words) == name, done.out
