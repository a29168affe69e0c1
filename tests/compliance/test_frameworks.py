"""Compliance: points of laws and standards with field and rule."""

import json

import pytest

from flink_masking.compliance import assess_all
from flink_masking.compliance.cards import card_digits
from flink_masking.compliance.finest import RESTRICTED, births, dates, zip_codes
from flink_masking.compliance.subject import PolicyViews
from flink_masking.errors import PolicyError
from flink_masking.examples import CUSTOMER_EVENTS, EXAMPLES
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

EVENTS = load(PolicySource.read(CUSTOMER_EVENTS))


def views_of(rule, declared="{class: quasi, type: postal_code, prefix: 5}"):
    """A policy with one field under one rule."""
    text = ("version: 1\nstream: s\nsubject: id\nfields:\n  id: {class: identifier}\n"
            f"  x: {declared}\nsegments:\n  view: {{view: masked, rules: {{x: {rule}}}}}\n")
    return PolicyViews(load(PolicySource("policy.yaml", text)))


def shown(rule, declared):
    """What the view shows of the field."""
    (one,) = views_of(rule, declared).shown("view", "x")
    return one


def points(views, framework):
    """The points of one framework by their numbers."""
    (found,) = assess_all(views, [framework])
    return {point.id: point for point in found.points}


def test_the_18_identifiers_are_asked_for():
    """Safe Harbor has the identifiers A to R, and the list of the 2000 census has 17 areas."""
    found = points(PolicyViews(EVENTS), "hipaa-safe-harbor")
    assert [f"164.514(b)(2)(i)({letter})" in found for letter in "ABCDEFGHIJKLMNOPQR"] == [True] * 18
    assert len(RESTRICTED) == len(set(RESTRICTED)) == 17 and {"036", "893"} <= set(RESTRICTED)


@pytest.mark.parametrize(("rule", "wrong"), [
    ("{technique: generalize, prefix: 2}", False), ("{technique: generalize, prefix: 3}", True),
    ("{technique: generalize, prefix: 4}", True),
    ("{technique: partial, keep_last: 2}", True), ("{technique: partial, keep_first: 1}", False), ("keep", True),
])
def test_zip_codes_are_tried(rule, wrong):
    """Three digits are too many where 20,000 people or fewer live; two are not; the last ones are no area."""
    assert (zip_codes(shown(rule, "{class: quasi, type: postal_code, prefix: 5}")) is not None) == wrong


@pytest.mark.parametrize(("rule", "wrong"), [
    ("{technique: generalize, date: year}", False), ("{technique: generalize, date: quarter}", True),
    ("{technique: generalize, date: weekday}", True), ("{technique: date_shift, max_days: 400}", True), ("keep", True),
])
@pytest.mark.parametrize("declared", ["{class: quasi, type: date}", "{class: quasi, type: datetime}", "{class: quasi, unit: ms}"])
def test_dates_are_tried(rule, wrong, declared):
    """The year may be told; a quarter, a weekday or a shifted date may not, however the field is written."""
    assert (dates(shown(rule, declared)) is not None) == wrong


@pytest.mark.parametrize(("rule", "wrong"), [
    ("{technique: generalize, age_on: 2024-12-31, max: 89}", False), ("{technique: generalize, age_on: 2024-12-31, max: 90}", True),
    ("{technique: generalize, age_on: 2024-12-31}", True), ("{technique: generalize, date: year}", True),
])
def test_dates_of_birth_do_not_tell_ages_over_89(rule, wrong):
    """A year of birth tells an age over 89, so that a year alone is not enough."""
    assert (births(shown(rule, "{class: quasi, type: date}")) is not None) == wrong


@pytest.mark.parametrize(("rule", "digits"), [
    ("{technique: partial, keep_last: 4}", (0, 4, 0)), ("{technique: partial, keep_first: 6, keep_last: 4, same_length: true}", (6, 4, 0)),
    ("{technique: fpe, domain: d, format: card, keep_first: 6, keep_last: 4}", (6, 4, 0)), ("keep", (16, 0, 0)),
])
def test_digits_of_card_numbers_are_counted(rule, digits):
    """Digits that stay are counted on results, whatever the rule is called."""
    assert card_digits(shown(rule, "{class: direct, type: payment_card}")) == digits


def test_evidence_names_field_rule_and_view():
    """Each piece of evidence names segment, field and rule; what is not declared is outside this tool."""
    found = points(PolicyViews(EVENTS), "pci-dss")["3.4.1"]
    told = {(one.segment, one.place, one.rule, one.met) for one in found.evidence}
    assert ("masked-customer-events", "card.number", "partial {keep_last: 4, keep_separators: true, mask: x}", True) in told
    assert points(PolicyViews(EVENTS), "pci-dss")["3.3.1"].status == "outside"


def test_sibling_views_can_be_chosen():
    """A view by itself can have no open point where another one has; an unknown one is an error with a hint."""
    every = points(PolicyViews(EVENTS), "hipaa-expert")["164.514(b)(1) quasi-identifiers"]
    one = points(PolicyViews(EVENTS, ["anonymized-customer-events"]), "hipaa-expert")["164.514(b)(1) quasi-identifiers"]
    assert (every.status, one.status) == ("open", "met")
    with pytest.raises(PolicyError, match="did you mean"):
        PolicyViews(EVENTS, ["anonymised-customer-events"])


@pytest.mark.parametrize(("rule", "status"), [
    ("drop", "met"), ("{technique: pseudonym, domain: d}", "met"), ("{technique: partial, keep_last: 2}", "met"),
    ("{technique: partial, keep_last: 4}", "open"), ("keep", "open"), ("{technique: shuffle}", "open"),
])
def test_parts_that_tell_people_apart_leave_a_point_open(rule, status):
    """Article 25 is open where an identifying value, or a part of it that tells people apart, leaves as it came."""
    assert points(views_of(rule, "{class: direct, type: us_ssn}"), "gdpr")["Art. 25(1)"].status == status


WILD = """
version: 1
stream: s
subject: id
unknown_fields: scan
fields: {id: {class: identifier}, attrs.*: {class: direct, type: email}, seen: {class: plain, unit: ms}}
segments:
  view:
    view: masked
    rules: {id: {technique: pseudonym, domain: d}, attrs.*: drop, seen: {technique: generalize, date: year}}
    record: {key: {technique: pseudonym, domain: d}, headers: {trace: keep}, timestamp: keep}
"""
CHANGES = """
version: 1
stream: s
subject: id
record: {envelope: debezium, key: [id]}
fields: {id: {class: identifier}, home_phone: {class: quasi}, ssn: {class: direct, type: us_ssn}}
segments: {view: {view: masked, rules: {id: {technique: pseudonym, domain: d}, home_phone: keep, ssn: drop}}}
"""


def test_parts_of_records_besides_fields_are_asked_for():
    """Keys, headers and timestamps of Kafka and undeclared members are evidence, too."""
    views = PolicyViews(load(PolicySource("policy.yaml", WILD)))
    found = {one.place: one.met for one in points(views, "hipaa-safe-harbor")["164.514(b)(2)(i)"].evidence}
    assert found == {"record.key": False, "record.headers.trace": False, "undeclared members": False, "record.timestamp": False,
                     "unknown_fields": False}
    met = {one.place: one.met for one in points(views, "gdpr")["Art. 25(1)"].evidence}
    assert not met["record.headers.trace"] and met["record.key"] and met["undeclared members"]


def test_both_images_of_a_changed_row_are_asked_for():
    """In an envelope, evidence names a field in the row before and after; a telephone number is known by its name."""
    views = PolicyViews(load(PolicySource("policy.yaml", CHANGES)))
    found = points(views, "hipaa-safe-harbor")
    told = {one.place: one.met for one in found["164.514(b)(2)(i)(D)"].evidence}
    assert told == {"before.home_phone": False, "after.home_phone": False}
    assert found["164.514(b)(2)(i)(G)"].status == "met"


GRANTED = """
version: 1
stream: s
subject: id
fields: {id: {class: identifier}, ssn: {class: direct, type: us_ssn}, illness: {class: sensitive}}
segments:
  support: {view: masked, rules: {id: {technique: pseudonym, domain: d}}}
  debug: {view: granted, of: support, may_show: {ssn: keep, illness: keep}, max_duration: 1h, max_records: 10}
"""


def test_what_a_grant_may_show_counts_as_shown():
    """A grant bounds who reads a value and for how long; points about the value itself stay open."""
    views = PolicyViews(load(PolicySource("policy.yaml", GRANTED)))
    for framework, number in (("ccpa", "1798.121, 1798.140(ae)"), ("ccpa", "1798.105"), ("gdpr", "Art. 5(1)(c)"), ("gdpr", "Art. 17")):
        told = {(one.segment, one.place): one for one in points(views, framework)[number].evidence}
        assert told["debug", "ssn"].met is False and "only with a grant" in told["debug", "ssn"].note, (framework, number)


def test_no_text_claims_more_than_evidence():
    """No title, note or text calls anything compliant, of any framework and example."""
    policies = [EVENTS, *(load(PolicySource.read(path)) for example in EXAMPLES.values() for path in example.streams.values())]
    for loaded in policies:
        for found in assess_all(PolicyViews(loaded)):
            said = json.dumps(found.as_dict()).lower()
            assert "compliant" not in said and "outside" in said and found.points
