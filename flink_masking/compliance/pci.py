"""PCI DSS 4.0, requirements 3.3 to 3.5: card numbers on display and in storage."""

from flink_masking.compliance.cards import in_text, too_many
from flink_masking.compliance.kinds import CARD, CODE, showings_of
from flink_masking.compliance.model import Evidence, Framework, Point
from flink_masking.compliance.questions import of_classes, undeclared, unknown
from flink_masking.compliance.subject import UNDECLARED, PolicyViews, Showing
from flink_masking.techniques.promises import Shows


def points(views: PolicyViews) -> list[Point]:
    """Display, storage, security codes, and text that may hold card numbers."""
    cards, codes = showings_of(views, CARD), showings_of(views, CODE)
    texts = [one for one in (*of_classes(views, "free_text"), *undeclared(views)) if not (one.hidden or one in cards or one in codes)]
    none = "no declared field is one, by its type or name; whether a record holds one is outside this tool ('scan --against')"
    return [
        Point("3.3.1", "sensitive authentication data is not kept: security codes, PINs, track data", tuple(_codes(one) for one in codes),
              "" if codes else none),
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
        Point("3.5.1 text", "no card number in text, keys, headers or undeclared members",
              (*(_loose(one) for one in texts), *unknown(views)),
              "card numbers in text that nobody declared are found by 'flink-masking leaks'"),
    ]


def _codes(one: Showing) -> Evidence:
    return one.evidence(one.hidden, "not kept" if one.hidden else "leaves in some form; drop it: it must not be stored after "
                        "authorisation, even encrypted")


def _displayed(one: Showing) -> Evidence:
    if one.hidden or (one.stand_in and not one.parted):
        return one.evidence(True, "no digit of the number is shown")
    if one.parted:
        wrong, told = too_many(one)
        return one.evidence(wrong is None, f"tried on card numbers: {wrong}" if wrong is not None else told)
    return one.evidence(False, f"leaves as {one.tell()}; show the last four digits, or a stand-in")


def _stored(one: Showing) -> Evidence:
    if one.hidden:
        return one.evidence(True, "nothing is stored")
    if one.random_token:
        return one.evidence(True, "index token; the vault that maps it back is in scope")
    wrong = too_many(one)[0] if one.parted else None
    if wrong is not None:
        return one.evidence(False, f"tried on card numbers: {wrong}; keep fewer, or use a token, a keyed hash or encryption")
    if one.keyed and (one.parted or one.promises.shows is Shows.NOTHING) and not one.promises.passes:
        return one.evidence(True, "strong cryptography under a key of the ring" if one.promises.reversible else
                            "keyed hash, or value made of one")
    if one.parted:
        return one.evidence(True, "truncated")
    return one.evidence(False, f"leaves as {one.tell()}; use truncation, a token, a keyed hash or encryption")


def _loose(one: Showing) -> Evidence:
    """Text and what no field declares, in which card numbers can stand."""
    if one.exact:
        return one.evidence(False, "leaves as it came; use redact_text, or drop it" if one.field is not None else
                            "nobody says what it holds, and it leaves as it came; use a stand-in, or drop it")
    if one.stand_in:
        return one.evidence(True, f"leaves as {one.tell()}")
    wrong = in_text(one)
    if wrong is not None:
        return one.evidence(False, f"tried on texts with card numbers: {wrong}; use redact_text with CARD_NUMBER, or drop it")
    searched = one.path == UNDECLARED or one.field is not None
    return one.evidence(True, "tried on texts with card numbers: none stays" + ("; what is not found stays" if searched else ""))


def _apart(views: PolicyViews, cards: list[Showing]) -> list[Evidence]:
    """A truncated number beside a stand-in of the same number, in another view or as key of the record: together they narrow it down."""
    cut = [one for one in cards if one.parted and not one.hidden]
    stand_ins = [one for one in cards if one.stand_in and one.promises.deterministic and not one.random_token]
    policy, found = views.loaded.policy, []
    for one, other in ((one, other) for one in cut for other in stand_ins):
        if one.segment == other.segment and (one.field is None) != (other.field is None):
            found.append(one.evidence(False, f"{other.path} of this view is a stand-in of a card number; drop it, or use random tokens"))
        elif one.segment != other.segment and one.path == other.path:
            met = policy.isolation == "strict" or bool({one.segment, other.segment} & set(policy.held_apart))
            found.append(one.evidence(met, f"{other.segment} has a stand-in of the same number: " + (
                "no principal reads both" if met else "isolation: strict, or held_apart, keeps one reader from having both")))
    return found


FRAMEWORK = Framework("pci-dss", "PCI DSS 4.0, requirements 3.3 to 3.5", points,
                      "Scope, custody of keys, and everything but requirement 3 is outside this tool; an assessor decides.")
