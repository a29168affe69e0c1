"""Which texts are JSON: the scanner against two parsers, the cases of JSONTestSuite (github.com/nst/JSONTestSuite), limits."""

import os
import random

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_oracle import documents, is_valid, objects, orjson_valid, render

from flink_masking.records.edits import DROP, Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import FATAL, Flag, Limits
from flink_masking.records.trie import Paths

LONG = os.environ.get("FLINK_MASKING_LONG") == "1"  # a million corrupted rows instead of 20,000
ANY = Paths(["a", "b.c", "b[*].d", "c[*]"], deny=False)

VALID = rb'''[] {} [""] ["a"] [false] [null,1] [2] [-0] [-0.0] [-1] [-123] [0] [0e+1] [0e1] [1E22] [1E-2] [1E+2] [1e-2] [1e+2] [123e45]
[123.456e78] [123.456789] [20e1] [0.0] [-0.0e-1] [1e0] "" "a" 42 -0.1 true false null "\u0000" ["\u0060\u012a\u12AB"] ["\uD801\udc37"]
["\ud83d\ude39\ud83d\udc8d"] ["\"\\\/\b\f\n\r\t"] ["\\u0000"] ["\""] ["a/*b*/c/*d//e"] ["\\a"] ["\\n"] ["\u0012"] ["\uFFFF"]
["\uDBFF\uDFFF"] ["\u00A0"] ["\u2028"] ["\u200B"] ["\u2064"] ["\uFDD0"] ["\uFFFE"] ["\u0022"] ["\u005C"] ["\u0821"] ["\u0123"]
{"asd":"sdf"} {"a":"b","a":"c"} {"a":"b","a":"b"} {"":0} {"foo\u0000bar":42} {"a":[]} {"min":-1.0e+28,"max":1.0e+28}
{"a":[{"b":[{"c":[]}]}]} [[[[[[]]]]]] [1,null,null,2] [-1e99999] [0.4e00669999999999999999] [123123e100000] [1e999]'''.split()
VALID += [
    b"[] ", b"[[]   ]", b"[1 ]", b" [1]", b"[\n1\n ,1]", b'{"a":"b"\t}\r\n', b'["\xe2\x82\xac\xf0\x9d\x84\x9b"]', b'["\x7f"]',
    b'["\xef\xbf\xbf"]', b'["\xf4\x8f\xbf\xbf"]', b"[" * 999 + b"]" * 999,
]
INVALID = [
    b"", b" ", b"[1 true]", b'["": 1]', b'[""],', b"[,1]", b"[1,,2]", b'["x",,]', b'["x"]]', b'["",]', b'["x"', b"[x", b"[3[4]]", b"[1:2]",
    b"[,]", b"[-]", b'[   , ""]', b"[1,", b"[1,\n1\n,1", b"[*]", b'[""', b"[1,]", b"[1,,]", b'["\x0ba"]', b'["a', b"[nul]", b"[tru]",
    b"[fals]", b"[True]", b"123\x00", b"[++1234]", b"[+1]", b"[+Inf]", b"[-01]", b"[-1.0.]", b"[-2.]", b"[-NaN]", b"[.-1]", b"[.2e-3]",
    b"[0.1.2]", b"[0.3e+]", b"[0.3e]", b"[0.e1]", b"[0e+]", b"[0e]", b"[0E+]", b"[0E]", b"[1.0e+]", b"[1.0e-]", b"[1.0e]", b"[1 000.0]",
    b"[1eE2]", b"[2.e+3]", b"[2.e-3]", b"[2.e3]", b"[9.e+]", b"[Inf]", b"[NaN]", b"[1+2]", b"[0x1]", b"[0x42]", b"[Infinity]", b"[0e+-1]",
    b"[-123.123foo]", b"[-Infinity]", b"[-foo]", b"[- 1]", b"[-012]", b"[-.123]", b"[-1x]", b"[1ea]", b"[1.]", b"[.123]", b"[1.2a-3]",
    b"[1.8011670033376514H-308]", b"[012]", b'["x", truth]', b'{[: "x"}', b'{"x", null}', b'{"x"::"b"}', b"{key: 'value'}",
    b'{"a":"a" 123}', b'{"a" b}', b'{:"b"}', b'{"a":"a",,"b":1}', b'{"a"', b'{"a":', b"{1:1}", b"{9999E9999:1}", b"{null:null,null:null}",
    b'{"id":0,,,,,}', b"{'a':0}", b'{"id":0,}', b'{"a":"b"}/**/', b'{"a":"b"}/**//', b'{"a":"b"}//', b'{"a":"b",,"c":"d"}', b'{a: "b"}',
    b'{"a":"a', b'{ "foo" : "bar", "a" }', b'{"a":"b"}#', b'["\\uD800\\"]', b'["\\uD800\\u"]', b'["\\uD800\\u1"]', b'["\\uD800\\u1x"]',
    b"[\xc3\xa9]", b'["\\x00"]', b'["\\\\\\"]', b'["\\\t"]', b'["\\\xf0\x9f\x8c\x80"]', b'["\\"]', b'["\\u00A"]', b'["\\uD834\\uDd"]',
    b'["\\uD800\\uD800\\x"]', b'["\\a"]', b'["\\uqqqq"]', b'["\\\xe5"]', b'[\\u0020"asd"]', b"[\\n]", b'"', b"['single quote']", b"abc",
    b'["\\', b'["a\x00a"]', b'["new\nline"]', b'["\t"]', b'"\\UA66D"', b'""x', b"<.>", b"[<null>]", b"[1]x", b"[1]]", b'["asd]', b"aNULL",
    b'{"x": true,', b"[][]", b"]", b"\xef\xbb\xbf{}", b"\xef\xbb\xbf", b"\xe5", b"[", b'{"asd":"asd"', b"\xc3\xa5", b"[\xe2\x81\xa0]",
    b"[\x0c]", b"[1\x0b]", b"{}}", b'{"":', b'{"a":/*comment*/"b"}', b'{"a": true} "x"', b"['", b'["\\a', b'["a', b"[,", b"[{",
    b'["a",\n4\n,1,', b"{]", b"{,", b"{[", b'{"a', b"{'a'", b"*", b'{"a":"b"}#{}', b'["\\{["\\{', b'"\xff"',
    b'["\xe6\x97\xa5\xd1\x88\xfa"]',
    b'["\xf4\xbf\xbf\xbf"]', b'["\xed\xa0\x80"]', b'["\xe0\xff"]', b'["\x81"]', b'["\xc0\xaf"]', b'["\xfc\x83\xbf\xbf\xbf\xbf"]',
    b'["\xfc\x80\x80\x80\x80\x80"]', b'["\\uDADA"]', b'["\\uD888\\u1234"]', b'["\\uDFAA"]', b'["\\uDd1e\\uD834"]', b'["\\ud800abc"]',
    b'["\\uD800\\n"]', b"[" * 2000, b'[{"":' * 1000,
]


def valid(rows, depth=1000):
    """The scanner's verdict on each row; one that is no object is still JSON."""
    return [not flags & Flag.INVALID for flags in scan(pa.array(rows, pa.binary()), ANY, Limits(max_depth=depth)).flags]


def test_cases_of_the_json_test_suite():
    """What RFC 8259 allows is valid, everything else is not; values that are no objects are told from texts that are no JSON."""
    assert [text for text, ok in zip(VALID, valid(VALID), strict=True) if not ok] == []
    assert [text for text, ok in zip(INVALID, valid(INVALID), strict=True) if ok] == []
    # the oracles agree, so that the laws below mean something
    assert [text for text in VALID[:-1] if not orjson_valid(text)] == [] == [text for text in INVALID if orjson_valid(text)]


def test_cases_of_the_json_test_suite_inside_an_object():
    """The verdicts stay the same when the text is a member of a record, whether a path leads there or not."""
    for key in (b"a", b"b", b"zz"):
        for texts, expected in ((VALID[:-1], True), ([t for t in INVALID if t not in (b"{}}", b'{"a":"a" 123}')], False)):
            rows = [b'{"%s":%s,"q":1}' % (key, text) for text in texts]
            assert [is_valid(row) for row in rows] == valid(rows)
            assert expected in valid(rows)


@pytest.mark.parametrize("key", [b"c", b"zz"])
@pytest.mark.parametrize(("text", "place"), [
    (b"[1,]", 3), (b'{"a" 1}', 5), (b"[1}", 2), (b"[[]", 7), (b"[[] []]", 4), (b'{"a":{},}', 8), (b'[{"a":[tru]}]', 7), (b'{"a":"\\x"}', 5),
])
def test_what_breaks_a_container_is_told_by_its_place(key, text, place):
    """The byte at which a container breaks off, whether a path leads into it or not."""
    found = scan(pa.array([b'{"a":1}', b'{"%s":%s,"q":1}' % (key, text)], pa.binary()), ANY).fault(1)
    assert ("malformed", len(key) + 4 + place) == (found.reason, found.position)


@given(st.lists(documents() | objects(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_validity_agrees_with_two_parsers(docs, rnd):
    """Generated documents and corruptions of them, next to valid neighbours, are judged as the standard library and orjson do."""
    rows = [render(d).encode() for d in docs]
    pieces = [b'"', b"\\", b",", b"{", b"}", b"[", b"]", b":", b"0", b"-", b"e", b".", b"\x00", b"\x1f", b"\xff", b"\xed\xa0\x80",
              b"\xc0\x80", b"\\ud800", b"\\u12", b"NaN", b"\xef\xbb\xbf", b" ", b"\n", b"true"]
    mixed = []
    for row in rows:
        for _ in range(6):
            x = bytearray(row)
            for _ in range(rnd.choice([1, 1, 2, 4])):
                how, at = rnd.randrange(5), rnd.randrange(len(x) + 1)
                if how == 0:
                    del x[at:]
                elif how == 1:
                    x[at : at + rnd.randrange(1, 4)] = b""
                elif how == 2:
                    x[at:at] = rnd.choice(pieces)
                elif at < len(x):
                    x[at] = rnd.randrange(256) if how == 3 else x[at] ^ 1 << rnd.randrange(8)
            mixed += [bytes(x), row]
    expected = [is_valid(x) for x in mixed]
    assert expected == [orjson_valid(x) for x in mixed]
    assert expected == valid(mixed)


def base_rows(rnd):
    """Flat events, nested ones and rows full of escapes."""
    flat = [orjson.dumps({"customerId": f"C{k}", "email": f"u{k}@example.com", "ssn": f"{k:03d}-12-4567", "age": k, "zip": "02139",
                          "amount": k * 1.25, "at": "2024-03-01T12:00:00Z"}) for k in range(150)]
    nested = [orjson.dumps({"id": k, "b": {"c": [1, -2.5e-3, None, True, False, {"d": "\u2028"}], "e": {"f": [[]] * (k % 4)}},
                            "email": "x@y.z", "name": [{"given": ["é😀\\\"" * (k % 3), "x" * rnd.randrange(80)]}] * (k % 5)})
              for k in range(100)]
    return flat + nested


@pytest.mark.parametrize("block", range(50 if LONG else 1))
def test_corrupted_rows(block):
    """20,000 corrupted rows (a million with FLINK_MASKING_LONG=1): the verdict is orjson's, and what is valid comes out as edited."""
    rnd, paths = random.Random(5 + block), Paths(["email", "ssn", "b.c"], opaque=["b.c"], deny=False)
    base, rows = base_rows(rnd), []
    pieces = [b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b"0", b"e", b"E", b".", b"-", b"+", b"t", b"null", b" ", b"\n", b"\x01",
              b"\xc3", b"\xa9", b"\xed\xa0\x80", b"\\u00e9", b"\\ud83d", b"\\ude00", b"\\x", b"\x7f", b""]
    for _ in range(20_000):
        x = bytearray(rnd.choice(base))
        for _ in range(rnd.choice((0, 1, 1, 1, 2, 3))):
            at = rnd.randrange(len(x))
            x[at : at + rnd.randrange(3)] = rnd.choice([*pieces, bytes([rnd.randrange(256)])])
        rows.append(bytes(x))
    table = scan(pa.array(rows, pa.binary()), paths, Limits(1024))
    out = table.splice({"email": Replace(pa.scalar("m@sk")), "ssn": DROP, "b.c": Replace(pa.scalar(None, pa.string()))}).to_pylist()
    refused = 0
    for row, flags, written in zip(rows, table.flags.tolist(), out, strict=True):
        assert orjson_valid(row) == (not flags & Flag.INVALID), row
        assert (written is None) == bool(flags & FATAL), row
        refused += written is None
        if written is not None and b"e999" not in row and b"E" not in row:
            record = orjson.loads(row)
            if "email" in record:
                record["email"] = "m@sk"
            record.pop("ssn", None)
            if isinstance(record.get("b"), dict) and "c" in record["b"]:
                record["b"]["c"] = None
            assert orjson.loads(written) == record, (row, written)
    assert 1_000 < refused < 19_000


@pytest.mark.parametrize("depth", [1, 5, 128, 1024])
def test_the_depth_limit_is_exact(depth):
    """Nesting up to the limit is valid, one level more is malformed."""
    rows = [b'{"x":' * k + b"{}" + b"}" * k for k in (depth - 1, depth)] + [b"[" * depth + b"]" * depth, b"[" * (depth + 1)]
    assert valid(rows, depth) == [True, False, True, False]


def test_a_record_of_depth_ten_thousand_is_malformed_and_its_neighbours_are_not():
    """Deep nesting is refused without a stack, in objects and arrays alike."""
    rows = [b'{"a":1}', b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'{"c":' + b"[" * 10_000 + b"]" * 10_000 + b"}", b'{"a":2}']
    table = scan(rows, ANY)
    assert table.flags.tolist() == [0, Flag.INVALID, Flag.INVALID, 0]
    assert table.values("a").text.to_pylist() == ["1", "2"]


@pytest.mark.parametrize("limits", [(0, 1), (1025, 1), (1, 0), (1, 1 << 31)])
def test_limits_out_of_range_are_refused(limits):
    """Limits that the scanner cannot keep are an error when they are set."""
    with pytest.raises(ValueError, match="Hint"):
        Limits(*limits)


def test_a_record_over_the_size_limit_is_not_scanned():
    """The limit counts bytes and is inclusive; a longer record is oversize, whatever it holds."""
    table = scan([b'{"a":"%s"}' % (b"x" * k) for k in (92, 93)] + [b"x" * 101], ANY, Limits(max_bytes=100))
    assert table.flags.tolist() == [0, Flag.OVERSIZE, Flag.OVERSIZE]
    assert table.fault(2).reason == "oversize"


def test_values_of_ten_megabytes():
    """Long values are found, decoded and spliced whole when the limit allows their record."""
    plain, escaped = "x" * 10_000_000, '\\n"é' * 2_000_000
    rows = [orjson.dumps({"a": plain, "q": 1}), orjson.dumps({"a": escaped, "q": 2})]
    table = scan(rows, ANY, Limits(max_bytes=30_000_000))
    assert table.values("a").text.to_pylist() == [plain, escaped]
    edits = dict.fromkeys(ANY.names, DROP) | {"a": Replace(pa.array([escaped, plain]))}
    assert table.splice(edits).to_pylist() == [orjson.dumps({"a": escaped, "q": 1}), orjson.dumps({"a": plain, "q": 2})]
    assert scan(rows, ANY).flags.tolist() == [Flag.OVERSIZE] * 2
