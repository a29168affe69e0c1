"""The one list of techniques: what a policy may name, and what documentation, schema and SQL functions are derived from.

Techniques of other packages come by the entry point group ``flink_masking.techniques``: ``initials = "my_package:TECHNIQUE"``. They are
looked for when a name is none of the library's own, or when all are listed; one that cannot be loaded, or that takes the name of another,
is an error wherever it is asked for.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib import metadata
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
    redact_text,
    shuffle,
    substitute,
    tokenize,
)
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises

GROUP = "flink_masking.techniques"
"""The group of entry points by which other packages bring techniques."""

OWN: Mapping[str, Technique] = {
    module.TECHNIQUE.name: module.TECHNIQUE
    for module in (
        keep, drop, nullify, redact, partial, redact_text, pseudonym, fpe, encrypt, encrypt_deterministic,
        generalize, date_shift, substitute, shuffle, perturb, tokenize,
    )
}  # fmt: skip
"""The library's own techniques by their names in the policy, in the order of the documentation."""


class Techniques(Mapping[str, Technique]):
    """Every technique by its name in the policy: the library's own first, then those of other packages by name.

    Attributes:
        packages: for each technique of another package the distribution that brings it.
    """

    def __init__(self) -> None:
        """Nothing of other packages is looked for yet."""
        self._loaded: dict[str, Technique] = dict(OWN)

    @cached_property
    def _entries(self) -> dict[str, metadata.EntryPoint]:
        """The entry points of other packages by the name of the technique.

        Raises:
            PolicyError: one has the name of another technique, or a name that no technique can have.
        """
        found: dict[str, metadata.EntryPoint] = {}
        for entry in sorted(set(metadata.entry_points(group=GROUP)), key=lambda entry: (entry.name, entry.value)):
            whose = _package(entry)
            if entry.name in OWN:
                raise PolicyError(f"{whose} names its technique {entry.name[:40]!r}, which is a name of flink-masking. "
                                  "Hint: the library's own techniques are not replaced; rename it, or uninstall the package")
            if entry.name in found:
                raise PolicyError(f"{whose} and {_package(found[entry.name])} both bring a technique {entry.name[:40]!r}. "
                                  "Hint: uninstall one of them")
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", entry.name):
                raise PolicyError(f"{whose} brings a technique with an unusable name. Hint: lower-case letters, digits and _, at most 40")
            found[entry.name] = entry
        return found

    @property
    def packages(self) -> dict[str, str]:
        """See the class."""
        return {name: _package(entry) for name, entry in self._entries.items()}

    def __getitem__(self, name: str) -> Technique:
        """The technique of that name; that of another package is imported when it is first asked for.

        Raises:
            KeyError: there is none.
            PolicyError: it cannot be loaded, or packages contradict each other.
        """
        if name not in self._loaded:
            self._loaded[name] = _load(self._entries[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*OWN, *self._entries))

    def __len__(self) -> int:
        return len(OWN) + len(self._entries)


def _package(entry: metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]


def _load(entry: metadata.EntryPoint) -> Technique:
    where = f"technique {entry.name!r} of {_package(entry)}"
    try:
        technique = entry.load()
    except Exception as error:  # whatever a foreign module raises; its text may hold anything
        hint = f"python -c 'import {entry.module}' shows why"
        raise PolicyError(f"{where} cannot be imported ({type(error).__name__}). Hint: {hint}") from None
    if not isinstance(technique, Technique):
        raise PolicyError(f"{where} is no Technique. Hint: the entry point names an object of flink_masking.techniques.base.Technique")
    if technique.name != entry.name:
        raise PolicyError(f"{where} calls itself {technique.name[:40]!r}. Hint: give entry point and technique the same name")
    return technique


TECHNIQUES = Techniques()
"""Every technique by its name in the policy, in the order of the documentation."""


def get(name: str) -> Technique:
    """The technique of that name.

    Args:
        name: as written in the policy.

    Raises:
        PolicyError: the name is unknown, or that of a package that cannot be used.

    >>> get("nulify")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flink_masking.errors.PolicyError: unknown technique 'nulify'. Hint: did you mean 'nullify'? Known techniques are keep, drop, ...
    """
    if name in OWN:
        return OWN[name]
    if name in TECHNIQUES:
        return TECHNIQUES[name]
    near = get_close_matches(name, TECHNIQUES, 1)
    hint = f"did you mean {near[0]!r}? Known" if near else "known"
    raise PolicyError(f"unknown technique {name[:40]!r}. Hint: {hint} techniques are {', '.join(TECHNIQUES)}")


def examples(technique: Technique) -> tuple[Promises, ...]:
    """What a technique promises for each of its examples."""
    return tuple(technique.promises(technique.params.model_validate(example)) for example in technique.examples)


def those(promise: Callable[[Promises], bool]) -> list[str]:
    """The names of techniques with a promise, for hints; with a note where some parameters only give it."""
    found = {name: [promise(kept) for kept in examples(technique)] for name, technique in TECHNIQUES.items()}
    return [name if all(kept) else f"{name} (by its parameters)" for name, kept in found.items() if any(kept)]


def purposes() -> tuple[str, ...]:
    """Everything that a technique derives keys for together with a policy's ``domain``: what exported key rings hold, sorted."""
    return tuple(sorted({purpose for technique in TECHNIQUES.values() for kept in examples(technique) for purpose in kept.purposes}))


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


def parameters(technique: Technique) -> tuple[tuple[str, str], ...]:
    """Name and default, as a policy writes it or "required", of each parameter but those that every technique has."""
    return tuple(
        (field.alias or name, "required" if field.is_required() else _written(field.get_default(call_default_factory=True)))
        for name, field in technique.params.model_fields.items()
        if name not in Params.model_fields
    )


def answer(found: set[bool]) -> str:
    """A promise of several examples in words: "yes", "no" or "by parameters"."""
    return "by parameters" if len(found) == 2 else "yes" if found == {True} else "no"


def _row(technique: Technique) -> Row:
    kept = examples(technique)
    again = answer({promises.deterministic for promises in kept})
    reversible, row_local = (all(values) for values in zip(*((p.reversible, p.row_local) for p in kept), strict=True))
    return Row(technique.name, technique.summary, parameters(technique), again, reversible, row_local)


def table() -> tuple[Row, ...]:
    """The library's own techniques as rows for documentation, in the order of the registry."""
    return tuple(_row(technique) for technique in OWN.values())
