"""Decides on class and rule of a field by what was found in its values, by what they look like, and by its name."""

from flink_masking.detect import TYPES
from flink_masking.scan import names
from flink_masking.scan.forms import within
from flink_masking.scan.names import domain_of
from flink_masking.scan.report import Found, PathReport
from flink_masking.scan.treatments import Treatment, treatment
from flink_masking.scan.weight import scattered, speaks

FREE_TEXT = 0.2
"""A field of which this part of the values are texts of several words is free text."""
LONG = 6
"""Digits of a number that identifies, however often it comes back."""
SURE = 90
"""Confidence in the type of all values together beside which single values of other types do not count."""
OPAQUE = 12
"""Bytes of a value with an identifier inside that is none of a list of words."""
EPOCHS = {"epoch s": "s", "epoch ms": "ms", "epoch µs": "us", "epoch ns": "ns"}
"""Units of times since 1970."""
_CATEGORY = {type_.name: type_.category for type_ in TYPES}
_CODES = ("UUID", "ARN", "URN", "hexadecimal")
_NUMBERS = ("decimal", "integer", "boolean", *EPOCHS)


def whole(report: PathReport, found: list[Found]) -> list[Found]:
    """The types that a good part of the values are as a whole, first the one that all of them together speak for."""
    types = [one for one in found if one.whole >= 0.2 * report.scalars]
    column = report.column
    if column is None or not speaks(report, column):
        return types
    if set(column.reasons) <= {"key", "context"} and any(one.whole >= 0.8 * report.scalars and "check" in one.reasons for one in types):
        return types  # the name alone speaks for the column, the values for another type
    return [column, *(one for one in types if one.type != column.type and column.confidence < SURE)]


def mixed(report: PathReport, found: list[Found]) -> bool:
    """Whether the values are of several types, or of one type in part only, so that no one rule and domain fits them."""
    types = whole(report, found)
    return len(types) > 1 or (bool(types) and types[0] is not report.column and types[0].whole < 0.8 * report.scalars)


def treated(report: PathReport, found: list[Found], domain: str | None) -> Treatment:
    """Class, type and rule of a field; what is left over is dropped.

    Args:
        report: of the field.
        found: the findings that count.
        domain: of the pseudonyms where its values recur elsewhere.
    """
    types, form = whole(report, found), within(report)
    name = names.named(report.path)
    if report.health:
        return Treatment("sensitive", None, None, "codes of diseases, drugs or observations, or their names")
    if report.looks("text") >= FREE_TEXT and not types:
        return Treatment("free_text", None, "redact", "texts hold personal data; redact_text shows the rest of them" if found else "")
    if mixed(report, found):
        if _CATEGORY.get(report.named) == "identity":
            return treatment(report.named, "identity", domain, bool(report.kinds.get("string")))
        listed = " and ".join(one.type for one in types[:3]) + ("" if len(types) > 1 else " and others")
        return Treatment("direct", None, None, f"values are of several types, {listed}: one rule and domain does not fit them all")
    if types and types[0].type == "PERSON" and set(types[0].reasons) == {"key"} and report.repeats:
        return Treatment("direct", None, None, "called a name; few that come back often are the names of things, which may be shown")
    named = report.named == "PERSON" and not names.IDENTIFIER.search(name) and report.looks(*_CODES, "integer", "decimal") < 0.5
    if not types and named and report.kinds.get("string") and not report.repeats:
        return Treatment("direct", None, "redact")
    if types:
        return treatment(types[0].type, types[0].category, domain, bool(report.kinds.get("string")))
    telling = names.IDENTIFIER.search(name) and (report.bytes >= OPAQUE or not report.repeats)
    if form is not None and (domain is not None or telling):
        return Treatment("identifier", None, f"{{technique: pseudonym, domain: {domain or _domain_of_form(report)}, within: {form}}}",
                         "" if domain is not None else "what stands around the identifier is shown")
    if domain is not None:
        return Treatment("identifier", None, pseudonym(domain))
    if report.contains and not report.repeats:
        inside = report.contains[0].path
        return Treatment("identifier", None, pseudonym(domain_of(report.path)),
                         f"values of {inside} are part of it; a pseudonym of the whole value does not join with it")
    if found:
        return Treatment("free_text", None, None, "personal data in some values")
    if names.sensitive(report.path):
        return Treatment("sensitive", None, None, "its name says that it is sensitive")
    shaped = _by_shape(report, name)
    if shaped.rule == "keep" and scattered(report) and report.looks(*_NUMBERS) < 0.99:
        return Treatment("free_text", None, None, "personal data in some values")
    return shaped


def _by_shape(report: PathReport, name: str) -> Treatment:
    """Where nothing was found."""
    shape = next(iter(report.shapes), "")
    full, repeats = report.looks(shape) >= 0.99, report.repeats
    if report.looks("boolean") >= 0.99:
        return Treatment("plain", None, "keep")
    if names.VERSION.search(name) and report.bytes <= 20:
        return Treatment("plain", None, "keep" if repeats else None, "" if repeats else "a version; keep it if many have the same one")
    if names.PLACE.search(name) or names.REGION.search(report.path):
        return Treatment("quasi", None, None, "a place; where and when together say who it was")
    opaque = full and shape in _CODES and not (shape == "URN" and repeats)
    if opaque or (names.IDENTIFIER.search(name) and (not repeats or (report.bytes >= LONG and shape == "integer"))):
        return Treatment("identifier", None, pseudonym(domain_of(report.path)))
    if full and shape in ("date", "date-time"):
        return Treatment("plain", None, f"{{technique: generalize, date: {'hour' if shape == 'date-time' else 'month'}}}")
    if report.partial:
        return Treatment("plain", None, "{technique: generalize, date: month}")
    if shape in EPOCHS and report.looks(shape) == 1 and not repeats:
        return Treatment("plain", None, "{technique: generalize, date: hour}", unit=EPOCHS[shape])
    if names.MEASURE.search(name) and report.looks("integer", "decimal") >= 0.99:
        return Treatment("measure", None, "keep")
    if full and shape in ("decimal", "integer") and (report.kinds.get("number") or shape == "decimal"):
        if shape == "integer" and not repeats and report.distinct > 0.9 * report.scalars and report.bytes >= 5:
            return Treatment("identifier", None, None, "nearly every number is another one: an identifier, or a measure to keep")
        return Treatment("measure" if shape == "decimal" else "plain", None, "keep")
    if repeats and report.distinct and shape not in ("text", "IP", "e-mail", "MAC"):
        return Treatment("plain", None, "keep")
    return Treatment("plain", None, None, "nothing was found in it; keep it if it says nothing of a person")


def pseudonym(domain: str) -> str:
    """The rule in YAML."""
    return f"{{technique: pseudonym, domain: {domain}}}"


def _domain_of_form(report: PathReport) -> str:
    """A domain for what stands in a form: its own first word where there is one form, such as Practitioner."""
    words = [frame.before for frame in report.frames]
    first = names.slug(words[0].partition("/")[0].partition("?")[0].partition(":")[0]) if len(words) == 1 else ""
    return first if first not in ("", "value", "http", "https", "urn", "arn") else domain_of(report.path)


