"""Files of records: compressed or not, directories, headers, and what is refused."""

import gzip
import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pyarrow as pa
import pytest

from flink_masking.errors import InputError
from flink_masking.records.codec import unfolded
from flink_masking.records.inputs import Input

LINES = [b'{"a":1}', b'{"a":2}', b'{"a":3}']
TEXT = b"\n".join(LINES) + b"\n"


def zstd(data):
    """Data compressed by Zstandard."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


@pytest.fixture
def given(tmp_path):
    """Write a file and read its records."""
    def read(data, format="json", columns=None, name="input"):
        (tmp_path / name).write_bytes(data)
        return list(Input.of(tmp_path / name, format, columns))

    return read


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "mark"])
def test_compression_and_mark(given, pack, mark):
    """How a file is compressed is told by its first bytes; a byte order mark is skipped."""
    assert LINES == given(pack(mark + TEXT))
    assert LINES == given(pack(mark + TEXT.replace(b"\n", b"\r\n\r\n")))
    assert [b"1,2"] == given(pack(mark + b"a,b\r\n1,2\r\n"), "csv", ("a", "b"))


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_damaged_compression(given, pack):
    """Compressed data that is cut off is refused in words."""
    import random

    whole = pack(random.Random(1).randbytes(100_000).hex().encode())
    with pytest.raises(InputError, match="damaged or cut off"):
        given(whole[: len(whole) // 2])


@pytest.mark.parametrize(("text", "found"), [
    (b'[{"a":1},\n{"a":2}]', "JSON array"), (b'\n  [\n{"a":1}]', "JSON array"), (b'{\n  "a": 1\n}\n', "over several lines"),
    (b'{"a": {\n  "b": 1}}\n', "over several lines"), (b'{"a": 1,\n "b": 2}\n', "over several lines"),
])
def test_documents_that_are_no_lines(given, text, found):
    """A JSON array and a pretty-printed document are refused, with the command that makes lines of them."""
    with pytest.raises(InputError, match=found) as caught:
        given(text)
    assert "Hint: jq -c" in str(caught.value)


def test_blank_lines(tmp_path):
    """A blank line is passed over, or where that is asked for a record, as it is to Flink's file source."""
    (tmp_path / "input").write_bytes(b'{"a":1,\n\n{"a":2}\r\n\r\n')
    assert [b'{"a":1,', b'{"a":2}'] == list(Input.of(tmp_path / "input", "json"))
    assert [b'{"a":1,', b"", b'{"a":2}', b""] == list(Input.of(tmp_path / "input", "json", blank=True))


def test_a_broken_first_line_is_a_record(given):
    """A first line that was cut off is a record like any other, for the quarantine."""
    assert [b'{"a":1,', b'{"a":2}'] == given(b'{"a":1,\n{"a":2}\n')


def test_directories_and_standard_input(tmp_path, monkeypatch):
    """The files of a directory come in the order of their names, hidden ones are ignored; - is standard input."""
    (tmp_path / "b").write_bytes(LINES[1])
    (tmp_path / "a.gz").write_bytes(gzip.compress(LINES[0]))
    (tmp_path / "_c").write_bytes(b"no")
    assert LINES[:2] == list(Input.of(tmp_path, "json"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(zstd(TEXT)))))
    from pathlib import Path

    assert LINES == list(Input.of(Path("-"), "json"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(zstd(b"a,b\n1,2\n3,4\n")))))
    records = Input.of(Path("-"), "csv")
    assert (("a", "b"), [b"1,2", b"3,4"]) == (records.columns, list(records))
    with pytest.raises(InputError, match="no such file"):
        Input.of(tmp_path / "missing", "json")


def test_csv_files(given, tmp_path, monkeypatch):
    """Records with line breaks in quotes come whole, whatever the size of the pieces read; empty lines are ignored."""
    rows = [b'1,"a\nb"', b'2,"""\r\n,"""', b'3,x"y', b'4,""']
    data = b"id,text\r\n" + b"\r\n\r\n".join(rows)
    for size in (1, 2, 3, 7, 1 << 20):
        monkeypatch.setattr("flink_masking.records.csv.files.CHUNK", size)
        assert rows == given(data, "csv")
    assert ("id", "text") == Input.of(tmp_path / "input", "csv").columns


def test_headers_must_agree(given, tmp_path):
    """A header that is not the policy's, or not that of the first file, is refused with the number of the column."""
    with pytest.raises(InputError, match="column 2 of its header"):
        given(b"a,c\n1,2\n", "csv", ("a", "b"))
    (tmp_path / "more").mkdir()
    (tmp_path / "more/1").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "more/2").write_bytes(b"b,a\n1,2\n")
    with pytest.raises(InputError, match="column 1 of its header"):
        list(Input.of(tmp_path / "more", "csv"))


def test_long_records(tmp_path):
    """Of a record over the limit only the beginning is held, one byte more than allowed; its neighbours are whole."""
    (tmp_path / "json").write_bytes(b"1\n" + b"x" * 50 + b"\n2\n")
    (tmp_path / "csv").write_bytes(b"a\n1\n" + b"x" * 50 + b"\n2\n")
    for format in ("json", "csv"):
        assert [b"1", b"x" * 11, b"2"] == [r.strip() for r in Input.of(tmp_path / format, format, longest=10)]


def test_an_unclosed_quote_encloses_the_rest(given):
    """What follows a quote that is never closed is one record, which no scanner takes."""
    assert [b"1", b'"2\n3\n4'] == given(b'a\n1\n"2\n3\n4\n', "csv")


def test_lines_for_flink(tmp_path):
    """Anything but plain and .gz files of JSON is written as lines, which are removed afterwards."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT))
    with Input.of(tmp_path / "a.gz", "json").one_record_a_line() as lines:
        assert lines is None
    (tmp_path / "b").write_bytes(b'id,text\n1,"a\nb"\n2,c\n')
    with Input.of(tmp_path / "b", "csv").one_record_a_line() as lines:
        [file] = lines.iterdir()
        assert [b'1,"a\nb"', b"2,c"] == unfolded(pa.array(file.read_bytes().splitlines(), pa.binary())).to_pylist()
        assert 0o700 == lines.stat().st_mode & 0o777
    assert not lines.exists()


@pytest.mark.parametrize(("format", "head"), [("json", b""), ("csv", b"a\n")])
def test_a_pipe_is_read_once(tmp_path, format, head):
    """Looking at an input takes nothing out of a pipe that could not be read again."""
    os.mkfifo(tmp_path / "pipe")
    rows = [b"%d" % number for number in range(5_000)]
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit((tmp_path / "pipe").write_bytes, head + b"\n".join(rows))
        records = Input.of(tmp_path / "pipe", format)
        records.check()
        assert not records.plain
        assert rows == list(records)
        written.result()


def test_every_damage_of_compressed_data_is_told(given):
    """Wherever a byte of a compressed file is changed, the records come or the file is refused in words."""
    whole = gzip.compress(TEXT * 20)
    for place in range(len(whole)):
        try:
            given(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        except InputError:
            continue


def test_a_name_does_not_say_the_compression(tmp_path):
    """Flink decompresses by the name, so what is no gzip behind .gz is not handed to it."""
    (tmp_path / "a.gz").write_bytes(zstd(TEXT))
    (tmp_path / "b.gz").write_bytes(gzip.compress(TEXT))
    assert [Input.of(tmp_path / name, "json").plain for name in ("a.gz", "b.gz")] == [False, True]
