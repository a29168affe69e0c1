"""The one list of techniques: what a policy may name, and what documentation, schema and SQL functions are derived from."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple

from flink_masking.errors import PolicyError
from flink_masking.techniques import (
    date_shift,
    drop,
    encrypt,
    encrypt_deterministic,
    fpe,
    generalize,
    keep,
    nullify,
    partial,
    perturb,
    pseudonym,
    redact,
    shuffle,
    substitute,
    tokenize,
)
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises

TECHNIQUES: Mapping[str, Technique] = MappingProxyType(
    {
        module.TECHNIQUE.name: module.TECHNIQUE
        for module in (
            keep, drop, nullify, redact, partial, pseudonym, fpe, encrypt, encrypt_deterministic,
            generalize, date_shift, substitute, shuffle, perturb, tokenize,
        )
    }
)
"""Every technique by its name in the policy, in the order of the documentation."""

NOT_YET = frozenset({"redact_text"})
"""Names that the grammar of policies reserves; naming one is a fault of its own kind, never ignored."""


def get(name: str) -> Technique:
    """The technique of that name.

    Args:
        name: as written in the policy.

    Raises:
        PolicyError: the name is reserved for a technique that is not available yet, or unknown.

    >>> get("nulify")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flink_masking.errors.PolicyError: unknown technique 'nulify'. Hint: did you mean 'nullify'? Known techniques are keep, drop, ...
    """
    if name in TECHNIQUES:
        return TECHNIQUES[name]
    known = ", ".join(TECHNIQUES)
    if name in NOT_YET:
        raise PolicyError(f"technique {name!r} is not available yet. Hint: use one of {known}")
    near = get_close_matches(name, TECHNIQUES, 1)
    hint = f"did you mean {near[0]!r}? Known" if near else "known"
    raise PolicyError(f"unknown technique {name[:40]!r}. Hint: {hint} techniques are {known}")


class Row(NamedTuple):
    """One line of the documentation's table of techniques.

    Attributes:
        name: in the policy.
        summary: one line.
        parameters: (name, default as written in a policy, or "required"), without those that every technique has.
        deterministic: "yes", "no" or "by parameters".
        reversible: a key holder can get the value back.
        row_local: the result of a row does not depend on other rows.
    """

    name: str
    summary: str
    parameters: tuple[tuple[str, str], ...]
    deterministic: str
    reversible: bool
    row_local: bool


def _written(default: Any) -> str:
    """A default as a policy would write it."""
    if default is None:
        return "–"
    return str(default).lower() if isinstance(default, bool) else f'"{default}"' if isinstance(default, str) else str(default)


def examples(technique: Technique) -> tuple[Promises, ...]:
    """What a technique promises for each of its examples."""
    return tuple(technique.promises(technique.params.model_validate(example)) for example in technique.examples)


def those(promise: Callable[[Promises], bool]) -> list[str]:
    """The names of techniques with a promise, for hints: ``a longer pseudonym`` where some parameters only give it."""
    found = {name: [promise(kept) for kept in examples(technique)] for name, technique in TECHNIQUES.items()}
    return [name if all(kept) else f"{name} (by its parameters)" for name, kept in found.items() if any(kept)]


def purposes() -> tuple[str, ...]:
    """Everything that a technique derives keys for together with a policy's ``domain``: what exported key rings hold, sorted."""
    return tuple(sorted({purpose for technique in TECHNIQUES.values() for kept in examples(technique) for purpose in kept.purposes}))


def _row(technique: Technique) -> Row:
    kept = examples(technique)
    again = {promises.deterministic for promises in kept}
    fields = technique.params.model_fields.items()
    return Row(
        technique.name,
        technique.summary,
        tuple(
            (field.alias or name, "required" if field.is_required() else _written(field.get_default(call_default_factory=True)))
            for name, field in fields
            if name not in Params.model_fields
        ),
        "by parameters" if len(again) == 2 else "yes" if again == {True} else "no",
        all(promises.reversible for promises in kept),
        all(promises.row_local for promises in kept),
    )


def table() -> tuple[Row, ...]:
    """The techniques as rows for documentation, in the order of the registry."""
    return tuple(_row(technique) for technique in TECHNIQUES.values())
