"""AES-SIV of a column whose values each have a key of their own, held against the cryptography package."""

import os

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from flink_masking.crypto.many_keys import open_siv, seal_siv_rows
from flink_masking.kernels import aes_blocks


@pytest.fixture(params=[True, False])
def with_instructions(request, monkeypatch):
    """With the processor's own AES, where it has it, and without."""
    if request.param and not aes_blocks.usable():
        pytest.skip("no AES-NI")
    monkeypatch.setattr(aes_blocks, "usable", lambda: request.param)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 48, 100])
@pytest.mark.usefixtures("with_instructions")
def test_every_length_of_value_and_associated_data(size):
    """Values of 1 to 129 bytes, each under its own key, come out as RFC 5297 has it; what lies between them is not touched or read."""
    bound, values, keys = os.urandom(size), [os.urandom(n) for n in range(1, 130)], [os.urandom(64) for _ in range(1, 130)]
    data = np.frombuffer(b"".join(b"gap" + value for value in values), np.uint8)
    ends = np.cumsum([3 + len(value) for value in values]).astype(np.int32)
    starts = ends - np.array([len(value) for value in values], np.int32)
    made = seal_siv_rows(np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 64), data, starts, ends, bound).tobytes()
    sealed = [AESSIV(key).encrypt(value, [bound]) for key, value in zip(keys, values, strict=True)]
    assert made == b"".join(sealed)
    assert open_siv(keys, sealed, bound) == values


@pytest.mark.usefixtures("with_instructions")
def test_no_value():
    """A column without values is none afterwards."""
    none = np.zeros(0, np.int32)
    assert not len(seal_siv_rows(np.zeros((0, 64), np.uint8), np.zeros(8, np.uint8), none, none, b"bound"))


def test_no_key_is_left_in_scratch_memory():
    """Round keys are cleared when a column is done."""
    if not aes_blocks.usable():
        pytest.skip("no AES-NI")
    from flink_masking.crypto import siv_rows_kernels as kernel

    scratch = np.full(kernel.SCRATCH + 128, 7, np.uint8)
    value, out = np.frombuffer(b"value", np.uint8), np.zeros(128, np.uint8)
    kernel.seal_rows(np.frombuffer(os.urandom(64), np.uint8), value, np.zeros(1, np.int32), np.array([5], np.int32), value, out,
                     np.zeros(1, np.int32), scratch)
    assert not scratch.any() and out[:21].any()
