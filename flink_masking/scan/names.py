"""What the name of a field says of it where its values do not: an identifier of an event, a measure, a place."""

import re

from flink_masking.records.paths import Where, parse_path

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
    r"|disabilit|pregnan|blood|marital|nationality|union", re.IGNORECASE)  # fmt: skip
"""Names that say something sensitive, whatever the values look like."""
MEASURE = re.compile(
    r"bytes|count|size|length|duration|amount|total|price|cost|(?:^|[^a-z])(?:fee|fare|tax|tip|toll)s?(?:[^a-z]|$)|distance|quantity|qty|latency"
    r"|elapsed|millis|seconds|score|percent|ratio|weight|height|balance", re.IGNORECASE)  # fmt: skip
"""Names of measures."""
VERSION = re.compile(r"version$|^(?:os|firmware|build|release)$", re.IGNORECASE)
"""Names of versions, which look like decimals."""
PLACE = re.compile(r"location|(?:^|[^a-z])(?:place|zone|district|neighbou?rhood|venue|geohash|cell)|^(?:PU|DO)Loc|latitude|longitude",
                   re.IGNORECASE)  # fmt: skip
"""Names of places."""
TIME = re.compile(r"event_?time|timestamp|time$|created|recorded|^(?:ts|at|time|date)$|start|issued|pickup", re.IGNORECASE)
"""Names of the time of an event."""
_GENERIC = frozenset((
    "id", "key", "value", "reference", "ref", "uuid", "guid", "code", "name", "arn", "text", "display", "stringvalue", "number"))


def named(path: str) -> str:
    """The name that says most of a path: its last key, or what a selector says of it.

    >>> named("attributes[key=user.email].value.stringValue"), named("customer.zip")
    ('user.email', 'zip')
    """
    steps = parse_path(path)
    for step in reversed(steps):
        if isinstance(step, Where):
            return re.split(r"[/#]", step.value)[-1]
        if isinstance(step, str) and step.lower() not in _GENERIC and not step.startswith("value"):
            break
    return next((step for step in reversed(steps) if isinstance(step, str)), path)


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
