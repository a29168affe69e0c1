"""Open objects, whose members a policy declares by ``*``: their keys are data, and leave as the segment's `keys` say."""

import orjson
import pytest

from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.vault.memory import MemoryVault

POLICY = """\
version: 1
stream: s
fields:
  id: {class: identifier}
  attrs.known: {class: plain}
  attrs.*: {class: quasi}
  devices.*.model: {class: plain}
  devices.*.owner: {class: direct}
segments:
  one:
    view: masked
    rules: {RULES}
    keys: {KEYS}
"""
VALUES = "{attrs.known: keep, attrs.*: {technique: pseudonym, domain: v}}"
NESTED = "{devices.*.model: keep, devices.*.owner: redact}"


def protected(rules, keys, *records, vault=None, ring=None):
    """The view of the records as Python objects, and what was quarantined."""
    text = POLICY.replace("{RULES}", rules).replace("{KEYS}", keys)
    result = Protector(load(PolicySource("policy.yaml", text)), ring or KeyRing.new(), vault).protect([orjson.dumps(r) for r in records])
    quarantined = {row: (entry["reason"], entry["path"]) for row, line in result.quarantine for entry in [orjson.loads(line)]}
    return [None if row is None else orjson.loads(row) for row in result.views["one"].to_pylist()], quarantined, result


def test_no_key_of_an_open_object_leaves():
    """Keys that name people come out as pseudonyms, the same for the same key; named members keep their names."""
    records = {"attrs": {"john.doe@example.com": "x", "known": 1, "Jane": "y"}}, {"attrs": {"Jane": 3}, "id": "a"}
    (first, second), quarantined, result = protected(VALUES, "{attrs.*: {technique: pseudonym, domain: k, prefix: k-}}", *records)
    assert quarantined == {} and [*first["attrs"]][1] == "known"
    (mail, _, jane), (again,) = first["attrs"], second["attrs"]
    assert jane == again and all(key.startswith("k-") and len(key) == 24 for key in (mail, jane))
    assert b"doe" not in b"".join(result.views["one"].to_pylist()) and b"Jane" not in b"".join(result.views["one"].to_pylist())
    assert orjson.loads(result.audit[0])["segments"]["one"]["keys"] == {"attrs.*": "pseudonym"}


def test_keys_are_masked_whatever_becomes_of_the_values():
    """Kept, hidden and dropped values have masked keys or none; so have members of objects in objects."""
    record = {"attrs": {"Jane": "y"}, "devices": {"Janes phone": {"model": "m1", "owner": "Jane"}, "other": {"model": "m2"}}}
    for rule in ("keep", "redact", "nullify"):
        (row,), _, _ = protected("{attrs.*: " + rule + "}", "{attrs.*: {technique: tokenize, domain: k}}", record, vault=MemoryVault())
        assert [len(key) for key in row["attrs"]] == [36] and "devices" not in row
    (row,), _, _ = protected(NESTED, "{devices.*: {technique: encrypt_deterministic, domain: k}}", record)
    assert [*row["devices"].values()] == [{"model": "m1", "owner": "***"}, {"model": "m2"}]
    assert all(key.startswith("fm1.") for key in row["devices"])


def test_plain_keys_stay():
    """Where the policy says that keys are no person's, they are left as they are."""
    (row,), _, _ = protected(VALUES, "{attrs.*: plain}", {"attrs": {"colour": "red"}})
    assert [*row["attrs"]] == ["colour"] and row["attrs"]["colour"] != "red"


@pytest.mark.parametrize(("on_error", "row", "quarantined"), [
    ("", {"attrs": {"kept": ...}}, {}), (", on_error: drop", {"attrs": {"kept": ...}}, {}),
    (", on_error: quarantine", None, {0: ("refused_key", "attrs.*")}),
])  # fmt: skip
def test_a_key_that_cannot_be_taken(on_error, row, quarantined):
    """A key that the technique refuses takes its member with it, or its record to quarantine; never does it leave in clear."""
    keys = "{attrs.*: {technique: fpe, domain: k, alphabet: digits" + on_error + "}}"
    (found,), rejected, _ = protected("{attrs.*: keep}", keys, {"attrs": {"John": 1, "1234567": 2, "éé": 3}})
    assert rejected == quarantined
    if row is None:
        assert found is None
    else:
        ((key, value),) = found["attrs"].items()
        assert key.isdigit() and len(key) == 7 and key != "1234567" and value == 2


def test_two_spellings_of_a_key_never_become_one():
    """A key that Unicode would compose into its neighbour is refused, so that no object of a view has a key twice."""
    keys = '{attrs.*: {technique: fpe, domain: k, alphabet: "aábcdefghiíjklmnoóprstuúvyž"}}'
    (row,), _, result = protected("{attrs.*: keep}", keys, {"attrs": {"žofie": 1, "z\u030cofie": 2}})
    assert [*row["attrs"].values()] == [1] and result.views["one"][0].as_py().count(b'":') == 2


def test_fields_below_masked_keys_come_back():
    """Values in an open object are opened again, under keys that stay masked."""
    from flink_masking.tools.unmask import Unmask

    ring, rules, keys = KeyRing.new(), "{attrs.*: {technique: encrypt, domain: v}}", "{attrs.*: {technique: pseudonym, domain: k}}"
    _, _, result = protected(rules, keys, {"attrs": {"Jane": "y"}}, ring=ring)
    loaded = load(PolicySource("policy.yaml", POLICY.replace("{RULES}", rules).replace("{KEYS}", keys)))
    (row,) = Unmask(loaded, "one", ring)(result.views["one"]).records.to_pylist()
    assert [*orjson.loads(row)["attrs"].values()] == ["y"] and b"Jane" not in row
