"""Text as JSON strings: `flink_masking.records.json.text`."""

import orjson
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from flink_masking.records.json.text import quote

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(st.lists(st.none() | TEXT, max_size=20), st.integers(0, 3))
@example(["\x00\x1f\x7f\"\\/\b\f\n\r\t\u2028😀" * 10, None, ""], 0)
def test_quote_writes_what_orjson_writes(texts, offset):
    """Every text is the JSON string that orjson makes of it, null is null; slices included."""
    column = pa.array([*["pad\""] * offset, *texts, "end"], pa.string()).slice(offset, len(texts))
    done = quote(column)
    assert done.type == pa.binary()
    assert done.to_pylist() == [None if text is None else orjson.dumps(text) for text in texts]
