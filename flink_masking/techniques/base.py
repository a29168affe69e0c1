"""What a technique is: a declaration that is cheap to import, and an implementation that is imported when a mask is made.

A declaration holds the frozen `Params`, the `Promises` for given parameters, and the check of everything that can be wrong with a rule;
it imports neither numpy, pyarrow nor kernels. The module named as `implementation` holds ``make(params, rule_context) -> Mask``,
``output_domain(params) -> Domain`` and, for a reversible technique, ``unmake(params, rule_context) -> Mask``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import Kind
from flink_masking.techniques.promises import Promises
from flink_masking.values.units import Unit

if TYPE_CHECKING:
    from flink_masking.hierarchy import Hierarchy
    from flink_masking.keys.ring import KeyRing
    from flink_masking.techniques.masks import Mask
    from flink_masking.vault.base import Vault

__all__ = ["Action", "Domain", "FieldFacts", "OnError", "Params", "RuleContext", "Technique", "span"]

OnError = Literal["redact", "nullify", "drop", "quarantine"]


class Params(BaseModel):
    """Parameters of a rule, as written in the policy; one frozen subclass a technique.

    Attributes:
        on_error: what becomes of a value that the technique cannot take, or that breaks its field's contract: ``***``, null, no member, or
            its record goes to quarantine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    on_error: OnError = "redact"


PARTIAL = "partial_date"
"""The type of fields with dates that may lack the day, or the month and the day."""


@dataclass(frozen=True)
class FieldFacts:
    """Declarations of the policy about the field of a rule.

    Attributes:
        path: as written in the policy, ``contacts[*].phone``.
        kind: the field's declared ``type`` (email, us_ssn, date, geo, json …) or None.
        domain: public lower and upper bound of a number or (as ISO text) a date, or None.
        hierarchy: the generalisation hierarchy of the field, or None.
        scale: decimals of a number, or None.
        bounds: public bounds that a measure is clipped to, or None.
        unit: s, ms, us or ns of a time as a number since 1970, or None.
    """

    path: str
    kind: str | None = None
    domain: tuple[Any, Any] | None = None
    hierarchy: "Hierarchy | None" = None
    scale: int | None = None
    bounds: tuple[float, float] | None = None
    unit: Unit | None = None


@dataclass(frozen=True)
class RuleContext:
    """What a rule may know besides its parameters.

    Attributes:
        facts: the field.
        keys: the key ring; ``keys.derive(purpose, domain)`` gives a subkey handle.
        read: reads a file that the policy names, relative to the policy; raises PolicyError.
        has_subject: whether the policy names a subject (masks that work per person need one).
        vault: where tokens are kept; None where there is none, as when a policy is checked.
        stream: the policy's stream, which encrypted values are bound to; empty where there is none, as in a function of SQL.
        erasure: what the policy says of erased subjects who come again: drop or pass; None where it says nothing, and what the vault keeps
            of a subject then is not told apart.
        keep: days after the day of its last use for which a token is kept; None: for ever.
    """

    facts: FieldFacts
    keys: "KeyRing"
    read: Callable[[str], str]
    has_subject: bool = True
    vault: "Vault | None" = None
    stream: str = ""
    erasure: Literal["drop", "pass"] | None = None
    keep: int | None = None


class Action(Enum):
    """A rule that does not depend on the values."""

    KEEP = "keep"
    DROP = "drop"


class Domain(NamedTuple):
    """The set of texts that a technique can put out for given parameters.

    Attributes:
        description: for people.
        contains: whether a replacement's text belongs to it.
    """

    description: str
    contains: Callable[[str], bool]


def _nothing_to_find(params: Any, rule_context: RuleContext) -> None:
    """For `Technique.check`: parameters that are valid can be used anywhere."""


def _nothing_to_say(params: Any) -> list[str]:
    return []


@dataclass(frozen=True)
class Technique:
    """The declaration of a technique.

    Attributes:
        name: as in the policy, also the module's name.
        summary: one line for people.
        params: its Params class.
        promises: what holds of its results for given parameters.
        inputs: kinds of values it takes; others are refused by the engine before `on_error`.
        implementation: dotted name of the module with ``make``, ``output_domain`` and ``unmake``; imported with the first mask.
        action: the action of a technique that does not depend on values; such a technique has no implementation.
        check: ``(params, rule_context) -> None``; raises PolicyError for everything that the parameters alone do not tell to be wrong.
        warnings: what a policy check says of parameters that are allowed and seldom meant, each with a hint.
        examples: parameter sets (without the technique's name) that the laws are run with; together they ask for every purpose of keys.
        resolution: for results that are coarser, a part or noisy: how many values they tell apart, given what is declared of the field;
            infinite where that is not known.
    """

    name: str
    summary: str
    params: type[Params]
    promises: Callable[[Any], Promises]
    inputs: frozenset[Kind]
    implementation: str = ""
    action: Action | None = None
    check: Callable[[Any, RuleContext], None] = _nothing_to_find
    warnings: Callable[[Any], list[str]] = _nothing_to_say
    examples: tuple[dict[str, Any], ...] = field(default_factory=lambda: ({},))
    resolution: Callable[[Any, FieldFacts], float] = field(default=lambda _, __: math.inf)

    def make(self, params: Any, rule_context: RuleContext) -> "Mask | Action":
        """The mask of a rule, or the action where there is nothing to look at.

        Raises:
            PolicyError: as `check`.
            KeyRingError: the ring lacks a key that the rule needs.
        """
        if self.action is not None:
            return self.action
        self.check(params, rule_context)
        made: Mask = import_module(self.implementation).make(params, rule_context)
        return made

    def unmake(self, params: Any, rule_context: RuleContext) -> "Mask":
        """Decrypt for a key holder; values that cannot be decrypted are refused.

        Raises:
            PolicyError: the technique is not reversible, or not with these parameters or without a vault.
            KeyRingError: the ring lacks a key that the rule needs.
        """
        if not self.promises(params).reversible:
            raise PolicyError(f"{self.name} is not reversible. Hint: only the raw records hold the values")
        made: Mask = import_module(self.implementation).unmake(params, rule_context)
        return made

    def output(self, params: Any) -> Domain:
        """The texts that can be put out.

        Raises:
            PolicyError: values are kept or dropped, so that nothing is put out in their place.
        """
        if self.action is not None:
            raise PolicyError(f"{self.name} puts out nothing of its own. Hint: use a technique that replaces values")
        found: Domain = import_module(self.implementation).output_domain(params)
        return found


def span(facts: FieldFacts) -> float:
    """Length of the declared range of a number (or, in days, of a date); infinite where none is declared."""
    low, high = facts.domain or facts.bounds or (None, None)
    if isinstance(low, str) and isinstance(high, str):
        try:
            return float((date.fromisoformat(high[:10]) - date.fromisoformat(low[:10])).days)
        except ValueError:
            return math.inf
    return math.inf if low is None or high is None or isinstance(low, str) else float(high) - float(low)
