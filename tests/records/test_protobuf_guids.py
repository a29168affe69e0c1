"""Protobuf records that name their schema by a GUID, in the value or in a header, and files of records behind their lengths."""

import io
import uuid

import pyarrow as pa
import pytest
from google.protobuf import message_factory
from google.protobuf.internal.encoder import _VarintBytes

from flink_masking.errors import InputError
from flink_masking.records.codec import Layout, codec_for, folded
from flink_masking.records.edits import KEEP, Replace
from flink_masking.records.protobuf.files import put_header, records
from flink_masking.records.protobuf.schemas import messages
from flink_masking.records.spans import Flag
from flink_masking.records.trie import Paths
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

SCHEMA = 'syntax = "proto3"; message Other { int32 x = 1; } message Order { string id = 1; string email = 2; }'
GUID = uuid.UUID(int=77)
FRONT = b"\1" + GUID.bytes + b"\2\2"


def test_a_guid_leads_to_the_schema_from_the_value_and_from_a_header():
    """Views have the GUID in the value; a header that is no whole framing is refused, whatever stands in the value."""
    body = message_factory.GetMessageClass(messages(SCHEMA, ()).named("Order"))(id="1", email="a@b.de").SerializeToString()
    codec = codec_for("protobuf", Layout(framing="confluent", schemas=KnownSchemas({SchemaId("guid", str(GUID)): Schema(SCHEMA),
                                                                                   SchemaId("id", 7): Schema(SCHEMA)})))
    rows = [FRONT + body, body, b"\0\0\0\0\7\2\2" + body, body, FRONT[17:] + body, body, None, b"\1" + GUID.bytes, b"\xff" + body, body]
    headers = [None, FRONT, None, b"\1" + bytes(16) + b"\2\2", FRONT[:17], b"\0\0\0\0\7\2\2", FRONT, None, FRONT, FRONT + b"\n"]
    table = codec.scan(pa.array(rows, pa.binary()), Paths(["id", "email"]), headers={"__value_schema_id": pa.array(headers, pa.binary())})
    bad, no = Flag.INVALID, Flag.UNKNOWN_SCHEMA
    assert [Flag(flag) for flag in table.flags.tolist()] == [0, 0, 0, no, bad, bad, Flag.ABSENT, bad, bad, bad]
    assert [table.fault(row).position for row in (3, 4, 5, 7, 8)] == [0, 0, 0, 17, 0]
    masked = body.replace(b"\6a@b.de", b"\3***")
    views = table.splice({"id": KEEP, "email": Replace(pa.scalar("***"))}).to_pylist()
    assert views == [FRONT + masked, FRONT + masked, b"\0\0\0\0\7\2\2" + masked, *[None] * 7]


def test_files_hold_records_behind_their_lengths():
    """What the libraries write is read, and views are written the same way, line breaks and all; too long ones are cut for the refusal."""
    rows = [b"", b"x" * 127, b"y" * 128 + b"\n\r\xff", b"z" * 300]
    data = b"".join(_VarintBytes(len(row)) + row for row in rows)
    assert list(records(io.BufferedReader(io.BytesIO(data)), "f", 1_000)) == rows
    assert list(records(io.BufferedReader(io.BytesIO(data + b"\1a")), "f", 200)) == [*rows[:3], b"z" * 201, b"a"]
    out = io.BytesIO()
    put_header(b"", io.BytesIO(b"".join(folded(row) + b"\n" for row in rows)), out)
    assert out.getvalue() == data


@pytest.mark.parametrize("data, words", [(b"\1a\5ab", "ends within record 2"), (b"\1a\x80", "behind record 1 stands no length"),
                                         (b"\xff" * 9, "behind record 0 stands no length")])
def test_a_file_that_is_none_ends_the_command(data, words):
    """A length that is none, or a record that the file does not hold, is an error with a hint."""
    with pytest.raises(InputError, match=words) as caught:
        list(records(io.BufferedReader(io.BytesIO(data)), "f", 1_000))
    assert "writeDelimitedTo" in str(caught.value)
