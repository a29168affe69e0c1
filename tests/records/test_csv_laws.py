"""Laws of CSV records, against Python's csv module."""

import csv
import io
import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.errors import InputError
from flink_masking.kernels.memory import SLACK
from flink_masking.records.codec import Layout, codec_for, folded, unfolded
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, KEEP_VALUE, USE, Replace
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import FATAL, REASONS, Flag, Limits
from flink_masking.records.trie import UNDECLARED, Paths

CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",\n\r\t')) | st.sampled_from(["", "1", '"'])
ROWS = st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5))


def written(row, quoting=csv.QUOTE_MINIMAL):
    """A row as the csv module writes it, with null as an empty cell and empty text in quotes."""
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator="\r\n").writerow(["" if cell is None else cell for cell in row])
    if quoting == csv.QUOTE_ALL or "" not in row:
        return out.getvalue()[:-2].encode() if row != [None] else b'""'
    return b",".join(b'""' if cell == "" else written([cell, "x"])[:-2] if cell is not None else b"" for cell in row)


def read(record, columns):
    """A row as the csv module reads it."""
    found = next(csv.reader(io.StringIO(record.decode(), newline=""), strict=True))
    assert len(found) == columns
    return found


def scanned(rows, names, kinds=None, emit=None, **options):
    """The table of some records, all columns emitted unless said otherwise."""
    codec = codec_for("csv", Layout(tuple(names), kinds or {}))
    return codec.scan(pa.array(rows, pa.binary()), Paths(names if emit is None else emit, **options))


def names_of(rows):
    """Names for the columns of some rows."""
    return [f"column{number}" for number in range(len(rows[0]))]


@given(ROWS)
def test_values_are_what_the_csv_module_reads(rows):
    """Every cell comes out as the csv module reads it; an empty cell without quotes is null, and one in quotes is empty text."""
    records, names = [written(row) for row in rows], names_of(rows)
    table = scanned([record + end for record, end in zip(records, [b"", b"\n", b"\r\n"] * 5, strict=False)], names)
    assert not (table.flags & int(FATAL)).any()
    for number, name in enumerate(names):
        values = table.values(name)
        values.text.validate(full=True)
        expected = [None if cell is None and len(row) > 1 else cell or "" for row in rows for cell in [row[number]]]
        assert expected == values.text.to_pylist()
        assert [cell or "" for cell in expected] == [read(record, len(names))[number] for record in records]
        assert [read(cell + b",", 2)[0] for cell in table.raw(name).to_pylist()] == [cell or "" for cell in expected]


@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_keeping_everything_keeps_every_byte(rows, quoting):
    """Records without an edit come out byte for byte as they were."""
    records, names = [written(row, quoting) for row in rows], names_of(rows)
    table = scanned(records, names)
    assert records == table.splice(dict.fromkeys(names, KEEP)).to_pylist()


@given(ROWS, st.data())
def test_replaced_and_dropped_columns(rows, data):
    """Replacements are read back by the csv module as they were given; dropped columns are gone; all else is as it was."""
    names = names_of(rows)
    table = scanned([written(row) for row in rows], names)
    edits, expected = {}, [[] for _ in rows]
    for number, name in enumerate(names):
        action = data.draw(st.sampled_from(["keep", "drop", "replace", "some", "scalar"]))
        new = data.draw(st.lists(CELLS, min_size=len(rows), max_size=len(rows)))
        codes = data.draw(st.lists(st.sampled_from([USE, DROP_VALUE, KEEP_VALUE]), min_size=len(rows), max_size=len(rows)))
        old = [row[number] for row in rows]
        match action:
            case "keep":
                edits[name], result = KEEP, old
            case "drop":
                edits[name], result = DROP, None
            case "replace":
                edits[name], result = Replace(pa.array(new, pa.string())), new
            case "scalar":
                edits[name], result = Replace(pa.scalar("a,b")), ["a,b"] * len(rows)
            case _:
                import numpy as np

                edits[name] = Replace(pa.array(new, pa.string()), np.array(codes, np.uint8))
                result = [{USE: a, DROP_VALUE: None, KEEP_VALUE: b}[code] for a, b, code in zip(new, old, codes, strict=True)]
        if result is not None:
            for row, cell in zip(expected, result, strict=True):
                row.append(cell or "")
    shown = table.codec.shown(table.paths, edits, DROP)
    assert shown == tuple(name for name in names if edits[name] is not DROP)
    out = table.splice(edits).to_pylist()
    if shown:
        assert expected == [read(record, len(shown)) for record in out]
    else:
        assert [b""] * len(rows) == out


@given(st.lists(st.binary(max_size=40) | st.text('",\r\na1.é', max_size=20).map(str.encode), min_size=1, max_size=6), st.integers(1, 4))
def test_hostile_bytes(rows, columns):
    """Any bytes are scanned and spliced; what is accepted is a row of so many cells to the csv module, in strict mode, too."""
    names = [f"c{number}" for number in range(columns)]
    table = scanned(rows, names, {"c0": "number"})
    out = table.splice(dict.fromkeys(names, KEEP)).to_pylist()
    for row, (flags, record) in enumerate(zip(table.flags.tolist(), out, strict=True)):
        if flags & int(FATAL):
            assert record is None
            assert table.fault(row).reason in {REASONS[Flag.INVALID], REASONS[Flag.RAGGED], REASONS[Flag.HEADER]}
        else:
            read(record, columns)


def test_reasons():
    """Each way in which a record is none is told by its reason and its position."""
    rows = [b'1,"a', b'1,a"b', b'1,"a"b', b"1", b"1,2,3", b"\xff,2", b"1,a\rb", b"1,a\x00", b"id,name",
            b"\xef\xbb\xbf1,2", b"", None, b"1,2\n3,4"]
    table = scanned(rows, ["id", "name"])
    found = [(fault.reason, fault.position) for fault in map(table.fault, range(len(rows)))]
    assert [("malformed", 2), ("malformed", 3), ("malformed", 5), ("ragged", 1), ("ragged", 5), ("malformed", 0), ("malformed", 3),
            ("malformed", 3), ("header", 0), ("malformed", 0), ("ragged", 0), ("missing_payload", None), ("malformed", 3)] == found


def test_types_come_from_the_layout():
    """Columns declared as numbers or booleans have such values where the cell is one; anything else, and every other column, is text."""
    rows = [b"1.50,true,1", b'"2",false,true', b"007,TRUE,x", b"+1,,", b"1e5,yes,null"]
    table = scanned(rows, ["n", "b", "t"], {"n": "number", "b": "boolean"})
    assert [Kind.NUMBER, Kind.NUMBER, Kind.STRING, Kind.STRING, Kind.NUMBER] == table.kinds("n").tolist()
    assert [Kind.TRUE, Kind.FALSE, Kind.STRING, Kind.NULL, Kind.STRING] == table.kinds("b").tolist()
    assert [Kind.STRING, Kind.STRING, Kind.STRING, Kind.NULL, Kind.STRING] == table.kinds("t").tolist()


def test_undeclared_columns():
    """A record with a column that nobody declared is flagged, its name is not told unless a declared one is near; it can be removed."""
    table = scanned([b"1,2,3"], ["id", "emial", "secret"], emit=["id", "email"])
    assert Flag.UNKNOWN in Flag(int(table.flags[0]))
    assert ("unknown_field", "?~email") == table.fault(0)[:2]
    assert 2 == table.count(UNDECLARED)
    assert [b"1"] == table.splice({"id": KEEP, "email": KEEP}).to_pylist()
    assert [b"1,***,***"] == table.splice({"id": KEEP, "email": KEEP}, unknown=Replace(pa.scalar("***"))).to_pylist()


def test_nested_paths_are_columns():
    """A column named by a path, or by one key with points in it, is the field of that path; a parent that is dropped drops its columns."""
    table = scanned([b"1,2,3"], ["a.b", "a.c", "x.y"], emit=["a", "a.b", '"x.y"'], known=["a.c"])
    assert ["1"] == table.values("a.b").text.to_pylist()
    assert [b"3"] == table.splice({"a": DROP, "a.b": KEEP, '"x.y"': KEEP}).to_pylist()
    assert [b"1,2,3"] == table.splice({"a": KEEP, "a.b": KEEP, '"x.y"': KEEP}).to_pylist()


def test_headers_that_are_none():
    """A header without columns, or with one twice, is refused."""
    with pytest.raises(InputError, match="nothing names the columns"):
        codec_for("csv", Layout(()))
    with pytest.raises(InputError, match="column 2 of the header"):
        codec_for("csv", Layout(("a", "a")))


def test_oversize():
    """A record over the limit is flagged, and its neighbours are read."""
    codec = codec_for("csv", Layout(("a",)))
    table = codec.scan(pa.array([b"x" * 20, b"y"], pa.binary()), Paths(["a"]), Limits(max_bytes=10))
    assert ("oversize", ["y"]) == (table.fault(0).reason, table.values("a").text.to_pylist())


@pytest.mark.parametrize("piece", ['"', '""', ",", '"",', 'a"', 'x","'])
def test_time_is_linear(piece):
    """A record that is all quotes or commas costs no more than its length, and its neighbour is read."""
    record = piece.encode() * (999_000 // len(piece))
    scanned([b"a,b", piece.encode()], ["c", "d"])  # machine code is loaded by the first call
    begin = time.process_time()
    table = scanned([b"a,b", record], ["c", "d"])
    assert time.process_time() - begin < 1.0
    assert "a" == table.values("c").text.to_pylist()[0]


@given(st.lists(st.none() | st.binary(max_size=12) | st.text("\xff\n\rnrf,", max_size=8).map(lambda x: x.encode("latin-1")), max_size=6))
def test_folding(records):
    """A folded record is one line, and comes back as it was."""
    lines = [None if record is None else folded(record) for record in records]
    assert not any(b"\n" in line or b"\r" in line for line in lines if line is not None)
    assert records == unfolded(pa.array(lines, pa.binary())).to_pylist()


def test_slices_and_slack():
    """A slice of a larger array is read from its own place."""
    column = pa.array([b"x" * SLACK, b"1,2", b"3,4"], pa.binary()).slice(1)
    table = codec_for("csv", Layout(("a", "b"))).scan(column, Paths(["b"], known=["a"]))
    assert ["2", "4"] == table.values("b").text.to_pylist()
    assert [b"1,2", b"3,4"] == table.splice({"b": KEEP}).to_pylist()
