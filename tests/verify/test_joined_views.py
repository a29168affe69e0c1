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
        return {join.views: join for join in reversed(verify_joint(policy, write("raw.jsonl", raw), tmp_path / "out"))}

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


@pytest.mark.parametrize(("rule", "noise", "singled"), [
    ("{technique: perturb, absolute: 0.2, scale: 1}", 0.1, 40), ("{technique: perturb, absolute: 50}", 7, 0),
    ("{technique: generalize, round_to: 0.5}", 0, 40), ("{technique: generalize, width: 100}", None, 0),
])  # fmt: skip
def test_ranges_and_noise_lead_to_a_pseudonym(joins, rule, noise, singled):
    """A released value beside the same value with little noise, or rounded, leads to each pseudonym; with much it leads to none."""
    raw = raw_records(40)
    shown = [{"person": f"x{record['person']}", "seq": record["seq"] + noise if noise is not None else "0-100"} for record in raw]
    if noise == 7:
        shown = [{**line, "seq": line["seq"] % 40} for line in shown]
    join = joins(source(f"seq: {rule}", POLICY), raw, partners=released(raw), analytics=shown)["partners", "analytics"]
    assert (join.fields, join.singled_out) == (("seq",), singled)


def test_a_redacted_value_is_none_of_the_released_ones(joins):
    """Values that a rule has refused hide nobody else: they lie outside of what the field may have, where no released one is."""
    raw = raw_records(40)
    shown = [{"person": f"x{record['person']}", "seq": record["seq"] if at % 10 else "***"} for at, record in enumerate(raw)]
    policy = source("seq: {technique: perturb, absolute: 0.2, scale: 1}", POLICY)
    assert joins(policy, raw, partners=released(raw), analytics=shown)["partners", "analytics"].singled_out == 36


def test_coarser_quasi_identifiers_narrow_down(joins):
    """A quasi-identifier that the masked view shows as a range fits the boxes that it overlaps, and no others."""
    raw = raw_records(40)
    for number, record in enumerate(sorted(raw, key=lambda r: r["age"])):
        record["age"] = 20 + number
    shown = [{**line, "age": f"{line['age'] // 2 * 2}-{line['age'] // 2 * 2 + 1}"} for line in masked(raw, "age", "illness")]
    rule = "age: {technique: generalize, width: 2}, illness: keep"
    fine = joins(source(rule), raw, partners=released(raw, names=["illness"]), analytics=shown)["partners", "analytics"]
    assert fine.fields == ("age", "illness") and fine.singled_out > 5
    wide = [{**line, "age": "0-99"} for line in shown]
    assert joins(source(rule), raw, partners=released(raw, names=["illness"]), analytics=wide)["partners", "analytics"].singled_out == 0


def test_a_consistent_substitute_stands_for_a_person(joins):
    """Records under one substitute are one person's; with random substitutes each record stands for itself."""
    raw = raw_records(40, people=10)
    shown = [{"person": f"user{record['person']}", "seq": record["seq"]} for record in raw]
    text = POLICY + MASKED.replace("pseudonym, domain: d", "substitute, as: user_name MODE").replace("RULE", "seq: keep")
    for mode, people in (("", 10), (", mode: random", 40)):
        policy = PolicySource("p.yaml", text.replace(" MODE", mode), FILES)
        assert joins(policy, raw, partners=released(raw), analytics=shown)["partners", "analytics"].singled_out == people


OTHER = """\
  development:
    view: masked ORDER
    rules: {age: keep, illness: keep, "*": drop}
"""


@pytest.mark.parametrize(("order", "shuffled", "joined"), [("", False, True), ("\n    order: shuffled", True, False),
                                                           ("\n    order: shuffled", False, True)])
def test_views_in_the_same_order_are_one_view(joins, order, shuffled, joined):
    """Lines at the same place join two masked views, and what they show together joins the anonymized one; a shuffled view does not."""
    raw = [{**record, "age": 20 + number, "illness": f"ill {number}"} for number, record in enumerate(raw_records(40))]
    lines = [{"age": record["age"], "illness": record["illness"]} for record in raw]
    if shuffled:
        lines = lines[7:] + lines[:7]
    policy = source("illness: keep", more=OTHER.replace(" ORDER", order))
    found = joins(policy, raw, partners=released(raw, names=["illness"]), analytics=masked(raw, "illness"), development=lines)
    assert (("analytics", "development") in found) == joined
    if joined:
        assert found["analytics", "development"].singled_out == 40
        assert set(found["partners", "analytics", "development"].fields) == {"age", "illness"}


TURNS = (((0, 3, 2, 5), (1, 4, 6, 9), (7, 10, 8, 11)), ((0, 3, 1, 4), (2, 5, 6, 9), (7, 10, 8, 11)))
"""People by group: their first records, and their second ones; the illness of person n is n modulo 3."""


def test_sensitive_values_that_all_groups_of_a_person_share(joins, tmp_path):
    """A person whose groups have one illness in common, of several in each, is counted; one whose groups share two is not."""
    raw = raw_records(24, people=12)
    for number, record in enumerate(raw):
        record.update(age=20 + number % 12, zip="94110", ward="A1", illness=f"ill {number % 12 % 3}")
    lines = []
    for turn, groups in enumerate(TURNS):
        for group in groups:
            box = {"age": f"{20 + min(group)}-{20 + max(group)}", "zip": "94110", "ward": "A1"}
            lines += [{**box, "illness": raw[12 * turn + n]["illness"], "seq": raw[12 * turn + n]["seq"]} for n in group]
    policy = source("zip: redact", POLICY.replace("[illness, severity, seq]", "[illness, seq]"))
    joins(policy, raw, partners=lines, analytics=masked(raw))
    (found,) = [join for join in verify_joint(policy, tmp_path / "raw.jsonl", tmp_path / "out") if join.fields == ("illness",)]
    assert (found.lines, found.singled_out) == (16, 4)  # four people stay in one class; 0 and 3, 6 and 9 are found


def test_masked_lines_with_a_member_twice_are_refused(joins, write, tmp_path):
    """Which of two values a reader takes is not known, so nothing is joined by them."""
    raw = raw_records(8)
    write("out/partners/part-0", released(raw))
    path = write("out/analytics/part-0", masked(raw, "seq"))
    path.write_text(path.read_text() + '{"person":"a","seq":1,"seq":2}\n')
    with pytest.raises(InputError, match="1 lines have a member twice"):
        verify_joint(source("seq: keep", POLICY), write("raw.jsonl", raw), tmp_path / "out")
