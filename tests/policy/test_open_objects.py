"""Rules for the keys of open objects: where one is needed, and what it may be."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.schema import json_schema
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  attrs.known: {class: plain, values: [a]}
  attrs.*: {class: quasi, values: [a]}
  devices.*.model: {class: plain, values: [a]}
{TOP}segments:
  one: {view: masked,
    {SEGMENT}}
"""


def loaded(segment, top=""):
    """The policy with a segment."""
    return load(PolicySource("policy.yaml", POLICY.replace("{SEGMENT}", segment).replace("{TOP}", top)))


@pytest.mark.parametrize(("rules", "place"), [
    ("rules: {attrs.*: {technique: pseudonym, domain: d}}", "attrs.*"), ("rules: {attrs.*: keep}", "attrs.*"),
    ("rules: {attrs.*: nullify}", "attrs.*"), ("rules: {attrs: keep}", "attrs.*"), ("rules: {devices.*.model: keep}", "devices.*"),
    ("rules: {devices.*.model: drop, id: drop}", "devices.*"), ("rules: {devices.*: keep}", "devices.*"),
    ('rules: {id: drop, attrs: drop, "*": redact}', "devices.*"),
])  # fmt: skip
def test_keys_need_a_rule_wherever_members_are_shown(rules, place):
    """Members that are not dropped bring their keys along, whatever becomes of their values: an error at the rule, with two ways out."""
    with pytest.raises(PolicyFaults) as caught:
        loaded(rules)
    (fault,) = caught.value.faults
    assert (fault.line, fault.message) == (11, f"the keys of '{place}' are data, and would leave in clear")
    assert f'keys: {{"{place}": {{technique: pseudonym' in fault.hint and "plain" in fault.hint
    assert loaded(f'{rules}, keys: {{"{place}": plain}}').warnings == []


@pytest.mark.parametrize("rules", [
    "rules: {id: redact}", "rules: {attrs: {technique: encrypt, domain: d}}", "rules: {attrs: redact, devices: drop}",
    "rules: {attrs.*: drop, attrs.known: keep}", "rules: {attrs.known: keep}",
])  # fmt: skip
def test_where_no_key_is_shown_none_is_asked_for(rules):
    """Dropped members, and objects that are replaced as a whole, show no keys; an entry for them is doubtful."""
    assert loaded(rules).warnings == []
    (warning,) = loaded(f'{rules}, keys: {{"attrs.*": plain}}').warnings
    assert "are not shown" in warning.message


@pytest.mark.parametrize(("rule", "words"), [
    ("{technique: pseudonym, domain: d, length: 8}", "can give two keys of an object one name"), ("redact", "can give two keys"),
    ("{technique: partial, keep_last: 2}", "can give two keys"), ("{technique: shuffle}", "can give two keys"), ("keep", "not for keys"),
    ("drop", "not for keys"), ("{technique: date_shift, max_days: 3}", "can give two keys"), ("pseudonim", "pseudonim"),
    ("{technique: pseudonym}", "domain"),
    ("{technique: pseudonym, domain: d, on_error: redact}", "'redact' would give several keys one name"),
    ("{technique: fpe, domain: d, alphabet: lower}", "a key could become 'known'"), ("3", "must be a technique"),
])  # fmt: skip
def test_what_is_no_rule_for_keys(rule, words):
    """Keys of one object must stay different, also from those that are named beside them; what cannot promise that is refused."""
    with pytest.raises(PolicyFaults) as caught:
        loaded(f'rules: {{attrs.*: keep, attrs.known: keep}}, keys: {{"attrs.*": {rule}}}')
    assert any(words in fault.message + fault.hint and fault.line == 11 for fault in caught.value.faults)


@pytest.mark.parametrize(("keys", "words"), [
    ("id: plain", "does not name the members of an open object"), ('"attr.*": plain', "did you mean 'attrs.*'"),
    ('"attrs.[": plain', "path"), ('"attrs.*": plain, "\\"attrs\\".*": plain', "is the same as"),
])  # fmt: skip
def test_keys_of_nothing(keys, words):
    """An entry that names no open object, or one twice, is an error at its key."""
    with pytest.raises(PolicyFaults) as caught:
        loaded(f"rules: {{attrs.*: keep}}, keys: {{{keys}}}")
    assert any(words in fault.message + fault.hint for fault in caught.value.faults)


def test_domains_of_keys_count():
    """A key domain that two segments share by a rule for keys is found, and tokens for keys need a vault."""
    more = 'rules: {attrs.*: keep}, keys: {"attrs.*": {technique: tokenize, domain: person}}}\n' \
           "  two: {view: masked, order: shuffled, rules: {id: {technique: tokenize, domain: person}}"
    found = loaded(more)
    assert any("share the key domain 'person'" in warning.message for warning in found.warnings)
    assert "one: attrs.*" in found.tokenised and found.keys("one")["attrs.*"].technique.name == "tokenize"


def test_undeclared_members_that_are_redacted_show_their_keys():
    """With unknown_fields: redact the keys of undeclared members stay, which is a warning."""
    (warning,) = loaded("rules: {id: redact}", "unknown_fields: redact\n").warnings
    assert warning.line == 9 and "their keys" in warning.message
    assert loaded("rules: {id: redact}", "unknown_fields: drop\n").warnings == []


def test_the_schema_knows_keys():
    """Editors are told of `keys`: plain, or a rule."""
    segment = json_schema()["$defs"]["MaskedSegment"]["properties"]["keys"]
    assert {"const": "plain"} in segment["additionalProperties"]["anyOf"] and "data" in segment["description"]
