"""FF1 of long numbers, a column at a time, against FF1 in exact integers."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from flink_masking.crypto import ff1
from flink_masking.crypto.ff1_exact import ExactFf1
from flink_masking.crypto.ff1_wide import WidePlan, wide_plan

KEY = bytes(range(32))


LENGTHS = [(10, range(36, 76)), (16, range(31, 62)), (26, range(26, 54)), (36, range(23, 48)), (62, range(20, 44)),
           (2, range(126, 242, 5)), (65536, range(8, 17)), (11, [64])]  # fmt: skip


@pytest.mark.parametrize(("radix", "lengths"), LENGTHS)
@pytest.mark.parametrize("own", [0, 3, 40])
def test_long_messages_are_encrypted_as_in_exact_integers(radix, lengths, own):
    """Every length around the border of the arithmetic, the largest and smallest numerals, tweaks of the batch and of each message."""
    rng, exact = np.random.default_rng(radix), ExactFf1(AES(KEY), radix)
    cipher = ff1.Ff1(KEY, radix)
    for length in lengths:
        n = 6
        messages = rng.integers(0, radix, (n, length)).astype(np.uint16)
        messages[0], messages[1] = 0, radix - 1
        tweaks = rng.integers(0, 256, (n, own)).astype(np.uint8) if own else None
        starts, counts = np.arange(n, dtype=np.int64) * length, np.full(n, length, np.int64)
        found = cipher.encrypt(messages.reshape(-1), starts, counts, b"tweak", tweaks)
        whole = [b"tweak" + (b"" if tweaks is None else tweaks[k].tobytes()) for k in range(n)]
        expected = [exact.encrypt(row.tolist(), tweak) for row, tweak in zip(messages, whole, strict=True)]
        assert found.reshape(n, length).tolist() == expected, length
        assert cipher.decrypt(found, starts, counts, b"tweak", tweaks).tolist() == messages.reshape(-1).tolist()


def test_numbers_of_up_to_72_digits_need_no_exact_integers():
    """The kernels have a plan for every length up to 72 digits."""
    assert all(ff1.plan(10, n) is not None or isinstance(wide_plan(10, n), WidePlan) for n in range(6, 73))
    assert wide_plan(10, 74) is None
