"""What a proposal says of each field: class, type and rule, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from flink_masking.errors import PolicyError
from flink_masking.records.paths import Wild, parse_path
from flink_masking.scan.report import Found, PathReport
from flink_masking.scan.treated import EPOCHS, mixed, treated, whole
from flink_masking.scan.treatments import TYPED, treatment
from flink_masking.scan.weight import scattered, weighty

_SHAPED = {"UUID": "uuid", "date": "date", "date-time": "datetime", "time": "time", "IP": "ip_address", "MAC": "mac_address",
           "e-mail": "email", "URL": "url"}  # fmt: skip


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
        unit: of a time as a number, "" for none.
    """

    path: str
    role: str
    type: str | None
    rule: str | None
    because: str
    decide: str = ""
    unit: str = ""


def choose(paths: Mapping[str, PathReport], opaque: set[str], untyped: set[str], domains: Mapping[str, str],
           keys: bool = True) -> tuple[list[Choice], bool]:
    """The proposals for all fields.

    Args:
        paths: of a report, in their order.
        opaque: paths that take anything, whatever was found there.
        untyped: paths without a type.
        domains: for identifiers that recur, the domain of their pseudonyms.
        keys: show members of objects whose keys are data, under rules for these keys.

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
            choices.append(_scalar(report, path in untyped, domains.get(path), Wild.KEY in steps and not keys))
    return choices, open_record


def _opaque(report: PathReport) -> Choice:
    kinds = ", ".join(f"{kind} in {count:,}" for kind, count in report.kinds.items())
    if report.always_empty:
        return Choice(report.path, "plain", "json", None, f"always empty: {kinds}", "declare what it may hold, or leave it dropped")
    return Choice(report.path, "free_text", "json", None, f"not always of one kind: {kinds}", "which kind is meant")


def _scalar(report: PathReport, untyped: bool, domain: str | None, keyed: bool) -> Choice:
    if not report.values:
        return Choice(report.path, "plain", None, None, "every other element, of which the sample has none")
    if not report.scalars:
        return Choice(report.path, "plain", None, None, f"null in all of {report.values:,}", "what it is when it is not null")
    found = weighty(report)
    chosen = treated(report, found, domain)
    type_ = None if untyped else _type(report, chosen.type)
    rule, decide, because, unit = chosen.rule, chosen.decide, _evidence(report, found), "" if untyped else chosen.unit
    if report.conflict:
        kinds = ", ".join(f"{kind} in {count:,}" for kind, count in report.kinds.items())
        type_, unit, because = None, "", f"{because}; not always of one kind: {kinds}"
        decide, rule = decide or "which kind is meant", None if rule == "keep" else rule
    if keyed and rule is not None:
        rule, decide = None, "its keys are data: to show it, add a rule here and one under keys"
    if chosen.unit and not unit:  # the rule is for times with a unit
        rule, decide = None, decide or "what time it is"
    if report.told_by and (rule is None or mixed(report, found)):
        decide = f"what it holds depends on {report.told_by[0].path}"
    return Choice(report.path, chosen.role, type_, rule, because, decide, unit)


def domain_of_type(report: PathReport) -> str | None:
    """The key domain of the type that a path's values are, where that type gets pseudonyms; None otherwise."""
    found = weighty(report)
    types = whole(report, found)
    if mixed(report, found) or not types:
        return None
    rule = treatment(types[0].type, types[0].category, None, True).rule
    return rule[:-1].rpartition(" ")[2] if rule is not None and "pseudonym" in rule else None


def _type(report: PathReport, wanted: str | None) -> str | None:
    """The type that all values seem to have; of texts only one that they have the form of."""
    kinds = report.kinds.keys() - {"null"}
    if kinds == {"boolean"}:
        return "boolean"
    if kinds == {"number"}:
        return "integer" if report.looks("integer", *EPOCHS) == 1 else "number"
    if kinds != {"string"}:
        return None
    if report.partial:
        return "partial_date"
    for shape, type_ in _SHAPED.items():
        if report.looks(shape) == 1:
            return type_
    if report.looks("date", "date-time") == 1:
        return "datetime"
    return wanted if wanted in TYPED else None


def _evidence(report: PathReport, found: list[Found]) -> str:
    """What was found, in counts."""
    said = [f"{one.type} in {one.values:,} of {report.scalars:,} ({', '.join(one.reasons)})" for one in (found or scattered(report))[:3]]
    shape = next(iter(report.shapes), "")
    if shape not in ("", "other", "word"):
        said.append(shape if report.looks(shape) == 1 else f"{shape} in {report.shapes[shape]:,} of {report.scalars:,}")
    if not found and shape != "boolean":
        said.append(f"{'' if report.exact else 'about '}{report.distinct:,} different in {report.scalars:,}")
    said += [f"values of {one.path} ({one.common:,} of {one.of:,} compared)" for one in report.equals[:2]]
    said += [f"values of {one.path} inside ({one.common:,} of {one.of:,} parts compared)" for one in report.contains[:2]]
    return "; ".join(said)
