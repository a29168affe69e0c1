"""Looks for personal data in the members of a masked view that are swept, by recognisers of the verifier's own.

They know fewer types than detection does, and of these only what nobody can doubt: what they find should not be there.
"""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flink_masking.errors import PolicyError
from flink_masking.policy.bound import bound
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import MaskedSegment, RuleSpec
from flink_masking.techniques.redact_text import OTHERS, TECHNIQUE, RedactTextParams
from flink_masking.verify.masked_view import DEFAULT
from flink_masking.verify.records import TWICE, Records
from flink_masking.verify.report import Report

SWEEPING = TECHNIQUE.name
SURE = 90
"""Below this confidence lies nothing that the recognisers find; a rule with a higher minimum promises less."""
DEEPEST = 4
"""Levels of JSON inside of texts that are read."""


def _luhn(text: str) -> bool:
    digits = [int(c) for c in text if c.isdigit()]
    total = sum(digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0 and len(set(digits)) > 1


def _modulo(text: str) -> bool:
    joined = text.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in joined[4:] + joined[:4])) % 97 == 1


def _address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _any(text: str) -> bool:
    return True


_RECOGNISERS: Mapping[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "EMAIL": (re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,62}@(?:[A-Za-z0-9-]{1,40}\.){1,4}(?:com|org|net|edu|gov|de|fr|uk|io)(?![\w.-])",
                         re.ASCII), _any),
    "CARD_NUMBER": (re.compile(r"(?<![\w.-])(?:4\d{3}|5[1-5]\d\d)([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-]|\.\d)", re.ASCII), _luhn),
    "IBAN": (re.compile(r"(?<!\w)(?:DE\d{20}|GB\d\d[A-Z]{4}\d{14}|FR\d{12}[A-Z0-9]{11}\d\d|NL\d\d[A-Z]{4}\d{10})(?!\w)", re.ASCII),
             _modulo),
    "IP_ADDRESS": (re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", re.ASCII), _address),
    "MAC_ADDRESS": (re.compile(r"(?<![\w:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![\w:])", re.ASCII), _any),
    "AWS_ACCESS_KEY": (re.compile(r"(?<!\w)AKIA[A-Z2-7]{16}(?!\w)", re.ASCII), _any),
    "PRIVATE_KEY": (re.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----"), _any),
}  # fmt: skip
"""By type: a pattern, and what confirms a match."""


def swept_rules(segment: MaskedSegment, policy: Policy) -> tuple[RuleSpec | None, RuleSpec | None]:
    """The rules that a masked segment sweeps by: declared fields without a rule, undeclared members; None where they are not swept."""
    default = segment.rules.get(DEFAULT)
    declared = default if default is not None and default.technique == SWEEPING and default.within is None else None
    if policy.unknown_fields != "scan":
        return declared, None
    rule = segment.unknown_fields or declared or RuleSpec(technique=SWEEPING)
    return declared, rule if rule.technique == SWEEPING else None


def verify_swept(name: str, segment: MaskedSegment, policy: Policy, released: Path) -> Report:
    """Look for what a sweep should have replaced.

    Args:
        name: of the segment.
        segment: as in the policy.
        policy: that it belongs to.
        released: the view.

    Raises:
        InputError: there are no such files.
        PolicyError: the segment sweeps nothing.
    """
    declared, undeclared = swept_rules(segment, policy)
    if declared is None and undeclared is None:
        raise PolicyError(f"segment {name} sweeps nothing. Hint: masked segments with '\"*\": {SWEEPING}' or 'unknown_fields: scan' are "
                          "verified; --joint looks at the others")
    kinds = {True: _promised(declared), False: _promised(undeclared)}
    report, found, lines, unread = Report(name, "masked"), Counter[str](), 0, 0
    for record in Records(released, policy, once=True):
        lines += 1
        if not isinstance(record, dict) or record is TWICE:
            unread += 1
            continue
        for known, text in _texts(record, "", policy, {path for path in segment.rules if path != DEFAULT}):
            for kind in kinds[known]:
                pattern, confirmed = _RECOGNISERS[kind]
                found.update(kind for match in pattern.finditer(text) if confirmed(match[0]))
    report.counts["lines"] = lines
    if unread:
        report.add("lines", "JSON objects", f"{unread:,} lines are none, or have a member twice", False)
    looked = sorted(kinds[True] | kinds[False])
    shown = ", ".join(f"{kind} {count:,}" for kind, count in sorted(found.items()))
    verdict = "broken" if found else "held" if looked else "open"
    note = f"looked for {', '.join(looked) or 'nothing'}"
    report.add("swept", "nothing detected is shown", shown or "nothing", verdict, note)  # type: ignore[arg-type]
    return report


def _promised(rule: RuleSpec | None) -> frozenset[str]:
    """The types that a rule promises to replace by their names, so far as they are recognised here."""
    if rule is None:
        return frozenset()
    params = bound(rule)[1]
    assert isinstance(params, RedactTextParams)
    if params.minimum > SURE or params.allow:
        return frozenset()
    own = params.parts
    types = params.types or tuple(_RECOGNISERS)
    return frozenset(kind for kind in _RECOGNISERS if kind in types and kind not in own and OTHERS not in own)


def _texts(value: Any, path: str, policy: Policy, ruled: set[str]) -> Iterator[tuple[bool, str]]:
    """The texts, numbers and keys of a record that are swept, and whether a declared field is."""
    for key, inner in value.items():
        place = f"{path}.{key}" if path else key
        yield from _member(key, inner, place, policy, ruled)


def _member(key: str, value: Any, place: str, policy: Policy, ruled: set[str]) -> Iterator[tuple[bool, str]]:
    if any(one == place or one.startswith((place + ".", place + "[")) for one in (*ruled, *policy.fields)):
        if place in ruled:
            return
        if place in policy.fields:
            yield from ((True, text) for text in _all(value, 0))
            return
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _texts(inner, place + ("[*]" if isinstance(value, list) else ""), policy, ruled)
            elif f"{place}[*]" in policy.fields and f"{place}[*]" not in ruled:
                yield from ((True, text) for text in _all(inner, 0))
    elif not any(_opens(one, place) for one in policy.fields):  # whose key it is cannot be told here
        yield False, key
        yield from ((False, text) for text in _all(value, 0))


def _opens(path: str, place: str) -> bool:
    """Whether a place lies in an object whose members a path declares by ``*``."""
    steps = path.split(".")
    return "*" in steps and place.startswith("".join(f"{step}." for step in steps[: steps.index("*")]))


def _all(value: Any, depth: int) -> Iterator[str]:
    """Every text, key and number below a value, of JSON inside of texts, too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _all(inner, depth)
    elif isinstance(value, list):
        for inner in value:
            yield from _all(inner, depth)
    elif isinstance(value, str):
        yield from _all(inner, depth + 1) if (inner := _inner(value, depth)) is not None else (value,)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _inner(text: str, depth: int) -> Any:
    """What a text holds as JSON; None where it holds none."""
    if depth == DEEPEST or text[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
