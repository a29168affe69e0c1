"""Laws of scanning and splicing against a model: documents that render themselves, and a walk along the paths."""

import json

import numpy as np
import pyarrow as pa
from hypothesis import assume, given
from hypothesis import strategies as st
from json_oracle import Walk, objects, pruned, render, strict, text_of

from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, KEEP_VALUE, USE, Replace
from flink_masking.records.json.codec import scan
from flink_masking.records.spans import FATAL, Flag
from flink_masking.records.trie import UNDECLARED, Paths

POLICIES = st.sampled_from([
    ["a", "b.c", "c[*]", "é"], ["a[*].b", "b.*", "c.d.a"], ["b", "b.c", "a.a"], ["*"], ["a.b.c", 'a."a.b"', "b[*][*]", '"q\\"q"'],
    ["b[*].c", "b.c", "long-key-" * 5, "ключ", '""', '"back\\\\"'], ["*.*", "a.b", "*[*]"], ["a", "a.*", "a[*]", "aa", "d"],
])
UNIQUE = objects(unique=True)
MASKS = st.sampled_from([lambda i: f'm"{i}\\\n\x01é', lambda i: None if i % 3 == 0 else f"<{i}>", lambda i: "", lambda i: "x" * 150])


def scanned(docs, emit, opaque, deny):
    """The documents' bytes, their table and their walks."""
    rows = [render(d).encode() for d in docs]
    return rows, scan(pa.array(rows, pa.binary()), Paths(emit, opaque=opaque, deny=deny)), [Walk(d, emit, opaque, deny) for d in docs]


@given(st.lists(UNIQUE | objects(), min_size=1, max_size=4), POLICIES, st.booleans(), st.booleans())
def test_values_flags_and_unknown_members(docs, emit, opaque, deny):
    """Exactly the values at the paths are handed out, in row order, decoded and raw; flags are those that the model gives."""
    rows, table, walks = scanned(docs, emit, emit if opaque else (), deny)
    for row, walk in enumerate(walks):
        flags = Flag(int(table.flags[row]))
        assert bool(walk.faults) == bool(flags & FATAL)
        assert bool(walk.unknown and deny) == (Flag.UNKNOWN in flags)
        reasons = {*walk.faults, *(["unknown_field"] if walk.unknown and deny else [])}
        fault = table.fault(row)
        assert (fault is None) == (not reasons)
        if fault is not None:
            assert fault.reason in (set(walk.faults) or reasons)
            assert rows[row][fault.position : fault.position + 1] not in (b"", b",", b":", b"}", b"]")
    good = [row for row in range(len(docs)) if not walks[row].faults]
    for name in emit:
        hits = [(row, node) for row in good for node in walks[row].hits[name]]
        values = table.values(name)
        values.text.validate(full=True)
        assert list(zip(values.rows.tolist(), values.text.to_pylist(), strict=True)) == [(row, text_of(node)) for row, node in hits]
        assert table.raw(name).to_pylist() == [render(node).encode() for _, node in hits]
        assert table.count(name) == len(hits)
    assert table.rows(UNDECLARED).tolist() == [row for row in good for _ in walks[row].unknown if deny]


@given(st.lists(UNIQUE, min_size=1, max_size=3), POLICIES, MASKS)
def test_replacing_changes_nothing_but_the_values(docs, emit, mask):
    """Every byte outside a replaced value stays as it was; an outer replacement goes before those inside of it."""
    rows, table, walks = scanned(docs, emit, emit, False)
    edits = {name: Replace(pa.array([mask(i) for i in range(table.count(name))], pa.string())) for name in emit}
    out = table.splice(edits)
    out.validate(full=True)
    counts, expected = dict.fromkeys(emit, 0), []
    for doc, walk in zip(docs, walks, strict=True):
        put = {}
        for name in emit if not walk.faults else ():
            for node in walk.hits[name]:
                put[id(node)] = json.dumps(mask(counts[name]), ensure_ascii=False)
                counts[name] += 1
        expected.append(None if walk.faults else render(doc, put).encode())
    assert expected == out.to_pylist()
    kept = table.splice(dict.fromkeys(emit, KEEP)).to_pylist()
    assert kept == [None if walk.faults else row for row, walk in zip(rows, walks, strict=True)]


@given(UNIQUE, POLICIES, st.booleans(), st.data())
def test_any_set_of_drops_leaves_a_record_of_its_own_bytes(doc, emit, deny, data):
    """Whatever is dropped, commas are right, the rest is unchanged, and what is left is made of the input's bytes in order."""
    (raw,), table, (walk,) = scanned([doc], emit, emit, deny)
    assume(not walk.faults)
    edits, gone = {}, {id(node) for node in walk.unknown if deny}
    for name in emit:
        how = np.array([data.draw(st.sampled_from([DROP_VALUE, KEEP_VALUE])) for _ in walk.hits[name]], np.uint8)
        whole = data.draw(st.booleans())
        edits[name] = DROP if whole else Replace(pa.scalar("unused"), how)
        gone |= {id(node) for node, code in zip(walk.hits[name], how, strict=True) if whole or code == DROP_VALUE}
    out = table.splice(edits)[0].as_py()
    assert pruned(doc, gone) == strict(out)
    rest = iter(raw)
    assert all(byte in rest for byte in out)


@given(UNIQUE, POLICIES, st.data())
def test_each_value_can_be_used_dropped_or_kept(doc, emit, data):
    """Codes in `how` decide value by value, in row order, beside each other."""
    _, table, (walk,) = scanned([doc], emit, emit, False)
    assume(not walk.faults)
    edits, put, gone = {}, {}, set()
    for name in emit:
        nodes = walk.hits[name]
        how = np.array([data.draw(st.sampled_from([USE, DROP_VALUE, KEEP_VALUE])) for _ in nodes], np.uint8)
        edits[name] = Replace(pa.array([b'["%d"]' % i for i in range(len(nodes))], pa.binary()), how)
        for i, (node, code) in enumerate(zip(nodes, how, strict=True)):
            if code == USE:
                put[id(node)] = f'["{i}"]'
            elif code == DROP_VALUE:
                gone.add(id(node))

    def expected(node):
        if id(node) in put:
            return strict(put[id(node)].encode())
        if node[0] == "arr":
            return [expected(x) for _, x, _ in node[2] if id(x) not in gone]
        if node[0] == "obj":
            return ("obj", [(m[1], expected(m[5])) for m in node[2] if id(m[5]) not in gone])
        return strict(render(node).encode())

    assert expected(doc) == strict(table.splice(edits)[0].as_py())


@given(st.lists(objects(), min_size=2, max_size=6), POLICIES, st.integers(1, 5))
def test_splitting_a_batch_changes_nothing(docs, emit, at):
    """Slices of a column give the same records as the column, whatever lies around them in the buffer."""
    column, paths = pa.array([None, *(render(d).encode() for d in docs)], pa.binary()), Paths(emit)
    edits = dict.fromkeys(emit, Replace(pa.scalar("m")))
    whole = scan(column, paths)
    pieces = [scan(piece, paths) for piece in (column[:at], column[at:])]
    assert whole.flags.tolist() == [flag for piece in pieces for flag in piece.flags.tolist()]
    assert whole.splice(edits).to_pylist() == [row for piece in pieces for row in piece.splice(edits).to_pylist()]
    assert [whole.fault(k) for k in range(whole.n)] == [piece.fault(k) for piece in pieces for k in range(piece.n)]
