"""Rules for a part of a value: joins over references, what becomes of other forms, Kafka's parts, unmask, and what check says."""

import orjson
import pyarrow as pa
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Parts
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.schema import json_schema
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.tools.unmask import Unmask

PATIENTS = """
version: 1
stream: patients
fields: {id: {class: identifier}}
segments: {m: {view: masked, rules: {id: {technique: pseudonym, domain: patient}}}}
"""
ENCOUNTERS = """
version: 1
stream: encounters
fields:
  subject.reference: {class: identifier}
  participant[*].individual.reference: {class: identifier}
segments:
  m:
    view: masked
    rules:
      subject.reference: {technique: pseudonym, domain: patient, within: [{prefix: "Patient/"}, {prefix: "urn:uuid:"}]ON_ERROR}
      participant[*].individual.reference: {technique: pseudonym, domain: doctor, within: {after: "|"}, on_error: drop}
"""


def rows(text, records, ring):
    """The view of records, and reasons of the quarantine."""
    done = Protector(load(PolicySource("p.yaml", text)), ring).protect([orjson.dumps(record) for record in records])
    reasons = {row: (entry["reason"], entry["path"]) for row, line in done.quarantine for entry in [orjson.loads(line)]}
    return [None if row is None else orjson.loads(row) for row in done.views["m"].to_pylist()], reasons


def encounter(reference, *doctors):
    """A record as FHIR has it."""
    return {"subject": {"reference": reference}, "participant": [{"individual": {"reference": doctor}} for doctor in doctors]}


def test_references_join_with_the_records_that_they_name():
    """Every reference holds the pseudonym of the patient that it names, in each of its forms; nothing else of it changes."""
    ring = KeyRing.new()
    patients, _ = rows(PATIENTS, [{"id": f"ab-{number}"} for number in range(100)], ring)
    names = [f"Patient/ab-{number % 100}" if number % 3 else f"urn:uuid:ab-{number % 100}" for number in range(3_000)]
    text = ENCOUNTERS.replace("ON_ERROR", "")
    found, reasons = rows(text, [encounter(name, "Practitioner?identifier=npi|99") for name in names], ring)
    known = {patient["id"] for patient in patients}
    assert len(known) == 100 and reasons == {}
    joined = [row["subject"]["reference"].removeprefix("Patient/").removeprefix("urn:uuid:") in known for row in found]
    assert sum(joined) == 3_000
    assert {row["participant"][0]["individual"]["reference"].partition("|")[0] for row in found} == {"Practitioner?identifier=npi"}


@pytest.mark.parametrize(("on_error", "value", "reasons"), [
    ("", "***", {}), (", on_error: nullify", None, {}), (", on_error: drop", ..., {}),
    (", on_error: quarantine", None, {0: ("refused_value", "subject.reference")}),
])  # fmt: skip
def test_a_value_of_another_form_never_leaves(on_error, value, reasons):
    """It goes by the rule's on_error, as every value that a technique does not take."""
    (row,), found = rows(ENCOUNTERS.replace("ON_ERROR", on_error), [encounter("Group/ab-1", "no mark")], KeyRing.new())
    assert reasons == found
    if reasons:
        assert row is None
    else:
        assert row["participant"] == [{"individual": {}}] and row["subject"].get("reference", ...) == value


def test_the_key_of_a_record_and_its_headers():
    """Kafka's key and headers are masked in part as fields are."""
    text = PATIENTS.replace("rules:", 'record: {key: {technique: pseudonym, domain: patient, within: {prefix: "Patient/"}}, '
                            'headers: {ref: {technique: redact, within: {after: "="}}}}, rules:')
    ring = KeyRing.new()
    step = Protect(compile_plan(load(PolicySource("p.yaml", text)), ring), lambda n: bytes(n), lambda: 0)
    headers = {"ref": pa.array([b"v=Jane"], pa.binary())}
    (done,) = step(pa.array([b'{"id":"7"}'], pa.binary()), Parts(key=pa.array([b"Patient/7"], pa.binary()), headers=headers))
    key = done.parts["m"].key[0].as_py()
    assert done.parts["m"].headers[0].to_pylist() == [b"v=***"]
    assert key == b"Patient/" + orjson.loads(done.views["m"][0].as_py())["id"].encode()


def test_parts_come_back():
    """unmask opens the part and leaves the rest."""
    text = PATIENTS.replace("pseudonym, domain: patient", 'encrypt, domain: p, within: {after: "/"}')
    ring = KeyRing.new()
    loaded = load(PolicySource("p.yaml", text))
    view = Protector(loaded, ring).protect([b'{"id":"a/b/c"}', b'{"id":"none"}']).views["m"]
    assert orjson.loads(view[0].as_py())["id"].startswith("a/") and b"b/c" not in view[0].as_py()
    assert [b'{"id":"a/b/c"}', b'{"id":"***"}'] == Unmask(loaded, "m", ring)(view).records.to_pylist()


@pytest.mark.parametrize(("within", "message", "column"), [
    ("{}", "must be one of prefix, after, before and pattern", 90), ("{prefix: a, after: b}", "must be one of", 90),
    ("{suffix: a}", "unknown key 'suffix'", 91), ('{prefix: ""}', "must not be empty", 99), ("{prefix: 1}", "must be text", 99),
    ("Patient/", "must be keys with values, not text", 90), ("[]", "no form is given", 90), ("~", "has an empty 'within'", 42),
    ("{pattern: a}", "no group", 90), ("{pattern: '(a)(?=b)'}", "flags", 90), ("{pattern: '(a)[b'}", "RE2", 42),
])  # fmt: skip
def test_faults_have_a_place_and_a_hint(within, message, column):
    """Each mistake in 'within' is one fault at its place."""
    with pytest.raises(PolicyFaults) as error:
        load(PolicySource("p.yaml", PATIENTS.replace("domain: patient", f"domain: patient, within: {within}")))
    (fault,) = error.value.faults
    assert message in fault.message + fault.hint and (fault.line, fault.column) == (5, column)


@pytest.mark.parametrize(("rules", "message"), [
    ('id: {technique: keep, within: {prefix: a}}', "whole values"), ('id: {technique: drop, within: {prefix: a}}', "whole values"),
    ('id: {technique: perturb, absolute: 1, within: {prefix: a}}', "does not take text"),
])  # fmt: skip
def test_techniques_that_do_not_fit(rules, message):
    """Techniques for whole values, and those that take no text, are refused."""
    with pytest.raises(PolicyFaults) as error:
        load(PolicySource("p.yaml", PATIENTS.replace("id: {technique: pseudonym, domain: patient}", rules)))
    assert [message in fault.message for fault in error.value.faults] == [True]


def test_keys_of_open_objects_are_masked_whole():
    """'within' has no place in 'keys'."""
    text = PATIENTS.replace("fields: {id:", "fields: {a.*: {class: quasi}, id:").replace(
        "rules: {id", 'keys: {a.*: {technique: pseudonym, domain: k, within: {prefix: "x"}}}, rules: {a.*: keep, id')
    with pytest.raises(PolicyFaults, match="keys are masked as a whole"):
        load(PolicySource("p.yaml", text))


def test_the_schema_knows_within():
    """Editors are told the forms of a part, in every technique that takes text."""
    schema = json_schema()
    assert {"prefix", "after", "before", "pattern"} == set(schema["$defs"]["Part"]["properties"])
    taking = {name for name, found in schema["$defs"].items() if name.startswith("technique_") and "within" in found["properties"]}
    assert {"technique_pseudonym", "technique_redact"} <= taking and not {"technique_keep", "technique_drop"} & taking


def test_checks_know_what_a_part_shows():
    """A domain that is shared is warned of for parts as for whole values."""
    two = PATIENTS.replace("segments: {m:", "segments: {n: {view: masked, rules: {id: {technique: pseudonym, domain: patient, "
                           'within: {pattern: "a(.*)"}}}}, m:')
    assert any("domain" in warning.message for warning in load(PolicySource("p.yaml", two)).warnings)
