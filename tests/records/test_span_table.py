"""What a table tells of its rows and does to them, case by case."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flink_masking import arrow
from flink_masking.errors import PolicyError
from flink_masking.records import edits as edit_codes
from flink_masking.records import span_kernels
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, KEEP_VALUE, USE, Replace
from flink_masking.records.json import splice_kernels
from flink_masking.records.json.codec import scan
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import FATAL, REASONS, Flag, Limits
from flink_masking.records.trie import UNDECLARED, Paths

PATHS = Paths(["email", "card", "card.number", "contacts[*].phone", "tags[*]", "meta.*", "doc"], known=["id", "card.brand"], opaque=["doc"])
KEPT = dict.fromkeys(PATHS.names, KEEP)


def fault(row, paths=PATHS):
    """The fault of a single row, without its position."""
    found = scan([row], paths).fault(0)
    return found and found[:2]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'{"email":"x","id":7,"card":{"number":"4","brand":"v"},"contacts":[{"phone":"1"}],"tags":["a"],"meta":{"q":1},"doc":[{}]}', None),
        (b'{"email":null,"card":null,"contacts":null,"meta":null,"tags":[null],"doc":null,"id":null}', None),
        (b'{"contacts":[],"tags":[],"meta":{},"card":{}}', None),
        (b'{"email":1,"doc":"scalar","id":true}', None),
        (b'{"email":', ("malformed", None)),
        (b"[]", ("not_an_object", None)),
        (b"null", ("not_an_object", None)),
        (b'"email"', ("not_an_object", None)),
        (None, ("missing_payload", None)),
        (b'{"age":1}', ("unknown_field", "?")),
        (b'{"card":{"cvv":1,"pin":2}}', ("unknown_field", "card.?")),
        (b'{"contacts":[{"phone":"1"},{"pin":1}]}', ("unknown_field", "contacts[*].?")),
        (b'{"emial":1}', ("unknown_field", "?~email")),
        (b'{"e\\u004dail":1}', ("unknown_field", "?~email")),
        (b'{"card":{"Num_ber":1}}', ("unknown_field", "card.?~number")),
        (b'{"contacts":[{"phone":"1"},{"phones":1}]}', ("unknown_field", "contacts[*].?~phone")),
        (b'{"anna@example.com":1}', ("unknown_field", "?")),
        (b'{"JohnDoe":1}', ("unknown_field", "?")),
        (b'{"card":{"4111111111111111":1}}', ("unknown_field", "card.?")),
        (b'{"%s":1}' % (b"email" * 50), ("unknown_field", "?")),
        ('{"é":1}'.encode(), ("unknown_field", "?")),
        (b'{"email":1,"email":1}', ("duplicate_field", "email")),
        (b'{"id":1,"id":1}', ("duplicate_field", "id")),
        (b'{"email":1,"em\\u0061il":1}', ("duplicate_field", "email")),
        (b'{"card":{"brand":1,"number":1,"brand":1}}', ("duplicate_field", "card.brand")),
        (b'{"meta":{"q":1,"r":2,"q":3}}', ("duplicate_field", "meta.*")),
        (b'{"meta":{"q":1,"\\u0071":3}}', ("duplicate_field", "meta.*")),
        (b'{"zz":1,"zz":1}', ("duplicate_field", "?")),
        (b'{"zz":1,"email":1,"email":1}', ("duplicate_field", "email")),
        (b'{"contacts":[{"phone":"1"},{"phone":"1"}],"meta":{"q":{}}}', ("type_mismatch", "meta.*")),
        (b'{"email":{}}', ("type_mismatch", "email")),
        (b'{"email":["x"]}', ("type_mismatch", "email")),
        (b'{"id":[]}', ("type_mismatch", "id")),
        (b'{"card":"4111"}', ("type_mismatch", "card")),
        (b'{"card":["4111"]}', ("type_mismatch", "card")),
        (b'{"contacts":{"phone":"1"}}', ("type_mismatch", "contacts")),
        (b'{"contacts":["1"]}', ("type_mismatch", "contacts[*]")),
        (b'{"tags":[["a"]]}', ("type_mismatch", "tags[*]")),
        (b'{"email":{},"email":1', ("malformed", None)),
    ],
)
def test_the_first_fault_of_a_row(row, expected):
    """A row that breaks the contract is told by a stable word and the path of the member; null breaks none."""
    assert expected == fault(row)


def test_a_fault_has_the_position_in_its_own_record():
    """Positions count from the start of the record, not of the batch."""
    table = scan([b'{"email":1}', b'{ "zz":1}', b'{"email": tru}'], PATHS)
    assert [table.fault(k) and table.fault(k).position for k in range(3)] == [None, 2, 10]


def test_rows_with_a_fatal_flag_have_no_values_and_come_out_null():
    """Each fault but an unknown member is fatal; neighbours are not touched."""
    rows = [b'{"email":"a"}', b'{"email":"b","email":"c"}', b'{"email":"d","id":{}}', b'{"email":"e"', b'{"email":"f","zz":1}', None]
    table = scan(rows, PATHS)
    assert table.values("email").text.to_pylist() == ["a", "f"]
    assert table.values("email").rows.tolist() == [0, 4]
    assert table.splice(KEPT).to_pylist() == [rows[0], None, None, None, b'{"email":"f"}', None]
    assert (table.flags & int(FATAL) != 0).tolist() == [False, True, True, True, False, True]


def test_rejected_rows_come_out_null_and_take_their_replacements_with_them():
    """Replacements stay in step with their values when rows before them are rejected."""
    table = scan([b'{"tags":["a","b"]}', b'{"tags":["c"]}'], PATHS)
    edit = KEPT | {"tags[*]": Replace(pa.array(["1", "2", "3"]))}
    assert table.splice(edit, reject=np.array([True, False])).to_pylist() == [None, b'{"tags":["3"]}']


def test_kinds_and_null_missing_and_empty_are_told_apart():
    """Null, a missing member and "" are three different things."""
    rows = [b'{"email":null}', b"{}", b'{"email":""}', b'{"email":"\\t"}', b'{"email":1.50}', b'{"email":true}', b'{"email":false}']
    table = scan(rows, PATHS)
    values = table.values("email")
    assert values.text.to_pylist() == [None, "", "\t", "1.50", "true", "false"]
    assert values.rows.tolist() == [0, 2, 3, 4, 5, 6]
    assert values.kinds.tolist() == [Kind.NULL, Kind.STRING, Kind.ENCODED, Kind.NUMBER, Kind.TRUE, Kind.FALSE]
    assert table.splice(KEPT | {"email": Replace(pa.array(["", None, "x", "y", "z", "w"]))}).to_pylist() == [
        b'{"email":""}', b"{}", b'{"email":null}', b'{"email":"x"}', b'{"email":"y"}', b'{"email":"z"}', b'{"email":"w"}']


def test_one_scan_serves_many_segments():
    """Splicing the same table again, with other edits, is not disturbed by what was done before."""
    row = b'{"email":"a@b", "card" : {"number":"41","brand":"v"},"zz":[1]}'
    table = scan([row], PATHS)
    first = KEPT | {"email": Replace(pa.scalar('q"\\\n')), "card": DROP}
    second = KEPT | {"card": Replace(pa.scalar(b"[1.0]")), "card.number": Replace(pa.array(["lost"]))}
    for _ in range(2):
        assert table.splice(first).to_pylist() == [b'{"email":"q\\"\\\\\\n"}']
        assert table.splice(second).to_pylist() == [b'{"email":"a@b", "card" : [1.0]}']
        assert table.splice(KEPT, unknown=Replace(pa.scalar("?"))).to_pylist() == [row.replace(b"[1]", b'"?"')]
        assert table.splice(KEPT, unknown=Replace(pa.scalar(None, pa.string()))).to_pylist() == [row.replace(b"[1]", b"null")]


def test_codes_decide_value_by_value_for_arrays_and_scalars():
    """A value is replaced, removed or left by its code, with one scalar as with one replacement each; codes may be strided."""
    table = scan([b'{"tags":["a","b","c","d"]}'], PATHS)
    how = np.array([KEEP_VALUE, 9, DROP_VALUE, 9, USE, 9, DROP_VALUE, 9], np.uint8)[::2]
    assert table.splice(KEPT | {"tags[*]": Replace(pa.scalar("x"), how)}).to_pylist() == [b'{"tags":["a","x"]}']
    assert table.splice(KEPT | {"tags[*]": Replace(pa.array(["1", "2", None, "4"]), how)}).to_pylist() == [b'{"tags":["a",null]}']
    assert table.splice(KEPT | {"tags[*]": Replace(pa.array(["0", "1", "2", None, "4", "5"])[1:5], how)}).to_pylist() == [
        b'{"tags":["a",null]}']


def test_undeclared_members_are_stepped_over_where_the_policy_does_not_deny():
    """Without deny, unknown members neither flag a row nor lose a byte, even when their keys are duplicates."""
    rows = [b'{"zz":{"email":1},"email":2,"zz":3}']
    table = scan(rows, Paths(["email"], deny=False))
    assert table.flags.tolist() == [0]
    assert table.values("email").text.to_pylist() == ["2"]
    assert table.splice({"email": KEEP}).to_pylist() == rows


def test_named_members_go_before_the_wildcard():
    """`meta.*` means every key at its level that no other path names."""
    table = scan([b'{"meta":{"a":1,"b":2}}'], Paths(["meta.*", "meta.a"]))
    assert (table.values("meta.*").text.to_pylist(), table.values("meta.a").text.to_pylist()) == (["2"], ["1"])


def test_columns_of_any_form_and_slices_of_them_are_read():
    """Lists, Series, string, large and chunked arrays give the same records, as binary."""
    texts = ['{"email":"é"}', None, '{"email":"b"}']
    raws = [None if text is None else text.encode() for text in texts]
    for column in (texts, raws, pd.Series(texts), pd.Series(raws), pa.array(texts), pa.array(raws), pa.array(texts, pa.large_string()),
                   pa.array(["x", *texts, "y"])[1:4], pa.chunked_array([texts[:1], texts[1:]])):
        table = scan(column, PATHS)
        assert table.values("email").text.to_pylist() == ["é", "b"]
        assert table.splice(KEPT).to_pylist() == raws
        assert table.splice(KEPT).type == pa.binary()
    assert scan(['{"email":"\ud800"}', texts[2]], PATHS).flags.tolist() == [Flag.INVALID, 0]
    for column in ([1], pa.array([1]), [{}]):
        with pytest.raises(TypeError, match="Hint"):
            scan(column, PATHS)


@pytest.mark.parametrize("column", [[], pa.array([], pa.binary()), pa.array([], pa.string()), pa.array([b"{}"])[1:],
                                    pa.chunked_array([], pa.binary())])
def test_an_empty_batch_gives_empty_results(column):
    """No rows in, no rows out, everywhere."""
    table = scan(column, PATHS)
    assert (table.n, table.count("email"), len(table.raw("email")), len(table.splice(KEPT))) == (0, 0, 0, 0)
    assert table.values("email").text.to_pylist() == []


def test_rows_of_nulls_and_empty_texts():
    """An absent payload and an empty one are different faults."""
    table = scan(pa.array([None, b"", None], pa.binary()), PATHS)
    assert [table.fault(k).reason for k in range(3)] == ["missing_payload", "malformed", "missing_payload"]
    assert table.splice(KEPT).to_pylist() == [None] * 3


def test_the_span_array_grows():
    """Rows with far more values than paths are found whole, wherever in the batch they stand."""
    rows = [b'{"tags":[' + b",".join(b'"%d"' % i for i in range(k)) + b"]}" for k in (0, 1, 5_000, 2, 20_000, 3)]
    table = scan(rows, PATHS)
    assert table.values("tags[*]").text.to_pylist() == [str(i) for k in (0, 1, 5_000, 2, 20_000, 3) for i in range(k)]
    assert table.splice(KEPT).to_pylist() == rows


def test_many_undeclared_keys_are_all_told_apart():
    """Thousands of different keys under a wildcard are no duplicates; one repeated far away is found; other objects do not matter."""
    keys = [b'"key%d":%d' % (k, k) for k in range(30_000)]
    whole = b'{"meta":{' + b",".join(keys) + b"}}"
    twice = b'{"meta":{' + b",".join([*keys, keys[17]]) + b"}}"
    table = scan([whole, twice, whole], PATHS)
    assert table.flags.tolist() == [0, Flag.DUPLICATE, 0]
    assert table.count("meta.*") == 60_000
    same = b'{"a":[' + b",".join([b'{"x":1,"y":2}'] * 20_000) + b"]}"
    assert scan([same, same], Paths(["a[*].*"])).flags.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("edits", "extra", "error"),
    [
        ({}, {}, "no edit for email"),
        (KEPT | {"nope": KEEP}, {}, "not emitted"),
        (KEPT | {"email": Replace(pa.array(["a", "b"]))}, {}, "1 values, 2 replacements"),
        (KEPT | {"email": Replace(pa.scalar("a"), np.zeros(2, np.uint8))}, {}, "uint8 codes"),
        (KEPT | {"email": Replace(pa.scalar("a"), np.zeros(1, np.int64))}, {}, "uint8 codes"),
        (KEPT | {"email": Replace(pa.scalar(1.5))}, {}, "type double"),
        (KEPT, {"unknown": KEEP}, "dropped or replaced"),
        (KEPT, {"unknown": Replace(pa.array(["a"]))}, "dropped or replaced"),
        (KEPT, {"reject": np.zeros(2, bool)}, "reject has 2 rows"),
    ],
)
def test_edits_that_do_not_fit_are_refused(edits, extra, error):
    """A missing edit, a wrong count or type, and keeping what nobody declared are errors, never a pass-through."""
    table = scan([b'{"email":"secret-value"}'], PATHS)
    with pytest.raises((ValueError, TypeError), match=error) as caught:
        table.splice(edits, **extra)
    assert "Hint: " in str(caught.value)
    assert "secret-value" not in str(caught.value)


def test_paths_that_contradict_themselves_are_refused():
    """Only a declared path can be opaque, and every path has to parse."""
    for emit, opaque in ((["a.b"], ["a"]), (["a"], ["z"]), (["a[-1]"], [])):
        with pytest.raises(PolicyError, match="Hint"):
            Paths(emit, opaque=opaque)


def test_two_spellings_of_a_path_are_one_path():
    """Quotes that are not needed make no other field."""
    table = scan([b'{"a":1}'], Paths(["a", '"a"']))
    assert table.values("a").text.to_pylist() == table.values('"a"').text.to_pylist() == ["1"]


def test_an_undeclared_members_values_can_be_counted():
    """The table tells rows of members that nobody declared."""
    assert scan([b"{}", b'{"x":1,"y":2}'], PATHS).rows(UNDECLARED).tolist() == [1, 1]


def test_constants_agree_between_kernels_and_types():
    """Kinds, flags and codes mean the same in compiled and in other code."""
    assert {kind.name: int(kind) for kind in Kind} == {kind.name: getattr(span_kernels, kind.name) for kind in Kind}
    assert set(REASONS) == set(Flag)
    for code in ("USE", "DROP_VALUE", "KEEP_VALUE"):
        assert getattr(edit_codes, code) == getattr(splice_kernels, code)


def test_memory_is_used_again_only_when_nothing_refers_to_it():
    """A block comes back once its array, the buffers over it and their slices are gone, and not before."""
    blocks = arrow.Blocks()
    first = blocks.take(100_000)
    address = first.ctypes.data
    view = pa.py_buffer(first).slice(10, 20)
    del first
    second = blocks.take(100_000)
    assert second.ctypes.data != address
    del view
    assert blocks.take(100_000).ctypes.data == address
    third = blocks.take(100_000)[5:].view(np.int8)
    again = third[7:]
    address = third.ctypes.data - 5
    del third
    assert blocks.take(100_000).ctypes.data != address
    del again
    assert address in {block.ctypes.data for block in [blocks.take(100_000), blocks.take(100_000)]}
    huge = [blocks.take(blocks.LIMIT // 2 + 1) for _ in range(3)]
    assert len({block.ctypes.data for block in huge}) == 3


def test_hashes_of_undeclared_keys_start_from_a_secret_of_the_system(monkeypatch):
    """Every scan draws eight bytes from the system; whatever they are, duplicates among undeclared keys are found, and no others."""
    drawn = []

    def fixed(n):
        drawn.append(n)
        return bytes([255 - 17 * len(drawn)]) * n

    monkeypatch.setattr(os, "urandom", fixed)
    rows = [b'{"a":1,"u":1,"v":1}', b'{"a":1,"u":1,"u":1}', b'{"\\u0075":1,"u":1}']
    for _ in range(5):
        table = scan(pa.array(rows, pa.binary()), Paths(("a",)))
        assert [Flag.DUPLICATE in Flag(int(flags)) for flags in table.flags] == [False, True, True]
    assert drawn == [8] * 5


def test_the_limits_default_to_a_megabyte_and_128_levels():
    """The defaults are those of the design."""
    assert Limits() == Limits(max_depth=128, max_bytes=1_000_000)
