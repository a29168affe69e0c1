"""The report: figures of the verifier, no raw value, and nothing that a page could load."""

import json
import re
import sys

import numpy as np
import pytest

from flink_masking.errors import InputError
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html
from flink_masking.report.aggregated import error_95
from flink_masking.report.anonymized import Bin, _withheld
from flink_masking.report.figures import broken, figures
from flink_masking.report.html import MOST
from flink_masking.report.sample import sample_of
from flink_masking.verify.files import read_policy, verify
from flink_masking.verify.joint import verify_joint
from flink_masking.verify.passed_on import passed_on

PERSONAL = ("customerId", "name", "email", "ssn", "birthDate", "notes")


def test_figures_are_those_of_the_verifier(run, told):
    """Promises, counts and figures of each view, and the joins, are what verify finds and may be passed on."""
    source = PolicySource.read(run.policy)
    views = {view["segment"]: view for view in (*told["anonymized"], *told["aggregated"])}
    assert set(views) == {"anonymized-customer-events", "aggregated-customer-metrics"}
    for name, view in views.items():
        report = passed_on(verify(source, run.raw, run.output / name), read_policy(source)).as_dict()
        assert all("raw" not in told for told in (view["counts"], report["counts"]))
        assert {key: view[key] for key in ("counts", "promises", "figures", "broken")} == {
            key: report[key] for key in ("counts", "promises", "figures", "broken")}
    assert told["joins"] == [join.as_dict() for join in verify_joint(source, run.raw, run.output)]


def test_class_sizes_and_distributions_add_up(told):
    """Classes by lines hold every released line, and no bin is told of fewer than k people."""
    (view,) = told["anonymized"]
    assert sum(one["lines"] * one["classes"] for one in view["class_sizes"]) == view["counts"]["released"]
    assert min(one["lines"] for one in view["class_sizes"]) >= view["k"]
    for one in view["distributions"]:
        assert 0.9 < sum(row["before"] for row in one["bins"]) <= 1.000001 and 0.9 < sum(row["after"] for row in one["bins"]) <= 1.000001


def test_bins_of_few_people_cannot_be_reckoned_from_the_others():
    """A bin of fewer than k people is withheld, and with it the smallest other one, where its share would be what is missing."""
    bins = [Bin("a", 0, 0), Bin("b", 1, 1), Bin("c", 2, 2)]
    positions = np.array([[0, 0]] * 9 + [[1, 1]] * 6 + [[2, 2]] * 2)
    people = np.arange(17)
    assert _withheld(positions, people, bins, [9, 6, 2], 5) == {1, 2}
    assert _withheld(positions, people, bins, [9, 6, 2], 2) == set()


def test_error_bands_are_those_of_the_promised_noise(run, told):
    """95 of 100 draws of the noise that the policy promises lie in the band of a count or a sum."""
    policy = read_policy(PolicySource.read(run.policy))
    segment = policy.segments["aggregated-customer-metrics"]
    (view,) = told["aggregated"]
    constant = {one["metric"]: one for one in view["series"] if one["error_95"] is not None}
    assert {name: one["error_95"] for name, one in constant.items()} == {
        name: error_95(segment, policy, name) for name in ("orders", "customers", "spend")}
    for one in constant.values():
        assert all(point["high"] - point["value"] == pytest.approx(one["error_95"]) for point in one["points"])


def test_measured_risks_are_told_as_the_bounds_that_they_are(told):
    """Where lines leave open whose they are, a measured risk is an upper bound, and is called one; so is no other figure."""
    figures_of = next(one["figures"] for one in told["compliance"] if one["framework"] == "hipaa-expert")
    (view,) = told["anonymized"]
    upper = any("upper bound" in note for note in view["notes"])
    assert upper and {one["name"].partition(",")[0] for one in figures_of if one["bound"]} == {"risk"}
    assert {one["measured"] for one in figures_of if one["bound"]} == set(view["figures"]["risk"].values())


def test_no_raw_value_is_in_page_or_json(run, told, page):
    """No value of an identifying field of any raw record stands in the page or in the figures."""
    texts = page + json.dumps(told, ensure_ascii=False)
    for line in run.raw.read_text().splitlines():
        record = json.loads(line)
        values = [record.get(name) for name in PERSONAL] + [record.get("card", {}).get("number")]
        values += [contact["phone"] for contact in record.get("contacts", [])]
        assert [value for value in values if isinstance(value, str) and len(value) > 3 and value in texts] == []


def test_other_members_of_a_view_are_not_quoted(run, tmp_path):
    """A release with a member that the policy does not have is reported as broken without the member's name, which may be data."""
    name = "anonymized-customer-events"
    (tmp_path / name).mkdir()
    lines = (run.output / name / "part-0").read_text().splitlines()
    (tmp_path / name / "part-0").write_text("\n".join([*lines[:-1], lines[-1][:-1] + ',"john.doe@example.com":1}']))
    told = figures(PolicySource.read(run.policy), run.raw, tmp_path)
    assert told["anonymized"][0]["broken"] and "john.doe" not in json.dumps(told)
    assert told["not_measured"] == ["masked-customer-events", "dev-customer-events", "aggregated-customer-metrics"]


def test_a_view_that_cannot_be_joined_is_still_reported(run, tmp_path):
    """A member twice in a line is a broken promise on the page; that joins were not tried is told."""
    name = "anonymized-customer-events"
    (tmp_path / name).mkdir()
    lines = (run.output / name / "part-0").read_text().splitlines()
    (tmp_path / name / "part-0").write_text("\n".join([*lines, lines[-1][:-1] + ',"age":"0"}']))
    told = figures(PolicySource.read(run.policy), run.raw, tmp_path)
    assert told["anonymized"][0]["broken"] and told["joins"] is None and "views together" in told["not_measured"]
    assert "Not tried" in as_html(told)


@pytest.mark.parametrize("module", ["vl_convert", "jinja2"])
def test_what_the_page_needs_is_named_where_it_is_missing(told, monkeypatch, module):
    """Without the extra, the error names the command that installs it, and --json, which needs none of it."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r"pip install 'flink-masking\[report\]', or --json"):
        as_html(told)


def test_a_page_that_is_too_large_is_refused_with_a_way_that_there_is(told, monkeypatch):
    """The error of a page above the limit names --json, and nothing that the command does not have."""
    monkeypatch.setattr("flink_masking.report.html.MOST", 10_000)
    with pytest.raises(InputError, match=r"more than 0\.01 MB\. Hint: --json prints the same figures$"):
        as_html(told)


def test_the_page_is_small_and_loads_nothing(page):
    """The page has at most 3 MB, no script, and no address but links within it."""
    assert len(page.encode()) < MOST and page.startswith("\n" * (len(page) - len(page.lstrip())) + "<!DOCTYPE html>")
    assert "<script" not in page.lower() and "default-src 'none'" in page
    assert {target for target in re.findall(r'(?:href|src)="([^"]*)"', page) if not target.startswith(("#", "data:,"))} == set()
    assert re.findall(r"url\(|@import", page) == []


def test_every_figure_of_the_json_is_on_the_page(told, page):
    """Fields, segments, points and joins of the figures are on the page."""
    for row in told["coverage"]["rows"]:
        assert f"<code>{row['path']}</code>" in page
    for one in told["compliance"]:
        assert all(point["id"] in page for point in one["points"])
    assert page.count("<figure") == 1 + 2 + 4 and "compliant" not in page.lower()


@pytest.mark.parametrize("text", ["&lt;b&gt;", "bold"])
def test_names_of_a_policy_are_escaped(run, tmp_path, text):
    """A stream's fields can be named anything: markup in a name is shown as text."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(run.policy.read_text().replace("  notes: ", '  "<b>bold</b>": {class: plain}\n  notes: ', 1))
    made = as_html(figures(PolicySource.read(policy), run.raw, run.output))
    assert text in made and "<b>bold</b>" not in made


def test_a_sample_of_topics_is_measured_as_files_are(run, told):
    """Records in memory give the figures of the files; where a table was cut, what is not kept in it stays open and breaks nothing."""
    source = PolicySource.read(run.policy)
    policy = read_policy(source)

    def read(name):
        place = run.raw if name is None else run.output / name / "part-0"
        return iter(place.read_bytes().splitlines())

    whole = sample_of(policy, [path.name for path in run.output.iterdir()], read, 10_000)
    assert whole.cut == () and len(whole.raw.records) == 4000
    found = figures(source, whole.raw, whole.released, sample=whole)
    assert found["sample"]["cut"] == [] and {key: found[key] for key in ("anonymized", "aggregated", "joins")} == {
        key: told[key] for key in ("anonymized", "aggregated", "joins")}
    part = sample_of(policy, ["aggregated-customer-metrics", "anonymized-customer-events"], read, 500)
    assert part.cut == ("source", "anonymized-customer-events")
    found = figures(source, part.raw, part.released, sample=part)
    notes = [one["note"] for view in (*found["anonymized"], *found["aggregated"]) for one in view["promises"] if one["verdict"] == "open"]
    assert any("the sample does not hold all records" in note for note in notes)
    assert not any(view["broken"] for view in (*found["anonymized"], *found["aggregated"])) and not broken(found)
    assert "A sample of a deployment's topics" in as_html(found)
    evidence = [json.dumps(one["compliance"]) for one in (told, found)]
    assert ["joins tried" in text for text in evidence] == [True, False]
