"""Card numbers and what authenticates a payment: which fields hold them, and how many digits a rule tells."""

import pytest

from flink_masking.compliance.finest import ages, births, dates, zip_codes
from tests.compliance.test_evidence import field_under, point, views_of

SIXTEEN = "{class: direct, type: payment_card, pattern: '[0-9]{16}'}"


def shown(rule, declared):
    """What the view shows of the field."""
    (one,) = views_of(field_under(rule, declared)).shown("view", "x")
    return one


@pytest.mark.parametrize("path", ["pan", "card.number", "cardNumber", "payment.card_no", "creditCard", "cc-number", "orders[*].card.pan"])
def test_card_numbers_are_known_by_name(path):
    """A path whose last names say card number is one, whatever its type and class: points of PCI DSS and Safe Harbor (J) ask for it."""
    for declared in ("{class: direct}", "{class: plain, type: integer}"):
        views = views_of(field_under("keep", declared, f'"{path}"'))
        assert [point(views, "pci-dss", number).status for number in ("3.4.1", "3.5.1")] == ["open", "open"]
        assert point(views, "hipaa-safe-harbor", "164.514(b)(2)(i)(J)").status == "open"
        assert point(views, "ccpa", "1798.150").status == "open"
    hidden = views_of(field_under("drop", "{class: direct}", f'"{path}"'))
    assert [point(hidden, "pci-dss", number).status for number in ("3.4.1", "3.5.1")] == ["met", "met"]


@pytest.mark.parametrize("path", ["card.cvv", "cvc2", "card.cid", "securityCode", "card.pin", "pinBlock", "track2Data", "card.track"])
@pytest.mark.parametrize("rule", ["keep", "{technique: pseudonym, domain: d}", "{technique: encrypt, domain: d}"])
def test_sensitive_authentication_data_leaves_in_no_form(path, rule):
    """3.3.1: security codes, PINs and track data are not kept after authorisation, even encrypted."""
    assert point(views_of(field_under(rule, "{class: sensitive}", f'"{path}"')), "pci-dss", "3.3.1").status == "open"
    assert point(views_of(field_under("drop", "{class: sensitive}", f'"{path}"')), "pci-dss", "3.3.1").status == "met"


@pytest.mark.parametrize(("path", "declared"), [
    ("card.brand", "{class: plain}"), ("house.number", "{class: plain}"), ("card", "{class: plain, values: [visa, discover]}"),
    ("spin", "{class: plain}"), ("company", "{class: plain}"), ("pin", "{class: quasi, type: postal_code}")])
def test_other_names_are_no_card_numbers(path, declared):
    """Names with the same letters, other types and lists of public values are none."""
    views = views_of(field_under("keep", declared, path))
    assert {point(views, "pci-dss", number).status for number in ("3.3.1", "3.4.1", "3.5.1")} == {"outside"}


@pytest.mark.parametrize(("record", "number"), [
    ("{key: keep, key_type: payment_card}", "3.4.1"), ("{headers: {card-number: keep}}", "3.5.1"), ("{headers: {cvv: redact}}", "3.3.1"),
    ("{headers: {code: {technique: pseudonym, domain: d}}, header_types: {code: cvv}}", "3.3.1")])
def test_keys_and_headers_are_known_by_type_and_name(record, number):
    """A key or header of a card's type or name is asked about like a field; a header that is redacted is not kept."""
    text = field_under("drop", "{class: direct}").replace("x: drop}}", f"x: drop}}, record: {record}}}")
    assert point(views_of(text), "pci-dss", number).status == ("met" if "redact" in record else "open")


@pytest.mark.parametrize(("rule", "declared", "status"), [
    ("{technique: partial, keep_first: 8, keep_last: 4}", "{class: direct, type: payment_card}", "open"),
    ("{technique: partial, keep_first: 8, keep_last: 4}", SIXTEEN, "met"),
    ("{technique: partial, keep_first: 9, keep_last: 4}", SIXTEEN, "open"),
    ("{technique: partial, keep_first: 6, keep_last: 4}", "{class: direct, type: payment_card}", "met"),
    ("{technique: partial, keep_first: 6, keep_last: 5, same_length: true}", "{class: direct, type: payment_card}", "open"),
    ("{technique: fpe, domain: d, format: card, keep_first: 6, keep_last: 4}", "{class: direct, type: payment_card}", "met"),
    ("{technique: fpe, domain: d, format: card, keep_first: 10}", "{class: direct, type: payment_card}", "open"),
    ("{technique: redact_text}", "{class: direct, type: payment_card}", "met"),
    ("{technique: redact_text, entities: [EMAIL]}", "{class: direct, type: payment_card}", "open"),
])
def test_digits_are_counted_for_every_length(rule, declared, status):
    """Of 16 digits eight and four may stay, of any other length six and four: with eight, 15 digits would hide three."""
    views = views_of(field_under(rule, declared))
    assert [point(views, "pci-dss", number).status for number in ("3.4.1", "3.5.1")] == [status, status]


@pytest.mark.parametrize(("key", "status"), [
    ("{technique: pseudonym, domain: d}", "open"), ("{technique: tokenize, domain: d}", "outside"), ("redact", "outside")])
def test_a_truncated_number_and_a_stand_in_of_it_do_not_leave_together(key, status):
    """A view whose records have a keyed stand-in of the number as their key narrows the truncated number down."""
    text = field_under("{technique: partial, keep_last: 4}", "{class: direct, type: payment_card}")
    text = text.replace("keep_last: 4}}}", f"keep_last: 4}}}}, record: {{key: {key}, key_type: payment_card}}}}")
    assert point(views_of(text), "pci-dss", "3.5.1 correlation").status == status


@pytest.mark.parametrize(("apart", "status"), [("isolation: strict", "met"), ("held_apart: [other]", "met"), ("isolation: shared", "open")])
def test_views_with_a_truncated_number_and_a_stand_in_are_kept_apart(apart, status):
    """Nobody reads a truncated number in one view and its stand-in in another, by isolation or because one is held apart."""
    text = field_under("{technique: partial, keep_last: 4}", "{class: direct, type: payment_card}")
    more = f"  other: {{view: masked, rules: {{x: {{technique: pseudonym, domain: d}}}}}}\n{apart}\n"
    assert point(views_of(text + more), "pci-dss", "3.5.1 correlation").status == status


@pytest.mark.parametrize(("rule", "status"), [
    ("{technique: redact_text}", "met"), ("{technique: redact_text, entities: [EMAIL]}", "open"), ("keep", "open"), ("redact", "met"),
    ("{technique: partial, keep_first: 40}", "open"), ("{technique: partial, keep_last: 4}", "met"),
    ("{technique: encrypt, domain: d}", "met")])
def test_text_is_tried_with_card_numbers(rule, status):
    """A rule for text meets the point only if it takes card numbers out of texts."""
    assert point(views_of(field_under(rule, "{class: free_text}")), "pci-dss", "3.5.1 text").status == status


@pytest.mark.parametrize(("rule", "declared", "wrong"), [
    ("{technique: partial, keep_last: 4}", "{class: quasi, type: postal_code, pattern: '[0-9]{5}-[0-9]{4}'}", True),
    ("{technique: generalize, prefix: 2}", "{class: quasi, type: postal_code}", False),
    ("{technique: generalize, prefix: 7}", "{class: quasi, type: postal_code, pattern: '[0-9]{5}-[0-9]{4}'}", True),
    ("{technique: redact, within: [{pattern: '[0-9]{2}([0-9]{3})'}, {pattern: '[0-9]{5}-([0-9]{4})'}]}", "{class: quasi}", True),
    ("{technique: redact, within: [{pattern: '[0-9]{2}([0-9]{3})'}, {pattern: '[0-9]{5}([0-9]{4})'}]}", "{class: quasi}", True),
    ("{technique: redact, within: [{pattern: '[0-9]{2}([0-9]{3})'}]}", "{class: quasi}", False),
])
def test_zip_codes_are_tried_with_nine_digits(rule, declared, wrong):
    """A rule that cuts five digits and leaves nine is found; spellings that rule or contract refuse do not count."""
    assert (zip_codes(shown(rule, declared)) is not None) == wrong


@pytest.mark.parametrize(("rule", "declared", "wrong"), [
    ("{technique: partial, keep_first: 4}", "{class: quasi, type: date}", False),
    ("{technique: partial, keep_first: 4}", "{class: quasi}", True),
    ("{technique: redact, within: [{pattern: '[0-9]{4}(-[0-9-]+)'}, {pattern: '([0-9]{2}/)[0-9/]+'}]}", "{class: quasi}", True),
])
def test_dates_are_tried_in_other_spellings(rule, declared, wrong):
    """Where nothing says how a date is written, a rule that finds the year in one spelling only is found."""
    assert (dates(shown(rule, declared)) is not None) == wrong
    assert births(shown(rule, declared)) is not None


def test_ages_are_tried_as_text_and_number():
    """A rule that takes both is judged by both."""
    assert ages(shown("{technique: generalize, max: 89}", "{class: quasi, type: integer, domain: [0, 120]}")) is None
    assert ages(shown("{technique: partial, keep_first: 1}", "{class: quasi}")) is not None
