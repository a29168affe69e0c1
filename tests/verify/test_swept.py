"""Sweeps under audit: what should have been replaced is found by recognisers of the verifier's own."""

import json

import pytest
from planted import plant
from scan_samples import fhir

from flink_masking import KeyRing, Protector
from flink_masking.errors import PolicyError
from flink_masking.generate.payloads import payloads
from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import verify

POLICY = """\
version: 1
stream: events
unknown_fields: %s
fields: {id: {class: plain, optional: true}, "subject.display": {class: free_text, optional: true}}
segments: {support: {view: masked, rules: {%s}}}
"""


def view(place, records, unknown="scan", rules="id: keep"):
    """The policy, and a file with the view of these records."""
    source = PolicySource("policy.yaml", POLICY % (unknown, rules))
    made = Protector(source, KeyRing.ephemeral()).protect(records).views["support"].to_pylist()
    file = place / "support"
    file.write_bytes(b"".join(line + b"\n" for line in made if line is not None))
    return source, file


@pytest.mark.parametrize("rules", ["id: keep", 'id: keep, "*": redact_text'])
def test_a_sweep_holds(tmp_path, rules):
    """Views of FHIR with planted data, and of generated payloads, hold the promise; nothing that stays is taken for data."""
    planted, _ = plant(fhir(200, 3), 3)
    source, file = view(tmp_path, [*planted, *(payload.record for payload in payloads(300, 5))], rules=rules)
    report = verify(source, file, file)
    assert [(promise.name, promise.verdict, promise.found) for promise in report.promises] == [("swept", "held", "nothing")]
    assert report.counts == {"lines": 500}


@pytest.mark.parametrize(("member", "kind"), [
    ({"new": "to jane@example.com"}, "EMAIL 1"), ({"new": {"a": [4111111111111111]}}, "CARD_NUMBER 1"),
    ({"jane@example.com": 1}, "EMAIL 1"), ({"new": json.dumps({"a": json.dumps(["AKIAQOLXSBIO54RAYNSW"])})}, "AWS_ACCESS_KEY 1"),
    ({"subject": {"new": "DE89370400440532013000"}}, "IBAN 1"), ({"subject": {"display": "81.2.69.142"}}, "IP_ADDRESS 1"),
])  # fmt: skip
def test_what_a_sweep_has_left_breaks_the_promise(tmp_path, member, kind):
    """Data in a text, a number, a key, JSON inside of a text, an undeclared member of an object, or a declared member is found."""
    source, file = view(tmp_path, [b"{}"], rules='id: keep, "*": redact_text')
    file.write_text(json.dumps({"id": "of jane@example.com", **member}) + "\n")
    report = verify(source, file, file)
    assert report.broken and [promise.found for promise in report.promises] == [kind]


def test_a_segment_that_sweeps_nothing_is_not_verified(tmp_path):
    """A masked segment without a sweep is refused with a hint."""
    source, file = view(tmp_path, [b"{}"], unknown="drop")
    with pytest.raises(PolicyError, match="Hint"):
        verify(source, file, file, "support")


def test_changes_of_rows_are_verified_in_their_envelope(tmp_path):
    """Of a changelog the verifier reads what its sweep was for in every image, and finds what a sweep has left in one of them."""
    text = "record: {envelope: debezium}\n" + POLICY % ("scan", 'id: keep, "*": redact_text')
    source = PolicySource("policy.yaml", text)
    old, new = ({"id": "1", "subject": {"display": f"mail {name}@example.com"}} for name in ("jane", "joan"))
    record = json.dumps({"before": old, "after": new, "op": "u", "new": "john@example.com"}).encode()
    (made,) = Protector(source, KeyRing.ephemeral()).protect([record]).views["support"].to_pylist()
    file = tmp_path / "support"
    file.write_bytes(made + b"\n")
    assert not verify(source, file, file).broken and b"@" not in made
    file.write_bytes(record + b"\n")
    assert [promise.found for promise in verify(source, file, file).promises] == ["EMAIL 3"]
