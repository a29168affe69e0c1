"""redact_text: what is found in texts, from outside by Protector, by SQL's call, and against its definition."""

import json
import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking import KeyRing, Protector
from flink_masking.detect import TYPES, Detectors
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import PolicyError
from flink_masking.generate.payloads import payloads
from flink_masking.policy.source import PolicySource
from flink_masking.records.kinds import Kind
from flink_masking.sql.call import Call
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import Session
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.redact_text import TECHNIQUE

NOTE = "Mail jane.doe@example.com, card 4111 1111 1111 1111, from 10.1.2.3"
OWN = {"entities": {"EMAIL": {"technique": "pseudonym", "domain": "email"}, "CARD": {"technique": "partial", "keep_last": 4}, "IP": "keep"}}


def protector(rules, fields="email: {class: direct}, note: {class: free_text}"):
    """A Protector of one masked segment."""
    policy = f"version: 1\nstream: events\nfields: {{{fields}}}\nsegments: {{s: {{view: masked, rules: {json.dumps(rules)}}}}}\n"
    return Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral())


def seen(protect, *records):
    """The records of the view, parsed; None where one went to quarantine."""
    result = protect.protect([json.dumps(record).encode() for record in records])
    return [None if line is None else json.loads(line) for line in result.views["s"].to_pylist()]


def test_an_address_in_a_note_has_the_pseudonym_of_its_field():
    """An entity under a technique and domain of its own has the same result as the field with that technique and domain."""
    protect = protector({"email": {"technique": "pseudonym", "domain": "email"}, "note": {"technique": "redact_text", **OWN}})
    (record,) = seen(protect, {"email": "jane.doe@example.com", "note": NOTE})
    assert record["note"] == f"Mail {record['email']}, card ***1111, from 10.1.2.3"


def test_entities_become_their_type(run):
    """Without techniques of their own, entities become the name of their type; the rest of the text, empty text and null stay."""
    assert run(TECHNIQUE, {}, [NOTE, "", None, "nothing"]) == ["Mail <EMAIL>, card <CARD_NUMBER>, from <IP_ADDRESS>", "", None, "nothing"]


@pytest.mark.parametrize(("params", "expected"), [
    ({"entities": ["EMAIL"]}, "Mail <EMAIL>, card 4111 1111 1111 1111, from 10.1.2.3"),
    ({"entities": {"*": "drop", "EMAIL": "keep"}}, "Mail jane.doe@example.com, card , from "),
    ({"entities": {"EMAIL": {"technique": "generalize", "width": 10}}}, "Mail <EMAIL>, card <CARD_NUMBER>, from <IP_ADDRESS>"),
    ({"allow": ["JANE.doe@example.com"]}, "Mail jane.doe@example.com, card <CARD_NUMBER>, from <IP_ADDRESS>"),
    ({"deny": ["MAIL", "doe@"]}, "*** ***, card <CARD_NUMBER>, from <IP_ADDRESS>"),
    ({"allow": ["jane.doe@example.com"], "deny": ["jane"]}, "Mail ***, card <CARD_NUMBER>, from <IP_ADDRESS>"),
    ({"minimum": 100}, NOTE),
])  # fmt: skip
def test_parameters(run, params, expected):
    """Types, lists and confidence decide what is replaced; what a part cannot take becomes its type."""
    assert run(TECHNIQUE, params, [NOTE]) == [expected]


@pytest.mark.parametrize(("text", "expected"), [
    ("then Qworbly-Xyzzt’s idea", "then <NAME>’s idea"),
    ("then J. Xyzzt left", "then <NAME> left"),
    ("漢字 Ďzžöly\u0301 漢字", "漢字 <NAME> 漢字"),
    ("The street. The idea", "The street. The idea"),
    ("to q.x@example.com Zzyq", "to <EMAIL> <NAME>"),
    ("\U0001f600Zzyq", "\U0001f600<NAME>"),
    ("con José García hoy", "con <NAME> hoy"),
])  # fmt: skip
def test_unknown_names_are_masked(run, text, expected):
    """Capitalised runs that no list of common words holds are masked where that is asked for."""
    assert run(TECHNIQUE, {"unknown_names": "mask", "entities": ["EMAIL"]}, [text]) == [expected]
    assert "Zzyq" not in text or "Zzyq" in run(TECHNIQUE, {"entities": ["EMAIL"]}, [text])[0]


def test_a_run_ends_with_its_text(run):
    """Capitalised words at the end of one text and at the start of the next are two runs."""
    made = run(TECHNIQUE, {"unknown_names": "mask", "entities": ["EMAIL"], "allow": ["Zzyq"]}, ["a Zzyq", "Zzyq b", None, "Xqqw"])
    assert made == ["a Zzyq", "Zzyq b", None, "<NAME>"]


def plain_redaction(text):
    """The definition: each finding of the text by itself, from the last to the first."""
    found, raw = Detectors().find_array(pa.array([text], pa.string())), text.encode()
    for kind, start, end in reversed(list(zip(found.types, found.starts, found.ends, strict=True))):
        raw = raw[:start] + f"<{TYPES[kind].name}>".encode() + raw[end:]
    return raw.decode()


PIECES = st.sampled_from(["jane@example.com", "10.1.2.3", "漢字", "é", "\U0001f600", " ", ", ", "4111 1111 1111 1111", "\0", "<", "a@b"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.lists(PIECES | st.text(max_size=6), max_size=6).map("".join), max_size=6))
def test_a_column_is_redacted_as_its_texts_are(run, texts):
    """A column gives what the definition gives for each text, slices of it, too, and no character is split."""
    expected = [text and plain_redaction(text) for text in texts]
    assert run(TECHNIQUE, {}, texts) == expected
    assert run(TECHNIQUE, {}, texts[1:]) == expected[1:]


CLOSED = {"EMAIL", "CARD_NUMBER", "IBAN", "US_SSN", "MAC_ADDRESS", "JWT", "AWS_ACCESS_KEY", "GITHUB_TOKEN"}
"""Types whose form tells them anywhere."""


def test_generated_entities_do_not_leave():
    """Of generated payloads, no structured value that is gold and is found in the text leaves in clear."""
    rng, texts, gold = random.Random(4), [], []
    for payload in payloads(150, seed=9):
        for one in payload.gold:
            raw = payload.record[one.start : one.end]
            if one.type in CLOSED and b"\\" not in raw:
                gold.append((one.type, raw.decode()))
    assert len(gold) > 50
    for _, value in gold:
        texts.append(rng.choice(["Contact {} today", "note: {}", "{}", "ärger mit {}; 漢字"]).format(value))
    protect = protector({"note": "redact_text"}, "note: {class: free_text}")
    made = [record["note"] for record in seen(protect, *({"note": text} for text in texts))]
    assert [kind for (kind, value), text in zip(gold, made, strict=True) if value in text] == []


def test_hostile_values():
    """One token of a megabyte, escapes, bytes that are no UTF-8, null, empty text and a number do not stop the batch."""
    protect = protector({"note": {"technique": "redact_text", "unknown_names": "mask", "deny": ["x@y"]}}, "note: {class: free_text}")
    lines = [json.dumps({"note": unit * 90_000}).encode() for unit in ("a.", "0:", "A", "@", "Zq ", "éÉ")]
    lines += [b'{"note":"jane\\u0040example.com"}', b'{"note":"\xff jane@example.com"}', b'{"note":null}', b'{"note":""}', b'{"note":7}',
              b'{"note":"\\ud83d jane@example.com"}']  # fmt: skip
    made = protect.protect(lines).views["s"].to_pylist()
    assert made[6] == b'{"note":"<EMAIL>"}'
    assert made[8:11] == [b'{"note":null}', b'{"note":""}', b'{"note":"***"}']
    assert not any(b"jane@" in line for line in made if line is not None)


def test_a_value_that_is_no_text_goes_by_on_error():
    """Numbers and objects are refused and follow the rule's on_error."""
    for on_error, expected in (("nullify", {"note": None}), ("drop", {}), ("quarantine", None)):
        protect = protector({"note": {"technique": "redact_text", "on_error": on_error}}, "note: {class: free_text}")
        assert seen(protect, {"note": 4111111111111111}) == [expected]


def test_the_rule_for_all_other_fields():
    """``"*": redact_text`` sweeps every declared field without a rule, nested ones and arrays, too."""
    protect = protector({"id": "keep", "*": "redact_text"}, "id: {class: plain}, a.b: {class: plain}, \"tags[*]\": {class: plain}")
    (record,) = seen(protect, {"id": "j@example.com", "a": {"b": "to j@example.com"}, "tags": ["x", "at 10.1.2.3"]})
    assert record == {"id": "j@example.com", "a": {"b": "to <EMAIL>"}, "tags": ["x", "at <IP_ADDRESS>"]}


@pytest.mark.parametrize(("entities", "message"), [
    ({"EMAIL": {"technique": "tokenize", "domain": "d"}}, "EMAIL: technique tokenize needs a vault"),
    ({"EMAIL": "shuffle"}, "EMAIL: technique shuffle depends on other records"),
    ({"EMAIL": "nullify"}, "EMAIL: technique nullify gives null"),
    ({"EMAIL": {"technique": "perturb", "absolute": 1}}, "EMAIL: technique perturb takes no text"),
    ({"EMAIL": "redact_text"}, "EMAIL: technique redact_text contains itself"),
    ({"EMAIL": {"technique": "redact", "on_error": "quarantine"}}, "EMAIL: technique redact has on_error: quarantine"),
    ({"DATE": {"technique": "date_shift", "max_days": 3}}, "DATE: .*subject"),
    ({"EMAL": "drop"}, "unknown type of data 'EMAL'"),
    (["EMAL"], "did you mean EMAIL"),
])  # fmt: skip
def test_check_refuses_what_cannot_stand_in_a_text(entities, message):
    """A part that needs a vault, other rows, a subject that is not there or another kind of value is refused with a hint."""
    with pytest.raises(PolicyFaults, match=message) as caught:
        protector({"note": {"technique": "redact_text", "entities": entities}})
    assert "Hint" in str(caught.value) or caught.value.faults[0].hint


def test_domains_of_parts_are_isolated():
    """A key domain that a part and another segment share is a fault where isolation is strict."""
    rule = "{technique: redact_text, entities: {EMAIL: {technique: pseudonym, domain: d}, URL: {technique: pseudonym, domain: e}}}"
    policy = (
        "version: 1\nstream: events\nisolation: strict\nfields: {email: {class: direct}, note: {class: free_text}}\nsegments:\n"
        f"  a: {{view: masked, rules: {{note: {rule}}}}}\n"
        "  b: {view: masked, rules: {email: {technique: pseudonym, domain: e}}}\n"
    )
    with pytest.raises(PolicyFaults, match="share the key domain 'e'"):
        Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral())


def test_sql_names_types():
    """redact_text(text, types) looks for these types; an unknown one is an error."""
    call = Call(FUNCTIONS["redact_text"], Session(lambda name, default: default), bytes)
    assert call(pa.array([NOTE, None])).to_pylist() == ["Mail <EMAIL>, card <CARD_NUMBER>, from <IP_ADDRESS>", None]
    assert call(pa.array([NOTE]), "EMAIL, IP").to_pylist() == ["Mail <EMAIL>, card 4111 1111 1111 1111, from <IP_ADDRESS>"]
    with pytest.raises(PolicyError, match="did you mean EMAIL"):
        call(pa.array([NOTE]), "EMAL")


def test_random_parts_do_not_share_their_numbers(key_ring):
    """Two parts of one batch draw from generators of their own."""
    params = TECHNIQUE.params.model_validate({"entities": {kind: {"technique": "encrypt", "domain": "d"} for kind in ("EMAIL", "IP")}})
    promises = TECHNIQUE.promises(params)
    assert (promises.deterministic, promises.lasting, promises.reversible, promises.keys) == (False, False, False, {("encrypt", "d")})
    assert TECHNIQUE.make(params, RuleContext(FieldFacts("note"), key_ring, str)) is not None
    assert Kind.NUMBER not in TECHNIQUE.inputs
