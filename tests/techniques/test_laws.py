"""The laws of techniques, run over the whole registry: what is registered is tested, without a word here."""

import base64
import pickle
import unicodedata

import cloudpickle
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example as also
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import BOOLEAN, TEXT, Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.techniques.registry import TECHNIQUES
from flink_masking.vault.memory import MemoryVault

HIERARCHY = "Boston;MA;*\nSalem;MA;*\nAlbany;NY;*\n17;young;*\n"
RING, OTHER_RING = KeyRing.new(), KeyRing.new()
SECRET = "SECRET-7f3a"
FEW = settings(max_examples=settings().max_examples // 10, deadline=None)

ALL = [
    pytest.param(technique, example, id=f"{name}-{k}")
    for name, technique in TECHNIQUES.items()
    for k, example in enumerate(technique.examples)
]
MASKS = [case for case in ALL if case.values[0].action is None]


def promised(technique, example):
    """What the technique promises for an example of its parameters."""
    return technique.promises(technique.params.model_validate(example))


# What draws at random depends on the order of the values, which is no dependence between rows, but cannot be split either.
SPLITTABLE = [case for case in MASKS if promised(*case.values).row_local and promised(*case.values).deterministic]

KNOWN_TEXTS = [
    "4111 1111 1111 1111",
    "", "Boston", "Albany", "17", "123-45-6789", "4111-1111-1111-1234", "+1 415 555 0100", "a@b", "john.doe@example.com", "Žofie Nováková",
    "žofie nováková",
    "1969-12-31", "2024-02-29", "2023-02-29", "2024-03-15T10:30:00Z", "2024-12-30T23:59:59.123+02:00", "---", "x" * 200,
    "DE89370400440532013000",
]  # fmt: skip
NEAR = st.text("aA1 -é\u0301K", min_size=6, max_size=9).map(lambda text: "1234567" + text)
"""Texts that differ by little, and that a format or an alphabet of the examples may take."""
TEXTS = st.sampled_from(KNOWN_TEXTS) | st.text(max_size=40)
KNOWN_NUMBERS = ["-0", "1e3", "1e999", "17", "12.50", "-0.005", "1E-7", "9" * 30]
NUMBERS = st.integers(-(10**6), 10**6).map(str) | st.sampled_from(KNOWN_NUMBERS)
PLACES = st.builds(lambda a, b: f'{{"lat":{a},"lon":{b}}}', st.integers(-95, 95), st.integers(-190, 190))
OF_KIND = {
    **dict.fromkeys(TEXT, TEXTS),
    Kind.NUMBER: NUMBERS,
    Kind.TRUE: st.just("true"),
    Kind.FALSE: st.just("false"),
    Kind.OBJECT: PLACES | st.sampled_from(["{}", '{"a":{"b":[1,"x"]}}']),
    Kind.ARRAY: st.sampled_from(["[]", '[1,"x",{}]']),
}


def many(technique):
    """64 different values of each kind that the technique takes, as one would meet them."""
    samples = {
        Kind.NUMBER: [str(100 + k) for k in range(64)],
        Kind.OBJECT: [f'{{"lat":{k},"lon":{k}}}' for k in range(64)],
        Kind.ARRAY: [f"[{k}]" for k in range(64)],
        Kind.STRING: [f"{1950 + k}-03-15" for k in range(64)],
    }
    return [batch([(kind, text) for text in samples[kind]]) for kind in samples if kind in technique.inputs]


def batch(pairs):
    """Values of (kind, text or None) pairs, two a row."""
    kinds = np.array([Kind.NULL if text is None else kind for kind, text in pairs], np.int32)
    return Values(pa.array([text for _, text in pairs], pa.string()), kinds, np.arange(len(pairs), dtype=np.int32) // 2)


def batches(technique):
    """Batches of values of the kinds that the technique takes, some null."""
    kinds = sorted(technique.inputs)
    values = st.one_of(*(st.tuples(st.just(kind), st.none() | OF_KIND[kind] | OF_KIND[kind]) for kind in kinds))
    return st.lists(values, max_size=10).map(batch)


def over_batches(technique, *more):
    """Runs a law over some random batches, and always over one of nothing but empty text and null and one of all known values."""
    kinds = sorted(technique.inputs)
    known = [(Kind.STRING, text) for text in KNOWN_TEXTS] + [(Kind.NUMBER, text) for text in KNOWN_NUMBERS]
    bare = batch([(kind, text) for kind in kinds for text in (["", None] if kind in TEXT else [None])])
    full = batch([(kind, text) for kind, text in known if kind in technique.inputs])

    def decorate(law):
        for values in (bare, full):
            law = also(values, *(1 for _ in more))(law)
        return FEW(given(batches(technique), *more)(law))

    return decorate


def make(technique, example, ring=RING, vault=None):
    """The technique's mask or action for an example of its parameters."""
    rule_context = RuleContext(FieldFacts("field", domain=None), ring, lambda name: HIERARCHY, vault=vault)
    return technique.make(technique.params.model_validate(example), rule_context)


def context(values, seed=7):
    """What a mask sees of the batch: every row has a subject, every other path the same rows."""
    subjects = pa.array([f"person {row // 3}" for row in range(len(values.text) + 1)], pa.string())
    return Context(bytes([seed]) * 32, subjects, lambda path: values.rows)


def outcome(mask, values, seed=7, where=None):
    """What becomes of each value: refused, null, a text, or a literal as bytes."""
    masked = mask(values, context(values if where is None else where, seed))
    n = len(values.text)
    replacements = masked.values if isinstance(masked.values, pa.Array) else pa.array([masked.values.as_py()] * n, masked.values.type)
    replacements.validate(full=True)
    assert replacements.type in (pa.string(), pa.binary())
    assert len(replacements) == n
    assert masked.refused is None or (masked.refused.dtype == np.bool_ and masked.refused.shape == (n,))
    refused = np.zeros(n, bool) if masked.refused is None else masked.refused
    literal = np.zeros(n, bool) if masked.literal is None else masked.literal
    made = [new.encode() if other and new is not None else new for other, new in zip(literal, replacements.to_pylist(), strict=True)]
    return ["(refused)" if no else new for no, new in zip(refused, made, strict=True)]


@pytest.mark.parametrize(("technique", "example"), MASKS)
def test_one_result_a_value_and_null_stays_null(technique, example):
    """n values give n results; null stays null and is never refused; the empty text stays empty, unless all becomes null."""
    mask = make(technique, example)
    becomes_null = promised(technique, example).always_null

    @over_batches(technique)
    def law(values):
        for old, kind, new in zip(values.text.to_pylist(), values.kinds, outcome(mask, values), strict=True):
            if old is None or becomes_null:
                assert new is None
            elif old == "" and kind in TEXT:
                assert new == ""
            else:
                assert new is not None

    law()


@pytest.mark.parametrize(("technique", "example"), MASKS)
def test_results_are_in_the_output_domain(technique, example):
    """Every result that is neither null nor refused belongs to the declared output domain."""
    mask, domain = make(technique, example), technique.output(technique.params.model_validate(example))

    @over_batches(technique)
    def law(values):
        for new in outcome(mask, values):
            text = new.decode() if isinstance(new, bytes) else new
            assert text in (None, "(refused)", "") or domain.contains(text)

    law()


@pytest.mark.parametrize(("technique", "example"), SPLITTABLE)
def test_splitting_a_batch_changes_nothing(technique, example):
    """Where the result of a row does not depend on others, a batch gives the same whole and in slices."""
    mask = make(technique, example)

    @over_batches(technique, st.integers(0, 10))
    def law(values, at):
        ends = Values(*(part[:at] for part in values)), Values(*(part[at:] for part in values))
        assert outcome(mask, values) == [new for end in ends for new in outcome(mask, end, where=values)]

    law()


@pytest.mark.parametrize(("technique", "example"), MASKS)
def test_input_is_not_mutated(technique, example):
    """The buffers that a mask was given hold what they held before."""
    mask = make(technique, example)

    @over_batches(technique)
    def law(values):
        held = [None if buffer is None else buffer.to_pybytes() for buffer in values.text.buffers()]
        kinds, rows = values.kinds.tobytes(), values.rows.tobytes()
        mask(values, context(values))
        assert held == [None if buffer is None else buffer.to_pybytes() for buffer in values.text.buffers()]
        assert (kinds, rows) == (values.kinds.tobytes(), values.rows.tobytes())

    law()


@pytest.mark.parametrize(("technique", "example"), MASKS)
def test_round_trip_if_and_only_if_reversible(technique, example):
    """What is reversible gives every value that it took back (text in NFC), what is not is refused."""
    if not promised(technique, example).reversible:
        with pytest.raises(PolicyError, match="is not reversible"):
            technique.unmake(technique.params.model_validate(example), None)
        return
    vault = MemoryVault()
    rule_context = RuleContext(FieldFacts("field", domain=None), RING, lambda name: HIERARCHY, vault=vault)
    mask, back = make(technique, example, vault=vault), technique.unmake(technique.params.model_validate(example), rule_context)
    taken = []

    @over_batches(technique)
    def law(values):
        protected = outcome(mask, values)
        known = [k for k, new in enumerate(protected) if new != "(refused)"]
        results = batch([(Kind.STRING, protected[k]) for k in known])
        for k, again in zip(known, outcome(back, results, where=values), strict=True):
            old = values.text[k].as_py()
            again = again.decode() if isinstance(again, bytes) else again
            assert again in (old, old and unicodedata.normalize("NFC", old))
            taken.append(old)

    law()
    assert any(taken)


@pytest.mark.parametrize(("name", "example", "texts"), [
    ("partial", {"keep_last": 4}, ["1111-2222", "3333-2222"]),
    ("partial", {"keep_first": 9, "same_length": True}, ["abc", "xyz"]),
    ("redact", {}, ["a", "b"]), ("redact", {"fill": "#"}, ["a", "b"]), ("nullify", {}, ["a", "b"]),
    ("generalize", {"prefix": 3}, ["02139", "02138"]), ("generalize", {"date": "year"}, ["1969-12-31", "1969-01-01"]),
    ("pseudonym", {"domain": "d", "length": 2, "encoding": "hex"}, [str(k) for k in range(257)]),
    ("substitute", {"as": "first_name"}, [str(k) for k in range(20_000)]),
    ("date_shift", {"max_days": 1}, [str(np.datetime64("1969-01-01") + k) for k in range(300)]),
])  # fmt: skip
def test_what_merges_values_does_not_claim_to_keep_them_apart(name, example, texts):
    """Techniques that give two values one result, by design or by size, are no source of keys."""
    results = outcome(make(TECHNIQUES[name], example), batch([(Kind.STRING, text) for text in texts]))
    assert len(set(results)) < len(texts) and "(refused)" not in results
    assert not promised(TECHNIQUES[name], example).injective


@pytest.mark.parametrize(("params", "kept"), [
    ({}, True), ({"length": 17}, True), ({"length": 16}, False), ({"encoding": "hex", "length": 24}, True),
    ({"encoding": "hex", "length": 23}, False), ({"encoding": "base32", "length": 20}, True), ({"encoding": "base32", "length": 19}, False),
    ({"algorithm": "cmac"}, True), ({"algorithm": "cmac", "length": 8}, False),
    ({"length": 8, "prefix": "a-long-prefix-of-more-bits"}, False),
])  # fmt: skip
def test_a_pseudonym_keeps_values_apart_from_96_bits_on(params, kept):
    """The bits of the digest count, in any encoding; a prefix adds none."""
    assert promised(TECHNIQUES["pseudonym"], {"domain": "d", **params}).injective is kept


class RecordingRing(KeyRing):
    """A key ring that remembers the bytes of what it handed out."""

    handed_out: list[bytes] = []  # noqa: RUF012 - the slots of a key ring are closed

    def derive(self, *args, **kwargs):
        """A key, remembered."""
        handle = super().derive(*args, **kwargs)
        self.handed_out.append(handle.secret())
        return handle


@pytest.mark.parametrize(("technique", "example"), ALL)
def test_no_key_can_be_pickled(technique, example):
    """Pickling a mask is refused, or what comes out holds no byte of a key."""
    ring = RecordingRing.new()
    ring.handed_out.clear()
    mask = make(technique, example, ring)
    assert bool(ring.handed_out) <= bool(promised(technique, example).purposes)
    for dumps in (pickle.dumps, cloudpickle.dumps):
        try:
            data = dumps(mask)
        except Exception:
            continue  # refused
        for key in ring.handed_out:
            assert key not in data and key.hex().encode() not in data and base64.b64encode(key) not in data


def test_every_kind_has_values():
    """No kind of value that a technique takes is left out of these laws."""
    taken = {kind for technique in TECHNIQUES.values() for kind in technique.inputs}
    assert taken <= set(OF_KIND)
    assert taken >= BOOLEAN
