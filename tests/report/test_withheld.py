"""What a report withholds of an aggregated view: nothing in it leads from a published figure to the exact one of the raw records."""

import json
import math
import re
import zlib

import numpy as np
import pytest

from flink_masking.compliance import assess_all
from flink_masking.compliance.measured import measured
from flink_masking.compliance.subject import PolicyViews
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html, figures
from flink_masking.report.sample import sample_of
from flink_masking.verify.budget import Budget
from flink_masking.verify.files import read_policy, verify
from flink_masking.verify.noise import statistics

POLICY = """\
version: 1
stream: orders
subject: person
event_time: {field: at, max_out_of_orderness: 5s}
fields:
  person: {class: identifier}
  zip: {class: quasi, prefix: 5}
  at: {class: plain, type: datetime}
segments:
  board:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 1, groups: ['1****']}}]
    metrics: {orders: count}
    privacy: {epsilon: 0.2, delta: 1.0e-9, max_groups_per_subject: 1, max_records_per_group: 1}
"""
PARTNERS = """\
  partners: {view: anonymized, k: 2, quasi_identifiers: [zip], max_delay: 1h, mode: buffered}
"""
PUBLISHED = 1051
"""The figure of each window."""


def written(folder, people, windows=1, policy=POLICY):
    """A policy, so many raw records of as many people in each window, and rows that publish the same figures whatever the records are."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.yaml").write_text(policy)
    records = [{"person": f"P{one}", "zip": "12345", "at": f"2024-03-15T{10 + minute // 60}:{minute % 60:02}:{one % 60:02}Z"}
               for minute in range(windows) for one in range(people)]
    (folder / "raw.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    rows = [{"window_start": f"2024-03-15T{10 + at // 60}:{at % 60:02}:00Z",
             "window_end": f"2024-03-15T{10 + (at + 1) // 60}:{(at + 1) % 60:02}:00Z", "epsilon": 0.2, "zip": "1****", "orders": PUBLISHED}
            for at in range(windows)]
    (folder / "out" / "board").mkdir(parents=True, exist_ok=True)
    (folder / "out" / "board" / "part-0").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if "partners" in policy:
        (folder / "out" / "partners").mkdir(exist_ok=True)
        (folder / "out" / "partners" / "part-0").write_text('{"zip":"12345"}\n' * (people * windows // 10 * 10))
    return PolicySource.read(folder / "policy.yaml"), folder / "raw.jsonl", folder / "out"


def numbers(told):
    """All numbers of some plain values, those within texts included."""
    if isinstance(told, dict):
        return [number for value in told.values() for number in numbers(value)]
    if isinstance(told, list):
        return [number for value in told for number in numbers(value)]
    if isinstance(told, str):
        return [float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", told) if text.strip(",")]
    return [float(told)] if isinstance(told, int | float) and not isinstance(told, bool) else []


def residuals_that_explain(found, source):
    """The attack: whole residuals whose statistic, with the draw that only they have, is among some numbers as far as these are written."""
    policy = read_policy(source)
    budget = Budget(policy.segments["board"], policy.fields)
    noise, (quantity,) = budget.noise(budget.quantities[0]), budget.quantities
    assert quantity.kind == "records"
    residual = np.arange(-400, 401)
    draw = np.array([np.random.Generator(np.random.PCG64(zlib.crc32(one.tobytes()))).random() for one in residual.reshape(-1, 1)])
    statistic = statistics(noise, residual, draw, np.zeros(len(residual)))
    return {one for one, value in zip(residual.tolist(), statistic.tolist(), strict=True)
            if any(math.isclose(value, number, rel_tol=1e-9) for number in found)}


@pytest.mark.parametrize("people", [1037, 1051, 1100])
def test_the_residual_of_one_figure_cannot_be_found_by_trying_whole_numbers(tmp_path, people):
    """Neither JSON nor page nor compliance holds a number that a scan over residuals explains, or the raw number of records."""
    source, raw, out = written(tmp_path, people)
    told = figures(source, raw, out)
    (view,) = told["aggregated"]
    parts = [view, as_html(told), [one.as_dict() for one in assess_all(PolicyViews(load(source), (), measured(source, raw, out).reports))]]
    for part in parts:
        found = numbers(part)
        assert residuals_that_explain(found, source) == set()
        assert people == PUBLISHED or people not in found
    assert view["counts"] == {"rows": 1, "windows": 1} and "noise, 1 as promised" not in view["figures"]


def test_reports_over_other_raw_records_are_the_same(tmp_path):
    """Where few figures are compared, a report is the same, letter by letter, whether one person more or less stands behind them."""
    told, pages = [], []
    for people in (1048, 1049, 1063):
        told.append(figures(*written(tmp_path, people)) | {"made_at": ""})
        pages.append(as_html(told[-1]))
    assert told[0] == told[1] == told[2] and pages[0] == pages[1] == pages[2]


@pytest.mark.parametrize("people", [1051, 3000])
def test_what_is_broken_is_said_without_figures(tmp_path, people):
    """Missing noise and figures far off are broken promises in a report as in verify, with no count of raw records and no probability."""
    source, raw, out = written(tmp_path, people, windows=12)
    (view,) = figures(source, raw, out)["aggregated"]
    exact = verify(source, raw, out / "board")
    assert exact.broken and view["broken"] and exact.counts["raw"] == 12 * people
    (noise,) = [one for one in view["promises"] if one["name"] == "noise"]
    assert (noise["verdict"], noise["found"]) == ("broken", "fewer than 30 figures beside their raw values")
    assert noise["note"] == ("orders: noise smaller than promised" if people == 1051 else
                             "orders: further off than noise explains").replace("orders", "records")
    assert set(noise) == {"name", "promised", "found", "verdict", "note"}


def test_of_many_figures_the_noise_is_told_to_one_decimal(tmp_path):
    """From 30 figures of a kind on, their mean distance is told, rounded, and a broken promise with the bound of its probability."""
    source, raw, out = written(tmp_path, 1040, windows=40)
    (view,) = figures(source, raw, out)["aggregated"]
    exact = verify(source, raw, out / "board").figures["noise, 1 as promised"]["records"]
    told = view["figures"]["noise, 1 as promised"]["records"]
    assert told == round(told, 1) and abs(told - exact) < 0.11
    source, raw, out = written(tmp_path / "exact", PUBLISHED, windows=40)
    (noise,) = [one for one in figures(source, raw, out)["aggregated"][0]["promises"] if one["name"] == "noise"]
    assert noise["note"] in [f"records: noise {ratio} of the promised, p < 1e-06" for ratio in ("0.0", "0.1")]
    assert noise["found"] == "30 figures or more beside their raw values"


def test_an_anonymized_view_does_not_tell_the_raw_count_beside_an_aggregated_one(tmp_path):
    """Where the policy has both, counts of raw records are left out of both, and shares of them are told in whole percent."""
    source, raw, out = written(tmp_path, 1037, policy=POLICY + PARTNERS)
    told = figures(source, raw, out)
    (view,) = told["anonymized"]
    assert set(view["counts"]) == {"released", "classes"} and view["counts"]["released"] == 1030
    assert 1037 not in numbers(view) and 7 not in numbers(view)
    assert view["figures"]["suppression"]["share"] == 0.01 and view["figures"]["loss"]["zip"] == 0.01
    assert {row["before"] for one in view["distributions"] for row in one["bins"]} == {1.0}


def test_a_sample_does_not_tell_how_many_records_there_were(tmp_path):
    """Of a sample that holds all records, their number is left out beside an aggregated view; of one that was cut, it is the limit."""
    source, raw, out = written(tmp_path, 1037)
    policy = read_policy(source)

    def read(name):
        return iter((raw if name is None else out / name / "part-0").read_bytes().splitlines())

    for limit, records in ((5000, {"board": 1}), (1000, {"source": 1000, "board": 1})):
        sample = sample_of(policy, ["board"], read, limit)
        told = figures(source, sample.raw, sample.released, sample=sample)
        assert told["sample"]["records"] == records and f"board {records['board']}" in as_html(told)
    assert str(tmp_path) not in json.dumps(told)
