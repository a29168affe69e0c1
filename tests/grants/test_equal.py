"""What a grant's predicate takes for equal."""

from decimal import Decimal

import pytest
from granted_jobs import policy_of

from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

NUMBERS = ["0", "-0", "0.0", "0e9", "7", "-7", "7.0", "70e-1", "0.7e1", "7.000000000000000001", "77", "17", "71", "10", "1e1", "100", "0.5",
           "5e-1", "0.50", "-0.5", "123456789012345678", "1234567890123456789", "9999999999999999999999", "1e400"]  # fmt: skip


@pytest.mark.parametrize("value", [0, 7, -7, 7.0, 10, 0.5, 123456789012345678, True, "7", "", "ä", '"\\'])
def test_json(job, value):
    """A number is each number of the same value, however written; a text is that text alone, with escapes or without; true is no number."""
    made = job(policy_of(change=("region: {class: plain, values: [eu, us]", "region: {class: plain")))
    field = "vip" if isinstance(value, bool) else "region" if isinstance(value, str) else "amount"
    made.grant(where={field: value})
    texts = ["true", "false", '"7"', '""', '"\\u00e4"', '"ä"', '"\\"\\\\"', "null"]
    written = {"amount": [*NUMBERS, "null"], "vip": ["true", "false", "null"], "region": texts}[field]
    records = [f'{{"id":"p","{field}":{text}}}'.encode() for text in [*written, *written[::-1]]]
    piece = made(records)
    shown = [line is not None for line in piece.views["debug"].to_pylist()]
    accepted = [line is not None for line in piece.views["support"].to_pylist()]
    if field == "amount":
        expected = [text != "null" and Decimal(text) == Decimal(str(value)) for text in written]
    else:
        meant = {"\\u00e4": "ä", '\\"\\\\': '"\\'}
        expected = [text == str(value).lower() if field == "vip" else text[:1] == '"' and meant.get(text[1:-1], text[1:-1]) == value
                    for text in written]
    expected = [one and there for one, there in zip([*expected, *expected[::-1]], accepted, strict=True)]
    assert shown == expected and any(shown)


CSV = """\
version: 1
stream: s
format: csv
columns: [id, ssn, amount]
fields:
  id: {class: identifier}
  ssn: {class: direct}
  amount: {class: plain}
segments:
  support: {view: masked, rules: {amount: keep}}
  debug: {view: granted, of: support, may_show: {ssn: keep}, max_duration: 2h, max_records: 100}
"""


def test_csv(job):
    """In CSV a number is compared as a number, whatever it is written like; what is none is not equal to one."""
    made = job(load(PolicySource("policy.yaml", CSV)))
    made.grant(where={"amount": 7}, fields={"ssn": None})
    cells = ["7", "7.0", "70e-1", "8", "17", "", "x", "-7"]
    shown = made([f"p,1,{cell}".encode() for cell in cells]).views["debug"].to_pylist()
    assert [cell for cell, line in zip(cells, shown, strict=True) if line is not None] == ["7", "7.0", "70e-1"]
