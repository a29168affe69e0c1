"""A view without delay on the page: what can be drawn of it, and why there are no classes."""

import json
import random

import pytest

from flink_masking import KeyRing, Protector
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html, figures

POLICY = """\
version: 1
stream: visits
subject: person
fields:
  person: {class: identifier}
  zip: {class: quasi, prefix: 5}
  age: {class: quasi, type: integer, domain: [0, 99]}
segments:
  partners: {view: anonymized, k: 4, mode: zero_delay, window: 1h, quasi_identifiers: [zip, age]}
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The figures over 800 visits of 300 people, 40 of them alone with their ZIP code."""
    folder, draw = tmp_path_factory.mktemp("zero"), random.Random(4)
    lines = []
    for _ in range(800):
        person = draw.randrange(300)
        zip_code = f"9{person:04}" if person < 40 else f"1{person % 5}000"
        lines.append(json.dumps({"person": f"P{person}", "zip": zip_code, "age": person % 90}))
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "raw.jsonl").write_text("".join(line + "\n" for line in lines))
    source = PolicySource.read(folder / "policy.yaml")
    protector = Protector(source, KeyRing.ephemeral())
    released = protector.protect(lines).released["partners"] + protector.finish()["partners"]
    (folder / "out" / "partners").mkdir(parents=True)
    (folder / "out" / "partners" / "part-0").write_bytes(b"".join(line + b"\n" for line in released))
    return figures(source, folder / "raw.jsonl", folder / "out")


def test_distributions_are_drawn_by_value(told):
    """Each quasi-identifier has its shares before and after, as in views with classes: labels count evenly over what they cover."""
    (view,) = told["anonymized"]
    assert [one["path"] for one in view["distributions"]] == ["zip", "age"] and view["class_sizes"] == []
    for one in view["distributions"]:
        assert 0.95 < sum(row["before"] for row in one["bins"]) < 1.0001
        assert 0.95 < sum(row["after"] for row in one["bins"]) < 1.0001
    zips = {row["label"][0]: row for row in view["distributions"][0]["bins"]}
    assert 0 < zips["9"]["after"] and 0.1 < zips["9"]["before"] < 0.2 and 0.7 < zips["1"]["after"] < 0.95


def test_the_page_says_why_there_are_no_class_sizes(told):
    """A chart for each quasi-identifier, and a sentence in place of the chart of class sizes."""
    page = as_html(told)
    assert page.count("<figure") == 2 and "Class sizes: none" in page and "each value by itself" in page
