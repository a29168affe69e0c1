"""Paths are classified by all of their values together, as detection classifies columns."""

import random

import numpy as np
import pyarrow as pa
from proposals import Proposed
from stdnum import luhn

from flink_masking.detect import ColumnStatistics, Detectors, Paths
from flink_masking.generate.payloads import payloads
from flink_masking.scan import Scanner


def test_scan_classifies_as_detection_does():
    """On generated payloads every path has the type and the reasons that detection's statistics of columns give it."""
    records = [payload.record for payload in payloads(600, 11, locales=("en_US",))]  # no text with escapes
    scanner, paths, detectors = Scanner(), Paths(), Detectors()
    statistics = ColumnStatistics(detectors, paths)
    for k in range(0, len(records), 150):
        batch = records[k : k + 150]
        scanner.add(pa.array(batch, pa.binary()))
        data, edges = np.frombuffer(b"".join(batch), np.uint8), np.cumsum([0, *map(len, batch)]).astype(np.int64)
        statistics.add(data, paths.values(data, edges[:-1], edges[1:]))
    expected = {column.path: (column.type, column.confidence) for column in statistics.columns() if column.type}
    found = {path.path: (path.column.type, path.column.confidence) for path in scanner.report().paths if path.column}
    assert len(expected) > 15 and found == expected


def test_few_numbers_that_come_back_are_no_national_ids():
    """Codes of nine digits that come back often are not taken for social security numbers."""
    draw = random.Random(2)
    known = [f"{draw.randrange(100, 600)}{draw.randrange(10, 99)}{draw.randrange(1000, 9999)}" for _ in range(20)]
    found = Proposed([{"kind": known[k % 20]} for k in range(400)])
    assert "SSN" not in found.comment("kind") and found.fields["kind"]["class"] != "direct"


def test_the_values_outweigh_a_name_that_says_something_else():
    """Addresses of hosts in a field called address are no streets."""
    found = Proposed([{"client": {"address": f"203.0.{k // 250}.{k % 250}"}} for k in range(300)])
    assert found.fields["client.address"] == {"class": "direct", "type": "ip_address"}
    assert found.rules["client.address"]["domain"] == "ip-address"


def test_the_members_of_a_map_are_classified_together():
    """Values below keys that are data are one column, whatever key each stands under."""
    scanner = Scanner()
    lines = [f'{{"by":{{"k{number}x":"a{number}@example.org"}}}}'.encode() for number in range(200)]
    scanner.add(pa.array(lines, pa.binary()))
    (path,) = (one for one in scanner.report().paths if one.path == "by.*")
    assert path.column is not None and (path.column.type, path.column.values) == ("EMAIL", 200)


def test_cards_in_groups_are_proposed_as_cards():
    """Card numbers in the groups of their issuer, with no-break spaces or hyphens, are proposed as such, whatever the field's name."""
    draw = random.Random(4)
    bodies = [f"3056{draw.randrange(10**9):09d}" for _ in range(300)]
    cards = [body + luhn.calc_check_digit(body) for body in bodies]
    found = Proposed([{"ref": sign.join((card[:4], card[4:10], card[10:]))} for card, sign in zip(cards, 150 * "\u00a0-", strict=True)])
    assert found.fields["ref"]["class"] == "direct" and "CARD_NUMBER" in found.comment("ref")
