"""encrypt_deterministic: equal values stay equal, and nothing else is. (What it shares with encrypt is in test_encrypt.py.)"""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.encrypt_deterministic import TECHNIQUE
from flink_masking.techniques.masks import Context, Values

RING = KeyRing.new()


def run(texts, keys=RING, domain="customer", path="field", seed=bytes(32)):
    """Ciphertexts of texts."""
    mask = TECHNIQUE.make(TECHNIQUE.params(domain=domain), RuleContext(FieldFacts(path), keys, str))
    array = pa.array(texts, pa.string())
    kinds = np.array([Kind.NULL if text is None else Kind.STRING for text in texts], np.int32)
    return mask(Values(array, kinds, np.arange(len(texts), dtype=np.int32)), Context(seed)).values.to_pylist()


@given(st.lists(st.text(min_size=1, max_size=4), max_size=30))
def test_equal_exactly_where_values_are_equal(texts):
    """Two ciphertexts of a field are equal if and only if the values are, whatever the batch and its seed."""
    made = run(texts)
    assert made == run(texts, seed=b"\1" * 32)
    assert made == [run([text])[0] for text in texts]
    assert len(set(made)) == len(set(texts))


def test_fields_domains_and_keys_keep_values_apart():
    """Another field, domain, ring or key version gives another ciphertext: two encrypted fields are not joined by their values."""
    made = [run(["a"]), run(["a"], path="other"), run(["a"], domain="card"), run(["a"], KeyRing.new()), run(["a"], RING.rotated())]
    assert len({texts[0] for texts in made}) == len(made)


def test_no_two_values_collide():
    """Ten thousand values have ten thousand ciphertexts and as many tags."""
    made = run([f"CUST{k:05d}" for k in range(10_000)])
    assert len({text[:29] for text in made}) == 10_000
