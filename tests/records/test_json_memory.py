"""Memory safety of the address-based kernels: no byte too far, nothing read after it is freed."""

import ctypes
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import guard_pages
import numpy as np
import orjson
import pyarrow as pa
from guard_pages import guarded, guarded_column, guarded_output

from flink_masking import arrow
from flink_masking.records.edits import DROP, KEEP, Keys, Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import Flag
from flink_masking.records.trie import Paths

PATH = [str(Path(__file__).parent), str(Path(guard_pages.__file__).parent)]
LONG_KEY = "long_key_" * 6
FIELDS = ["a", "b.c", "l[*]", LONG_KEY, "é", "m.*"]
PATHS = Paths(FIELDS, known=["k"], opaque=["a"])


def random_rows(rnd):
    """Records of all shapes, some cut, some with a wrong byte."""
    values = ["", "x" * rnd.randrange(90), 'q"\\\n' * rnd.randrange(9), "é😀" * rnd.randrange(20), 1.5, None, True]
    rows = []
    for _ in range(rnd.randrange(1, 6)):
        record = {"a": rnd.choice([*values, [], {}, {"z": 1}]), "b": {"c": rnd.choice(values)}, "k": 1,
                  "l": ["y" * rnd.randrange(40)] * rnd.randrange(5), LONG_KEY: rnd.choice(values), "é": rnd.choice(values),
                  "m": {"p" * rnd.randrange(50): 1, "q\n": 2}, "zz": 5, "": 6}
        record = {key: record[key] for key in rnd.sample(sorted(record), rnd.randrange(len(record) + 1))}
        x = bytearray(orjson.dumps(record) if rnd.random() < 0.5 else json.dumps(record).encode())
        if rnd.random() < 0.3:
            x = x[: rnd.randrange(len(x) + 1)]
        if x and rnd.random() < 0.3:
            x[rnd.randrange(len(x))] = rnd.randrange(256)
        rows.append(bytes(x))
    return rows


def random_edit(rnd, table, field):
    """Any edit for a field."""
    n, guard = table.count(field), rnd.choice([lambda array: array, array_at_the_end])
    texts = [rnd.choice(["", "m" * rnd.randrange(200), '"\x01' * rnd.randrange(50), None]) for _ in range(n)]
    how = rnd.choice([None, np.array([rnd.randrange(3) for _ in range(n)], np.uint8)])
    return rnd.choice([KEEP, DROP, Replace(guard(pa.array(texts, pa.string())), how), Replace(table.raw(field)),
                       Replace(pa.scalar("s" * rnd.randrange(60)), how)])


def random_keys(rnd, table):
    """New keys for the members of the open object: those that it has, or any."""
    found = table.keys("m.*")
    found.validate(full=True)
    keys = pa.array([rnd.choice([key, "k" * rnd.randrange(200), '"\x01' * rnd.randrange(50)]) for key in found.to_pylist()], pa.string())
    how = rnd.choice([None, np.array([rnd.randrange(2) for _ in range(len(keys))], np.uint8)])
    return Keys(rnd.choice([lambda array: array, array_at_the_end])(keys), how)


def array_at_the_end(array):
    """The same string array with its data at the end of readable memory."""
    data, offsets, valid = arrow.parts(array)
    address, owner = guarded(len(data))
    ctypes.memmove(address, data.tobytes(), len(data))
    return arrow.assemble(pa.string(), pa.foreign_buffer(address, len(data), owner), offsets, valid)


def exercise(turns, seed, column):
    """Scan, gather and splice random batches; everything that comes out must be whole."""
    rnd = random.Random(seed)
    for _ in range(turns):
        rows = random_rows(rnd)
        table = scan(column(rows), PATHS)
        for field in FIELDS:
            table.values(field).text.validate(full=True)
        keys = {"m.*": random_keys(rnd, table)} if rnd.random() < 0.5 else {}
        out = table.splice({field: random_edit(rnd, table, field) for field in FIELDS}, keys=keys)
        out.validate(full=True)
        for flags, text in zip(table.flags.tolist(), out.to_pylist(), strict=True):
            assert (text is None) == bool(flags & ~Flag.UNKNOWN)
            if text is not None:
                orjson.loads(text)


def test_no_byte_too_far_is_touched(monkeypatch, long_form):
    """With inputs, replacements and outputs up against pages that may not be touched, nothing crashes and results are whole."""
    monkeypatch.setattr(arrow, "output", guarded_output)
    exercise(20_000 if long_form else 400, 7, guarded_column)


def test_nothing_is_read_after_it_is_freed(long_form):
    """In a process whose allocator overwrites freed memory, results are the same and whole."""
    program = f"import sys; sys.path[:0] = {PATH!r}; import test_json_memory as t; t.perturbed({long_form})"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | {"MALLOC_PERTURB_": "165"}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr[-2_000:]


def perturbed(long_form):
    """What the process of the test above runs: random batches, and large ones against what is expected."""
    exercise(20_000 if long_form else 300, 11, pa.array)
    rows = [orjson.dumps({"a": f"v{k}", "b": {"c": "x" * (k % 70)}, "l": [str(k)] * (k % 4)}) for k in range(3_000)]
    for _ in range(20):
        table = scan(rows, PATHS)
        out = table.splice(dict.fromkeys(FIELDS, KEEP) | {"a": Replace(table.values("a").text), "l[*]": Replace(pa.scalar("t"))})
        assert out.to_pylist() == [orjson.dumps({**orjson.loads(row), "l": ["t"] * (k % 4)}) for k, row in enumerate(rows)]
    print("whole")
