"""The kernels of detection read no byte outside of their values: the data end where a page without access begins."""

import ctypes
import mmap
import random

import numpy as np

from flink_masking.detect import ColumnStatistics, Detectors, Paths
from flink_masking.generate.payloads import payloads

LIBC, PAGE = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
PIECES = ["4111111111111111", "536-90-4399", "a@b.io", "a@b.", "https://u:pw@example.org/?token=abcDEF123456789xyz", "+49 30 1234567",
          "Mary Smith", "12 Main Street",
          "DE89 3704 0044 0532 0130 00", "GB33 ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "-----BEGIN PRIVATE KEY-----", "-----END",
          "password=", "é", "ß", "中", "\U0001f600",
          "\\", "\\u00", "\\ud83d", '"', "{", "2024-01-01", "2024-", "x", "ext. ", "::", "1:2:", "0x", "P<UTO", "Bahnhofstraße 1", "O'",
          " ", "\n", "18-12345", "AA"]  # fmt: skip


class Guarded:
    """Bytes that end where a page without access begins."""

    def __init__(self, body: bytes) -> None:
        """Copy the bytes there."""
        pages = -(-max(len(body), 1) // PAGE)
        self._memory = mmap.mmap(-1, (pages + 1) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        assert LIBC.mprotect(ctypes.c_void_p(start + pages * PAGE), PAGE, 0) == 0
        address = start + pages * PAGE - len(body)
        ctypes.memmove(address, body, len(body))
        self.data = np.frombuffer((ctypes.c_uint8 * len(body)).from_address(address), np.uint8)


def test_no_byte_is_read_behind_the_data():
    """Texts and records of all kinds are searched and counted up to their last byte; one byte too far would end the process."""
    detectors, rng, kept = Detectors(minimum=1), random.Random(4), []
    for _ in range(400):
        text = "".join(rng.choices(PIECES, k=rng.randrange(1, 9)))
        for body in (text.encode(), b'{"ssn":"' + text.encode(), f'["{text}'.encode()[: rng.randrange(1, 40)]):
            guarded = Guarded(body)
            kept.append(guarded)
            bounds = np.zeros(1, np.int64), np.array([len(body)])
            detectors.find(guarded.data, *bounds, np.array([detectors.hint("card.number")], np.int32))
            detectors.find_json(guarded.data, *bounds, Paths())
    paths = Paths()
    statistics = ColumnStatistics(detectors, paths)
    for payload in payloads(60, 2):
        guarded = Guarded(payload.record)
        bounds = np.zeros(1, np.int64), np.array([len(payload.record)])
        statistics.add(guarded.data, paths.values(guarded.data, *bounds))
    assert statistics.columns()
