"""Compliance fails closed: a point is met only where something of the policy, or of what was measured, shows it."""

import pytest

from flink_masking.compliance import FRAMEWORKS, assess
from flink_masking.compliance.subject import PolicyViews
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.verify.report import Report
from flink_masking.verify.sequences import Join

PARTS = """
version: 1
stream: s
subject: id
unknown_fields: {unknown}
fields: {{id: {{class: identifier}}, ssn: {{class: direct, type: us_ssn}}, card.number: {{class: direct, type: payment_card}}}}
segments:
  view:
    view: masked
    rules: {{id: drop, ssn: drop, card.number: drop}}
    record: {record}
"""
OF_PARTS = {"gdpr": ("Art. 5(1)(c)", "Art. 17", "Art. 25(1)", "Art. 32(1)(a)"), "hipaa-safe-harbor": ("164.514(b)(2)(i)",),
            "hipaa-expert": ("164.514(b)(1) direct identifiers",), "pci-dss": ("3.5.1 text",),
            "ccpa": ("1798.105", "1798.121, 1798.140(ae)", "1798.140(aa)", "1798.150")}
"""Points that ask about keys, headers and undeclared members, by framework."""
TWO = """
version: 1
stream: s
subject: id
isolation: {isolation}
shared_domains: {shared}
held_apart: {apart}
fields: {{id: {{class: identifier}}, age: {{class: quasi, type: integer, domain: [0, 120]}}, ssn: {{class: direct, type: us_ssn}}}}
segments:
  one: {{view: masked, rules: {{id: {{technique: pseudonym, domain: customer}}}}}}
  two: {{view: masked, rules: {{id: {{technique: pseudonym, domain: {domain}}}}}}}
  groups: {{view: anonymized, k: 3, quasi_identifiers: [age]}}
"""
GRANTED = "  open: {view: granted, of: one, may_show: {ssn: keep}, max_duration: 1h, max_records: 10}\n"
SEPARATED = {"gdpr": "Art. 5(1)(b)", "hipaa-expert": "164.514(b)(1) joins", "ccpa": "1798.140(m)"}


def views_of(text, *segments, **measured):
    """The views of a policy."""
    return PolicyViews(load(PolicySource("policy.yaml", text)), segments, **measured)


def field_under(rule, declared, path="x", rest=""):
    """A policy with one field under one rule."""
    return (f"version: 1\nstream: s\nsubject: id\nfields:\n  id: {{class: identifier}}\n  {path}: {declared}\n{rest}"
            f"segments:\n  view: {{view: masked, rules: {{{path}: {rule}}}}}\n")


def point(views, framework, number):
    """One point of a framework."""
    return next(one for one in assess(framework, views).points if one.id == number)


def two(isolation="strict", shared="[]", apart="[]", domain="other", rest=""):
    """Two masked views, one of groups, and perhaps more."""
    return TWO.format(isolation=isolation, shared=shared, apart=apart, domain=domain) + rest


@pytest.mark.parametrize(("framework", "number"), [(name, one) for name, numbers in OF_PARTS.items() for one in numbers])
@pytest.mark.parametrize("record", ["{key: keep}", "{headers: {trace: keep}}"])
def test_a_key_or_header_that_is_kept_opens_points_about_values(framework, number, record):
    """A topic keyed by a number that is dropped in the record shows it all the same, in every framework."""
    found = point(views_of(PARTS.format(unknown="drop", record=record)), framework, number)
    assert found.status == "open" and [one.place[:7] for one in found.evidence if not one.met] == ["record."]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_key_with_a_stand_in_opens_points_about_keyed_values_only(framework):
    """A stand-in for the key opens only what one for a field would open, too."""
    views = [views_of(PARTS.format(unknown="drop", record=record))
             for record in ("{}", "{key: {technique: pseudonym, domain: k}, headers: {trace: redact}}")]
    without, beside = ({one.id for one in assess(framework, each).points if one.status == "open"} for each in views)
    assert beside - without <= {"164.514(b)(2)(i)", "Art. 17", "1798.105"}


@pytest.mark.parametrize(("framework", "number"), [("pci-dss", "3.5.1 text"), ("hipaa-safe-harbor", "164.514(b)(2)(i)"),
                                                   ("gdpr", "Art. 25(2)"), ("ccpa", "1798.100(c)")])
def test_undeclared_members_that_stay_open_a_point(framework, number):
    """unknown_fields: scan lets undeclared members leave after detection, unless every view drops them."""
    scanned = PARTS.format(unknown="scan", record="{}")
    assert point(views_of(scanned), framework, number).status == "open"
    for closed in (PARTS.format(unknown="quarantine", record="{}"), scanned + "    unknown_fields: drop\n"):
        assert point(views_of(closed), framework, number).status == "met"


def test_tokens_of_keys_are_nobodys_for_an_erasure():
    """The vault notes whose token a field's is, and not whose a key's is, so that no erasure destroys it."""
    token = "{technique: tokenize, domain: k}"
    text = PARTS.format(unknown="drop", record=f"{{key: {token}}}").replace("id: drop", f"id: {token}")
    found = {one.place: one.met for one in point(views_of(text + "erasure: {later: drop}\n"), "gdpr", "Art. 17").evidence}
    assert found["id"] and not found["record.key"]


def test_a_key_is_not_told_as_shown_by_the_rule_for_other_fields():
    """What "*" stands for are fields: a key that is kept has a rule of its own."""
    text = PARTS.format(unknown="drop", record="{key: keep}").replace("ssn: drop,", '"*": drop,')
    assert point(views_of(text), "gdpr", "Art. 25(2)").status == "met"


@pytest.mark.parametrize(("declared", "status"), [("{class: direct}", "open"), ("{class: direct, type: us_ssn}", "met")])
def test_a_rule_that_only_looks_for_parts_protects_no_identifying_value(declared, status):
    """redact_text leaves a number in which nothing is detected as it came; of a type whose form is detected, nothing is left."""
    assert point(views_of(field_under("{technique: redact_text}", declared, "licence")), "ccpa", "1798.150").status == status


@pytest.mark.parametrize(("framework", "number"), SEPARATED.items())
@pytest.mark.parametrize(("alone", "isolation", "status"), [
    ([], "strict", "met"), ([], "shared", "open"), ([0], "strict", "met"), ([0], "shared", "open"), ([2], "strict", "open")])
def test_joins_that_were_tried_only_worsen_what_the_policy_says(framework, number, alone, isolation, status):
    """That nobody was singled out, or that no join could be tried, keeps no reader from two views."""
    joins = [Join(("groups", "one"), ("age",), 9, count, count, "") for count in alone]
    found = point(views_of(two(isolation), joins=joins), framework, number)
    (one,) = found.evidence
    assert found.status == status and ("people singled out" in one.note if alone else "no join could be tried" in one.note)


def test_joins_within_one_view_count():
    """One view by itself can single people out over several of its lines; joins with views that are not looked at do not count."""
    own, other = Join(("groups",), ("age",), 9, 3, 3, ""), Join(("groups", "one"), ("age",), 9, 3, 3, "")
    number = "164.514(b)(1) joins"
    assert point(views_of(two(), "groups", joins=[own]), "hipaa-expert", number).status == "open"
    assert point(views_of(two(), "groups", joins=[other]), "hipaa-expert", number).status == "met"


@pytest.mark.parametrize(("given", "met", "named"), [
    ({}, True, "no two share a key domain"),
    ({"shared": "[customer]", "domain": "customer"}, False, "key domain 'customer' of one, two"),
    ({"shared": "[customer]", "domain": "customer", "apart": "[two]"}, True, "held apart: two"),
    ({"rest": GRANTED}, False, "open, granted of one"),
    ({"rest": GRANTED, "apart": "[open]"}, True, "held apart: open"),
    ({"rest": GRANTED, "shared": "[customer]", "domain": "customer", "apart": "[one]"}, False, "key domain 'customer' of two, open"),
])
def test_strict_isolation_names_what_views_share(given, met, named):
    """Views with one key domain, and a granted view with what it is of, can be joined; where one is held apart, nobody has both."""
    (one,) = point(views_of(two(**given)), "gdpr", "Art. 5(1)(b)").evidence
    assert one.met is met and named in one.note and (met or "no two share" not in one.note)


@pytest.mark.parametrize(("verdicts", "status", "note"), [
    (["held", "held"], "met", "every promise is kept"), (["held", "open"], "open", "1 of 2 could not be decided"),
    (["open", "open"], "open", "2 of 2 could not be decided"), ([], "open", "no promise could be decided"),
    (["broken", "open"], "open", "a promise is broken"),
])
def test_what_was_not_decided_is_not_tested(verdicts, status, note):
    """Of a part of a stream, promises stay open: Article 32(1)(d) is met only where every one was decided and kept."""
    report = Report("groups", "anonymized")
    for verdict in verdicts:
        report.add("size of groups", "k = 3", "", verdict)
    found = point(views_of(two(), reports={"groups": report}), "gdpr", "Art. 32(1)(d)")
    assert found.status == status and note in found.evidence[0].note
    assert point(views_of(two(), reports={"groups": report}), "hipaa-expert", "164.514(b)(1) measured").status == status


def test_a_view_that_was_not_measured_is_told():
    """Where some views were measured, another one that promises groups, and was not, leaves the point open."""
    more = "  more: {view: anonymized, k: 3, quasi_identifiers: [age]}\n"
    report = Report("groups", "anonymized")
    report.add("size of groups", "k = 3", "", True)
    for framework, number in (("gdpr", "Art. 32(1)(d)"), ("hipaa-expert", "164.514(b)(1) measured")):
        found = point(views_of(two(rest=more), reports={"groups": report}), framework, number)
        assert [one.segment for one in found.evidence if not one.met] == ["more"]
        assert point(views_of(two(rest=more)), framework, number).status == "outside"
