"""encrypt and what it shares with encrypt_deterministic: there and back, bound to field and domain, nothing told of what is wrong."""

import base64
import pickle

import cloudpickle
import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.crypto.xaes import Xaes
from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import encrypt, encrypt_deterministic
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.registry import purposes

RING = KeyRing.new()
BOTH = [pytest.param(module.TECHNIQUE, id=module.TECHNIQUE.name) for module in (encrypt, encrypt_deterministic)]
REFUSED = "(refused)"
AN_OBJECT = '{ "a":[1,\t"x\\u00e9"] , "b":1.50E+2}'


def make(technique, domain="customer", path="field", keys=RING, back=False, stream=""):
    """The mask of a rule, or its way back."""
    maker = technique.unmake if back else technique.make
    return maker(technique.params(domain=domain), RuleContext(FieldFacts(path), keys, str, stream=stream))


def run(mask, texts, kinds=None, seed=bytes(32)):
    """What a mask makes of texts, with REFUSED where it refuses; kinds default to strings. Literals are bytes."""
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    given_kinds = kinds or [Kind.STRING] * len(array)
    codes = [Kind.NULL if not ok else kind for ok, kind in zip(array.is_valid().to_pylist(), given_kinds, strict=True)]
    masked = mask(Values(array, np.array(codes, np.int32), np.arange(len(array), dtype=np.int32)), Context(seed))
    masked.values.validate(full=True)
    refused = np.zeros(len(array), bool) if masked.refused is None else masked.refused
    literal = np.zeros(len(array), bool) if masked.literal is None else masked.literal
    made = [value.encode() if other else value for other, value in zip(literal, masked.values.to_pylist(), strict=True)]
    return [REFUSED if no else value for no, value in zip(refused, made, strict=True)]


@pytest.mark.parametrize("technique", BOTH)
def test_text_goes_there_and_back(technique):
    """Every text comes back as it was: NUL bytes, characters beyond the first plane, emptiness, null."""

    known = st.sampled_from(["\0", "\0" * 17, "\U0010ffff", "\ufffe\U0001f600", "a" * 15, "é" * 8])

    @given(st.lists(st.none() | st.text(max_size=60) | known))
    def law(texts):
        made = run(make(technique), texts)
        assert run(make(technique, back=True), made) == texts
        assert all(new == old if not old else new.startswith("fm1.") for old, new in zip(texts, made, strict=True))

    law()


@pytest.mark.parametrize("technique", BOTH)
@pytest.mark.parametrize("length", [1, 15, 16, 31, 1_000, 99_999, 100_000])
def test_any_length(technique, length):
    """Values of 1 to 100,000 bytes come back, alone and among short ones."""
    texts = ["x", "y" * length, "", "ž" * (length // 2), "z" * length]
    assert run(make(technique, back=True), run(make(technique), texts)) == texts
    assert run(make(technique, back=True), run(make(technique), texts[1:2])) == texts[1:2]


@pytest.mark.parametrize("technique", BOTH)
def test_other_json_comes_back_to_the_byte(technique):
    """Numbers, booleans, objects and arrays come back as literals of their exact text, strings beside them as strings."""
    texts = ["12", "-0.50e+1", "true", "false", AN_OBJECT, "[]", 'a"b\\\n', "é", "", "12", None]
    kinds = [Kind.NUMBER, Kind.NUMBER, Kind.TRUE, Kind.FALSE, Kind.OBJECT, Kind.ARRAY, Kind.STRING, Kind.ENCODED, Kind.STRING, Kind.STRING,
             Kind.NULL]  # fmt: skip
    made = run(make(technique), texts, kinds)
    assert all(isinstance(new, str) for new in made[:-1])
    back = run(make(technique, back=True), made)
    assert back[:6] == [text.encode() for text in texts[:6]]
    assert back[6:-1] == texts[6:-1]
    assert back[-1] is None
    assert run(make(technique, back=True), made[6:]) == texts[6:]  # without numbers among them, strings are strings


@pytest.mark.parametrize("technique", BOTH)
def test_the_kind_is_part_of_the_value(technique):
    """The number 12 and the text "12" are two values."""
    made = run(make(technique), ["12", "12"], [Kind.NUMBER, Kind.STRING])
    assert made[0] != made[1]


@pytest.mark.parametrize("technique", BOTH)
def test_slices_change_no_value(technique):
    """A slice of a column, with nulls in it, goes there and back like the whole."""
    column = pa.array(["a", None, "", "dd", "e" * 70, "f"] * 7)
    for start in range(0, len(column), 5):
        part = column[start : start + 5]
        made = pa.array(["", *run(make(technique), part), None], pa.string())
        assert run(make(technique, back=True), made[1:-1]) == part.to_pylist()


@pytest.mark.parametrize("technique", BOTH)
def test_bound_to_field_domain_and_key(technique):
    """A value does not open in another field, in another domain, nor under another key, and is refused without a word."""
    made = run(make(technique, "ab", "c.d"), ["secret"])
    assert run(make(technique, "ab", "c.d", back=True), made) == ["secret"]
    for domain, path in (("ab", "c.e"), ("ab", "c"), ("b", "c.da"), ("abc", ".d")):
        assert run(make(technique, domain, path, back=True), made) == [REFUSED]
    assert run(make(technique, "ab", "c.d", KeyRing.new(), back=True), made) == [REFUSED]


@pytest.mark.parametrize("technique", BOTH)
def test_bound_to_its_stream(technique):
    """A value of one stream does not open in another stream of the same ring, field and domain, nor where no stream is known."""
    made = run(make(technique, stream="orders"), ["secret", None, "", "other"])
    assert run(make(technique, stream="orders", back=True), made) == ["secret", None, "", "other"]
    for elsewhere in ("payments", "order", ""):
        assert run(make(technique, stream=elsewhere, back=True), made) == [REFUSED, None, "", REFUSED]


@pytest.mark.parametrize("technique", BOTH)
def test_values_from_before_they_were_bound_open_beside_new_ones(technique):
    """Values of the earlier form, bound to field and domain alone, open in a stream, too, among new ones and what is no value."""
    rings = [RING, RING.rotated()]
    old = run(make(technique), ["a", "b" * 99]) + run(make(technique, keys=rings[1]), ["c"])
    new = run(make(technique, stream="s"), ["d" * 50, "e"]) + run(make(technique, stream="s", keys=rings[1]), ["f"])
    mixed = [value for pair in zip(old, new, strict=True) for value in pair] + ["fm1.broken", None, ""]
    opened = run(make(technique, stream="s", keys=rings[1], back=True), mixed)
    assert opened == ["a", "d" * 50, "b" * 99, "e", "c", "f", REFUSED, None, ""]
    relabelled = [f"fm1.{'AQ' if text.startswith('fm1.Aw') else 'Ag'}{text[6:]}" for text in new[:1]]
    assert run(make(technique, stream="s", keys=rings[1], back=True), relabelled) == [REFUSED]


@pytest.mark.parametrize("technique", BOTH)
def test_the_other_technique_does_not_open_it(technique):
    """What one technique made is another form to the other."""
    (other,) = (case.values[0] for case in BOTH if case.values[0] is not technique)
    assert run(make(other, back=True), run(make(technique), ["secret"])) == [REFUSED]


@pytest.mark.parametrize("technique", BOTH)
def test_every_flipped_bit_is_refused(technique):
    """Any one bit changed behind the mark, a cut, and anything that is no ciphertext, are refused; the others in the batch open."""
    (text,) = run(make(technique), ["secret"])
    raw = base64.urlsafe_b64decode(text[4:] + "=" * (-len(text[4:]) % 4))
    damaged = [bytes([*raw[:i], raw[i] ^ 1 << bit, *raw[i + 1 :]]) for i in range(len(raw)) for bit in range(8)]
    damaged += [raw[:length] for length in range(len(raw))] + [raw + b"\0"]
    bad = ["fm1." + base64.urlsafe_b64encode(blob).decode().rstrip("=") for blob in damaged]
    bad += ["secret", "fm1.", text[4:], text + "=", " " + text, text.upper(), "***"]
    assert run(make(technique, back=True), [text, *bad, text, "", None]) == ["secret", *[REFUSED] * len(bad), "secret", "", None]


@pytest.mark.parametrize("technique", BOTH)
def test_only_strings_are_opened(technique):
    """A number, an object or a boolean is no ciphertext, whatever its text."""
    (text,) = run(make(technique), ["secret"])
    kinds = [Kind.NUMBER, Kind.OBJECT, Kind.ARRAY, Kind.TRUE, Kind.STRING, Kind.ENCODED]
    assert run(make(technique, back=True), [text] * 6, kinds) == [REFUSED] * 4 + ["secret"] * 2


@pytest.mark.parametrize("technique", BOTH)
def test_any_enabled_version_opens(technique):
    """After a rotation old and new values open together; a disabled or destroyed version's values are refused, also by the old ring."""
    rings = [RING, RING.rotated()]
    rings.append(rings[-1].rotated())
    made = [run(make(technique, keys=ring), [f"v{k}"])[0] for k, ring in enumerate(rings)]
    assert run(make(technique, keys=rings[2], back=True), made[::-1] + made) == ["v2", "v1", "v0", "v0", "v1", "v2"]
    assert run(make(technique, keys=rings[1], back=True), made) == ["v0", "v1", REFUSED]
    assert run(make(technique, keys=rings[2].disabled(1), back=True), made) == [REFUSED, "v1", "v2"]
    assert run(make(technique, keys=rings[2].disabled(2).destroyed(2), back=True), made) == ["v0", REFUSED, "v2"]


@pytest.mark.parametrize("technique", BOTH)
def test_an_exported_ring_opens_its_domains_only(technique):
    """Whoever was given the keys of one domain opens that domain and is told in words that another is not theirs."""
    made, exported = run(make(technique), ["secret"]), RING.export(["customer"], purposes())
    assert run(make(technique, keys=exported, back=True), made) == ["secret"]
    with pytest.raises(KeyRingError, match="does not hold the keys of card"):
        make(technique, "card", keys=exported, back=True)


@pytest.mark.parametrize("technique", BOTH)
def test_no_clear_value_and_no_length_hidden(technique):
    """A ciphertext holds nothing of the value, and its length is that of the value and a constant."""
    made = run(make(technique), ["secret-secret-secret", "x" * 20, "x" * 23])
    assert not any("secret" in text or b"secret" in base64.urlsafe_b64decode(text[4:] + "==") for text in made)
    assert len(made[0]) == len(made[1]) == len(made[2]) - 4


@pytest.mark.parametrize("technique", BOTH)
def test_output_domain(technique):
    """The output domain has the ciphertexts and neither values nor pieces of them."""
    domain = technique.output(technique.params(domain="d"))
    (text,) = run(make(technique), ["x"])
    assert domain.contains(text) and domain.contains("")
    assert not any(domain.contains(other) for other in ("x", text[4:], text[:-2], "fm1.", "***", "fm1." + "~" * 80))


@pytest.mark.parametrize("technique", BOTH)
@pytest.mark.parametrize("params", [{}, {"domain": ""}, {"domain": 7}, {"domain": "d", "length": 5}])
def test_wrong_parameters(technique, params):
    """A missing or empty domain and anything unknown are refused."""
    with pytest.raises(ValidationError):
        technique.params(**params)


@pytest.mark.parametrize("technique", BOTH)
@pytest.mark.parametrize("back", [False, True])
def test_masks_cannot_be_pickled(technique, back):
    """Neither the mask nor the way back leaves its process, and the refusal shows no key."""
    key = RING.derive(technique.name, "customer", length=64).secret()
    for way in (pickle.dumps, cloudpickle.dumps):
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as caught:
            way(make(technique, back=back))
        assert key.hex() not in str(caught.value) and repr(key) not in str(caught.value)


def test_encrypt_is_different_every_time():
    """Equal values of a batch, and equal batches under two seeds, have different texts; all nonces of a batch differ."""
    made = run(make(encrypt.TECHNIQUE), ["same"] * 500) + run(make(encrypt.TECHNIQUE), ["same"] * 500, seed=bytes([1]) * 32)
    assert len(set(made)) == 1_000
    nonces = [base64.urlsafe_b64decode(text[4:] + "==")[5:29] for text in made]
    assert len(set(nonces)) == 1_000
    assert len({nonce[:12] for nonce in nonces}) == 2  # one a batch


def test_a_seed_that_comes_twice_repeats_no_nonce():
    """Under the same seed another value, kind, order, field or domain anywhere in the batch gives other nonces to all of it."""
    make_one = make(encrypt.TECHNIQUE)
    batches = [
        run(make_one, ["a", "b"]), run(make_one, ["a", "c"]), run(make_one, ["b", "a"]), run(make_one, ["ab"]),
        run(make_one, ["a", "b"], [Kind.STRING, Kind.NUMBER]), run(make(encrypt.TECHNIQUE, path="g"), ["a", "b"]),
        run(make(encrypt.TECHNIQUE, "card"), ["a", "b"]), run(make_one, ["a", None, "b"]),
    ]  # fmt: skip
    nonces = {base64.urlsafe_b64decode(text[4:] + "==")[5:17] for batch in batches for text in batch if text}
    assert len(nonces) == len(batches)
    assert run(make_one, ["a", "b"]) == batches[0]


def test_the_form_of_encrypt():
    """A value is form 1, the key version, a nonce of 24 bytes, and XAES-256-GCM of a kind byte and the text."""
    (text,) = run(make(encrypt.TECHNIQUE, "d", "a.b"), ["value"])
    raw = base64.urlsafe_b64decode(text[4:] + "==")
    assert raw[:5] == b"\1\0\0\0\1"
    key = RING.derive("encrypt", "d", length=64).secret()[:32]
    assert Xaes(key).open(raw[5:29], raw[29:], b"\0\0\0\3a.b\0\0\0\1d") == b"\0value"


def test_the_form_of_encrypt_deterministic():
    """A value is form 2, the key version, and plain AES-SIV of a kind byte and the text: any implementation opens it."""
    (text,) = run(make(encrypt_deterministic.TECHNIQUE, "d", "a.b"), [AN_OBJECT], [Kind.OBJECT])
    raw = base64.urlsafe_b64decode(text[4:] + "==")
    assert raw[:5] == b"\2\0\0\0\1"
    key = RING.derive("encrypt_deterministic", "d", length=64).secret()
    assert AESSIV(key).decrypt(raw[5:], [b"\0\0\0\3a.b\0\0\0\1d"]) == b"\1" + AN_OBJECT.encode()


def test_the_forms_of_a_stream():
    """In a stream a value is form 3 or 4, and the stream's name goes in front of field and domain; the rest is as without one."""
    bound, key = b"\0\0\0\6orders\0\0\0\3a.b\0\0\0\1d", RING.derive("encrypt", "d", length=64).secret()
    (text,) = run(make(encrypt.TECHNIQUE, "d", "a.b", stream="orders"), ["value"])
    raw = base64.urlsafe_b64decode(text[4:] + "==")
    assert raw[:5] == b"\3\0\0\0\1" and Xaes(key[:32]).open(raw[5:29], raw[29:], bound) == b"\0value"
    (text,) = run(make(encrypt_deterministic.TECHNIQUE, "d", "a.b", stream="orders"), ["value"])
    raw = base64.urlsafe_b64decode(text[4:] + "==")
    assert raw[:5] == b"\4\0\0\0\1"
    assert AESSIV(RING.derive("encrypt_deterministic", "d", length=64).secret()).decrypt(raw[5:], [bound]) == b"\0value"


def test_fixed_vectors_open():
    """Values protected by an earlier release open: the text form, the keys and what values are bound to never change."""
    ring = KeyRing.parse(b'{"format": "flink-masking key ring 1", "versions": [{"version": 1, "state": "primary", "created": "2024-03-15",'
                         b'"root": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}', "test")  # fmt: skip
    assert run(make(encrypt.TECHNIQUE, keys=ring, back=True), [ENCRYPTED]) == ["CUST12345"]
    assert run(make(encrypt_deterministic.TECHNIQUE, keys=ring, back=True), [DETERMINISTIC]) == ["CUST12345"]
    assert run(make(encrypt_deterministic.TECHNIQUE, keys=ring), ["CUST12345"]) == [DETERMINISTIC]
    assert run(make(encrypt.TECHNIQUE, keys=ring, back=True, stream="s"), [ENCRYPTED]) == ["CUST12345"]
    assert run(make(encrypt_deterministic.TECHNIQUE, keys=ring, back=True, stream="s"), [DETERMINISTIC]) == ["CUST12345"]


ENCRYPTED = "fm1.AQAAAAGlylWL-2ILdTJKnq0M0sUwvIiraq6-stckskrFlQKgDx8dV04f44sM9piBCXhYEydPIg"
DETERMINISTIC = "fm1.AgAAAAG-sfhkMGNQ5mAthlsFtqah0sU2WwmlSr6XWg"
