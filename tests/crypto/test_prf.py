"""HMAC-SHA-256 over columns, against the standard library and RFC 4231."""

import ctypes
import hashlib
import hmac
import mmap
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.crypto import sha256_kernels as kernel
from flink_masking.crypto.prf import Prf
from flink_masking.kernels import sha256_lanes
from flink_masking.keys.ring import KeyRing

KEY = bytes(range(32))


def expected(values, key=KEY):
    """Digests by the standard library."""
    return [hmac.digest(key, value or b"", "sha256") for value in values]


def digests(values, key=KEY):
    """Digests by the kernel."""
    return [row.tobytes() for row in Prf(key).digests(pa.array(values, pa.binary()))]


@pytest.mark.parametrize(("key", "data", "digest"), [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
])
def test_rfc_4231(key, data, digest):
    """The vectors of RFC 4231 hold, a key longer than a block included."""
    assert [d.hex() for d in digests([data] * 3, key)] == [digest] * 3


def test_constants_are_those_of_fips_180_4():
    """The constants, computed from primes, begin and end as FIPS 180-4 prints them."""
    assert (sha256_lanes.START[0], sha256_lanes.START[7]) == (0x6A09E667, 0x5BE0CD19)
    assert (sha256_lanes.ROUND[0], sha256_lanes.ROUND[63], len(sha256_lanes.ROUND)) == (0x428A2F98, 0xC67178F2, 64)


def test_every_length_to_300():
    """Every length from 0 to 300 gives hmac's digest, in ascending, descending and mixed company."""
    values = [bytes((i * 7 + k) % 256 for k in range(i)) for i in range(301)]
    mixed = [values[(i * 97) % 301] for i in range(301)]
    for column in (values, values[::-1], mixed):
        assert digests(column) == expected(column)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.binary(max_size=200), max_size=40), st.binary(max_size=100))
def test_any_column_and_key(values, key):
    """Any column under any key gives hmac's digests; a null gives that of no bytes."""
    assert digests(values, key) == expected(values, key)


def test_one_long_value_among_short_ones():
    """A value of a megabyte does not disturb its neighbours."""
    values = [b"a", bytes(1_000_003), b"", b"b" * 64]
    assert digests(values) == expected(values)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 100])
def test_any_number_of_rows(n):
    """Columns that do not fill the lanes are right to the last row."""
    values = [f"CUST{i}".encode() for i in range(n)]
    assert digests(values) == expected(values)


def test_slices_and_strings():
    """A slice with nulls hashes just its own values, and text is hashed as UTF-8."""
    values = ["é", None, "b", "ccc", None, "", "d" * 70]
    column = pa.array(values * 5)[3:20]
    assert [d.tobytes() for d in Prf(KEY).digests(column)] == expected([v and v.encode() for v in (values * 5)[3:20]])


def test_bytes_under_a_null_do_not_count():
    """A null whose slot holds bytes gives the digest of no bytes."""
    offsets = np.array([0, 80, 81], np.int32)
    column = pa.Array.from_buffers(pa.binary(), 2, [pa.py_buffer(b"\x02"), pa.py_buffer(offsets), pa.py_buffer(b"s" * 81)])
    assert [d.tobytes() for d in Prf(KEY).digests(column)] == expected([b"", b"s"])


def test_words_are_the_first_eight_bytes():
    """A word is the digest's first eight bytes as a big-endian number."""
    values = [b"a", None, b"c" * 100]
    words = Prf(KEY).words(pa.array(values, pa.binary()))
    assert words.dtype == np.uint64
    assert words.tolist() == [int.from_bytes(d[:8], "big") for d in expected(values)]


def test_key_handles():
    """A key handle and its bytes give the same function."""
    handle = KeyRing.new().derive("p", "d")
    column = pa.array(["a", "b"])
    assert (Prf(handle).digests(column) == Prf(handle.secret()).digests(column)).all()


def test_reads_and_writes_nothing_beyond_its_arrays():
    """Input and output that end at a page that may not be touched are read and written to the last byte, and no further."""
    libc = ctypes.CDLL(None, use_errno=True)
    page = mmap.PAGESIZE

    def before_the_edge(size):
        area = mmap.mmap(-1, 3 * page)
        view = np.frombuffer(area, np.uint8)
        assert libc.mprotect(ctypes.c_void_p(view.ctypes.data + 2 * page), ctypes.c_size_t(page), 0) == 0
        return area, view[2 * page - size:2 * page]

    for size in (1, 12, 55, 56, 63, 64, 65, 130):
        (first, data), (second, out) = before_the_edge(size), before_the_edge(32)
        data[:] = np.arange(size)
        states, scratch = np.empty(kernel.KEY_STATES, np.uint8), np.empty(kernel.SCRATCH, np.uint8)
        kernel.prepare_key(np.frombuffer(KEY.ljust(64, b"\0"), np.uint8), states, scratch)
        kernel.hmac_column(data, np.array([0, size], np.int32), np.zeros(0, np.uint8), states, out, scratch)
        assert out.tobytes() == expected([data.tobytes()])[0]
        del data, out, first, second


def test_scratch_is_enough_at_any_address():
    """Whatever the scratch memory's alignment, the kernel stays inside it."""
    column = pa.array([b"a" * i for i in range(40)])
    offsets, data = np.frombuffer(column.buffers()[1], np.int32, 41), np.frombuffer(column.buffers()[2], np.uint8)
    for shift in range(0, 64, 7):
        states, out = np.empty(kernel.KEY_STATES, np.uint8), np.empty(40 * 32, np.uint8)
        area = np.full(kernel.SCRATCH + 256, 0xA5, np.uint8)
        scratch = area[shift + 64:shift + 64 + kernel.SCRATCH]
        kernel.prepare_key(np.frombuffer(KEY.ljust(64, b"\0"), np.uint8), states, scratch)
        kernel.hmac_column(data, offsets, np.zeros(0, np.uint8), states, out, scratch)
        assert (area[:shift + 64] == 0xA5).all()
        assert (area[shift + 64 + kernel.SCRATCH:] == 0xA5).all()
        assert out.tobytes() == b"".join(expected([b"a" * i for i in range(40)]))


def test_stays_in_its_process():
    """A prepared key is neither pickled nor shown, and no kernel module keeps it."""
    prf = Prf(KEY)
    prf.digests(pa.array(["a"]))
    with pytest.raises(TypeError):
        pickle.dumps(prf)
    assert repr(prf) == "<Prf>"
    held = [v for v in (*vars(kernel).values(), *vars(sha256_lanes).values()) if isinstance(v, bytes | np.ndarray)]
    assert held == []


def test_input_is_not_changed():
    """Hashing leaves the column as it was."""
    column = pa.array(["a", None, "ccc"])
    before = hashlib.sha256(b"".join(bytes(b) for b in column.buffers() if b)).digest()
    Prf(KEY).digests(column)
    assert hashlib.sha256(b"".join(bytes(b) for b in column.buffers() if b)).digest() == before
