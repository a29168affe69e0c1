# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Checks of addresses of crypto-currencies: Base58Check (BTC), Bech32 and Bech32m (BIP 173, BIP 350), EIP-55 (ETH), Monero's Base58.

Checksums need hashes of single short messages: SHA-256 (FIPS 180-4) and Keccak-256 in their plain form. They see public values only.
"""

import numpy as np

from flink_masking.detect.code_checks_kernels import codes
from flink_masking.detect.digit_kernels import NOT, STRONG, WEAK
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.memory import at


def _primes(count):
    found = []
    k = 2
    while len(found) < count:
        if all(k % p for p in found):
            found.append(k)
        k += 1
    return found


def _fraction(x, root):
    """The first 32 bits of the fraction of a root of x."""
    low, high = 0, x << 33
    while high - low > 1:  # the root times 2^32, as an integer
        middle = (low + high) // 2
        if middle**root <= x << (32 * root):
            low = middle
        else:
            high = middle
    return low & 0xFFFFFFFF


ROUNDS = np.array([_fraction(p, 3) for p in _primes(64)], np.int64)
INITIAL = np.array([_fraction(p, 2) for p in _primes(8)], np.int64)


@njit(**JIT)
def rotated(x, n):
    """A word of 32 bits, held in int64, rotated to the right."""
    return ((x >> n) | (x << (32 - n))) & 0xFFFFFFFF


@njit(**JIT)
def sha256_block(message, n, state):
    """SHA-256 of a message of n ≤ 55 bytes; the 32 bytes come into `state`."""
    w = np.zeros(64, np.int64)
    for k in range(n):
        w[k >> 2] |= np.int64(message[k]) << (24 - 8 * (k & 3))
    w[n >> 2] |= np.int64(0x80) << (24 - 8 * (n & 3))
    w[15] = n * 8
    for k in range(16, 64):
        a, b = w[k - 15], w[k - 2]
        s0 = rotated(a, 7) ^ rotated(a, 18) ^ (a >> 3)
        s1 = rotated(b, 17) ^ rotated(b, 19) ^ (b >> 10)
        w[k] = (w[k - 16] + s0 + w[k - 7] + s1) & 0xFFFFFFFF
    h = np.zeros(8, np.int64)
    for k in range(8):
        h[k] = INITIAL[k]
    a, b, c, d, e, f, g, z = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    for k in range(64):
        t1 = z + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & 0xFFFFFFFF & g)) + ROUNDS[k] + w[k]
        t2 = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        z, g, f, e, d, c, b, a = g, f, e, (d + t1) & 0xFFFFFFFF, c, b, a, (t1 + t2) & 0xFFFFFFFF
    last = (a, b, c, d, e, f, g, z)
    for k in range(8):
        x = (h[k] + last[k]) & 0xFFFFFFFF
        for j in range(4):
            state[4 * k + j] = (x >> (24 - 8 * j)) & 0xFF


BASE58 = codes("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")


@njit(**JIT)
def place_of(alphabet, c):
    """Where a byte stands in an array of codes, or -1."""
    for k in range(len(alphabet)):
        if alphabet[k] == c:
            return np.int64(k)
    return np.int64(-1)


@njit(**JIT)
def base58check(p, e):
    """A Bitcoin address ``1…`` or ``3…``: 25 bytes in base 58, of which the last four begin the double SHA-256 of the others."""
    raw = np.zeros(25, np.uint8)
    while p < e:
        carry = place_of(BASE58, at(p))
        if carry < 0:
            return NOT
        for k in range(24, -1, -1):
            carry += 58 * np.int64(raw[k])
            raw[k] = carry & 0xFF
            carry >>= 8
        if carry:
            return NOT
        p += 1
    if raw[0] != 0 and raw[0] != 5:
        return NOT
    once, twice = np.zeros(32, np.uint8), np.zeros(32, np.uint8)
    sha256_block(raw, 21, once)
    sha256_block(once, 32, twice)
    for k in range(4):
        if raw[21 + k] != twice[k]:
            return NOT
    return STRONG


BECH32 = codes("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
GENERATORS = np.array((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3), np.int64)


@njit(**JIT)
def polymod(c, v):
    """One step of Bech32's checksum."""
    top = c >> 25
    c = ((c & 0x1FFFFFF) << 5) ^ v
    for k in range(5):
        if (top >> k) & 1:
            c ^= GENERATORS[k]
    return c


@njit(**JIT)
def bech32(p, e):
    """A Bitcoin address ``bc1…`` in small letters."""
    c = np.int64(1)
    for k in range(2):
        c = polymod(c, at(p + k) >> 5)
    c = polymod(c, 0)
    for k in range(2):
        c = polymod(c, at(p + k) & 31)
    q = p + 3
    while q < e:
        v = place_of(BECH32, at(q))
        if v < 0:
            return NOT
        c = polymod(c, v)
        q += 1
    return STRONG if c == 1 or c == 0x2BC830A3 else NOT


def _round_constants():
    """Keccak's round constants, by its shift register."""
    out, register = [], 1
    for _ in range(24):
        word = 0
        for j in range(7):
            if register & 1:
                word ^= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        out.append(word)
    return tuple(out)


KECCAK = np.array(_round_constants(), np.uint64)
OFFSETS = np.array((0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14), np.int64)


@njit(**JIT)
def turned(x, n):
    """A uint64 rotated to the left."""
    return x if n == 0 else (x << np.uint64(n)) | (x >> np.uint64(64 - n))


@njit(**JIT)
def keccak256(message, n, a):
    """Keccak-256 of n ≤ 135 bytes: the first four words of the 25 of `a`, which are 0 before."""
    for k in range(n):
        a[k >> 3] ^= np.uint64(message[k]) << np.uint64(8 * (k & 7))
    a[n >> 3] ^= np.uint64(1) << np.uint64(8 * (n & 7))
    a[16] ^= np.uint64(0x8000000000000000)
    b, c = np.zeros(25, np.uint64), np.zeros(5, np.uint64)
    for r in range(24):
        for x in range(5):
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]
        for x in range(5):
            d = c[(x + 4) % 5] ^ turned(c[(x + 1) % 5], 1)
            for y in range(5):
                a[x + 5 * y] ^= d
        for x in range(5):
            for y in range(5):
                b[y + 5 * ((2 * x + 3 * y) % 5)] = turned(a[x + 5 * y], OFFSETS[x + 5 * y])
        for y in range(5):
            for x in range(5):
                a[x + 5 * y] = b[x + 5 * y] ^ (~b[(x + 1) % 5 + 5 * y] & b[(x + 2) % 5 + 5 * y])
        a[0] ^= KECCAK[r]


@njit(**JIT)
def eip55(p, e):
    """An Ethereum address ``0x…``: STRONG where letters of both cases are as EIP-55 has them, WEAK with one case only."""
    message = np.zeros(40, np.uint8)
    small, capital = False, False
    for k in range(40):
        c = at(p + 2 + k)
        small = small or c >= 97
        capital = capital or 65 <= c <= 70
        message[k] = c | 32 if c >= 65 else c
    if not (small and capital):
        return WEAK
    state = np.zeros(25, np.uint64)
    keccak256(message, 40, state)
    for k in range(40):
        c = at(p + 2 + k)
        nibble = (state[k >> 4] >> np.uint64(8 * ((k >> 1) & 7) + (0 if k & 1 else 4))) & np.uint64(15)
        if c >= 65 and (nibble >= np.uint64(8)) != (c <= 70):
            return NOT
    return STRONG


@njit(**JIT)
def monero(p, e):
    """A Monero address: 95 characters in blocks of eleven for eight bytes, the last four bytes of 69 those that Keccak-256 of the others
    begins with."""
    if e - p != 95:
        return NOT
    raw = np.zeros(69, np.uint8)
    done = 0
    for block in range(9):
        size = 11 if block < 8 else 7
        count = 8 if block < 8 else 5
        for k in range(size):
            carry = place_of(BASE58, at(p + block * 11 + k))
            if carry < 0:
                return NOT
            for j in range(done + count - 1, done - 1, -1):
                carry += 58 * np.int64(raw[j])
                raw[j] = carry & 0xFF
                carry >>= 8
            if carry:
                return NOT
        done += count
    state = np.zeros(25, np.uint64)
    keccak256(raw, 65, state)
    for k in range(4):
        if raw[65 + k] != np.uint8((state[0] >> np.uint64(8 * k)) & np.uint64(0xFF)):
            return NOT
    return STRONG
