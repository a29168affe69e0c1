"""Laws of records that are one text: what is UTF-8 goes through as it is, and rules see the whole record."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.records.codec import Layout, codec_for
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP, KEEP_VALUE, USE, Replace
from flink_masking.records.spans import Limits
from flink_masking.records.trie import Paths

ROWS = st.lists(st.none() | st.text(max_size=8).map(str.encode) | st.binary(max_size=6) | st.just(b"x" * 50), max_size=6)
LIMITS = Limits(max_bytes=40)


def wrong(row):
    """Why a record is refused, and where; None for a good one."""
    if row is None:
        return "missing_payload", None, None
    if len(row) > LIMITS.max_bytes:
        return "oversize", None, None
    try:
        row.decode()
    except UnicodeDecodeError as error:
        return "malformed", None, error.start
    return None


@given(ROWS, st.integers(0, 3), st.data())
def test_every_text_is_a_value_and_every_edit_is_of_the_whole_record(rows, skip, data):
    """Values are the decoded records; each can be used, kept or lost; what is not UTF-8 is flagged with its position."""
    column = pa.array([b"\xff before"] * skip + rows, pa.binary())[skip:]
    table = codec_for("text", Layout(("line",))).scan(column, Paths(["line"]), LIMITS)
    assert [table.fault(row) for row in range(len(rows))] == [wrong(row) for row in rows]
    good = [number for number, row in enumerate(rows) if wrong(row) is None]
    values = table.values("line")
    values.text.validate(full=True)
    assert values.text.to_pylist() == [rows[number].decode() for number in good] and values.rows.tolist() == good
    reject = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), bool)
    kept = table.splice({"line": KEEP}, reject=reject).to_pylist()
    assert kept == [None if wrong(row) or reject[number] else row for number, row in enumerate(rows)]
    new = data.draw(st.lists(st.none() | st.text(max_size=4), min_size=len(good), max_size=len(good)))
    how = data.draw(st.lists(st.sampled_from([USE, KEEP_VALUE, DROP_VALUE]), min_size=len(good), max_size=len(good)))
    made = table.splice({"line": Replace(pa.array(new, pa.string()), np.array(how, np.uint8))}).to_pylist()
    want = [None] * len(rows)
    for number, text, code in zip(good, new, how, strict=True):
        want[number] = rows[number] if code == KEEP_VALUE else None if text is None or code == DROP_VALUE else text.encode()
    assert made == want
    lost = [number for number in good if want[number] is None]
    assert table.unwritable.get("line", np.array([])).tolist() == lost
    assert table.splice({"line": Replace(pa.scalar("m"))}).to_pylist() == [None if wrong(row) else b"m" for row in rows]
    assert table.splice({"line": DROP}).null_count == len(rows)
