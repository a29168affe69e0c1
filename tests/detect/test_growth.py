"""No input makes detection's work grow faster than its bytes: what is counted is every byte that the kernels read, not time."""

import json
import subprocess
import sys

import pytest

TOKENS = [
    "a", "1", "a.", "a ", "1 ", "1-", "0:", "(1)", "+1 ", "1:2:3:4:5:6:7:", "::", "GB33 ", "4111 1111 1111 1111 ", "536-90-4399 ", "sk-",
    "xoxb-", "ghp_", "eyJa.", "eyJaaaaaaaa.", "key=", "password=a ", "://", "http://a:", "a:b@", "@", "a@", "a@b.", "a@bc.io ", "x.y@",
    "Q~", "1Q~", "aaa1Q~", "-----BEGIN PRIVATE KEY-----", "-----END", "Bearer ", "Mary ", "New York ", "12 Main Street ", "Dr. ",
    "van der ", "12 rue de la ", "card 123 ", "zip 12345 ", "2024-01-01T00:00:00", "2024-01-01 ", "\u00e4",
    "\u00e4@", "key=a&", "&", "\u00a0", "4111\u00a01111\u00a01111\u00a01111 ", "1\u20112", "5104.",
    "3056 930902 5904 ", "PuTTY-User-Key-File-2: ", "?key=", "\"", "'", "O'", "AA",
]  # fmt: skip
"""What hostile texts repeat."""
JSON = ['{"a":', '[', '"a":1,', '\\"', '\\u0040', '"a@b.io",', "{", ",", '"']
"""What hostile records repeat."""

COUNTED = """
import ctypes, json, sys
import flink_masking.kernels.cache as cache
import flink_masking.kernels.memory as memory
from llvmlite import ir
from flink_masking.kernels import I64, intrinsic, types
from numba.core.caching import NullCache

cache.KernelCache = lambda function, kept: NullCache()  # what was compiled before does not count
reads = ctypes.c_int64(0)
BYTE, WORD = ir.IntType(8), ir.IntType(64)

@intrinsic
def at(_, p):
    def code(context, builder, sig, args):
        place = builder.inttoptr(ir.Constant(WORD, ctypes.addressof(reads)), WORD.as_pointer())
        builder.store(builder.add(builder.load(place), ir.Constant(WORD, 1)), place)
        value = builder.load(builder.inttoptr(args[0], BYTE.as_pointer()))
        value.align = 1
        return builder.zext(value, WORD)
    return types.int64(I64), code

memory.at = at
import numpy as np
from flink_masking.detect import Detectors, Paths

detectors = Detectors(minimum=1)

def work(token, size, record):
    data = np.frombuffer((b'{"t":' * record + token.encode() * (size // len(token) + 1))[:size], np.uint8)
    before, bounds = reads.value, (np.zeros(1, np.int64), np.array([size]))
    if record:
        detectors.find_json(data, *bounds, Paths())
    else:
        for hint in ("", "phone"):
            detectors.find(data, *bounds, np.array([detectors.hint(hint)], np.int32))
    return reads.value - before

work("a", 9, False)
sizes, texts, records = json.loads(sys.argv[1])
print(json.dumps([[work(token, n, record) / n for n in sizes] for record, tokens in enumerate((texts, records)) for token in tokens]))
"""


@pytest.mark.slow
def test_eight_times_the_bytes_are_no_more_work_for_each_byte():
    """Of hostile inputs of 256 kB no more bytes are read for each byte than of 32 kB; twice as many where candidates needed more room,
    which are then searched for once more."""
    argument = json.dumps([[1 << 15, 1 << 18], TOKENS, JSON])
    done = subprocess.run([sys.executable, "-P", "-c", COUNTED, argument], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = dict(zip([*TOKENS, *JSON], json.loads(done.stdout), strict=True))
    assert all(once >= 0.9 for once, _ in found.values()), "the count misses reads"
    assert {} == {token: reads for token, reads in found.items() if reads[1] > 2.1 * reads[0] or reads[1] > 300}
