"""What a policy may say of erasure and of keys of subjects, and what is said of values that no erasure reaches."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: s
subject: id
erasure: {later: drop}
fields: {id: {class: identifier}, name: {class: direct}, card: {class: direct}}
segments:
  care:
    view: masked
    rules:
      name: {technique: encrypt, domain: p, per_subject: true}
      card: {technique: tokenize, domain: c}
"""


def read(*changes):
    """The policy with some of its text replaced."""
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load(PolicySource("policy.yaml", text))


def test_a_sound_policy_is_erasable():
    """Keys of subjects, or tokens under erasure, are what an erasure destroys; nobody is warned."""
    assert read().erasable and not [fault for fault in read().warnings if "erased" in fault.message]
    assert read(("erasure: {later: drop}\n", "")).erasable
    assert read((", per_subject: true", "")).erasable
    assert not read(("erasure: {later: drop}\n", ""), (", per_subject: true", "")).erasable


@pytest.mark.parametrize(("changes", "line", "what"), [
    ([("subject: id\n", ""), (", per_subject: true", "")], 3, "a subject is erased, and the policy names none"),
    ([("subject: id\nerasure: {later: drop}\n", "")], 8, "per_subject: values are encrypted under the key of a person"),
    ([("later: drop", "later: keep")], 4, "known choices: drop, pass"),
    ([("per_subject: true", "per_subject: 1")], 10, "must be true or false"),
])
def test_what_cannot_be_meant_is_an_error(changes, line, what):
    """Erasure and keys of subjects need a subject; values are those of the grammar; the place is told."""
    with pytest.raises(PolicyFaults) as raised:
        read(*changes)
    fault, = raised.value.faults
    assert what in f"{fault.message} {fault.hint}" and fault.line == line


def test_values_out_of_reach_are_warned_of():
    """A reversible rule that keeps nothing in the vault is a warning at its place, where erasure is asked for."""
    def warned(*changes):
        return [fault for fault in read(*changes).warnings if "after its subject was erased" in fault.message]

    (fault,) = warned((", per_subject: true", ""))
    assert fault.line == 10 and "'name'" in fault.message and "per_subject" in fault.hint
    assert not warned((", per_subject: true", ""), ("erasure: {later: drop}\n", ""))


def test_keys_of_a_topic_have_no_subject():
    """A Kafka key belongs to no subject, so it cannot be encrypted under the key of one."""
    with pytest.raises(PolicyFaults, match="masks by the person whom a record is about"):
        read(("    rules:", "    record: {key: {technique: encrypt_deterministic, domain: k, per_subject: true}}\n    rules:"))
