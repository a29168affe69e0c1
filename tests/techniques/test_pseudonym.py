"""pseudonym: keyed, joinable, one-way."""

import base64
import hmac
import pickle

import cloudpickle
import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.pseudonym import ENCODINGS, TECHNIQUE, PseudonymParams, warnings
from flink_masking.techniques.pseudonym.mask import output_domain

RING = KeyRing.new()
BASE62 = ENCODINGS["base62"].alphabet


def rule_context(keys=RING, path="id"):
    """Where the rule stands."""
    return RuleContext(FieldFacts(path), keys, read=str)


def run(texts, keys=RING, path="id", **params):
    """Pseudonyms of texts."""
    params = {"domain": "customer", **params}
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    values = Values(column, np.zeros(len(column), np.int32), np.arange(len(column), dtype=np.int32))
    masked = TECHNIQUE.make(PseudonymParams(**params), rule_context(keys, path))(values, Context(bytes(32)))
    assert masked.refused is None
    assert masked.values.type == pa.string()
    masked.values.validate(full=True)
    return masked.values.to_pylist()


def digest(text, domain="customer", keys=RING):
    """HMAC-SHA-256 by the standard library."""
    return hmac.digest(keys.derive("pseudonym", domain).secret(), text.encode(), "sha256")


def tag(text, domain="customer", keys=RING):
    """AES-256-CMAC by the cryptography package."""
    mac = CMAC(algorithms.AES(keys.derive("pseudonym-cmac", domain).secret()))
    mac.update(text.encode())
    return mac.finalize()


def base62(raw, length):
    """The number in base 62, by Python's integers."""
    number, text = int.from_bytes(raw, "big"), ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return text


@given(st.lists(st.none() | st.text(max_size=80), max_size=20), st.integers(1, 43))
def test_base62_is_the_digest_as_a_number(texts, length):
    """A pseudonym in base62 is the HMAC as a big-endian number modulo 62^length; null and "" stay."""
    assert run(texts, length=length) == [t and base62(digest(t), length) for t in texts]


@given(st.lists(st.text(min_size=1, max_size=20), max_size=10), st.integers(1, 64))
def test_hex_is_the_front_of_the_digest(texts, length):
    """A pseudonym in hex is the front of the HMAC that any other tool computes."""
    assert run(texts, length=length, encoding="hex") == [digest(t).hex()[:length] for t in texts]


@given(st.lists(st.text(min_size=1, max_size=20), max_size=10), st.integers(1, 51))
def test_base32_is_the_front_of_the_digest(texts, length):
    """A pseudonym in base32 is the front of the HMAC in RFC 4648's alphabet."""
    assert run(texts, length=length, encoding="base32") == [base64.b32encode(digest(t)).decode()[:length] for t in texts]


@given(st.lists(st.none() | st.text(max_size=80), max_size=20), st.integers(1, 21))
def test_cmac_in_base62(texts, length):
    """With cmac a pseudonym in base62 is the CMAC as a big-endian number modulo 62^length; null and "" stay."""
    assert run(texts, algorithm="cmac", length=length) == [t and base62(tag(t), length) for t in texts]


@given(st.lists(st.text(min_size=1, max_size=20), max_size=10), st.integers(1, 32), st.integers(1, 25))
def test_cmac_in_hex_and_base32(texts, digits, characters):
    """With cmac a pseudonym in hex or base32 is the front of the CMAC."""
    assert run(texts, algorithm="cmac", encoding="hex", length=digits) == [tag(t).hex()[:digits] for t in texts]
    made = run(texts, algorithm="cmac", encoding="base32", length=characters)
    assert made == [base64.b32encode(tag(t)).decode()[:characters] for t in texts]


def test_cmac_keeps_all_its_digits_by_default():
    """Without a length a CMAC keeps all the digits that it has, at least 125 bits; hmac keeps 22 whatever the encoding."""
    for encoding, length in (("base62", 21), ("hex", 32), ("base32", 25)):
        params = PseudonymParams(domain="d", algorithm="cmac", encoding=encoding)
        assert params.length == length
        assert warnings(params) == []
        assert PseudonymParams(domain="d", encoding=encoding).length == 22
        assert [len(p) for p in run(["a", "b" * 1000], algorithm="cmac", encoding=encoding)] == [length, length]


def test_algorithms_share_no_key():
    """The pseudonyms of the two algorithms are made with two keys and have nothing in common."""
    assert RING.derive("pseudonym", "d").secret() != RING.derive("pseudonym-cmac", "d").secret()
    assert run(["a"], length=21)[0] != run(["a"], algorithm="cmac")[0]


def test_cmac_domains_keys_and_slices():
    """Value, domain and key decide alone, in any slice of any batch."""
    cmac = {"algorithm": "cmac"}
    made = [run(["a"], **cmac), run(["b"], **cmac), run(["a"], domain="card", **cmac), run(["a"], keys=KeyRing.new(), **cmac)]
    assert len({p[0] for p in made}) == len(made)
    column = pa.array(["a", None, "", "dd", "e" * 70, "f" * 16] * 7)
    assert [p for i in range(0, len(column), 5) for p in run(column[i : i + 5], **cmac)] == run(column, **cmac)


def test_fixed_vector():
    """The pseudonym of a value under a given root never changes between releases: streams stay joinable."""
    ring = KeyRing.parse(b'{"format": "flink-masking key ring 1", "versions": [{"version": 1, "state": "primary", "created": "2024-03-15",'
                         b'"root": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}', "test")
    assert run(["CUST12345"], keys=ring) == ["YOuNbunkSHWV1mEWdhxtfU"]
    assert run(["CUST12345"], keys=ring, algorithm="cmac") == ["04AYUJ4BY7cnys0Oq3iZi"]


def test_default_is_22_digits():
    """Without parameters a pseudonym has 22 base-62 digits, 130 bits."""
    assert [len(p) for p in run(["a", "b" * 1000])] == [22, 22]


def test_prefix():
    """The prefix stands in front of every pseudonym, and not in front of nothing."""
    assert run(["a", "", None], prefix="kündin-") == ["kündin-" + run(["a"])[0], "", None]


def test_same_value_in_other_streams_and_fields():
    """Value, domain and key decide alone: another field and another batch give the same pseudonym."""
    assert run(["x", "a"], path="f")[1] == run(["a", "y", "z"], path="g[*].h")[0]


def test_domains_and_keys_keep_values_apart():
    """Another domain, another ring and another value each give another pseudonym."""
    made = [run(["a"]), run(["b"]), run(["a"], domain="card"), run(["a"], keys=KeyRing.new()), run(["A"]), run(["a "])]
    assert len({p[0] for p in made}) == len(made)


def test_rotation_changes_pseudonyms():
    """The primary version of the ring is what counts."""
    assert run(["a"]) != run(["a"], keys=RING.rotated())


def test_slices_change_nothing():
    """A row's pseudonym does not depend on the rows around it, nor on the array's offset."""
    column = pa.array(["a", None, "", "dd", "e" * 70, "f"] * 7)
    assert [p for i in range(0, len(column), 5) for p in run(column[i:i + 5])] == run(column)


def test_digits_are_uniform():
    """Over many values every base-62 digit comes equally often at every place (chi-squared far from its tail)."""
    # One ring for every run: the bound holds or does not, and not by chance.
    ring = KeyRing.parse(b'{"format": "flink-masking key ring 1", "versions": [{"version": 1, "state": "primary", "created": "2024-03-15",'
                         b'"root": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}', "test")
    made = np.array([list(p.encode()) for p in run([f"v{i}" for i in range(20_000)], keys=ring)])
    for place in range(22):
        counts = np.bincount(made[:, place], minlength=128)[list(BASE62.encode())]
        assert counts.sum() == 20_000
        assert ((counts - 20_000 / 62) ** 2).sum() / (20_000 / 62) < 61 + 6 * np.sqrt(2 * 61)


def test_no_value_in_the_output():
    """No pseudonym holds the value, and ten thousand values share none."""
    texts = [f"CUST{i:05d}" for i in range(10_000)]
    made = run(texts)
    assert len(set(made)) == len(texts)
    assert not set(made) & set(texts)


@pytest.mark.parametrize("params", [
    {}, {"domain": ""}, {"domain": "d", "length": 0}, {"domain": "d", "length": 44}, {"domain": "d", "length": "22"},
    {"domain": "d", "length": 65, "encoding": "hex"}, {"domain": "d", "length": 52, "encoding": "base32"},
    {"domain": "d", "encoding": "base64"}, {"domain": "d", "salt": "x"}, {"domain": "d", "algorithm": "md5"},
    {"domain": "d", "algorithm": "cmac", "length": 22}, {"domain": "d", "algorithm": "cmac", "length": 33, "encoding": "hex"},
    {"domain": "d", "algorithm": "cmac", "length": 26, "encoding": "base32"}, {"domain": "d", "algorithm": "cmac", "encoding": "base64"},
    {"domain": "d", "algorithm": "cmac", "encoding": ["hex"]}, {"domain": "d", "algorithm": "cmac", "length": None},
])
def test_wrong_parameters(params):
    """A missing domain, a length that the encoding lacks and anything unknown are refused."""
    with pytest.raises(ValidationError):
        PseudonymParams(**params)


def test_warning_for_short_pseudonyms():
    """Lengths below 96 bits are warned of, with the length that is enough; the default is not."""
    assert warnings(PseudonymParams(domain="d")) == []
    for encoding, enough in (("base62", 17), ("hex", 24), ("base32", 20)):
        assert warnings(PseudonymParams(domain="d", encoding=encoding, length=enough)) == []
        (text,) = warnings(PseudonymParams(domain="d", encoding=encoding, length=enough - 1))
        assert f"Hint: 96 bits take a length of {enough}" in text


def test_output_domain():
    """The output domain has the pseudonyms and neither values, other lengths nor other digits."""
    for example in TECHNIQUE.examples:
        params = PseudonymParams(**example)
        domain = output_domain(params)
        (made,) = run(["x"], **example)
        assert domain.contains(made)
        assert not any(domain.contains(text) for text in (made + "0", made[:-1], made[:-1] + "-", "x"))


def test_a_length_that_cmac_lacks_is_explained():
    """A CMAC asked for more digits than 128 bits have is refused with the length that it has."""
    with pytest.raises(ValidationError, match=r"at most 21 in base62 with cmac\. Hint: 128 bits have no more digits"):
        PseudonymParams(domain="d", algorithm="cmac", length=22)


def test_kinds():
    """Text, numbers and booleans are taken; objects and arrays are not."""
    assert {Kind.STRING, Kind.ENCODED, Kind.NUMBER, Kind.TRUE, Kind.FALSE} == TECHNIQUE.inputs


def test_mask_cannot_be_pickled():
    """The mask holds a key and refuses to leave its process, saying nothing."""
    for algorithm, purpose in (("hmac", "pseudonym"), ("cmac", "pseudonym-cmac")):
        mask = TECHNIQUE.make(PseudonymParams(domain="d", algorithm=algorithm), rule_context())
        for way in (pickle.dumps, cloudpickle.dumps):
            with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as caught:
                way(mask)
            assert RING.derive(purpose, "d").secret().hex() not in str(caught.value)
