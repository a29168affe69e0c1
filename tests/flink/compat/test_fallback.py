"""Protect as a worker runs it, with PyFlink's own coders at both ends: the same output with every patch, without any, and without each."""

import datetime

import orjson
import pyarrow as pa
import pytest
from pyflink.fn_execution import coders
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext

from flink_masking.engine.record import Transport
from flink_masking.flink import compat
from flink_masking.flink.compat import patch
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.protect import protect_functions
from flink_masking.policy.source import PolicySource

POLICY = """\
version: 1
stream: orders
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  note: {class: free_text}
  age: {class: quasi, domain: [0, 120]}
  at: {class: plain, type: datetime}
segments:
  analytics:
    view: masked
    rules: {id: {technique: pseudonym, domain: people}, at: keep, "*": drop}
    record: {key: {technique: pseudonym, domain: people}, timestamp: keep}
  support:
    view: masked
    rules: {note: {technique: redact, with: hidden}, "*": drop}
  partners: {view: anonymized, k: 2, quasi_identifiers: [age]}
"""
TYPES = {"payload": DataTypes.BYTES(), "partition": DataTypes.INT(), "time": DataTypes.TIMESTAMP_WITH_LOCAL_TIME_ZONE(3),
         "key": DataTypes.BYTES()}  # fmt: skip
TRANSPORT = Transport(partitioned=True, record=True)
RANDOM = ("audit", "packed", "quarantine")
"""Columns that are new at every evaluation: nonces, and a chain of its own."""


def received() -> bytes:
    """A batch as Flink sends it: good records, one that is none, one without a key."""
    records = [orjson.dumps({"id": f"p{n}", "note": "é" * n, "age": n, "at": "2024-10-27T00:30:00Z"}) for n in range(50)] + [b"{", b""]
    times = [datetime.datetime(2024, 10, 27, 0, 30) + datetime.timedelta(minutes=n) for n in range(52)]  # an hour that Berlin has twice
    batch = pa.RecordBatch.from_arrays(
        [pa.array(records, pa.binary()), pa.array([n % 3 for n in range(52)], pa.int32()), pa.array(times, pa.timestamp("ms")),
         pa.array([None, *(b"k%d" % n for n in range(51))], pa.binary())], names=list(TYPES))  # fmt: skip
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def coder(types: dict[str, object], schema: pa.Schema) -> object:
    """PyFlink's coder of batches, in the time zone that a job of ours sets."""
    return coders.ArrowCoder(schema, DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in types.items()]), "UTC").get_impl()


def sent(key_uri: str) -> pa.Table:
    """What a worker sends for the batch."""
    source = JobSource(PolicySource("policy.yaml", POLICY), key_uri)
    functions = protect_functions(source, source.plan(), TRANSPORT, 60_000)
    columns = [function._func for function in functions.values()]
    for column in columns:
        column.open(FunctionContext(None, {}))
    arguments = coder(TYPES, pa.ipc.open_stream(received()).schema).decode(received())
    results = [column.eval(*arguments) for column in columns]
    for column in columns:
        column.close()
    kinds = {name: DataTypes.INT() if name == "key_version" else DataTypes.BYTES() for name in functions}
    schema = pa.schema([pa.field(name, pa.int32() if name == "key_version" else pa.binary()) for name in functions])
    table = pa.ipc.open_stream(coder(kinds, schema).encode(results)).read_all()
    return table.select([name for name in functions if not name.startswith(RANDOM)])


@pytest.mark.parametrize("missing", [{p.name for p in compat.PROTECT}, *({p.name} for p in compat.PROTECT)],
                         ids=lambda names: "+".join(sorted(names)))
def test_the_output_is_the_same_without_a_patch(missing, key_uri, as_before, monkeypatch):
    """Views, keys and key version are the same bytes, whichever patches could not be applied."""
    with monkeypatch.context() as patched:
        patched.setattr(patch, "_outcomes", dict.fromkeys(missing, "for this test"))
        without = sent(key_uri)
        assert missing == set(compat.report().missing)
    patch._outcomes.clear()
    whole = sent(key_uri)
    assert compat.report().missing == {}
    assert whole.num_rows == 52 and whole.num_columns >= 4
    assert sum(cell is not None for cell in whole.column("view0").to_pylist()) == 50
    assert whole.equals(without)
