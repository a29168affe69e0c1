"""The contract of the fields: what can be checked of each, and which shown fields nothing is declared of."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flink_masking.contract.field import Contract, contract_of, instants
from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.fields import KINDS, Field
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import IDENTIFYING, Rule
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.policy.tree import FieldTree
from flink_masking.techniques.promises import Shows
from flink_masking.values.units import A_SECOND, Unit

FLOAT_DECIMALS = 6
"""Decimals that a number may have whatever its scale, unless the contract is strict: sources that reckon in floating point write them."""


_WORDS_OF_TEXT = re.compile(
    r"(?:^|[.\]_\-\s\"]|(?<=[a-z])(?=[A-Z]))(?i:notes?|comments?|descriptions?|remarks?|messages?|texts?|body|reasons?|details?|feedback|"
    r"memo|narrative|complaint|inquiry|question|answer|bemerkung|kommentar|beschreibung|notiz|nachricht|commentaire|descripcion|nota)"
    r"(?:$|[\[_\-\s\"\d]|(?=[A-Z]))[^.]*$")
"""Names of fields that hold text that people write."""


def _redacted(rule: Rule) -> bool:
    return rule.technique.name == "redact_text"


def field_contract(field: Field, strict: bool = False) -> Contract | None:
    """What is checked of a field's values; None where nothing is declared that could be.

    Args:
        field: the declaration.
        strict: a number has no more decimals than its scale.

    Raises:
        PolicyError: the declaration contradicts itself, or its pattern is no regular expression.
    """
    scale = field.scale if strict or field.scale is None else max(field.scale, FLOAT_DECIMALS)
    domain = field.domain if field.unit is None else _ticks(field, field.unit)
    return contract_of(field.type, field.type in KINDS, field.bounds, domain, scale, field.prefix, field.values, field.pattern)


def _ticks(field: Field, unit: Unit) -> tuple[Any, Any] | None:
    """The domain of times as numbers: of dates, the first tick of the lower one and the last of the upper one.

    None where a contract cannot hold it, which is for numbers of up to 18 digits; anonymized segments keep to it all the same.
    """
    first, last = field.domain or (None, None)
    if not isinstance(first, str) or not isinstance(last, str):
        return field.domain
    if unit == "ns" or field.type == "text":
        return None
    low, high = instants(first, last)
    return low * A_SECOND[unit] // 1_000, ((high + 1) * A_SECOND[unit] - 1) // 1_000


def check_contracts(policy: Policy, findings: Findings) -> dict[str, Contract]:
    """The contracts of the fields that have one; faults go to `findings`."""
    found = {}
    for path, field in policy.fields.items():
        if any(findings.has_error(("fields", path, key)) for key in ("domain", "bounds") if getattr(field, key) is not None):
            continue
        try:
            contract = field_contract(field, policy.contract == "strict")
        except PolicyError as error:
            key, _, _ = str(error).partition(":")
            findings.refused(("fields", path, key if getattr(field, key, None) is not None else "class"), error)
            continue
        if contract is not None:
            found[path] = contract
    return found


def warn_unchecked(policy: Policy, tree: FieldTree, rules: Mapping[str, Mapping[str, Rule]], contracts: Mapping[str, Contract],
                   findings: Findings) -> None:
    """Warn of unmasked fields whose values have no declared contract."""
    for path in dict.fromkeys(_shown(policy, tree, rules)):
        field = policy.fields[path]
        if path not in contracts and field.hierarchy is None and field.type in (None, "json"):
            hint = "declare its members instead" if field.type == "json" else "declare its type, its values or a pattern"
            if field.type is None and _WORDS_OF_TEXT.search(path) and not all(
                    _redacted(rule) for of in rules.values() if (rule := of.get(path)) is not None):
                hint += "; if people write it, technique redact_text takes personal data out of it"
            text = f"nothing says what '{cut(path)}' holds, so a view shows whatever stands there"
            findings.warn(("fields", path), text, hint, at_key=True)


def _shown(policy: Policy, tree: FieldTree, rules: Mapping[str, Mapping[str, Rule]]) -> Iterator[str]:
    for of in rules.values():
        for path, rule in of.items():
            if rule.promises.passes:
                places = [place for place in (path, *tree.under(path)) if place in policy.fields]
                kept = rule.promises.shows is Shows.EXACT  # of an identifying field that is kept there is a warning of its own
                own = IDENTIFYING if kept else ("free_text",) if _redacted(rule) else ()
                yield from (place for place in places if policy.fields[place].role not in own)
    for segment in policy.segments.values():
        if isinstance(segment, AnonymizedSegment):
            yield from (path for path in segment.release if path in policy.fields)
