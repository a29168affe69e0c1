"""FF1, format-preserving encryption (NIST SP 800-38G), over a column of messages.

**This is a raw primitive. Use it only if you know what it does not do.** It neither manages keys nor says what a message is; it has no
integrity: any message of the right length decrypts under any key, to something that looks right; equal messages under one tweak give
equal results. For data use the technique ``fpe``.

A message is a string of numerals below the radix. Of 10 rounds each takes one AES block a message, for all messages of a length in one
call: the tweak's and the parameters' part of the chain is computed once for a length, or once a message where each has its own tweak.
"""

from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import AEADEncryptionContext, Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from flink_masking.arrow import empty_int32
from flink_masking.crypto import ff1_kernels as kernel
from flink_masking.crypto import ff1_wide
from flink_masking.crypto.ff1_domain import MINIMUM_DOMAIN, shortest
from flink_masking.crypto.ff1_exact import BLOCK, ROUNDS, ExactFf1, first_block, half_bytes, xor
from flink_masking.crypto.prf import HoldsKey
from flink_masking.crypto.secret import Secret

CHUNK = 4096
"""Most messages taken at a time: their blocks and halves stay in the second-level cache."""

PAIRED = 64
"""Largest radix for which a table of pairs of numerals is made: 16 KiB."""

Encryptor = CipherContext | AEADEncryptionContext


class _Plan(NamedTuple):
    """What all messages of one length share; nothing of it depends on the key.

    Attributes:
        u, v: numerals of the left and the right half.
        size: bytes of a half in the block.
        mode: the kernel's mode bits.
        exact: how `kernel.unpack` may divide: 0 with correction, 1 without, 2 also by the square of the radix.
        constants: uint64, (rounds + 1, kernel.CONSTANTS): row i is for round i; row 10 has the first numbers of a decryption.
    """

    u: int
    v: int
    size: int
    mode: int
    exact: int
    constants: np.ndarray


class Ff1(Secret):
    """FF1 under one key and radix; refuses to be pickled, copied or printed.

    Deterministic, reversible, row-local. Safe to use from several threads.
    """

    __slots__ = ("_algorithm", "_exact", "_pairs", "_plans", "_radix", "_reciprocal", "shortest")

    def __init__(self, key: HoldsKey | bytes, radix: int, minimum: int = MINIMUM_DOMAIN) -> None:
        """Prepare a key.

        Args:
            key: a key handle or the key's bytes: 16, 24 or 32.
            radix: number of different numerals, 2 to 65536.
            minimum: fewest messages of a length; less than `MINIMUM_DOMAIN` is for tests: small domains can be searched.

        Raises:
            ValueError: a key of another length; a radix outside its range.
        """
        secret = key if isinstance(key, bytes) else key.secret()
        if len(secret) not in (16, 24, 32):
            raise ValueError("FF1 takes an AES key of 16, 24 or 32 bytes")
        if not 2 <= radix <= 1 << 16:
            raise ValueError("FF1 takes a radix from 2 to 65536")
        self._algorithm, self._radix = AES(secret), radix
        self._exact = ExactFf1(self._algorithm, radix)
        self._reciprocal = np.array([(1 << 64) // radix, (1 << 64) // radix + 1, (1 << 64) // radix**2 + 1], np.uint64)
        self._pairs = _pairs(radix) if radix <= PAIRED else np.zeros(0, np.int32)
        self._plans: dict[int, _Plan | ff1_wide.WidePlan | None] = {}
        self.shortest = shortest(radix, minimum)
        """Fewest numerals of a message."""

    def encrypt(
        self, numerals: np.ndarray, starts: np.ndarray, lengths: np.ndarray, tweak: bytes = b"", tweaks: np.ndarray | None = None
    ) -> np.ndarray:
        """Encrypt messages that lie in one array (algorithm 7).

        Args:
            numerals: uint16, any number of them, each below the radix.
            starts: int64, n: where each message begins.
            lengths: int64, n: numerals of each message, at least `shortest`; 0: there is no message.
            tweak: what all messages are bound to; public.
            tweaks: uint8, (n, s), s >= 1: what each message is bound to besides, put behind `tweak`.

        Returns:
            uint16, a copy of `numerals` with every message replaced.

        Raises:
            ValueError: a message shorter than `shortest`; a numeral that is not below the radix.
        """
        return self._run(numerals, starts, lengths, tweak, tweaks, 0)

    def decrypt(
        self, numerals: np.ndarray, starts: np.ndarray, lengths: np.ndarray, tweak: bytes = b"", tweaks: np.ndarray | None = None
    ) -> np.ndarray:
        """Decrypt messages (algorithm 8); for arguments, result and errors see `encrypt`."""
        return self._run(numerals, starts, lengths, tweak, tweaks, kernel.BACKWARD)

    def _run(
        self, numerals: np.ndarray, starts: np.ndarray, lengths: np.ndarray, tweak: bytes, tweaks: np.ndarray | None, backward: int
    ) -> np.ndarray:
        if len(numerals) and numerals.max() >= self._radix:
            raise ValueError(f"FF1: a numeral is not below the radix {self._radix}")
        result = words(len(numerals))
        result[:] = numerals
        for length, rows in _groups(lengths):
            if length == 0:
                continue
            if length < self.shortest:
                raise ValueError(f"FF1 takes messages of at least {self.shortest} numerals of radix {self._radix}")
            plan = self._plan(length)
            if plan is None:
                self._one_by_one(result, starts, length, rows, tweak, tweaks, backward)
                continue
            aes = Cipher(self._algorithm, ECB()).encryptor()
            chain = self._chained(aes, plan, tweak, 0 if tweaks is None else tweaks.shape[1])
            for chunk in np.array_split(rows, -(-len(rows) // CHUNK)):
                base = self._with_tweaks(aes, chain, BLOCK + len(tweak), None if tweaks is None else tweaks[chunk])
                if isinstance(plan, ff1_wide.WidePlan):
                    ff1_wide.run(aes, plan, base, self._radix, result, starts, chunk, backward != 0)
                    continue
                self._chunk(aes, plan, base, result, starts, chunk, backward)
        return result

    def _plan(self, length: int) -> _Plan | ff1_wide.WidePlan | None:
        """What messages of a length share; None where a half does not fit into the kernels' arithmetic."""
        if length not in self._plans:
            self._plans[length] = plan(self._radix, length) or ff1_wide.wide_plan(self._radix, length)
        return self._plans[length]

    def _one_by_one(
        self, numerals: np.ndarray, starts: np.ndarray, length: int, rows: np.ndarray, tweak: bytes, tweaks: np.ndarray | None, back: int
    ) -> None:
        """Long messages, in exact integers."""
        convert = self._exact.decrypt if back else self._exact.encrypt
        for row in rows.tolist():
            message = slice(int(starts[row]), int(starts[row]) + length)
            whole = tweak if tweaks is None else tweak + tweaks[row].tobytes()
            numerals[message] = convert(numerals[message].tolist(), whole)

    def _chained(self, aes: Encryptor, plan: _Plan | ff1_wide.WidePlan, tweak: bytes, own: int) -> tuple[np.ndarray, int, np.ndarray]:
        """The chain as far as it is the same for all messages.

        Args:
            own: bytes of the tweak that each message has for itself, behind `tweak`.

        Returns:
            The blocks of P || Q without those bytes, round number and half: uint8, (blocks, 16); how many of them are done; and the next
            one xored with the chaining value before it: uint8, (1, 16).
        """
        t = len(tweak) + own
        data = first_block(self._radix, plan.u + plan.v, t) + tweak + bytes(own + (-t - plan.size - 1) % BLOCK + 1 + plan.size)
        done = min(BLOCK + len(tweak) if own else len(data), len(data) - BLOCK) // BLOCK
        state = bytes(BLOCK)
        for k in range(0, BLOCK * done, BLOCK):
            state = aes.update(xor(data[k : k + BLOCK], state))
        template = np.frombuffer(data, np.uint8).reshape(-1, BLOCK)
        return template, done, template[done : done + 1] ^ np.frombuffer(state, np.uint8)

    def _with_tweaks(
        self, aes: Encryptor, chain: tuple[np.ndarray, int, np.ndarray], begin: int, tweaks: np.ndarray | None
    ) -> np.ndarray:
        """The last block of P || Q without round number and half, xored with the chaining value before it.

        Args:
            chain: from `_chained`.
            begin: where in P || Q each message's own part of the tweak begins.
            tweaks: uint8, (n, s), these parts, or None.

        Returns:
            uint8, (n, 16), or (1, 16) when all messages have the same tweak.
        """
        template, done, block = chain
        if tweaks is None:
            return block
        n, own = tweaks.shape
        for k in range(done, len(template)):
            if k > done:
                block = np.frombuffer(aes.update(block.data), np.uint8).reshape(-1, BLOCK) ^ template[k]
            first, last = max(begin, BLOCK * k), min(begin + own, BLOCK * (k + 1))
            if first < last:
                mixed = np.empty((n, BLOCK), np.uint8)
                step, place = BLOCK if len(block) > 1 else 0, first - BLOCK * k
                kernel.add_tweaks(block.reshape(-1), step, tweaks.reshape(-1), own, first - begin, last - first, place, mixed.reshape(-1))
                block = mixed
        return block

    def _chunk(
        self, aes: Encryptor, plan: _Plan, base: np.ndarray, numerals: np.ndarray, starts: np.ndarray, rows: np.ndarray, backward: int
    ) -> None:
        """Ten rounds for some messages of one length, in place."""
        n, step = len(rows), BLOCK if len(base) > 1 else 0
        halves = np.empty(n, np.uint64), np.empty(n, np.uint64)
        blocks, encrypted = np.empty(BLOCK * n, np.uint8), np.empty(BLOCK * n + BLOCK - 1, np.uint8)
        kernel.pack(numerals, starts, rows, plan.u, plan.v, self._radix, *halves)
        base, order = base.reshape(-1), range(ROUNDS - 1, -1, -1) if backward else range(ROUNDS)
        kernel.first_blocks(halves[0 if backward else 1], base, step, plan.constants[ROUNDS + (backward > 0)], blocks)
        for i in order:
            aes.update_into(blocks.data, encrypted.data)
            constants = plan.constants[ROUNDS + 2 + i if backward else i]
            kernel.finish_round(encrypted, halves[i % 2], base, step, constants, plan.mode | backward, blocks)
        kernel.unpack(*halves, starts, rows, plan.u, plan.v, self._radix, plan.exact, self._reciprocal, self._pairs, numerals)


def plan(radix: int, length: int) -> _Plan | None:
    """What messages of a length share, or None where a half exceeds 2^63 (2^64 when the radix is a power of two)."""
    u, v = length // 2, length - length // 2
    power = radix & (radix - 1) == 0
    if radix**v > 1 << (64 if power else 63):
        return None
    size = half_bytes(radix, v)
    constants = np.zeros((2 * ROUNDS + 2, kernel.CONSTANTS), np.uint64)
    for i in range(ROUNDS):
        m = radix ** (v if i % 2 else u)
        shift = (1 << 32) % m
        of_round = [m - 1, 0, 0, 0] if power else [m, (1 << 64) // m, shift, (shift << 64) // m]
        constants[i, : kernel.NEXT_HIGH] = constants[ROUNDS + 2 + i, : kernel.NEXT_HIGH] = of_round
        # The number of the round stands before the half; it is put into a block when the round before it ends.
        word, place = (kernel.NEXT_HIGH, 0) if size == 8 else (kernel.NEXT_LOW, 8 * size)
        constants[i - 1 if i else ROUNDS, word] = i << place
        constants[ROUNDS + 3 + i if i < ROUNDS - 1 else ROUNDS + 1, word] = i << place
    exact = 0 if radix ** (v + 1) > 1 << 64 else 1 if radix > PAIRED or radix ** (v + 2) > 1 << 64 else 2
    return _Plan(u, v, size, (kernel.MASKED if power else 0) | (kernel.WIDE if size > 4 else 0), exact, constants)


def _pairs(radix: int) -> np.ndarray:
    """The two numerals of each number below radix^2, each 16 bits, in the order in which they stand: int32, radix^2."""
    numbers = np.arange(radix**2)
    return np.stack([numbers // radix, numbers % radix], axis=1).astype(np.uint16).view(np.int32).reshape(-1)


def words(n: int) -> np.ndarray:
    """An uninitialised uint16 array of n elements, in memory that is used again."""
    return empty_int32((n + 1) // 2).view(np.uint16)[:n]


def _groups(lengths: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The messages by length: each length with the rows that have it, int32, ascending."""
    if not len(lengths):
        return []
    longest = int(lengths.max())
    if lengths.min() == longest:
        return [(longest, np.arange(len(lengths), dtype=np.int32))]
    order, ends = np.empty(len(lengths), np.int32), np.zeros(longest + 2, np.int64)
    kernel.by_length(lengths, order, ends)
    there = np.flatnonzero(ends[1:] != ends[:-1]).tolist()
    return [(length, order[ends[length] : ends[length + 1]]) for length in there]
