"""Keys of subjects: speed of per_subject encryption, and loading, rotating and destroying the keys of many subjects in PostgreSQL.

Not part of ``make bench``: it takes minutes. ``python tests/benchmarks/bench_erasure.py [SUBJECTS [BATCH]]``: 1,000,000 subjects, whose
keys are made 10,000 at a time as by a batch of a job, unless given.
"""

import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import encrypt, encrypt_deterministic
from flink_masking.techniques.base import FieldFacts, RuleContext, Technique
from flink_masking.techniques.masks import Context, Values
from flink_masking.vault.providers import open_vault
from flink_masking.vault.subject_keys import SubjectKeys, rewrap
from flink_masking.vault.subjects import Erasure

BATCH = 10_000
DESTROYED = 10_000
"""Subjects that one erasure destroys."""
SERVER = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "wal_compression": "on"}
"""Settings as for any larger table: with PostgreSQL's own, checkpoints come so often that most of the write-ahead log are whole pages."""
TABLE = "token_vault_1_subject_keys"


def postgres() -> Any:
    """The private PostgreSQL server of the tests."""
    path = Path(__file__).parent.parent / "shared" / "postgres_server.py"
    spec = importlib.util.spec_from_file_location("postgres_server", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(start: int, count: int = BATCH) -> pa.StringArray:
    """Subjects."""
    return pa.array([f"CUST{number:012d}" for number in range(start, start + count)])


def warm(technique: Technique, people: int) -> float:
    """Values per second of processor time, keys in the cache: 20 batches of different people, the best of three runs."""
    ring, rng = KeyRing.new(), np.random.default_rng(1)
    kinds, rows = np.full(BATCH, Kind.STRING, np.int32), np.arange(BATCH, dtype=np.int32)
    texts = pa.array([f"name{number}@example.com" for number in range(BATCH)])
    subjects = [pa.array([f"CUST{person:012d}" for person in rng.integers(0, people, BATCH)]) for _ in range(20)]
    with tempfile.TemporaryDirectory() as folder:
        vault = open_vault(f"sqlite://{folder}/vault.db")
        mask: Any = technique.make(technique.params.model_validate({"domain": "person", "per_subject": True}),
                                   RuleContext(FieldFacts("field"), ring, str, vault=vault, stream="bench"))
        times = []
        for _ in range(4):
            begin = time.process_time()
            for whose in subjects:
                mask(Values(texts, kinds, rows), Context(bytes(32), whose))
            times.append(time.process_time() - begin)
        vault.close()
    return 20 * BATCH / min(times[1:])


def keys_of(count: int, batch: int) -> dict[str, float]:
    """Seconds for loading, first use, rotating and destroying the keys of so many subjects, and their size. batch: keys at a time."""
    figures: dict[str, float] = {}
    with postgres().PostgresServer(**SERVER) as server:
        uri, ring = f"{server.database()}?options=-c%20statement_timeout%3D0", KeyRing.new()  # for batches above some 10,000 keys
        vault = open_vault(uri)
        keys = SubjectKeys(vault, ring, "person")
        begin, used = time.perf_counter(), time.process_time()
        for start in range(0, count, batch):
            keys.made(names(start, min(batch, count - start)))
            if (start + batch) % 1_000_000 < batch:
                print(f"{start + batch:,} after {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
        figures["load_s"], figures["load_client_cpu_s"] = time.perf_counter() - begin, time.process_time() - used
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"VACUUM ANALYZE {TABLE}")
            whole = connection.execute("SELECT pg_total_relation_size(%s), pg_relation_size(%s)", (TABLE, TABLE)).fetchone()
            assert whole is not None
            figures["bytes_with_index"], figures["bytes_of_table"] = whole
        vault.close()
        server.stop()
        server.start()  # nothing in the server's own memory
        begin = time.perf_counter()
        vault = open_vault(uri)
        keys = SubjectKeys(vault, ring, "person")
        everywhere = pa.array([f"CUST{number:012d}" for number in np.random.default_rng(1).choice(count, BATCH, replace=False)])
        keys.made(everywhere)
        figures[f"first_use_of_{BATCH}_after_restart_s"] = time.perf_counter() - begin
        begin = time.perf_counter()
        keys.made(names(count))
        figures[f"first_use_of_{BATCH}_new_s"] = time.perf_counter() - begin
        begin = time.perf_counter()
        for start in range(0, 20 * BATCH, BATCH):
            keys.made(names(start))
        figures["cold_lookups_per_s"] = 20 * BATCH / (time.perf_counter() - begin)
        figures["destroy_one_ms"] = 1000 * float(np.median([destroyed(keys, number * 37, 1) for number in range(20)]))
        figures["destroy_1000_s"] = float(np.median([destroyed(keys, count // 3 + 1_000 * number, 1_000) for number in range(5)]))
        figures[f"destroy_{DESTROYED}_s"] = destroyed(keys, count // 2, DESTROYED)
        if count <= 1_000_000:
            begin = time.perf_counter()
            rewrap(vault, ring.rotated())
            figures["rewrap_s"] = time.perf_counter() - begin
        vault.close()
    return figures


def destroyed(keys: SubjectKeys, start: int, count: int) -> float:
    """Seconds for destroying the keys of subjects in one erasure."""
    doomed = tuple(row.tobytes() for row in keys.of(names(start, count)))
    begin = time.perf_counter()
    done = keys.vault.subjects.erase(Erasure("bench", (), {"person": doomed}, 1))
    assert done.keys == count
    return time.perf_counter() - begin


def main() -> None:
    """Print the figures as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    batch = int(sys.argv[2]) if len(sys.argv) > 2 else BATCH
    for technique in (encrypt.TECHNIQUE, encrypt_deterministic.TECHNIQUE):
        for people in (1_000, 100_000):
            rate = round(warm(technique, people))
            print(json.dumps({"technique": technique.name, "people": people, "values_per_cpu_s": rate}), flush=True)
    print(json.dumps({"subjects": count, **{name: round(value, 3) for name, value in keys_of(count, batch).items()}}), flush=True)


if __name__ == "__main__":
    main()
