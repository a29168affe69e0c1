"""FF1 (NIST SP 800-38G, algorithms 7 and 8) of one message at a time, in exact integers: any radix, any length.

Raw: no key management and no rule about small domains. `flink_masking.crypto.ff1` is the same function for columns.
"""

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from flink_masking.crypto.secret import Secret

ROUNDS = 10
BLOCK = 16


def half_bytes(radix: int, v: int) -> int:
    """b: how many bytes a half of v numerals takes; exact, where a logarithm in floating point is wrong for some radices."""
    return ((radix**v - 1).bit_length() + 7) // 8


def first_block(radix: int, n: int, t: int) -> bytes:
    """P (step 5): the block that binds radix, length n and tweak length t."""
    return b"\x01\x02\x01" + radix.to_bytes(3) + bytes([ROUNDS, n // 2 % 256]) + n.to_bytes(4) + t.to_bytes(4)


def number(numerals: Sequence[int], radix: int) -> int:
    """NUM_radix (algorithm 1): the numerals as one number, the most significant first."""
    x = 0
    for numeral in numerals:
        x = x * radix + numeral
    return x


def spelled(x: int, radix: int, m: int) -> list[int]:
    """STR_radix^m (algorithm 3): a number below radix^m as m numerals."""
    numerals = [0] * m
    for k in range(m - 1, -1, -1):
        x, numerals[k] = divmod(x, radix)
    return numerals


class ExactFf1(Secret):
    """FF1 of single messages; refuses to be pickled, copied or printed."""

    __slots__ = ("_algorithm", "_radix")

    def __init__(self, algorithm: object, radix: int) -> None:
        """Keep a block cipher (``cryptography``'s algorithm object with its key) and the radix, 2 to 65536."""
        self._algorithm, self._radix = algorithm, radix

    def encrypt(self, numerals: Sequence[int], tweak: bytes) -> list[int]:
        """Algorithm 7: at least two numerals below the radix → as many."""
        y, u, v = self._round_function(len(numerals), tweak)
        a, b = number(numerals[:u], self._radix), number(numerals[u:], self._radix)
        moduli = self._radix**u, self._radix**v
        for i in range(ROUNDS):
            a, b = b, (a + y(i, b)) % moduli[i % 2]
        return spelled(a, self._radix, u) + spelled(b, self._radix, v)

    def decrypt(self, numerals: Sequence[int], tweak: bytes) -> list[int]:
        """Decrypt (algorithm 8): at least two numerals below the radix → as many."""
        y, u, v = self._round_function(len(numerals), tweak)
        a, b = number(numerals[:u], self._radix), number(numerals[u:], self._radix)
        moduli = self._radix**u, self._radix**v
        for i in range(ROUNDS - 1, -1, -1):
            a, b = (b - y(i, a)) % moduli[i % 2], a
        return spelled(a, self._radix, u) + spelled(b, self._radix, v)

    def _round_function(self, n: int, tweak: bytes) -> tuple[Callable[[int, int], int], int, int]:
        """(i, half) → y (steps 6 i to 6 iv) for one length and tweak, and the lengths of the halves."""
        u, v = n // 2, n - n // 2
        b = half_bytes(self._radix, v)
        d = 4 * ((b + 3) // 4) + 4
        head = first_block(self._radix, n, len(tweak)) + tweak + bytes((-len(tweak) - b - 1) % BLOCK)
        chained, single = Cipher(self._algorithm, CBC(bytes(BLOCK))).encryptor(), Cipher(self._algorithm, ECB()).encryptor()  # type: ignore[arg-type]
        whole = len(head) // BLOCK * BLOCK
        state, tail = chained.update(head[:whole])[-BLOCK:], head[whole:]

        def y(i: int, half: int) -> int:
            r = state
            rest = tail + bytes([i]) + half.to_bytes(b)
            for k in range(0, len(rest), BLOCK):
                r = single.update(xor(r, rest[k : k + BLOCK]))
            s = r + b"".join(single.update(xor(r, j.to_bytes(BLOCK))) for j in range(1, (d + BLOCK - 1) // BLOCK))
            return int.from_bytes(s[:d])

        return y, u, v


def xor(x: bytes, y: bytes) -> bytes:
    """Two blocks, bit by bit."""
    return (int.from_bytes(x) ^ int.from_bytes(y)).to_bytes(BLOCK)
