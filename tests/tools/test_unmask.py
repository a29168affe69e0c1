"""The way back: reversible fields in clear, all else byte for byte, nothing for whoever lacks the key."""

import json

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.errors import DecryptionError, FlinkMaskingError, InputError, KeyRingError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.techniques.registry import purposes
from flink_masking.tools.unmask import Unmask
from flink_masking.vault.memory import MemoryVault

POLICY = """\
version: 1
stream: s
fields:
  id: {class: identifier}
  card.number: {class: direct, optional: true}
  card.holder: {class: direct, optional: true}
  phones[*]: {class: direct, optional: true}
  note: {class: free_text, type: json, optional: true}
  ssn: {class: direct, optional: true}
  address.street: {class: direct, optional: true}
  address.zip: {class: direct, optional: true}
  amount: {class: plain, optional: true}
segments:
  masked:
    view: masked
    key_versions: true
    rules:
      id: {technique: pseudonym, domain: customer}
      card.number: {technique: fpe, domain: pan, format: card, keep_first: 6}
      card.holder: {technique: encrypt_deterministic, domain: name}
      phones[*]: {technique: fpe, domain: phone, format: phone}
      note: {technique: encrypt, domain: note}
      ssn: {technique: tokenize, domain: ssn, format: digits}
      address: {technique: encrypt, domain: address}
      amount: keep
  plain: {view: masked, rules: {card.number: {technique: fpe, domain: pan, format: card, keep_first: 6}, id: keep}}
  harsh: {view: masked, rules: {card.number: {technique: fpe, domain: pan, format: card, on_error: nullify}, id: keep}}
  kept: {view: masked, rules: {id: keep}}
"""
LOADED = load(PolicySource("policy.yaml", POLICY))
RECORDS = [
    b'{"id":"a","card":{"number":"4111-1111-1111-1111","holder":"\\u017dofie \\"X\\""},"phones":["+14155550100","+14155550101"],'
    b'"note":{"x":[1,2.50]},"ssn":"123-45-6789","address":{"street":"A","zip":"1"},"amount":12.50}',
    b'{"id":"b","card":{"number":"4000000000000002","holder":null},"phones":[],"note":"hi","ssn":"123-45-6789","amount":1e2}',
    b' {"id":"c" , "note": 17, "ssn":"", "card":null}',
]
REVERSIBLE = ("card", "phones", "note", "ssn", "address")


@pytest.fixture(scope="module")
def vault():
    """Tokens of these tests."""
    return MemoryVault()


@pytest.fixture
def masked(ring, vault):
    """Records as a segment has them."""
    def mask(records=RECORDS, segment="masked", keys=ring):
        result = Protector(LOADED, keys, vault).protect(records)
        assert not result.quarantine
        return result.views[segment]

    return mask


def opened(step, records):
    """Records as Python objects."""
    return [orjson.loads(row) for row in step(records).records.to_pylist()]


def test_every_reversible_field_comes_back(masked, ring, vault):
    """What went in comes out at every reversible path, exactly; the rest is as it was masked, and the key versions are gone."""
    records = masked()
    step = Unmask(LOADED, "masked", ring, vault)
    clear = step(records).records.to_pylist()
    for raw, row, back in zip(RECORDS, records.to_pylist(), clear, strict=True):
        before, hidden, after = orjson.loads(raw), orjson.loads(row), orjson.loads(back)
        assert {k: v for k, v in after.items() if k in REVERSIBLE} == {k: v for k, v in before.items() if k in REVERSIBLE}
        assert after["id"] == hidden["id"] != before["id"] and set(after) == set(before)
    assert b'"note":{"x":[1,2.50]}' in clear[0] and clear[0].endswith(b'"amount":12.50}') and clear[1].endswith(b'"amount":1e2}')
    assert dict(step.fields["phones[*]"]) == {"values": 2, "redacted": 0, "unreadable": 0} and step.records == 3


def test_values_of_another_stream_stay_shut(masked, ring, vault):
    """A record carried over from another stream's view, with the same keys, field and domain, does not open."""
    other = load(PolicySource("policy.yaml", POLICY.replace("stream: s", "stream: t")))
    for field in ("note", "card.holder"):
        with pytest.raises(DecryptionError):
            Unmask(other, "masked", ring, vault, [field])(masked())
        assert opened(Unmask(LOADED, "masked", ring, vault, [field]), masked())


def test_a_batch_can_be_cut_anywhere(masked, ring, vault):
    """Record by record comes the same as all at once."""
    records = masked()
    whole, step = Unmask(LOADED, "masked", ring, vault)(records).records.to_pylist(), Unmask(LOADED, "masked", ring, vault)
    assert [row for k in range(3) for row in step(records.slice(k, 1)).records.to_pylist()] == whole
    assert step(records.slice(0, 0)).records.to_pylist() == []


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
VALUES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT | st.lists(TEXT, max_size=2)


@settings(max_examples=60)
@given(st.lists(st.tuples(VALUES, TEXT | st.none(), st.integers(0, 10**8)), min_size=1, max_size=5))
def test_any_value_comes_back(ring, vault, rows):
    """Whatever JSON a field holds: it comes back as it was."""
    records = [json.dumps({"id": "x", "note": note, "card": {"holder": holder}, "phones": [f"+1415{n:09d}"]}).encode()
               for note, holder, n in rows]
    view = Protector(LOADED, ring, vault).protect(records).views["masked"]
    for before, after in zip(records, opened(Unmask(LOADED, "masked", ring, vault), view), strict=True):
        assert {**orjson.loads(before), "id": after["id"]} == after


def test_only_chosen_fields(masked, ring, vault):
    """Fields that are not chosen stay masked; key versions stay while an fpe field is left."""
    records = masked()
    (one, *_), hidden = opened(Unmask(LOADED, "masked", ring, None, ["card.holder"]), records), orjson.loads(records[0].as_py())
    assert one["card"] == {"number": hidden["card"]["number"], "holder": 'Žofie "X"'} and one["_key_versions"] == hidden["_key_versions"]
    (both, *_) = opened(Unmask(LOADED, "masked", ring, None, ["phones[*]", "card.number"]), records)
    assert both["card"]["number"] == "4111-1111-1111-1111" and "_key_versions" not in both and both["ssn"] == hidden["ssn"]


def test_records_tell_their_key_version(masked, ring, vault):
    """Records from before and after a promotion open together, each with the version that it tells."""
    after = ring.rotated()
    mixed = pa.concat_arrays([masked(), masked(keys=after), masked()])
    back = opened(Unmask(LOADED, "masked", after, vault), mixed)
    assert [row.get("card") for row in back] == [orjson.loads(row).get("card") for row in RECORDS] * 3
    with pytest.raises(KeyRingError, match="version 1 is disabled"):
        Unmask(LOADED, "masked", after.disabled(1), vault)(mixed)
    with pytest.raises(KeyRingError, match="no version 2"):
        Unmask(LOADED, "masked", ring, vault)(mixed)


def test_records_that_tell_nothing_open_with_the_version_given(masked, ring):
    """Without _key_versions the primary opens, or the version that is asked for."""
    after, old = ring.rotated(), masked(segment="plain", records=RECORDS[:2])
    assert opened(Unmask(LOADED, "plain", after, version=1), old)[0]["card"]["number"] == "4111-1111-1111-1111"
    assert opened(Unmask(LOADED, "plain", after), old)[0]["card"]["number"] != "4111-1111-1111-1111"
    assert opened(Unmask(LOADED, "plain", ring), old)[0]["card"]["number"] == "4111-1111-1111-1111"


@pytest.mark.parametrize("told", ["7", '{"card.number":"1"}', '{"card.number":true}', '{"card.number":0}', '{"card.number":-3}',
                                  '{"card.number":4294967296}', "null", "[]"])
def test_a_wrong_key_version_is_an_error(masked, ring, vault, told):
    """_key_versions that is no table of version numbers names the record, not its contents."""
    row = masked().to_pylist()[0]
    evil = row[: row.index(b'"_key_versions"')] + f'"_key_versions":{told}}}'.encode()
    with pytest.raises(InputError, match="record 2: _key_versions tells no key version"):
        Unmask(LOADED, "masked", ring, vault)(pa.array([row, evil]))


def test_another_key_opens_nothing(masked, ring, other_ring, vault):
    """Encrypted values give one error without detail; where asked for, null and a count."""
    records = masked()
    fields = ["card.holder", "note", "address"]
    with pytest.raises(DecryptionError) as raised:
        Unmask(LOADED, "masked", other_ring, None, fields)(records)
    assert not any(word in str(raised.value) for word in ("card", "note", "address", "Žofie", *"0123456789"))
    step = Unmask(LOADED, "masked", other_ring, None, fields, skip_unreadable=True)
    one, two, three = opened(step, records)
    assert one["card"]["holder"] is one["note"] is one["address"] is two["note"] is three["note"] is None
    assert {path: count["unreadable"] for path, count in step.fields.items()} == {"card.holder": 1, "note": 3, "address": 1}
    assert one["card"]["number"] == orjson.loads(records[0].as_py())["card"]["number"]


def test_unreadable_values_leave_their_neighbours(masked, ring, vault):
    """One changed value is null; every other one comes back."""
    row = orjson.loads(masked()[0].as_py())
    row["note"], row["phones"] = row["note"][:-1] + ("A" if row["note"][-1] != "A" else "B"), ["+14155550100", 5, row["phones"][1]]
    step = Unmask(LOADED, "masked", ring, vault, skip_unreadable=True)
    (back,) = opened(step, pa.array([orjson.dumps(row)]))
    assert back["note"] is None and back["phones"][1] is None and back["phones"][2] == "+14155550101" and back["ssn"] == "123-45-6789"


def test_values_that_the_rule_refused_stay_redacted(masked, ring, vault):
    """What was redacted on the way in has no way back, is no error, and is counted; nulls are nulls."""
    records = masked([b'{"id":"x","card":{"number":"12","holder":"***"},"phones":["1","+14155550100"],"ssn":"1"}'])
    step = Unmask(LOADED, "masked", ring, vault)
    (back,) = opened(step, records)
    assert back["card"] == {"number": "***", "holder": "***"} and back["phones"] == ["***", "+14155550100"] and back["ssn"] == "***"
    assert [step.fields[path]["redacted"] for path in ("card.number", "card.holder", "phones[*]", "ssn")] == [1, 0, 1, 1]
    with pytest.raises(DecryptionError):
        Unmask(LOADED, "harsh", ring)(pa.array([b'{"id":"x","card":{"number":"***"}}']))


def test_an_exported_ring_opens_its_domains(masked, ring, vault):
    """A ring for one domain opens this field and names the domain that it lacks for others."""
    part = ring.export(["pan", "ssn"], purposes())
    with pytest.raises(KeyRingError, match="keys of name"):
        Unmask(LOADED, "masked", part, vault)
    back = opened(Unmask(LOADED, "masked", part, vault, ["card.number", "ssn"]), masked())
    assert back[0]["card"]["number"] == "4111-1111-1111-1111" and back[0]["ssn"] == "123-45-6789"
    assert back[0]["note"].startswith("fm1.")


def test_tokens_need_their_vault(masked, ring):
    """Without a vault it is an error at once; with another one a token cannot be opened."""
    with pytest.raises(VaultError, match="ssn: tokens can be reversed only with their vault"):
        Unmask(LOADED, "masked", ring)
    with pytest.raises(DecryptionError):
        Unmask(LOADED, "masked", ring, MemoryVault(), ["ssn"])(masked())


@pytest.mark.parametrize(("segment", "fields", "said"), [
    ("none", None, "masked segments are masked, plain, harsh, kept"), ("kept", None, "no rule of the segment is reversible"),
    ("masked", ["id"], "id has no reversible rule"), ("masked", ["address.zip"], "no reversible rule"), ("masked", ["x"], "x has no"),
])
def test_what_cannot_be_opened_is_told(ring, vault, segment, fields, said):
    """A segment or field without a way back is an error that names those with one."""
    with pytest.raises(InputError, match=said):
        Unmask(LOADED, segment, ring, vault, fields)


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b'{"phones":[],"phones":[]}', b"\xff", b'{"card":"4111111111111111"}', None])
def test_a_record_that_cannot_be_read_is_named(masked, ring, vault, bad):
    """The error tells the number of the record and the kind of fault, over several batches, and never its contents."""
    step = Unmask(LOADED, "masked", ring, vault)
    step(masked())
    with pytest.raises(FlinkMaskingError, match="record 5: ") as raised:
        step(pa.array([b"{}", bad], pa.binary()))
    assert "4111" not in str(raised.value)


def test_members_that_the_policy_does_not_know_stay(ring, vault):
    """Whatever else stands in a record is copied: this step takes nothing away."""
    row = b'{"extra":{"a":[1]},"id":1,"card":{"more":2},"address":null}'
    assert Unmask(LOADED, "masked", ring, vault)(pa.array([row])).records.to_pylist() == [row]


def test_a_declared_field_of_that_name_is_a_field(ring):
    """Where the policy declares _key_versions, it is data, and stays."""
    text = "version: 1\nstream: s\nfields: {a: {class: direct}, _key_versions: {class: plain}}\nsegments:\n  m:\n    view: masked\n" \
           "    rules: {a: {technique: fpe, domain: d, alphabet: digits}, _key_versions: keep}\n"
    loaded = load(PolicySource("p", text))
    keys = KeyRing.new()
    raw = [b'{"a":"12345678","_key_versions":"mine"}']
    assert Unmask(loaded, "m", keys)(Protector(loaded, keys).protect(raw).views["m"]).records.to_pylist() == raw
