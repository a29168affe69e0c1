"""PCI DSS 4.0, requirements 3.3 to 3.5: card numbers on display and in storage."""

from flink_masking.compliance.finest import card_digits
from flink_masking.compliance.model import Evidence, Framework, Point
from flink_masking.compliance.subject import PolicyViews, Showing
from flink_masking.policy.fields import Field
from flink_masking.techniques.promises import Shows

BIN, LAST = 8, 4
"""Digits that may be displayed: the BIN (issuer's number, 6 or 8 digits) and the last four."""


def points(views: PolicyViews) -> list[Point]:
    """Display, storage, security codes, and text that may hold card numbers."""
    cards = views.of([path for path, field in views.fields.items() if field.type == "payment_card"])
    codes = views.of([path for path, field in views.fields.items() if field.type == "cvv"])
    texts = [one for one in views.showings if one.field is not None and _loose(one.field) and not one.hidden]
    none = "no declared field has this type; whether a record holds one is outside this tool ('scan --against')"
    return [
        Point("3.3.1", "security codes are not kept", tuple(_codes(one) for one in codes), "" if codes else none),
        Point("3.4.1", "card numbers are masked when displayed: BIN and last four digits at most", tuple(_displayed(one) for one in cards),
              "who needs to see more, and has it approved, is outside this tool" if cards else none),
        Point("3.4.2", "no copying of card numbers over remote access", (), "outside this tool"),
        Point("3.5.1", "card numbers are unreadable where they are stored", tuple(_stored(one) for one in cards),
              "the source, backups and logs are outside this tool" if cards else none),
        Point("3.5.1 correlation", "truncated and replaced forms of one number cannot be put together", tuple(_apart(views, cards)),
              "no two views show a truncated number and a stand-in of it that a key makes; other systems are outside this tool"),
        Point("3.5.1.1", "hashes of card numbers are keyed", tuple(
            one.evidence(True, "computed with a key of the ring") for one in cards if one.keyed and one.stand_in and not one.random_token
            and not one.promises.reversible), "no view has a hash of a card number" if cards else none),
        Point("3.5.1.2, 3.5.1.3", "disk encryption", (), "outside this tool"),
        Point("3.6, 3.7", "keys are protected and managed", (), "'flink-masking keys' makes, rotates and destroys them; custody, dual "
              "control and periods are outside this tool"),
        Point("3.5.1 text", "no card number in text or undeclared members", tuple(
            one.evidence(bool(one.promises.parts) or not one.exact, "what is detected is replaced, what is not found stays"
                         if not one.exact else "free text leaves as it came; use redact_text, or drop it") for one in texts),
            "card numbers in text that nobody declared are found by 'flink-masking leaks'"),
    ]


def _loose(field: Field) -> bool:
    return field.role == "free_text"


def _codes(one: Showing) -> Evidence:
    return one.evidence(one.hidden, "not kept" if one.hidden else "leaves in some form; drop it: it must not be stored after "
                        "authorisation, even encrypted")


def _displayed(one: Showing) -> Evidence:
    if one.hidden or (one.stand_in and not one.parted):
        return one.evidence(True, "no digit of the number is shown")
    if one.promises.shows is Shows.PART and (found := card_digits(one)) is not None:
        first, last, inside = found
        fits = first <= BIN and last <= LAST and inside == 0
        return one.evidence(fits, f"tried on card numbers: the first {first} and last {last} digits stay" +
                            ("" if fits else f", {inside} between; {BIN} and {LAST} may"))
    return one.evidence(False, f"leaves as {one.tell()}; show the last four digits, or a stand-in")


def _stored(one: Showing) -> Evidence:
    if one.hidden:
        return one.evidence(True, "nothing is stored")
    if one.random_token:
        return one.evidence(True, "index token; the vault that maps it back is in scope")
    if one.keyed and one.promises.shows in (Shows.NOTHING, Shows.PART) and not one.promises.passes:
        return one.evidence(True, "strong cryptography under a key of the ring" if one.promises.reversible else
                            "keyed hash, or value made of one")
    if one.parted and (found := card_digits(one)) is not None and found[0] <= BIN and found[1] <= LAST and not found[2]:
        return one.evidence(True, "truncated")
    return one.evidence(False, f"leaves as {one.tell()}; use truncation, a token, a keyed hash or encryption")


def _apart(views: PolicyViews, cards: list[Showing]) -> list[Evidence]:
    """A view with a truncated number beside one with a stand-in of the same number: together they narrow it down."""
    cut = [one for one in cards if one.parted and not one.hidden]
    stand_ins = [one for one in cards if one.stand_in and one.promises.deterministic and not one.random_token]
    pairs = [(one, other) for one in cut for other in stand_ins if one.path == other.path]
    strict = views.loaded.policy.isolation == "strict"
    return [one.evidence(strict, f"{other.segment} has a stand-in of the same number: " + (
        "isolation is strict, no principal reads both" if strict else "isolation: strict keeps one reader from having both"))
        for one, other in pairs]


FRAMEWORK = Framework("pci-dss", "PCI DSS 4.0, requirements 3.3 to 3.5", points,
                      "Scope, custody of keys, and everything but requirement 3 is outside this tool; an assessor decides.")
