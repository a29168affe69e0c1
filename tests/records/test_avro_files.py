"""Avro object container files: read by `run`, `preview` and `scan`, written by `run`."""

import io
import json

import fastavro
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from flink_masking.cli.app import app
from flink_masking.errors import InputError
from flink_masking.records.avro.files import container_header, put_header, records
from flink_masking.records.codec import fold, folded
from flink_masking.records.inputs import Input

SCHEMA = {"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "string"}, {"name": "email", "type": ["null", "string"]}, {"name": "age", "type": "int"},
    {"name": "tags", "type": {"type": "array", "items": "string"}}]}  # fmt: skip
POLICY = """
version: 1
stream: events
format: avro
subject: id
fields:
  id: {class: identifier}
  email: {class: direct, type: email}
  age: {class: quasi, type: integer, domain: [0, 120]}
  tags[*]: {class: plain}
segments:
  support:
    view: masked
    rules: {id: {technique: pseudonym, domain: d}, email: {technique: partial, keep_after: "@"}, age: {technique: generalize, width: 10},
            "tags[*]": keep}
"""


def events(count):
    """Events; some texts have line breaks and bytes that folding writes otherwise."""
    return [{"id": f"C{number}", "email": f"jane{number}@example.com" if number % 3 else None, "age": number % 100,
             "tags": ["a\nb", "ÿ\r", "x" * (number % 70)][: number % 4]} for number in range(count)]


def container(codec="null", count=500, schema=SCHEMA):
    """A container file as bytes."""
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), events(count), codec=codec, sync_interval=2_000)
    return out.getvalue()


def encoded(event):
    """An event as bytes."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), event)
    return out.getvalue()


def read(data, longest=1 << 20):
    """The schema of a file and its records."""
    first, *rest = records(io.BufferedReader(io.BytesIO(data)), "events.avro", longest)
    return json.loads(first), rest


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_files_are_cut_into_their_records(codec):
    """The records of a container file are those that were written, whatever its compression."""
    schema, found = read(container(codec))
    assert [field["name"] for field in SCHEMA["fields"]] == [field["name"] for field in schema["fields"]]
    assert [encoded(event) for event in events(500)] == found


@pytest.mark.parametrize("codec", ["snappy", "zstandard"])
def test_compression_by_arrow(codec):
    """Snappy with its checksum, and Zstandard, are those of the specification."""
    import zlib

    from flink_masking.records.avro.decode import put_long

    body = b"".join(encoded(event) for event in events(50))
    packed = pa.compress(body, "snappy", asbytes=True) + zlib.crc32(body).to_bytes(4, "big") if codec == "snappy" else (
        pa.compress(body, "zstd", asbytes=True))
    header = container_header(json.dumps(SCHEMA)).replace(b"\x08null", put_long(len(codec)) + codec.encode())
    data = header + put_long(50) + put_long(len(packed)) + packed + header[-16:]
    assert [encoded(event) for event in events(50)] == read(data)[1]
    with pytest.raises(InputError, match="cannot be decompressed"):
        read(data.replace(packed, packed[:-5] + bytes(5)))


def test_a_malformed_record_takes_the_rest_of_its_block_along():
    """What cannot be told apart comes as one record; the blocks before and after are whole."""
    data = bytearray(container())
    place = data.index(b"jane100@")
    data[place - 1] = 0x01  # a length below 0
    _, found = read(bytes(data))
    wanted = [encoded(event) for event in events(500)]
    assert wanted[:100] == found[:100]
    assert wanted[-1] == found[-1]
    assert sum(map(len, wanted)) == sum(map(len, found))


@pytest.mark.parametrize("change", [
    lambda data: b"{}" + data, lambda data: data[:-20], lambda data: data[:30], lambda data: data[:-1] + b"x",
    lambda data: data.replace(b"\x08null", b"\x08lzo!", 1),
])  # fmt: skip
def test_damaged_files(change):
    """What is no container file, or is cut, is refused with its name and a hint."""
    with pytest.raises(InputError, match=r"events.avro: .* Hint: "):
        read(change(container()))


def test_writing_is_reading():
    """A file that is written from folded lines holds the same records."""
    rows, out = [encoded(event) for event in events(3_000)], io.BytesIO()
    put_header(container_header(json.dumps(SCHEMA)), io.BytesIO(b"".join(folded(row) + b"\n" for row in rows)), out)
    out.seek(0)
    assert events(3_000) == list(fastavro.reader(out))
    assert [folded(row) for row in rows] == fold(pa.array(rows, pa.binary())).to_pylist()


def test_files_of_one_input_have_one_schema(tmp_path):
    """Two schemas in one input are refused; an input without files of records is, too."""
    (tmp_path / "a.avro").write_bytes(container())
    (tmp_path / "b.avro").write_bytes(container(schema={**SCHEMA, "name": "Other"}))
    with pytest.raises(InputError, match="its schema differs"):
        Input.of(tmp_path, "avro").check()


def test_preview_and_scan(tmp_path):
    """Preview shows a file's records before and after, without personal values before; scan finds what fields hold."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "events.avro").write_bytes(container("deflate"))
    shown = CliRunner().invoke(app, ["preview", str(tmp_path / "policy.yaml"), str(tmp_path / "events.avro"), "--limit", "3"])
    assert 0 == shown.exit_code, shown.output
    assert "***@example.com" in shown.output and "‹direct›" in shown.output and "0-9" in shown.output
    assert "jane1" not in shown.output
    found = CliRunner().invoke(app, ["scan", str(tmp_path / "events.avro"), "--json"])
    assert 0 == found.exit_code, found.output
    report = json.loads(found.output)
    assert {"id", "email", "age", "tags[*]"} == {path["path"] for path in report["paths"]}
    assert "EMAIL" in found.output


def test_a_policy_that_does_not_fit(tmp_path):
    """A file whose schema has a field that the policy does not declare is refused before anything is read."""
    (tmp_path / "policy.yaml").write_text(POLICY.replace("  age: {class: quasi, type: integer, domain: [0, 120]}\n", "").replace(
        "age: {technique: generalize, width: 10},", ""))  # fmt: skip
    (tmp_path / "events.avro").write_bytes(container())
    result = CliRunner().invoke(app, ["preview", str(tmp_path / "policy.yaml"), str(tmp_path / "events.avro")])
    assert 0 != result.exit_code
    assert "'age' of the schema is not declared" in f"{result.output}{result.exception}"
