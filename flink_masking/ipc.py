"""One Arrow record batch as bytes, for what travels between operators and rests in state."""

import pyarrow as pa


def to_ipc(batch: pa.RecordBatch) -> bytes:
    """A record batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def from_ipc(data: bytes) -> pa.RecordBatch:
    """The record batch of an Arrow IPC stream made by `to_ipc`."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_next_batch()
