"""FF1 against NIST's nine samples and the 750 cases of NIST's ACVP server, both ways."""

import json
import string
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from flink_masking.crypto.ff1 import Ff1, plan
from flink_masking.crypto.ff1_exact import ExactFf1

VECTORS = Path(__file__).parent / "vectors"


def cases():
    """Every case as (key, radix, tweak, plaintext numerals, ciphertext numerals)."""
    acvp = json.loads((VECTORS / "acvp_ff1.json").read_text())["testGroups"]
    samples = json.loads((VECTORS / "nist_ff1_samples.json").read_text())["samples"]
    tests = [(group["alphabet"], test) for group in acvp for test in group["tests"]]
    tests += [((string.digits + string.ascii_lowercase)[: sample["radix"]], sample) for sample in samples]
    for alphabet, test in tests:
        clear, secret = ([alphabet.index(character) for character in test[name]] for name in ("pt", "ct"))
        yield bytes.fromhex(test["key"]), len(alphabet), bytes.fromhex(test["tweak"]), clear, secret


CASES = list(cases())


def one(run, numerals, tweak):
    """A single message through the column's interface."""
    column = np.array(numerals, np.uint16)
    return run(column, np.zeros(1, np.int64), np.array([len(column)], np.int64), tweak).tolist()


def test_there_are_759_cases():
    """No vector is lost on the way, and most of them take the compiled path."""
    assert len(CASES) == 759
    assert sum(plan(radix, len(clear)) is not None for _, radix, _, clear, _ in CASES) > 600


@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_columns_agree_with_the_vectors(direction):
    """A column of one message gives the vector's result."""
    for key, radix, tweak, clear, secret in CASES:
        before, after = (clear, secret) if direction == "encrypt" else (secret, clear)
        assert one(getattr(Ff1(key, radix), direction), before, tweak) == after


@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_exact_integers_agree_with_the_vectors(direction):
    """The code for single messages gives the vector's result."""
    for key, radix, tweak, clear, secret in CASES:
        before, after = (clear, secret) if direction == "encrypt" else (secret, clear)
        assert getattr(ExactFf1(AES(key), radix), direction)(before, tweak) == after


def test_tweaks_of_the_rows_agree_with_the_vectors():
    """The same tweak gives the same result however it is divided between the column and its rows."""
    for key, radix, tweak, clear, secret in CASES:
        for cut in {0, len(tweak) // 2, len(tweak) - 1} if tweak else ():
            rows = np.frombuffer(tweak[cut:], np.uint8)[None]
            column, start, length = np.array(clear, np.uint16), np.zeros(1, np.int64), np.array([len(clear)], np.int64)
            assert Ff1(key, radix).encrypt(column, start, length, tweak[:cut], rows).tolist() == secret


def test_one_column_of_many_lengths_agrees_with_the_vectors():
    """All cases of one key are right when they are encrypted in one call, each with its place in the array."""
    by_key = defaultdict(list)
    for key, radix, tweak, clear, secret in CASES:
        by_key[key, radix, tweak].append((clear, secret))
    for (key, radix, tweak), pairs in by_key.items():
        lengths = np.array([len(clear) for clear, _ in pairs], np.int64)
        starts = np.cumsum(lengths) - lengths
        column = np.concatenate([np.array(clear, np.uint16) for clear, _ in pairs])
        expected = np.concatenate([np.array(secret, np.uint16) for _, secret in pairs])
        assert (Ff1(key, radix).encrypt(column, starts, lengths, tweak) == expected).all()
