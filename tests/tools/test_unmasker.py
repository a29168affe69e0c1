"""The way back for services: nothing is opened without an audit that says who and why."""

import json

import pytest

from flink_masking import InputError, KeyRing, Protector, Unmasker, VaultError
from flink_masking.audit.events import broken_links
from flink_masking.errors import DecryptionError
from flink_masking.policy.source import PolicySource

POLICY = PolicySource("policy.yaml", """\
version: 1
stream: events
fields: {name: {class: direct, type: person}, card: {class: direct}, plain: {class: plain}}
segments:
  claims:
    view: masked
    rules: {name: {technique: encrypt, domain: person}, card: {technique: tokenize, domain: card}, plain: keep}
""")
WHO = {"actor": "jdoe", "purpose": "ticket 4711"}
RAW = [b'{"name":"Ada","card":"4111","plain":1}', b'{"name":"Bob","card":"4222","plain":2}']


@pytest.fixture
def masked(key_uri, tmp_path):
    """Records of the segment."""
    return Protector(POLICY, key_uri, f"sqlite:///{tmp_path / 'vault.db'}").protect(RAW).views["claims"]


def events(tmp_path):
    """What the audit says."""
    return [json.loads(line) for line in (tmp_path / "audit.jsonl").read_bytes().splitlines()]


def test_who_and_why_stand_in_the_audit_before_anything_is_opened(masked, key_uri, tmp_path):
    """The first event is there when the block begins, the second has the counts; the records are those that came in."""
    vault = f"sqlite:///{tmp_path / 'vault.db'}"
    with Unmasker(POLICY, "claims", key_uri, vault=vault, audit=tmp_path / "audit.jsonl", **WHO) as unmasker:
        [begun] = events(tmp_path)
        assert (begun["actor"], begun["purpose"], begun["outcome"], begun["fields"]) == ("jdoe", "ticket 4711", "begun", ["name", "card"])
        assert RAW == unmasker.unmask(masked).to_pylist()
    done = events(tmp_path)[1]
    assert (done["outcome"], done["records"], done["values"]["name"]["values"]) == ("done", 2, 2)
    assert broken_links((tmp_path / "audit.jsonl").read_bytes().splitlines()) == []


def test_a_failure_stands_in_the_audit(masked, tmp_path):
    """With another ring nothing opens, and the audit says that it failed, without a value."""
    with pytest.raises(DecryptionError), Unmasker(POLICY, "claims", KeyRing.ephemeral(), fields=["name"], audit=tmp_path / "audit.jsonl",
                                                  **WHO) as unmasker:
        unmasker.unmask(masked)
    assert [event["outcome"] for event in events(tmp_path)] == ["begun", "failed"]


def test_outside_of_a_block_nothing_opens(masked, key_uri, tmp_path):
    """Before and after the block `unmask` is refused, and without tokens' vault or a purpose there is no block."""
    unmasker = Unmasker(POLICY, "claims", key_uri, fields=["name"], audit=tmp_path / "audit.jsonl", **WHO)
    for _ in range(2):
        with pytest.raises(InputError, match="Hint: with Unmasker"):
            unmasker.unmask(masked)
        with unmasker:
            assert b'"name":"Ada"' in unmasker.unmask(masked).to_pylist()[0]
    with pytest.raises(VaultError):
        Unmasker(POLICY, "claims", key_uri, audit=tmp_path / "audit.jsonl", **WHO)
    with pytest.raises(InputError, match="purpose: one line"):
        Unmasker(POLICY, "claims", key_uri, actor="jdoe", purpose=" ", audit=tmp_path / "audit.jsonl")
