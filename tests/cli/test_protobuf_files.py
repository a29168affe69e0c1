"""Files of Protobuf records: read and shown by preview, refused by scan."""

from google.protobuf import message_factory
from google.protobuf.internal.encoder import _VarintBytes

from flink_masking.records.protobuf.schemas import messages

SCHEMA = 'syntax = "proto3"; message Order { string id = 1; string email = 2; int32 age = 3; }'
POLICY = """
version: 1
stream: orders
format: protobuf
framing: confluent
schema: orders.proto
fields: {id: {class: identifier}, email: {class: direct, type: email}, age: {class: quasi, type: integer, domain: [0, 120]}}
segments:
  support:
    view: masked
    rules: {id: keep, email: redact, age: {technique: generalize, width: 10}}
"""


def test_preview_reads_records_behind_their_lengths(cli, tmp_path):
    """Files have no framing; a view is shown by its own schema, which check prints; scan does not know the schema."""
    kind = message_factory.GetMessageClass(messages(SCHEMA, ()).named("Order"))
    rows = [kind(id=f"o{n}", email="a@b.de", age=40 + n).SerializeToString() for n in range(3)]
    (tmp_path / "orders.protobuf").write_bytes(b"".join(_VarintBytes(len(row)) + row for row in rows))
    (tmp_path / "orders.proto").write_text(SCHEMA)
    (tmp_path / "policy.yaml").write_text(POLICY)
    shown = cli("preview", tmp_path / "policy.yaml", tmp_path / "orders.protobuf")
    assert shown.code == 0 and "40-49" in shown.out and "***" in shown.out and "a@b.de" not in shown.out
    checked = cli("check", tmp_path / "policy.yaml")
    assert checked.code == 0 and "string age = 3;" in checked.out + checked.err
    assert "are not scanned" in cli("scan", tmp_path / "orders.protobuf").err
