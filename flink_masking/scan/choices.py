"""What a proposal says of each field: class, type and rule, each with its reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flink_masking.errors import PolicyError
from flink_masking.records.paths import Wild, parse_path
from flink_masking.scan.report import Found, PathReport
from flink_masking.scan.treatments import TELLING_NAMES, TYPED, Treatment, treatment
from flink_masking.scan.weight import weighty

FREE_TEXT = 0.2
"""A field of which this part of the values are texts of several words is free text."""
FEW = 64
"""Different values of a field that is a list of words, at most; each comes back `OFTEN` times."""
OFTEN = 5
_SHAPED = {"UUID": "uuid", "date": "date", "date-time": "datetime", "time": "time", "IP": "ip_address", "MAC": "mac_address",
           "e-mail": "email", "URL": "url"}  # fmt: skip
_EPOCHS = {"epoch s": 3_600, "epoch ms": 600_000, "epoch µs": None, "epoch ns": None}
"""What times since 1970 are rounded to; generalize rounds to six digits at most."""
_IDENTIFIER = re.compile(r"(?:^|[^a-zA-Z])(?:id|uuid|guid|key|ref|arn)$|(?:Id|ID|Uuid|UUID|Guid|Arn|Ref|Key)$|^(?:id|uuid|guid)$")


@dataclass(frozen=True)
class Choice:
    """The proposal for one field.

    Attributes:
        path: as the policy writes it.
        role: its class.
        type: its type, or None.
        rule: in YAML; None: the default of the segment, drop.
        because: what speaks for it, in counts.
        decide: what a person must decide, "" for nothing.
    """

    path: str
    role: str
    type: str | None
    rule: str | None
    because: str
    decide: str = ""


def choose(paths: Mapping[str, PathReport], opaque: set[str], untyped: set[str], domains: Mapping[str, str]) -> tuple[list[Choice], bool]:
    """The proposals for all fields.

    Args:
        paths: of a report, in their order.
        opaque: paths that take anything, whatever was found there.
        untyped: paths without a type.
        domains: for identifiers that recur, the domain of their pseudonyms.

    Returns:
        The choices; and whether records have members that no path can declare.
    """
    choices: list[Choice] = []
    closed: list[tuple[object, ...]] = []
    open_record = False
    for path, report in paths.items():
        try:
            steps = parse_path(path)
        except PolicyError:
            steps = ()
        if not steps or steps[0] is Wild.KEY:
            open_record = True
            continue
        if any(steps[: len(above)] == above for above in closed):
            continue
        containers = [kind for kind in ("object", "array") if report.kinds.get(kind)]
        if path in opaque or report.always_empty or (containers and (report.scalars or len(containers) > 1)):
            closed.append(steps)
            choices.append(_opaque(report))
        elif not containers:
            choices.append(_scalar(report, path in untyped, domains.get(path), Wild.KEY in steps))
    return choices, open_record


def _opaque(report: PathReport) -> Choice:
    kinds = ", ".join(f"{kind} in {count:,}" for kind, count in report.kinds.items())
    if report.always_empty:
        return Choice(report.path, "plain", "json", None, f"always empty: {kinds}", "declare what it may hold, or leave it dropped")
    return Choice(report.path, "free_text", "json", None, f"not always of one kind: {kinds}", "which kind is meant")


def _scalar(report: PathReport, untyped: bool, domain: str | None, keyed: bool) -> Choice:
    if not report.scalars:
        return Choice(report.path, "plain", None, None, f"null in all of {report.values:,}", "what it is when it is not null")
    found = weighty(report)
    chosen = _treated(report, found, domain)
    type_ = None if untyped else _type(report, chosen.type)
    rule, decide, because = chosen.rule, chosen.decide, _evidence(report, found)
    if report.conflict:
        type_, because = None, f"{because}; not always of one kind: " + ", ".join(f"{k} in {n:,}" for k, n in report.kinds.items())
        decide, rule = decide or "which kind is meant", None if rule == "keep" else rule
    if keyed and rule is not None:
        rule, decide = None, "its keys are data: to show it, add a rule here and one under keys:"
    several = [one.type for one in _whole(report, found)]
    if report.told_by:
        decide = decide or f"what it holds depends on {report.told_by[0].path}"
    elif len(several) > 1:
        decide = decide or f"values are of several types, {' and '.join(several[:3])}"
    return Choice(report.path, chosen.role, type_, rule, because, decide)


def _treated(report: PathReport, found: list[Found], domain: str | None) -> Treatment:
    """Class and rule, by what was found, then by what it looks like; what is left over is dropped."""
    name = _last(report.path)
    whole = _whole(report, found)
    if report.looks("text") >= FREE_TEXT and not whole:
        return Treatment("free_text", None, "redact", "texts hold personal data" if found else "")
    if whole:
        return treatment(whole[0].type, whole[0].category, domain, bool(report.kinds.get("string")))
    if domain is not None:
        return Treatment("identifier", None, f"{{technique: pseudonym, domain: {domain}}}")
    if report.contains:
        return Treatment("identifier", None, f"{{technique: pseudonym, domain: {slug(name)}}}",
                         f"values of {report.contains[0].path} are part of it; a pseudonym of the whole value does not join with it")
    if found:
        return Treatment("free_text", None, None, "personal data in some values")
    if TELLING_NAMES.search(name):
        return Treatment("sensitive", None, None, "its name says that it is sensitive")
    shape = next(iter(report.shapes), "")
    full = report.looks(shape) >= 0.99
    repeated = report.distinct <= FEW and report.scalars >= OFTEN * report.distinct
    if report.looks("boolean") >= 0.99:
        return Treatment("plain", None, "keep")
    if (_IDENTIFIER.search(name) and not repeated) or (shape in ("UUID", "ARN", "URN") and full):
        return Treatment("identifier", None, f"{{technique: pseudonym, domain: {slug(name)}}}")
    if full and shape in ("date", "date-time"):
        return Treatment("plain", None, f"{{technique: generalize, date: {'hour' if shape == 'date-time' else 'month'}}}")
    if full and shape in _EPOCHS and report.kinds.get("number"):
        if _EPOCHS[shape] is None:
            return Treatment("plain", None, None, "a time finer than ms; generalize cannot round it")
        return Treatment("plain", None, f"{{technique: generalize, round_to: {_EPOCHS[shape]}}}")
    if full and shape in ("decimal", "integer") and (report.kinds.get("number") or shape == "decimal"):
        if shape == "integer" and not repeated and report.distinct > 0.9 * report.scalars and report.bytes >= 5:
            return Treatment("identifier", None, None, "nearly every number is another one: an identifier, or a measure to keep")
        return Treatment("measure" if shape == "decimal" else "plain", None, "keep")
    if repeated and report.distinct and shape not in ("text", "IP", "e-mail", "URL", "MAC"):
        return Treatment("plain", None, "keep")
    return Treatment("plain", None, None, "nothing was found in it; keep it if it says nothing of a person")


def _whole(report: PathReport, found: list[Found]) -> list[Found]:
    """The types that a good part of the values are as a whole."""
    return [one for one in found if one.whole >= 0.2 * report.scalars]


def domain_of_type(report: PathReport) -> str | None:
    """The key domain of the type that a path's values are, where that type gets pseudonyms; None otherwise."""
    whole = _whole(report, weighty(report))
    rule = treatment(whole[0].type, whole[0].category, None, True).rule if whole else None
    return rule[:-1].rpartition(" ")[2] if rule is not None and "pseudonym" in rule else None


def _type(report: PathReport, wanted: str | None) -> str | None:
    """The type that all values seem to have; of texts only one that they have the form of."""
    kinds = report.kinds.keys() - {"null"}
    if kinds == {"boolean"}:
        return "boolean"
    if kinds == {"number"}:
        whole = report.looks("integer", *_EPOCHS) == 1
        return "integer" if whole else "number"
    if kinds != {"string"}:
        return None
    for shape, type_ in _SHAPED.items():
        if report.looks(shape) == 1:
            return type_
    if report.looks("date", "date-time") == 1:
        return "datetime"
    return wanted if wanted in TYPED else None


def _evidence(report: PathReport, found: list[Found]) -> str:
    """What was found, in counts."""
    said = [f"{one.type} in {one.values:,} of {report.scalars:,} ({', '.join(one.reasons)})" for one in found[:3]]
    shape = next(iter(report.shapes), "")
    if shape not in ("", "other", "word"):
        said.append(shape if report.looks(shape) == 1 else f"{shape} in {report.shapes[shape]:,} of {report.scalars:,}")
    if not found and shape != "boolean":
        said.append(f"{'' if report.exact else 'about '}{report.distinct:,} different in {report.scalars:,}")
    said += [f"values of {one.path} ({one.common:,} of {one.of:,} compared)" for one in report.equals[:2]]
    said += [f"values of {one.path} inside ({one.common:,} of {one.of:,} parts compared)" for one in report.contains[:2]]
    return "; ".join(said)


def _last(path: str) -> str:
    """The last key of a path."""
    return next((step for step in reversed(parse_path(path)) if isinstance(step, str)), path)


def slug(name: str) -> str:
    """A name as a key domain: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()).strip("-")[:40] or "value"
