"""Keys of members that a path names by ``*``: read, and written anew, beside every edit of values."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, USE, Keys, Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.trie import Paths

KEY = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(['"', "\\", "known", "é\n", "k" * 300])
SCALARS = st.integers(-9, 9) | st.text(max_size=4) | st.none()
DOCS = st.lists(st.dictionaries(st.just("m"), st.dictionaries(KEY, SCALARS, max_size=5)) | st.just({"a": 1}), max_size=5)
PATHS = Paths(["m.*", "a"], known=["m.known"])


def raw(docs, ascii_only, indent):
    """Records as bytes, keys escaped or not, with or without blanks and line breaks."""
    return pa.array([json.dumps(doc, ensure_ascii=ascii_only, indent=indent).encode() for doc in docs], pa.binary())


def renamed(doc, name, drop=(), value=None):
    """What a document should become: `name` of each open key in turn, members at `drop` left out."""
    members, count = {}, 0
    for key, inner in doc["m"].items():
        if key == "known":
            members[key] = inner
            continue
        if count not in drop:
            members[name(key)] = inner if value is None else value
        count += 1
    return {"m": members}


@given(DOCS, st.booleans(), st.sampled_from([None, 1]))
def test_keys_are_read_decoded(docs, ascii_only, indent):
    """Every key that no other path names, in order, whatever its escapes; null for no member."""
    table = scan(raw(docs, ascii_only, indent), PATHS)
    assert table.keys("m.*").to_pylist() == [key for doc in docs for key in doc.get("m", {}) if key != "known"]


@given(DOCS, st.booleans(), st.sampled_from([None, 1]), st.sampled_from(["keep", "replace", "null", "drop", "some"]),
       st.sampled_from("xé\"\\\n"))
def test_new_keys_beside_every_edit(docs, ascii_only, indent, edit, mark):
    """Keys are written quoted and escaped in the place of the old ones; values stay, are replaced or go with their member."""
    rows = raw(docs, ascii_only, indent)
    table = scan(rows, PATHS)
    count = table.count("m.*")
    keys = pa.array([mark + key for key in table.keys("m.*").to_pylist()], pa.string())
    how = np.where(np.arange(count) % 2 == 0, USE, DROP_VALUE).astype(np.uint8) if edit == "some" else None
    values = {"replace": Replace(pa.scalar("v")), "null": Replace(pa.scalar(None, pa.string())), "drop": DROP}.get(edit, KEEP)
    out = table.splice({"m.*": values, "a": KEEP}, keys={"m.*": Keys(keys, how)})
    out.validate(full=True)
    start = 0
    for doc, row, after in zip(docs, rows.to_pylist(), out.to_pylist(), strict=True):
        if "m" not in doc:
            assert after == row
            continue
        size = sum(key != "known" for key in doc["m"])
        drop = range(size) if edit == "drop" else [i for i in range(size) if edit == "some" and (start + i) % 2]
        start += size
        want = renamed(doc, lambda key: mark + key, drop, {"replace": "v", "null": ...}.get(edit))
        want["m"] = {key: None if inner is ... else inner for key, inner in want["m"].items()}
        assert json.loads(after) == want


def test_keys_of_objects_in_objects():
    """Keys at several depths are renamed together, and edits below them still happen."""
    paths = Paths(["a.*", "a.*.b.*", "a.*.n"])
    table = scan(pa.array([b'{"a":{"x":{"b":{"y":1,"z":2},"n":3},"w":{"n":4}}}'], pa.binary()), paths)
    edits = {"a.*": KEEP, "a.*.b.*": KEEP, "a.*.n": Replace(pa.array(["p", "q"]))}
    keys = {"a.*": Keys(pa.array(["X", "W"])), "a.*.b.*": Keys(pa.array(["Y", "Z"]))}
    assert table.splice(edits, keys=keys).to_pylist() == [b'{"a":{"X":{"b":{"Y":1,"Z":2},"n":"p"},"W":{"n":"q"}}}']


@pytest.mark.parametrize(("path", "keys", "message"), [
    ("a", Keys(pa.array(["x"])), "by"), ("m.*", Keys(pa.array(["x"])), "2 members, 1 keys"),
    ("m.*", Keys(pa.array(["x", None])), "2 members"), ("m.*", Keys(pa.array([b"x", b"y"])), "of type binary"),
    ("m.*", Keys(pa.array(["x", "y"]), np.zeros(1, np.uint8)), "how needs 2"),
])  # fmt: skip
def test_keys_that_do_not_fit(path, keys, message):
    """Keys for a named path, too few of them, nulls, other types and wrong codes are mistakes of the caller."""
    table = scan(pa.array([b'{"a":1,"m":{"x":1,"y":2}}'], pa.binary()), PATHS)
    with pytest.raises(ValueError, match=message):
        table.splice({"m.*": KEEP, "a": KEEP}, keys={path: keys})


@pytest.mark.parametrize(("row", "breaks"), [
    (b'{"a":1}', False), (b'{ "a" : 1 }', False), (b'{"a":\t1}', False), (b'{"a":"\\n"}', False), (b'{\n"a":1}', True),
    (b'{"a":1\r}', True),
    (b'{"a":1}\n', True), (b'\r{"a":1}', True), (b'{"a":{"b":[1,\n2]}}', True),
])  # fmt: skip
def test_line_breaks_are_noticed(row, breaks):
    """A table knows whether a line break stands between the tokens of any of its records, at any depth."""
    table = scan(pa.array([b'{"a":2}', row], pa.binary()), Paths(["a"], opaque=["a"]))
    assert table.breaks is breaks
