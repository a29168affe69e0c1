"""Records a second of the Protobuf codec, beside upb on the same records in the same run.

``python tests/benchmarks/bench_protobuf.py [--json FILE]``: the events of `bench_avro` as Protobuf; measured as there.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import pyarrow as pa
from bench_avro import BATCH, FIELDS, MASKED, ROUNDS, _seconds, records
from google.protobuf import message_factory

from flink_masking.keys.ring import KeyRing
from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.edits import KEEP, Edit, Replace
from flink_masking.records.protobuf.schemas import messages
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId
from flink_masking.techniques import registry
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context

SCHEMA = """syntax = "proto3";
message Event {
  message Address { string street = 1; string zip = 2; string city = 3; }
  message Customer { string id = 1; string name = 2; optional string email = 3; int32 age = 4; Address address = 5; }
  message Item { string sku = 1; int32 qty = 2; }
  string event_id = 1; int64 ts = 2; Customer customer = 3; double amount = 4; repeated Item items = 5; map<string, string> tags = 6;
  string note = 7;
}
"""
FRAMING = b"\0\0\0\0\1\0"


def measure() -> dict[str, Any]:
    """Figures for `run.py`."""
    kind = message_factory.GetMessageClass(messages(SCHEMA, ()).named("Event"))
    encoded = []
    for event in records(BATCH):
        if event["customer"]["email"] is None:
            del event["customer"]["email"]
        encoded.append(FRAMING + kind(**event).SerializeToString(deterministic=True))
    batch, some = pa.array(encoded, pa.binary()), encoded[:2_000]
    codec = codec_for("protobuf", Layout(framing="confluent", schemas=KnownSchemas({SchemaId("id", 1): Schema(SCHEMA, "PROTOBUF")})))
    partial = registry.get("partial")
    mask = partial.make(partial.params.model_validate({"keep_first": 1}), RuleContext(FieldFacts("x"), KeyRing.ephemeral(), lambda _: ""))
    context = Context(bytes(32))

    def ours() -> pa.BinaryArray:
        table = codec.scan(batch, FIELDS)
        edits: dict[str, Edit] = {path: Replace(mask(table.values(path), context).values) for path in MASKED}  # type: ignore[operator]
        return table.splice(edits)

    def scanned() -> Any:
        return codec.scan(batch, FIELDS)

    def kept() -> pa.BinaryArray:
        return codec.scan(batch, FIELDS).splice(dict.fromkeys(MASKED, KEEP))

    def theirs() -> list[bytes]:
        made = []
        for record in some:
            event = kind.FromString(record[6:])
            customer = event.customer
            customer.name = customer.name[:1] + "***"
            if customer.HasField("email"):
                customer.email = customer.email[:1] + "***"
            customer.address.street, customer.address.zip = customer.address.street[:1] + "***", customer.address.zip[:1] + "***"
            event.note = event.note[:1] + "***"
            made.append(record[:6] + event.SerializeToString())
        return made

    assert [kind.FromString(view[6:]) for view in ours().to_pylist()[: len(some)]] == [kind.FromString(view[6:]) for view in theirs()]
    rates: dict[str, list[float]] = {"ours": [], "scanned": [], "kept": [], "theirs": []}
    for _ in range(ROUNDS):
        for name, contestant in (("ours", ours), ("scanned", scanned), ("kept", kept), ("theirs", theirs)):
            rates[name].append((len(some) if name == "theirs" else BATCH) / _seconds(contestant))
    ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates["theirs"], strict=True))
    size = sum(map(len, encoded)) / BATCH
    return {
        f"protobuf: scan, 5 fields masked (partial), splice, {size:.0f} B": {"value": round(max(rates["ours"])), "unit": "records/s",
                                                                            "ratio": ratio, "against": "upb decode, mask, encode"},
        "protobuf: scan": {"value": round(max(rates["scanned"])), "unit": "records/s"},
        "protobuf: scan and splice without edits": {"value": round(max(rates["kept"])), "unit": "records/s"},
        "protobuf: upb decode, mask, encode": {"value": round(max(rates["theirs"])), "unit": "records/s"},
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    found = measure()
    if (where := parser.parse_args().json) is not None:
        where.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
