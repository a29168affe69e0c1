"""Released values that break their declaration: the view shows *** in their place, and the verifier expects it."""

import json

import pytest

from flink_masking.keys.ring import KeyRing
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.verify.files import verify

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  age: {class: quasi, domain: [0, 100]}
  value: {class: sensitive, %s}
segments:
  partners: {view: anonymized, k: 3, quasi_identifiers: [age], release: [value], max_buffer: 40, l_diversity: {field: value, l: 2}}
"""
DECLARED = {
    "pattern": ('pattern: "[A-Z][0-9]{2}"', ["A10", "B20", "C30"], ["A1", "a10", "A10 ", "Zoë", 7, True]),
    "values": ("values: [flu, asthma]", ["flu", "asthma"], ["Flu", "flu, ask Ömer", 1]),
    "prefix": ("prefix: 3", ["abc", "é", "ab", 12], ["abcd", 1234]),
    "integer": ("type: integer, domain: [1, 9]", [1, 5, 9], [0, 10, "5", 5.5, True]),
    "number": ("type: number, domain: [0, 9], scale: 2", [1, 5.25, 0.1], [-1, 9.5, "5", 1.1234567, False]),
    "boolean": ("type: boolean", [True, False], ["true", 1]),
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_value_that_breaks_its_declaration_is_expected_hidden(name, write):
    """A view with *** for values that break a declaration keeps every promise; one with such a value in clear does not."""
    declared, good, bad = DECLARED[name]
    source = PolicySource("policy.yaml", POLICY % declared)
    records = [{"id": f"P{k}", "age": k % 7, "value": (bad[k % len(bad)] if k % 5 == 0 else None if k % 11 == 0 else good[k % len(good)])}
               for k in range(200)]
    protector = Protector(source, KeyRing.ephemeral())
    result = protector.protect([json.dumps(record) for record in records])
    lines = [json.loads(line) for line in [*result.released["partners"], *protector.finish()["partners"]]]
    hidden = [line for line in lines if line["value"] == "***"]
    assert not result.quarantine and len(hidden) > 10 and not any(line["value"] in bad and line["value"] not in good for line in lines)
    raw, partners = write("raw.jsonl", records), write("partners/part-0", lines)
    report = verify(source, raw, partners)
    assert {promise.name: promise.verdict for promise in report.promises if promise.verdict != "held"} == {}
    hidden[0]["value"] = "something else"
    report = verify(source, raw, write("partners/part-0", lines))
    assert "broken" in {promise.verdict for promise in report.promises if promise.name == "covered"}
