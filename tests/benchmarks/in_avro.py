"""The flat events of the benchmarks in Avro, with the framing that policy_avro.yaml names."""

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import fastavro

SCHEMA = Path(__file__).resolve().parent / "flat.avsc"
FRAME = b"\0\0\0\0\7"


def in_avro(lines: Iterable[bytes]) -> Iterator[bytes]:
    """JSON lines as framed records."""
    schema = fastavro.parse_schema(json.loads(SCHEMA.read_text()))
    for line in lines:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, json.loads(line))
        yield FRAME + out.getvalue()
