"""FF1 over a column: laws that hold for every key, radix, length and tweak."""

import copy
import pickle

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flink_masking.crypto.ff1 import CHUNK, Ff1, plan, shortest
from flink_masking.crypto.ff1_exact import ExactFf1, half_bytes

KEY = bytes(range(32))
RADICES = st.sampled_from([2, 3, 8, 10, 16, 26, 36, 62, 64, 95, 255, 256, 257, 1000, 4096, 65535, 65536]) | st.integers(2, 65536)


@st.composite
def columns(draw):
    """A radix and a column of messages of some lengths, with gaps between them: numerals, starts, lengths."""
    radix = draw(RADICES)
    least = shortest(radix)
    lengths = draw(st.lists(st.just(0) | st.integers(least, least + 12) | st.integers(least, 70), min_size=1, max_size=8))
    gaps = draw(st.lists(st.integers(0, 3), min_size=len(lengths), max_size=len(lengths)))
    starts = np.cumsum([0, *(length + gap for length, gap in zip(lengths, gaps, strict=True))])[:-1] + np.array(gaps)
    size = sum(lengths) + sum(gaps)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    edges = draw(st.sampled_from(["random", "lowest", "highest"]))
    top = {"random": radix, "lowest": 1, "highest": radix}[edges]
    numerals = generator.integers(radix - 1 if edges == "highest" else 0, top, size).astype(np.uint16)
    return radix, numerals, starts.astype(np.int64), np.array(lengths, np.int64)


def tweaks_of(n, width, seed):
    """n tweaks of `width` bytes, or None."""
    return np.random.default_rng(seed).integers(0, 256, (n, width)).astype(np.uint8) if width else None


TWEAKS = st.binary(max_size=40), st.integers(0, 40), st.integers(0, 1000)


@settings(deadline=None, max_examples=150)
@given(columns(), *TWEAKS)
def test_round_trip(column, tweak, width, seed):
    """Decrypting what was encrypted gives every numeral back, and what is no message never changes."""
    radix, numerals, starts, lengths = column
    cipher, tweaks = Ff1(KEY, radix), tweaks_of(len(starts), width, seed)
    secret = cipher.encrypt(numerals, starts, lengths, tweak, tweaks)
    inside = np.zeros(len(numerals), bool)
    for start, length in zip(starts, lengths, strict=True):
        inside[start : start + length] = True
    assert (secret[~inside] == numerals[~inside]).all()
    assert (cipher.decrypt(secret, starts, lengths, tweak, tweaks) == numerals).all()


@settings(deadline=None, max_examples=150)
@given(columns(), *TWEAKS)
def test_a_column_is_its_messages(column, tweak, width, seed):
    """A column gives for each message what exact integers give for it alone."""
    radix, numerals, starts, lengths = column
    tweaks, exact = tweaks_of(len(starts), width, seed), ExactFf1(AES(KEY), radix)
    secret = Ff1(KEY, radix).encrypt(numerals, starts, lengths, tweak, tweaks)
    clear = Ff1(KEY, radix).decrypt(numerals, starts, lengths, tweak, tweaks)
    for k, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        if length:
            whole = tweak + (b"" if tweaks is None else tweaks[k].tobytes())
            message = numerals[start : start + length].tolist()
            assert exact.encrypt(message, whole) == secret[start : start + length].tolist()
            assert exact.decrypt(message, whole) == clear[start : start + length].tolist()


@pytest.mark.parametrize("radix", [2, 3, 10, 36, 62, 63, 64, 65, 255, 256, 257])
def test_every_way_to_divide_is_exact(radix):
    """Lowest, highest and other messages of every length that the compiled path takes are what exact integers give, both ways."""
    exact, cipher, generator = ExactFf1(AES(KEY), radix), Ff1(KEY, radix), np.random.default_rng(radix)
    for length in range(cipher.shortest, 100):
        if plan(radix, length) is None:
            break
        numerals = np.concatenate([np.zeros(length), np.full(length, radix - 1), generator.integers(0, radix, length)]).astype(np.uint16)
        starts, lengths = np.arange(3) * length, np.full(3, length)
        for made, convert in ((cipher.encrypt, exact.encrypt), (cipher.decrypt, exact.decrypt)):
            expected = [numeral for start in starts for numeral in convert(numerals[start : start + length].tolist(), b"t")]
            assert made(numerals, starts, lengths, b"t").tolist() == expected
    assert length > cipher.shortest


@settings(deadline=None, max_examples=50)
@given(columns(), st.data())
def test_any_slicing_gives_the_same(column, data):
    """Messages encrypted in two calls come out as in one."""
    radix, numerals, starts, lengths = column
    cipher, tweaks = Ff1(KEY, radix), tweaks_of(len(starts), 5, 1)
    cut = data.draw(st.integers(0, len(starts)))
    whole = cipher.encrypt(numerals, starts, lengths, b"", tweaks)
    first = cipher.encrypt(numerals, starts[:cut], lengths[:cut], b"", tweaks[:cut])
    assert (cipher.encrypt(first, starts[cut:], lengths[cut:], b"", tweaks[cut:]) == whole).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3 * CHUNK), st.integers(0, 20))
@example(CHUNK, 0)
@example(CHUNK + 1, 8)
def test_chunks_leave_no_seam(n, width):
    """More messages than are taken at a time give what each gives alone, the last and first of a chunk among them."""
    generator, cipher = np.random.default_rng(n), Ff1(KEY, 10)
    numerals, tweaks = generator.integers(0, 10, 8 * n).astype(np.uint16), tweaks_of(n, width, n)
    starts, lengths = np.arange(n) * 8, np.full(n, 8)
    secret = cipher.encrypt(numerals, starts, lengths, b"t", tweaks)
    seams = {len(part) for part in np.array_split(np.arange(n), -(-n // CHUNK))}
    for k in {0, n // 2, n - 1, *(seam - 1 for seam in seams), *(min(n - 1, seam) for seam in seams)}:
        own = b"t" if tweaks is None else b"t" + tweaks[k].tobytes()
        message = slice(8 * k, 8 * k + 8)
        assert cipher.decrypt(secret[message], starts[:1], lengths[:1], own).tolist() == numerals[message].tolist()


@pytest.mark.parametrize(("radix", "length"), [(2, 2), (2, 11), (3, 6), (10, 3), (10, 4), (16, 3), (26, 2), (62, 2)])
def test_bijection_on_a_whole_domain(radix, length):
    """Every message of a small domain is encrypted to another one, and each of them is reached, under any tweak."""
    n = radix**length
    messages = (np.arange(n)[:, None] // radix ** np.arange(length)[::-1] % radix).astype(np.uint16)
    starts, lengths = np.arange(n) * length, np.full(n, length)
    cipher = Ff1(KEY, radix, minimum=2)
    for tweak in (b"", b"tweak"):
        secret = cipher.encrypt(messages.reshape(-1), starts, lengths, tweak).reshape(n, length)
        assert len(np.unique(secret, axis=0)) == n
        assert secret.max() < radix


def test_keys_of_aes():
    """All three key lengths of AES are taken, and each encrypts differently."""
    numerals, start, length = np.zeros(16, np.uint16), np.zeros(1, np.int64), np.array([16])
    assert len({tuple(Ff1(bytes(size), 10).encrypt(numerals, start, length)) for size in (16, 24, 32)}) == 3


def test_bytes_of_a_half_are_exact():
    """b is right where a logarithm in floating point is not: just below and above whole bytes, for every radix."""
    for radix in range(2, 1 << 16, 97):
        for v in range(1, 40, 3):
            b = half_bytes(radix, v)
            assert 256 ** (b - 1) < radix**v <= 256**b or (b == 1 and radix**v <= 256)


@pytest.mark.parametrize(("radix", "least"), [(2, 20), (10, 6), (26, 5), (36, 4), (62, 4), (1000, 2), (65536, 2)])
def test_shortest_message(radix, least):
    """The shortest message is the first length of which there are a million; a shorter one is an error, not a weak result."""
    cipher, start = Ff1(KEY, radix), np.zeros(1, np.int64)
    assert cipher.shortest == least
    assert radix**least >= 1_000_000
    cipher.encrypt(np.zeros(least, np.uint16), start, np.array([least]))
    for length in range(1, least):
        with pytest.raises(ValueError, match="at least"):
            cipher.encrypt(np.zeros(least, np.uint16), start, np.array([length]))


@pytest.mark.parametrize(("key", "radix"), [(b"short", 10), (bytes(33), 10), (KEY, 1), (KEY, 65537), (KEY, 0)])
def test_wrong_keys_and_radices(key, radix):
    """A key that is none of AES and a radix out of range are errors."""
    with pytest.raises(ValueError, match="FF1 takes"):
        Ff1(key, radix)


@pytest.mark.parametrize("length", [8, 60])
def test_numerals_beyond_the_radix(length):
    """A numeral that is not below the radix is an error, for short and for long messages."""
    numerals = np.zeros(length, np.uint16)
    numerals[length // 2] = 10
    with pytest.raises(ValueError, match="not below the radix"):
        Ff1(KEY, 10).encrypt(numerals, np.zeros(1, np.int64), np.array([length]))


def test_the_compiled_path_covers_what_is_common():
    """Halves up to 2^63, and 2^64 for powers of two, are compiled: 36 digits, 20 alphanumerics, a UUID; longer ones are exact integers."""
    assert all(plan(radix, n) is not None for radix, n in [(10, 36), (62, 20), (36, 24), (16, 32), (2, 128), (65536, 8)])
    assert all(plan(radix, n) is None for radix, n in [(10, 38), (62, 22), (16, 33), (65535, 8)])


def test_says_nothing_of_its_key():
    """A cipher is neither printed with its key, nor pickled, nor copied."""
    cipher = Ff1(KEY, 10)
    cipher.encrypt(np.zeros(8, np.uint16), np.zeros(1, np.int64), np.array([8]))
    assert repr(cipher) == "<Ff1>"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither pickled nor copied"):
            attempt(cipher)


def test_input_is_not_changed():
    """The numerals that were given stay what they were."""
    numerals = np.arange(10, dtype=np.uint16)
    numerals.setflags(write=False)
    Ff1(KEY, 10).encrypt(numerals, np.zeros(1, np.int64), np.array([10]))
    assert numerals.tolist() == list(range(10))
