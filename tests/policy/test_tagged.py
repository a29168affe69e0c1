"""Classes from tags of a lock file, and rules that name a class or a tag."""

import re

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import PolicyError
from flink_masking.policy.load import load
from flink_masking.policy.lock import LockedField, SchemaLock, SchemaVersion
from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import read_policy

POLICY = """\
version: 1
stream: orders
tags:
  source: registry
  map: {PII: direct, PII.email: {class: direct, type: email}, SENSITIVE: sensitive, NOTE: none}
segments:
  analytics:
    view: masked
    rules:
      class:direct: redact
      tag:PII.email: {technique: partial, keep_first: 1, keep_after: "@"}
      class:sensitive: nullify
"""
LOCK = SchemaLock("registry", "orders-value", "AVRO", {
    "email": LockedField(type="string", tags=("PII.email",)), "home.phone": LockedField(type="string", tags=("PII.phone",)),
    "diagnosis": LockedField(type="string", tags=("SENSITIVE",)), "amount": LockedField(type="double"),
    "remark": LockedField(type="string", tags=("NOTE",)), "card": LockedField(type="string", tags=("PCI",)),
})


def source(old="", new="", lock=LOCK):
    """The policy with one text replaced by another, and its lock file."""
    assert old in POLICY
    return PolicySource("policy.yaml", POLICY.replace(old, new, 1), {} if lock is None else {"contract.lock.yaml": lock.text()})


def techniques(loaded, segment="analytics"):
    """Technique by path, without what is dropped."""
    return {path: rule.technique.name for path, rule in loaded.rules(segment).items() if rule.technique.name != "drop"}


def test_tagged_fields_are_declared_and_ruled():
    """Fields of the lock file have the class of their tags; a rule for the tag goes before that for the class."""
    loaded = load(source())
    assert {path: (field.role, field.type) for path, field in loaded.policy.fields.items()} == {
        "email": ("direct", "email"), "home.phone": ("direct", None), "diagnosis": ("sensitive", None)}
    assert techniques(loaded) == {"email": "partial", "home.phone": "redact", "diagnosis": "nullify"}
    assert loaded.tagged.rules["analytics"] == {"class:direct": ("home.phone",), "tag:PII.email": ("email",),
                                                "class:sensitive": ("diagnosis",)}


def test_what_no_tag_names_is_not_declared():
    """Untagged fields are declared only where the policy says so, and never one whose tag is not mapped; both are warnings."""
    loaded = load(source("  map:", "  untagged: plain\n  map:"))
    assert {path for path, field in loaded.policy.fields.items() if field.role == "plain"} == {"amount", "remark"}
    texts = [fault.message for fault in loaded.warnings]
    assert any("not mapped: 'PCI'" in text for text in texts)
    assert any("have no class and are not declared: 'card'" in text for text in texts)
    assert "amount" not in load(source()).policy.fields


def test_the_rule_of_a_field_or_its_parent_goes_first():
    """A rule for the field, or for the object that it lies in, goes before those for tags and classes; the default comes last."""
    own = "      email: nullify\n      home: redact\n      class:direct: keep\n      '*': keep\n"
    loaded = load(source("      class:direct: redact\n", own))
    assert techniques(loaded) == {"email": "nullify", "home": "redact", "diagnosis": "nullify"}


def test_a_declaration_in_the_policy_counts():
    """What the policy declares itself stays so; a tag that says otherwise is a warning at the declaration."""
    loaded = load(source("segments:", "fields: {email: {class: plain}, home.phone: {class: direct}}\nsegments:"))
    assert (loaded.policy.fields["email"].role, loaded.policy.fields["email"].type) == ("plain", None)
    warnings = [(fault.line, fault.message) for fault in loaded.warnings if "is declared" in fault.message]
    assert warnings == [(6, "'email' is declared plain, and its tags say direct (PII.email)")]


def test_lost_tags_count_and_warn():
    """A tag that the source has lost still decides the class, and check says so."""
    lost = SchemaLock("registry", "orders-value", "AVRO", {**LOCK.fields, "email": LockedField(type="string", lost=("PII.email",))})
    loaded = load(source(lock=lost))
    assert loaded.policy.fields["email"].role == "direct"
    assert any("have lost a tag" in fault.message and "'email'" in fault.message for fault in loaded.warnings)


def test_a_class_stated_by_the_contract_counts_before_tags():
    """flinkMasking.class and .type of a data contract go before its tags."""
    stated = LockedField.model_validate({"type": "string", "tags": ["PII"], "class": "sensitive", "holds": "iban"})
    loaded = load(source(lock=SchemaLock("odcs", "orders", "ODCS", {**LOCK.fields, "iban": stated})))
    assert (loaded.policy.fields["iban"].role, loaded.policy.fields["iban"].type) == ("sensitive", "iban")


def test_classes_work_without_tags():
    """A policy without the section tags names classes of the fields that it declares."""
    text = ("version: 1\nstream: s\nfields: {a: {class: direct}, b: {class: plain, type: uuid}}\n"
            "segments: {v: {view: masked, rules: {class:direct: redact, class:plain: keep}}}\n")
    assert techniques(load(PolicySource("p", text)), "v") == {"a": "redact", "b": "keep"}


@pytest.mark.parametrize("old, new, line, what", [
    ("class:direct:", "class:dirct:", 10, "'dirct' is no class"),
    ("tag:PII.email:", "tag:PII.emial:", 11, r"no field of the lock file has the tag 'PII\.emial'"),
    ("class:direct: redact", "class:direct: {technique: partail}", 10, "unknown technique 'partail'"),
    ("class:direct: redact", "class:direct: {technique: shuffle, group: [amount]}", 10, "two or more different fields"),
    ("map:", "file: x.avsc\n  map:", 3, "has a file, and the source registry has none"),
    ("source: registry", "source: odcs", 3, "has no file"),
    ("source: registry", "source: datahub", 4, "no such choice"),
    ("PII: direct,", "PII: secret,", 5, "no such choice"),
    ("{class: direct, type", "{clas: direct, type", 5, "unknown key 'clas'|'class' is missing"),
    ("  map: {PII: direct, PII.email: {class: direct, type: email}, SENSITIVE: sensitive, NOTE: none}", "  map: {}", 5, "not be empty"),
])
def test_faults_have_their_place(old, new, line, what):
    """Whatever is wrong with tags or rules by name is a fault with its line."""
    with pytest.raises(PolicyFaults) as caught:
        load(source(old, new))
    assert any(fault.line == line and re.search(what, fault.message) for fault in caught.value.faults), caught.value.faults


@pytest.mark.parametrize("text", ["", "lock: 2\nsource: a\nname: b\nformat: AVRO\nfields: {}\n", "fields: {}\n", "[]\n", "lock: 1\n\tx",
                                  LOCK.text().replace("AVRO\"", 'AVRO"\nmore: 1'), LOCK.text().replace('"email":', '"a..b":')])
def test_a_lock_file_of_another_form_is_a_fault(text):
    """A lock file that cannot be read is a fault of the policy, with the command that makes it anew; so is one that is not there."""
    for files in ({"contract.lock.yaml": text}, {}):
        with pytest.raises(PolicyFaults) as caught:
            load(PolicySource("policy.yaml", POLICY, files))
        assert "contract pull policy.yaml" in caught.value.faults[0].hint


def test_neither_fields_nor_tags_is_a_fault():
    """A policy without tags must declare fields."""
    for text in ("", "fields: {}\n"):
        with pytest.raises(PolicyFaults) as caught:
            load(PolicySource("p", f"version: 1\nstream: s\n{text}segments: {{v: {{view: masked, rules: {{a: keep}}}}}}\n"))
        assert "'fields'" in caught.value.faults[0].message


def test_a_lock_file_reads_back_and_is_always_the_same():
    """Text and lock file are one; fields stand sorted by path, a line each."""
    lock = SchemaLock("registry", 'quo"ted: name', "AVRO", {
        'b."x.y"': LockedField.model_validate({"type": "string # no comment", "optional": False, "tags": ["A"], "lost": ["B"],
                                               "removed": True, "class": "direct", "holds": "email"}),
        "a[*]?.ü": LockedField(type="long | null")}, (SchemaVersion(digest="0" * 64, id=7, version=2), SchemaVersion(digest="1" * 64)))
    text = lock.text()
    read = SchemaLock.parse(text, "lock")
    assert (read, read.text()) == (lock, text)
    backwards = SchemaLock(lock.source, lock.name, lock.format, dict(reversed(lock.fields.items())), lock.versions)
    assert backwards.text() == text
    with pytest.raises(PolicyError, match="no lock file"):
        SchemaLock.parse(text.replace("optional: false", "optional: 1"), "lock")


def test_the_verifier_sees_the_fields_and_rules():
    """The verifier, which reads policies by itself, has the tagged fields and their rules, too; without the lock file it has a fault."""
    policy = read_policy(source(), people=False)
    assert policy.fields["home.phone"].role == "direct"
    rules = policy.segments["analytics"].rules
    assert {path: rule.technique for path, rule in rules.items()} == {"email": "partial", "home.phone": "redact", "diagnosis": "nullify"}
    with pytest.raises(PolicyFaults, match="contract pull"):
        read_policy(source(lock=None), people=False)


def test_every_way_to_use_the_policy_sees_the_fields():
    """The same policy protects records: tagged fields by their rules, and what the lock file does not have goes to quarantine."""
    from flink_masking import KeyRing, Protector

    protector = Protector(source(), KeyRing.ephemeral())
    records = [b'{"email":"john@example.com","home":{"phone":"1 555"},"diagnosis":"E10"}', b'{"email":"a@b.cd","card":"4111"}']
    result = protector.protect(records)
    assert result.views["analytics"].to_pylist() == [b'{"email":"j***@example.com","home":{"phone":"***"},"diagnosis":null}', None]
