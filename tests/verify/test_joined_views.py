"""Views joined with each other: who is singled out, and who is not."""

import pytest
from release_material import FILES, POLICY, raw_records, released

from flink_masking.errors import InputError
from flink_masking.policy.source import PolicySource
from flink_masking.verify.joint import verify_joint

MASKED = """\
  analytics:
    view: masked
    rules: {person: {technique: pseudonym, domain: d}, RULE, "*": drop}
"""
RELEASE = POLICY.replace("[illness, severity, seq]", "[illness]")


def source(rule, text=RELEASE, more=""):
    """The policy with a masked view that shows a field."""
    return PolicySource("p.yaml", text + MASKED.replace("RULE", rule) + more, FILES)


@pytest.fixture
def joins(write, tmp_path):
    """The joins between views, by their names."""

    def run(policy, raw, **views):
        for name, lines in views.items():
            write(f"out/{name}/part-0", lines)
        return {join.views: join for join in verify_joint(policy, write("raw.jsonl", raw), tmp_path / "out")}

    return run


def masked(raw, *names):
    """The masked view: a pseudonym, and fields as they are."""
    return [{"person": f"x{record['person']}", **{name: record[name] for name in names}} for record in raw]


def test_a_value_of_ones_own_singles_out(joins):
    """A released value that only one person has, shown beside a pseudonym, leads to the pseudonym of everybody."""
    raw = raw_records(40)
    found = joins(source("seq: keep", POLICY), raw, partners=released(raw), analytics=masked(raw, "seq"))
    join = found["partners", "analytics"]
    assert (join.fields, join.lines, join.singled_out) == (("seq",), 40, 40)


def test_an_exact_quasi_identifier_narrows_down(joins):
    """A quasi-identifier that is shown exactly leads to those whose value lies in the box and who share the released value."""
    raw = [{**record, "age": 20 + number, "illness": "flu" if number % 4 else "infarct"} for number, record in enumerate(raw_records(40))]
    join = joins(source("age: keep, illness: keep"), raw, partners=released(raw, names=["illness"]),
                 analytics=masked(raw, "age", "illness"))["partners", "analytics"]
    assert join.fields == ("age", "illness")
    assert join.singled_out == 10  # one of each four has the infarct
    assert join.narrowed == 40


def test_what_everybody_shares_joins_nobody(joins):
    """A shared field that tells nobody apart singles nobody out, nor does a masked view without shared fields."""
    raw = [{**record, "illness": "flu"} for record in raw_records(40)]
    lines = released(raw, names=["illness"])
    assert joins(source("illness: keep"), raw, partners=lines, analytics=masked(raw, "illness"))["partners", "analytics"].singled_out == 0
    assert joins(source("zip: redact"), raw, partners=lines, analytics=masked(raw)) == {}


def test_records_of_one_person_in_several_groups(joins):
    """Whoever knows which lines are one person's is left with those who fit all of them."""
    raw = raw_records(40, people=20)
    found = joins(source("zip: redact", POLICY), raw, partners=released(raw), analytics=masked(raw))
    assert 0 < found[("partners",)].singled_out <= 20
    raw = [{**record, "age": 30, "zip": "94110", "ward": "A1"} for record in raw]
    assert joins(source("zip: redact", POLICY), raw, partners=released(raw), analytics=masked(raw)).get(("partners",)) is None


def test_two_anonymized_views_intersect(joins):
    """Lines of two views that a released value pairs leave the people of both boxes, which are fewer than those of each."""
    raw = raw_records(40)
    more = "  others: {view: anonymized, k: 4, quasi_identifiers: [zip], release: [seq]}\n"
    others, ordered = [], sorted(raw, key=lambda r: r["zip"])
    for start in range(0, 40, 4):
        group = ordered[start : start + 4]
        others += [{"zip": "941**", "seq": record["seq"]} for record in group]
    found = joins(source("zip: redact", POLICY, more), raw, partners=released(raw), others=others)
    join = found["partners", "others"]
    assert (join.fields, join.lines) == (("zip", "seq"), 40)
    assert join.singled_out == 0  # 941** leaves everybody
    exact = [{"zip": record["zip"], "seq": record["seq"]} for record in raw]
    assert joins(source("zip: redact", POLICY, more), raw, partners=released(raw), others=exact)["partners", "others"].singled_out > 0


def test_a_folder_without_anonymized_views_is_refused(tmp_path, write):
    """There is nothing to join where no anonymized view lies."""
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="no anonymized view"):
        verify_joint(source("zip: redact"), write("raw.jsonl", raw_records()), tmp_path / "out")
