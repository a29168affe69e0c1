"""What a technique is: parameters checked once, a mask that sees data only, and the promises that the laws are run against.

A technique module has a frozen `Params` class, a function ``make_<name>(params, site) -> Mask | Action`` in which everything that can
be wrong is found, and a `Technique` that declares its promises. Adding one touches its file, the registry's list and its test.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from flink_masking.hierarchy import Hierarchy
from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Values
from flink_masking.vault.base import Vault

__all__ = [
    "Action",
    "Context",
    "Domain",
    "FieldFacts",
    "Mask",
    "Masked",
    "OnError",
    "Params",
    "RuleContext",
    "Shows",
    "Technique",
    "Values",
    "always",
    "never",
    "showing",
    "span",
]

OnError = Literal["redact", "nullify", "drop", "quarantine"]


class Params(BaseModel):
    """Parameters of a rule, as written in the policy; one frozen subclass a technique."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    on_error: OnError = "redact"
    """What becomes of a value that the technique cannot take; carried out by the engine."""


@dataclass(frozen=True)
class FieldFacts:
    """What the policy declares about the field that a rule is for.

    Attributes:
        path: as written in the policy, ``contacts[*].phone``.
        kind: the field's declared ``type`` (email, us_ssn, date, geo, json …) or None.
        domain: public lower and upper bound of a number or (as ISO text) a date, or None.
        hierarchy: the generalisation hierarchy of the field, or None.
        scale: decimals of a number, or None.
        bounds: public bounds that a measure is clipped to, or None.
    """

    path: str
    kind: str | None = None
    domain: tuple[Any, Any] | None = None
    hierarchy: Hierarchy | None = None
    scale: int | None = None
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class RuleContext:
    """Where a rule stands: what `make_<technique>` may know besides its parameters.

    Attributes:
        facts: the field.
        keys: the key ring; ``keys.derive(purpose, domain)`` gives a subkey handle.
        read: reads a file that the policy names, relative to the policy; raises PolicyError.
        has_subject: whether the policy names a subject (masks that work per person need one).
        vault: where tokens are kept; None where there is none, as when a policy is checked.
        stream: the policy's stream, which encrypted values are bound to; empty where there is none, as in a function of SQL.
    """

    facts: FieldFacts
    keys: KeyRing
    read: Callable[[str], str]
    has_subject: bool = True
    vault: Vault | None = None
    stream: str = ""


class Masked(NamedTuple):
    """What a mask made of n values.

    Attributes:
        values: n replacements (or one scalar for all): string = contents of a JSON string, binary = JSON text as it is, null = null.
            Where the input is null, it must be null; where `refused`, it is ignored.
        refused: bool, n, True where the technique cannot take the value; None when it took all. The engine applies `on_error`.
    """

    values: pa.Array | pa.Scalar
    refused: np.ndarray | None = None


def _no_rows(path: str) -> np.ndarray:
    return np.zeros(0, np.int32)


@dataclass(frozen=True)
class Context:
    """What a mask may look at besides its own values, the same for every field of a batch.

    Attributes:
        seed: 32 bytes, drawn anew for each batch and segment; random masks derive their generator from it and the field's path.
        subjects: for each row of the batch the subject's value (null where missing), or None when the policy names no subject.
        rows_of: batch rows in which the field at a path has a value (for values that move together).
    """

    seed: bytes
    subjects: pa.StringArray | None = None
    rows_of: Callable[[str], np.ndarray] = _no_rows

    def generator(self, label: str) -> np.random.Generator:
        """A random generator of this batch and `label`; the same label gives the same stream of numbers within the batch."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([*self.seed, *label.encode()])))


Mask = Callable[[Values, Context], Masked]


class Action(Enum):
    """A rule that needs no look at the values."""

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


def always(_: Any) -> bool:
    """For `Technique.deterministic` and `Technique.injective`: whatever the parameters."""
    return True


def never(_: Any) -> bool:
    """For `Technique.deterministic` and `Technique.injective`: whatever the parameters."""
    return False


class Shows(Enum):
    """What the result of a technique tells of the value that it stands for.

    A consistent stand-in (a pseudonym, a ciphertext) tells nothing of the value; that it is the same each time is `Technique.lasting`.
    """

    EXACT = "exact"
    COARSER = "coarser"
    PART = "part"
    NOISE = "noise"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Technique:
    """A technique's name, parameters, maker and promises.

    Attributes:
        name: as in the policy, also the module's name.
        summary: one line for people.
        params: its Params class.
        make: ``(params, site) -> Mask | Action``; raises PolicyError for all that can be wrong.
        deterministic: same value, key and parameters give the same result (given the parameters).
        reversible: a key holder can get the value back.
        row_local: the result of a row does not depend on the other rows of the batch.
        inputs: kinds of values it takes; others are refused by the engine before `on_error`.
        output: the output domain for given parameters; None for keep and drop.
        keyed: needs a key ring.
        examples: parameter sets (without the technique's name) that the laws are run with.
        unmake: for a reversible technique ``(params, site) -> Mask``: the way back for a key holder; what cannot be opened is refused.
        hides: texts of at most so many characters are hidden whole, whatever they are: they go to the technique even if they break the
            contract of their field.
        injective: two different texts (in NFC) that it takes never share a result, whatever the record or batch: what the key of a
            table needs. A digest counts from 96 bits on; a technique that says nothing is taken for one that merges values.
        composes: it brings text into Unicode's normal form NFC first, so that two spellings of one text share a result.
        shows: what a result tells of its value.
        lasting: whether results tell people apart and stay the same in all records of a person, for values that do.
        resolution: for results that are coarser, a part or noisy: how many values they tell apart, given what is declared of the field;
            infinite where that is not known.
    """

    name: str
    summary: str
    params: type[Params]
    make: Callable[[Any, RuleContext], Mask | Action]
    deterministic: Callable[[Any], bool]
    reversible: bool
    row_local: bool
    inputs: frozenset[Kind]
    output: Callable[[Any], Domain] | None
    keyed: bool = False
    examples: tuple[dict[str, Any], ...] = field(default_factory=lambda: ({},))
    unmake: Callable[[Any, RuleContext], Mask] | None = None
    injective: Callable[[Any], bool] = never
    hides: Callable[[Any], int] = field(default=lambda _: 0)
    composes: bool = False
    shows: Callable[[Any], Shows] = field(default=lambda _: Shows.EXACT)
    lasting: Callable[[Any], bool] = field(default=lambda _: True)
    resolution: Callable[[Any, FieldFacts], float] = field(default=lambda _, __: math.inf)

    def key_domain(self, params: Any) -> str | None:
        """The domain that the rule takes its key from; None for a technique without keys, and for noise and names drawn anew each time."""
        if not self.keyed or not (self.reversible or self.deterministic(params)):
            return None
        return getattr(params, "domain", None)



def showing(what: Shows) -> Callable[[Any], Shows]:
    """For `Technique.shows`: the same whatever the parameters."""
    return lambda _: what


def span(facts: FieldFacts) -> float:
    """Length of the declared range of a number (or, in days, of a date); infinite where none is declared."""
    low, high = facts.domain or facts.bounds or (None, None)
    if isinstance(low, str) and isinstance(high, str):
        try:
            return float((date.fromisoformat(high[:10]) - date.fromisoformat(low[:10])).days)
        except ValueError:
            return math.inf
    return math.inf if low is None or high is None or isinstance(low, str) else float(high) - float(low)
