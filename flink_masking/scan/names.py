"""What the name of a field says of it where its values do not: an identifier of an event, a measure, a place."""

import re

from flink_masking.records.paths import Step, Where, parse_path

IDENTIFIER = re.compile(
    r"(?:^|[^a-zA-Z])(?i:id|uuid|guid|key|ref|reference|arn)(?:s|-?[0-9])?$"
    r"|(?:Id|ID|Uuid|UUID|Guid|Arn|Ref|Reference|Key|Ids|IDs)$")  # fmt: skip
"""Names of identifiers."""
EVENT = re.compile(
    r"trace|span|request|event|message|correlation|transaction|invocation|session|commit|build|batch|^job|log|record"
    r"|template", re.IGNORECASE)  # fmt: skip
"""Identifiers of events and things that happen, not of people."""
PEOPLE = re.compile(
    r"user|customer|patient|person|subject|member|client|employee|owner|driver|passenger|principal|actor|account|author|holder"
    r"|subscriber|licen[sc]e|medallion|student|tenant|contact", re.IGNORECASE)  # fmt: skip
"""Names of people in their roles."""
SENSITIVE = re.compile(
    r"diagnos|disease|condition|medic|symptom|allerg|religio|ethnic|race$|race[_-]|gender|^sex$|birthsex|orientation|politic|salary|income"
    r"|disabilit|pregnan|blood|marital|nationality|union|injur|therap"
    r"|(?:^|[^a-z])icd(?:[^a-z]|code|$)|snomed|loinc|rxnorm", re.IGNORECASE)  # fmt: skip
"""Names that say something sensitive, whatever the values look like."""
HEALTH = re.compile(r"snomed|loinc|rxnorm|/icd|icd-?(?:9|10|11)|/sid/(?:ndc|cvx)|/cpt|umls|drugbank|/atc$|orpha", re.IGNORECASE)
"""Systems of codes for diseases, drugs and observations."""
MEASURE = re.compile(
    r"bytes|count|size|length|duration|amount|total|price|cost|(?:^|[^a-z])(?:fee|fare|tax|tip|toll)s?(?:[^a-z]|$)|distance|quantity|qty|latency"
    r"|elapsed|millis|seconds|score|percent|ratio|weight|height|balance", re.IGNORECASE)  # fmt: skip
"""Names of measures."""
VERSION = re.compile(r"version$|^(?:os|firmware|build|release)$", re.IGNORECASE)
"""Names of versions, which look like decimals."""
PLACE = re.compile(r"location|(?:^|[^a-z])(?:place|zone|district|neighbou?rhood|venue|geohash|cell)|^(?:PU|DO)Loc|latitude|longitude",
                   re.IGNORECASE)  # fmt: skip
"""Names of places."""
REGION = re.compile(r"(?:address|place|location|geo|home).*(?:state|county|country|province|region|district|town|village)$", re.IGNORECASE)
"""Paths of parts of an address."""
TIME = re.compile(r"event_?time|timestamp|time$|created|recorded|^(?:ts|at|time|date)$|start|issued|pickup", re.IGNORECASE)
"""Names of the time of an event."""
_VALUE = re.compile(r"val|v$|content|data$|answer|string$|number$|payload", re.IGNORECASE)
"""Names of members that are named by another one beside them."""
_GENERIC = frozenset((
    "id", "key", "value", "reference", "ref", "uuid", "guid", "code", "name", "arn", "text", "display", "stringvalue", "number", "coding"))


def named(path: str) -> str:
    """The name that says most of a path: its last key, or what a selector says of it.

    >>> named("attributes[key=user.email].value.stringValue"), named("customer.zip")
    ('user.email', 'zip')
    """
    steps = parse_path(path)
    for step in reversed(steps):
        if isinstance(step, Where) and is_value(steps, steps.index(step) + 1):
            return said_by(step.value)
        if isinstance(step, str) and step.lower() not in _GENERIC and not step.startswith("value"):
            break
    return next((step for step in reversed(steps) if isinstance(step, str)), path)


def said_by(value: str) -> str:
    """What a discriminating value says as a name: the last part of a URL.

    >>> said_by("http://hl7.org/fhir/StructureDefinition/patient-birthPlace")
    'patient-birthPlace'
    """
    return re.split(r"[/#]", value.rstrip("/#"))[-1]


def is_value(steps: tuple[Step, ...], after: int) -> bool:
    """Whether what stands behind so many steps of a path is called a value, so that it is named by a member beside it."""
    return any(isinstance(step, str) and _VALUE.match(step) for step in steps[after:])


def hinted(path: str, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Names that may say what the values of a path are, the most telling first."""
    last = steps[-1] if steps else ""
    if isinstance(last, str) and last.lower() not in _GENERIC and not _VALUE.match(last):
        return (path,)
    telling = [step.value for k, step in reversed([*enumerate(steps)]) if isinstance(step, Where) and is_value(steps, k + 1)]
    return (*map(said_by, telling), path)


def sensitive(path: str) -> bool:
    """Whether the last key of a path that says something, or what selects it, is the name of something sensitive; of codes, any key.

    >>> sensitive("maritalStatus.coding[*].code"), sensitive("race.name"), sensitive("condition.since")
    (True, True, False)
    >>> sensitive("medical.icd10"), sensitive("medical.further[*].code"), sensitive("medical.ward")
    (True, True, False)
    """
    steps = parse_path(path)
    selected = (said_by(step.value) for k, step in enumerate(steps) if isinstance(step, Where) and is_value(steps, k + 1))
    if any(map(SENSITIVE.search, (named(path), *selected))):
        return True
    telling = [step for step in reversed(steps) if isinstance(step, str) and step.lower() not in _GENERIC]
    code = isinstance(steps[-1], str) and steps[-1].lower() == "code"
    return any(map(SENSITIVE.search, telling if code else telling[:1]))


def domain_of(path: str) -> str:
    """A key domain for a path's own values: its last key, with the ones above where that alone says nothing.

    >>> domain_of("userId"), domain_of("customer.id"), domain_of("items[*].traceId")
    ('user-id', 'customer-id', 'trace-id')
    """
    name = named(path)
    if name.lower() not in _GENERIC:
        return slug(name)
    keys = [step for step in parse_path(path) if isinstance(step, str)]
    return slug("-".join(keys[-2:])) if len(keys) > 1 else slug(name)


def slug(name: str) -> str:
    """A name as a key domain: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()).strip("-")[:40] or "value"
