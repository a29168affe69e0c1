"""FF1 (NIST SP 800-38G) for columns of messages whose halves exceed 64 bits, up to 120 bits: numbers of 37 to 72 digits.

Raw, as `flink_masking.crypto.ff1`, which chooses between this and its own arithmetic by the length of a message.
"""

from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import AEADEncryptionContext, CipherContext

from flink_masking.crypto import ff1_wide_kernels as kernel
from flink_masking.crypto.ff1_exact import BLOCK, ROUNDS, half_bytes

LIMB_BITS, MOST_LIMBS, MOST_BYTES = 54, 3, 15
"""Bits of a limb at most; limbs of a half; bytes of a half, which with the number of the round fill one block."""


class _Half(NamedTuple):
    """How a half is cut into limbs.

    Attributes:
        first: number of its first numeral in the message.
        numerals: how many it has.
        width: numerals of every limb but the last.
        powers: uint64, `kernel.LIMB` numbers a limb.
    """

    first: int
    numerals: int
    width: int
    powers: np.ndarray


class WidePlan(NamedTuple):
    """What all messages of one length share; nothing of it depends on the key.

    Attributes:
        u, v: numerals of the left and the right half.
        size: bytes of a half in the block.
        words: 32-bit words of y.
        limbs: of each half.
        halves: how the left and the right half are cut.
    """

    u: int
    v: int
    size: int
    words: int
    limbs: int
    halves: tuple[_Half, _Half]


def wide_plan(radix: int, length: int) -> WidePlan | None:
    """What messages of a length share; None where a half takes less than eight bytes or more than 120 bits."""
    u, v = length // 2, length - length // 2
    size = half_bytes(radix, v)
    if not 8 <= size <= MOST_BYTES:
        return None
    widest = 1
    while radix ** (widest + 1) < 1 << LIMB_BITS:
        widest += 1
    limbs = max(2, -(-v // widest))
    if limbs > MOST_LIMBS or u < limbs:
        return None
    halves = tuple(_cut(radix, first, count, limbs) for first, count in ((0, u), (u, v)))
    return WidePlan(u, v, size, (size + 3) // 4 + 1, limbs, (halves[0], halves[1]))


def _cut(radix: int, first: int, count: int, limbs: int) -> _Half:
    width = -(-count // limbs)
    if (limbs - 1) * width >= count:
        width = count // limbs
    powers = np.zeros((limbs, kernel.LIMB), np.uint64)
    for j in range(limbs):
        m = radix ** (width if j < limbs - 1 else count - (limbs - 1) * width)
        bits = m.bit_length()
        powers[j] = (m, (1 << (32 + bits)) // m, 64 - bits) if bits > 32 else (m, 0, 0)
    return _Half(first, count, width, powers.reshape(-1))


def run(aes: CipherContext | AEADEncryptionContext, plan: WidePlan, base: np.ndarray, radix: int, numerals: np.ndarray,
        starts: np.ndarray, rows: np.ndarray, backward: bool) -> None:
    """Ten rounds for messages of one length, in place.

    Args:
        aes: AES in ECB mode under the key.
        plan: of the length.
        base: uint8, (n, 16) or (1, 16): the last block without round number and half, xored with the chaining value before it.
        radix: of the numerals.
        numerals: uint16, changed.
        starts: int64: where each message begins.
        rows: int32, n: numbers of the messages.
        backward: decrypt.
    """
    n, step, base = len(rows), BLOCK if len(base) > 1 else 0, np.ascontiguousarray(base).reshape(-1)
    limbs, halves = plan.limbs, [np.empty(n * plan.limbs, np.uint64) for _ in range(2)]
    for half, cut in zip(halves, plan.halves, strict=True):
        kernel.pack(numerals, starts, rows, cut.first, cut.numerals, cut.width, limbs, radix, half)
    blocks, encrypted = np.empty(BLOCK * n, np.uint8), np.empty(BLOCK * n + BLOCK - 1, np.uint8)
    second = np.empty(BLOCK * n + BLOCK - 1, np.uint8)
    for i in range(ROUNDS - 1, -1, -1) if backward else range(ROUNDS):
        source, target = (i + 1) % 2, i % 2
        kernel.blocks(halves[source], limbs, plan.halves[source].powers, base, step, plan.size, i, blocks)
        aes.update_into(blocks.data, encrypted.data)
        if plan.words > 4:  # y goes on with the encryption of the block xored with 1
            blocks[:] = encrypted[: BLOCK * n]
            blocks[BLOCK - 1 :: BLOCK] ^= 1
            aes.update_into(blocks.data, second.data)
        kernel.finish_round(encrypted, second, plan.words, halves[target], limbs, plan.halves[target].powers, int(backward))
    for half, cut in zip(halves, plan.halves, strict=True):
        kernel.unpack(half, starts, rows, cut.first, cut.numerals, cut.width, limbs, radix, numerals)
