"""The table of texts that were looked up before."""

import pyarrow as pa
import pytest

from flink_masking.engine import strangers
from flink_masking.engine.strangers import Strangers


@pytest.mark.parametrize("length", [*range(20), 31, 32, 33, 100])
def test_every_byte_counts(length):
    """Texts of each length that differ in one byte, or in their length, are told apart, wherever they stand in a column."""
    plain = b"a" * length
    changed = [plain[:place] + b"b" + plain[place + 1 :] for place in range(length)]
    made = [plain, *changed, plain + b"a", b"", b"\0", b"\0" * (length + 2)]
    texts = pa.array([one.decode() for one in dict.fromkeys(made)], pa.string())
    table = Strangers()
    rows, prints = table.unknown(texts)
    assert rows.tolist() == list(range(len(texts))) and len(set(prints.tolist())) == len(texts) and prints.all()
    assert table.unknown(texts[::-1])[1].tolist() == prints[::-1].tolist()
    assert table.unknown(texts.slice(1))[1].tolist() == prints[1:].tolist()
    table.remember(prints[1::2].copy())
    assert table.unknown(texts)[0].tolist() == list(range(0, len(texts), 2))
    assert Strangers().unknown(texts)[1].tolist() != prints.tolist()


def test_who_was_met_is_known(monkeypatch):
    """Remembered texts are known and no others, also after the table has grown; a crowded one forgets, and never knows a new text."""
    monkeypatch.setattr(strangers, "MOST", 16)
    made, people = Strangers(), pa.array([f"person {number}" for number in range(160_000)])
    rows, prints = made.unknown(people)
    assert len(rows) == 160_000 and made.unknown(pa.array([], pa.string()))[0].tolist() == []
    for first in range(0, 40_000, 5_000):
        made.remember(prints[first : first + 5_000])
    rows, _ = made.unknown(people)
    assert set(range(40_000, 160_000)) <= set(rows.tolist()) and len(rows) < 125_000
    made.remember(prints)
    assert 0 < len(made.unknown(people)[0]) < 160_000
    made.forget()
    assert len(made.unknown(people)[0]) == 160_000
