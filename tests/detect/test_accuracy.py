"""How much of generated payloads is found: recall and precision of structured types, against gold spans."""

from collections import Counter

import numpy as np

from flink_masking.detect import TYPES, ColumnStatistics, Detectors, Paths
from flink_masking.generate.payloads import payloads

LOOSE = {"PERSON", "CITY", "STREET_ADDRESS", "ORGANIZATION", "TITLE", "COUNTRY", "NATIONALITY", "USERNAME", "POSTCODE", "URL", "DATE"}
"""Types without a form of their own: they are not counted among the structured ones."""
LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE")


def measured(seed: int, count: int) -> tuple[float, float, Counter, Counter]:
    """Recall and precision of structured types over generated payloads; what is missed and what is found wrongly, by type."""
    generated = list(payloads(count, seed, locales=LOCALES))
    ends = np.cumsum([len(p.record) for p in generated]).astype(np.int64)
    starts = ends - [len(p.record) for p in generated]
    data = np.frombuffer(b"".join(p.record for p in generated), np.uint8)
    _, found = Detectors().find_json(data, starts, ends, Paths())
    gold = sorted((int(start) + g.start, int(start) + g.end, g.type) for start, p in zip(starts, generated, strict=True) for g in p.gold)
    covered, owned = np.zeros(len(data), bool), np.zeros(len(data), bool)
    for s, e in zip(found.starts, found.ends, strict=True):
        covered[s:e] = True
    for s, e, _ in gold:
        owned[s:e] = True
    missed: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    structured = [g for g in gold if g[2] not in LOOSE]
    for s, e, kind in structured:
        missed[kind] += covered[s:e].mean() < 0.9
    kinds = [TYPES[t].name for t in found.types]
    counted = [(int(s), int(e), kind) for s, e, kind in zip(found.starts, found.ends, kinds, strict=True) if kind not in LOOSE]
    for s, e, kind in counted:
        wrong[kind] += owned[s:e].mean() < 0.5
    return 1 - missed.total() / len(structured), 1 - wrong.total() / len(counted), missed, wrong


def test_structured_types_are_found_in_nested_payloads():
    """Of structured types at least 98 % is found, and at least 95 % of what is found is right."""
    recall, precision, missed, wrong = measured(1, 1500)
    assert recall >= 0.98, +missed
    assert precision >= 0.95, +wrong


def test_records_without_personal_data_stay_untouched():
    """In telemetry of machines, nothing is found."""
    shape = {"sensor": "#sku", "readings": [{"t": "#epoch", "v": "#price"}], "ok": "#flag", "firmware": "#version", "id": "#uuid",
             "at": "#time"}  # fmt: skip
    generated = list(payloads(300, 5, of=[shape]))
    ends = np.cumsum([len(p.record) for p in generated]).astype(np.int64)
    data = np.frombuffer(b"".join(p.record for p in generated), np.uint8)
    _, found = Detectors().find_json(data, ends - [len(p.record) for p in generated], ends, Paths())
    assert len(found.types) <= 3


def test_columns_are_classified_by_all_of_their_values():
    """A path is of the type of its values; a name that says nothing does not hinder, one that misleads does not help."""
    shape = {"a": "{EMAIL}", "b": "{IBAN}", "c": "{CARD_NUMBER}", "customer": {"name": "{PERSON}"}, "x": "{PERSON}", "phone": "{PHONE}",
             "n": "#int", "ssn": "#sku", "ip": "#version", "t": "#time", "nid": "{NATIONAL}"}  # fmt: skip
    generated = list(payloads(400, 3, of=[shape], locales=["en_US"]))
    ends = np.cumsum([len(p.record) for p in generated]).astype(np.int64)
    data = np.frombuffer(b"".join(p.record for p in generated), np.uint8)
    paths, detectors = Paths(), Detectors()
    statistics = ColumnStatistics(detectors, paths)
    for half in (slice(0, 200), slice(200, 400)):
        statistics.add(data, paths.values(data, (ends - [len(p.record) for p in generated])[half], ends[half]))
    columns = {column.path: column for column in statistics.columns()}
    assert {"a": "EMAIL", "b": "IBAN", "c": "CARD_NUMBER", "customer.name": "PERSON", "x": "PERSON", "phone": "PHONE", "n": None,
            "ssn": None, "ip": None, "t": None, "nid": "US_SSN"} == {path: column.type for path, column in columns.items()}  # fmt: skip
    assert (400, 400, 400) == (columns["b"].values, columns["b"].matched, columns["b"].checked)
    assert columns["n"].distinct <= 400 and 300 <= columns["b"].distinct <= 500


def test_generated_payloads_are_json_and_their_gold_is_where_they_say():
    """The same seed gives the same payloads; a span of gold is a whole value or a piece of a text."""
    import json

    first, second = list(payloads(50, 9)), list(payloads(50, 9))
    assert first == second
    for payload in first:
        json.loads(payload.record)
        for gold in payload.gold:
            assert payload.record[gold.start : gold.end].strip()
    assert {"EMAIL", "IBAN", "CARD_NUMBER", "PHONE"} <= {g.type for p in first for g in p.gold}
