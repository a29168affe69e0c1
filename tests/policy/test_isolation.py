"""Segments that share a key domain: a warning, or an error where isolation is strict, at the line and column of the domain."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.schema import json_schema
from flink_masking.policy.source import PolicySource
from flink_masking.techniques.registry import TECHNIQUES

POLICY = """\
version: 1
stream: orders
subject: customer
fields: {customer: {class: identifier}, email: {class: direct}, amount: {class: measure, scale: 2}, at: {class: plain, type: datetime}}
{TOP}segments:
  one: {view: masked, rules: {customer: {technique: pseudonym, domain: person}, "*": drop}}
  two: {view: masked, order: shuffled, rules: {
    {RULE},
    "*": drop}}
"""


def source(rule, top=""):
    """The policy with a rule of the second segment and further lines on top."""
    return PolicySource("policy.yaml", POLICY.replace("{RULE}", rule).replace("{TOP}", top))


SAME = "customer: {technique: pseudonym, domain: person}"


def test_a_shared_domain_is_a_warning_at_its_place():
    """Two segments with one key domain load with one warning, at the domain of the later one."""
    loaded = load(source(SAME))
    assert [(fault.line, fault.column, fault.severity) for fault in loaded.warnings] == [(8, 46, "warning")]
    fault = loaded.warnings[0]
    assert fault.message == "'two' and 'one' share the key domain 'person', so their values can be joined"
    assert "shared_domains: [person]" in fault.hint


def test_strict_isolation_makes_it_an_error():
    """With isolation: strict the same finding is an error, at the same place."""
    with pytest.raises(PolicyFaults) as caught:
        load(source(SAME, "isolation: strict\n"))
    assert [(fault.line, fault.column, fault.severity) for fault in caught.value.faults] == [(9, 46, "error")]


@pytest.mark.parametrize("top", ["", "isolation: strict\n", "isolation: shared\n"])
def test_a_domain_that_is_named_is_meant(top):
    """A domain under shared_domains gives neither a warning nor an error."""
    assert load(source(SAME, f"{top}shared_domains: [person]\n")).warnings == []


def test_domains_apart_are_isolated():
    """Segments with domains of their own pass strict isolation; several rules of one segment may share a domain."""
    rule = "customer: {technique: pseudonym, domain: other}, email: {technique: pseudonym, domain: other}"
    assert load(source(rule, "isolation: strict\n")).warnings == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("email: {technique: pseudonym, domain: person}", "can be joined"),
        ("email: {technique: encrypt, domain: person}", "are opened by the same keys"),
        ("customer: {technique: encrypt_deterministic, domain: person}", "are opened by the same keys"),
        ("customer: {technique: fpe, domain: person, alphabet: alphanumeric}", "are opened by the same keys"),
        ("email: {technique: tokenize, domain: person}", "are opened by the same keys"),
        ("email: {technique: substitute, as: email, domain: person}", "are opened by the same keys"),
        ("at: {technique: date_shift, max_days: 3, domain: person}", "are opened by the same keys"),
        ("amount: {technique: perturb, relative: 0.1, scale: 2, mode: keyed, domain: person}", "are opened by the same keys"),
    ],
)
def test_every_technique_with_keys_counts(rule, words):
    """A domain is shared whatever the techniques are; what that means depends on whether they are the same."""
    assert [fault.message.rpartition("their values ")[2] for fault in load(source(rule)).warnings] == [words]


@pytest.mark.parametrize(
    ("technique", "field", "more", "found"),
    [
        ("date_shift", "at", "max_days: 3", True),
        ("substitute", "email", "as: email", True),
        ("substitute", "email", "as: email, mode: random", False),
        ("perturb", "amount", "relative: 0.1, scale: 2, mode: keyed", True),
        ("perturb", "amount", "relative: 0.1, scale: 2", False),
        ("encrypt", "email", "domain: d", True),
        ("encrypt_deterministic", "email", "domain: d", True),
    ],
)
def test_domains_that_are_not_written_are_shared_too(technique, field, more, found):
    """Rules without a domain share the technique's own; random ones have none."""
    rule = f"{field}: {{technique: {technique}, {more}}}"
    first = source(rule).text.replace("rules: {customer: {technique: pseudonym, domain: person}", f"rules: {{{rule}", 1)
    assert bool(load(PolicySource("policy.yaml", first)).warnings) is found


def test_the_default_rule_counts():
    """A domain of the rule for all other fields is found, at its place."""
    text = POLICY.replace("{TOP}", "isolation: strict\n").replace("{RULE}", "email: drop")
    text = text.replace('    "*": drop}}', '    "*": {technique: pseudonym, domain: person}}}')
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", text))
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(10, 41)]


@pytest.mark.parametrize("part", ["key: {technique: pseudonym, domain: §person}", "headers: {h: {technique: pseudonym, domain: §person}}"])
def test_rules_for_key_and_headers_count(part):
    """A domain of a rule for a record's key or headers is found, at its place."""
    text = POLICY.replace("{TOP}", "isolation: strict\n").replace("{RULE}", "email: drop").rstrip()
    marked = text.removesuffix("}}") + "},\n    record: {" + part + "}}\n"
    before, _, after = marked.partition("§")
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", before + after))
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(11, len(before) - before.rfind("\n"))]


def test_a_shared_domain_that_nobody_shares_is_doubtful():
    """A name under shared_domains that no two segments use is a warning, with the name that was meant."""
    loaded = load(source(SAME, "shared_domains: [person, persn]\n"))
    assert [(fault.line, fault.column, fault.message, fault.hint) for fault in loaded.warnings] == [
        (5, 26, "no two segments share the key domain 'persn'", "did you mean 'person'?")]


@pytest.mark.parametrize(("top", "message"), [("isolation: strct\n", "'isolation' has no such choice"),
                                              ("shared_domains: person\n", "'shared_domains' must be a list, not text"),
                                              ("shared_domain: [person]\n", "unknown key 'shared_domain'")])
def test_faults_of_form(top, message):
    """The two keys are checked as all of the grammar is."""
    with pytest.raises(PolicyFaults) as caught:
        load(source(SAME, top))
    assert [fault.message for fault in caught.value.faults] == [message]
    assert caught.value.faults[0].line == 5


def test_the_schema_knows_both_keys():
    """Editors are told of isolation and shared_domains, with what they mean."""
    properties = json_schema()["properties"]
    assert properties["isolation"]["enum"] == ["shared", "strict"] and "key domain" in properties["isolation"]["description"]
    assert properties["shared_domains"]["type"] == "array"


def test_only_techniques_with_keys_have_a_domain():
    """The techniques that take keys from a domain are those the documentation names, and those that have such for parts of a value."""
    made = {name: [technique.promises(technique.params.model_validate(example)) for example in technique.examples]
            for name, technique in TECHNIQUES.items()}
    found = {name for name, promises in made.items() if any(one.domain is not None and not one.parts for one in promises)}
    assert found == {"pseudonym", "fpe", "encrypt", "encrypt_deterministic", "tokenize", "substitute", "date_shift", "perturb"}
