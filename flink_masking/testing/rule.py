"""A technique with one example of its parameters, and what becomes of values under it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyHandle, KeyRing
from flink_masking.techniques.base import Action, FieldFacts, RuleContext, Technique
from flink_masking.techniques.masks import Context, Mask, Values
from flink_masking.testing.samples import HIERARCHY
from flink_masking.vault.base import Vault
from flink_masking.vault.memory import MemoryVault

REFUSED = "(refused)"


class BrokenPromise(AssertionError):
    """A technique does other than it promises."""


class AskedRing(KeyRing):
    """A key ring that notes what is derived from it.

    Attributes:
        asked: (purpose, domain) of every key.
    """

    __slots__ = ("asked",)
    asked: set[tuple[str, str]]

    def derive(self, purpose: str, domain: str, version: int | None = None, length: int = 32) -> KeyHandle:
        """A key, noted."""
        self.asked.add((purpose, domain))
        return super().derive(purpose, domain, version, length)


def asked_ring() -> AskedRing:
    """A fresh one."""
    ring = AskedRing.new()
    ring.asked = set()
    return ring


class Rule:
    """A technique with one of its examples.

    Attributes:
        technique: it.
        params: of the example, checked.
        promises: for these parameters.
        ring: the keys that masks are made with unless others are given.
        vault: as `ring`.
    """

    def __init__(self, technique: Technique, example: dict[str, Any]) -> None:
        """Check the example's parameters."""
        self.technique, self.params = technique, technique.params.model_validate(example)
        self.promises = technique.promises(self.params)
        self.ring, self.vault = KeyRing.new(), MemoryVault()

    def site(self, path: str = "field", ring: KeyRing | None = None, vault: Vault | None = None, has_subject: bool = True) -> RuleContext:
        """Where the rule stands."""
        return RuleContext(FieldFacts(path), ring or self.ring, lambda name: HIERARCHY, has_subject, vault or self.vault)

    def mask(self, site: RuleContext | None = None) -> Mask:
        """The rule's mask."""
        made = self.technique.make(self.params, site or self.site())
        keep_to(not isinstance(made, Action), "a technique without an action makes masks")
        assert not isinstance(made, Action)
        return made

    def back(self, site: RuleContext | None = None) -> Mask:
        """The inverse mask."""
        try:
            return self.technique.unmake(self.params, site or self.site())
        except (AttributeError, PolicyError) as error:
            raise BrokenPromise(f"reversible: there is no inverse mask ({type(error).__name__})") from None

    def results(self, values: Values, seed: int = 7, site: RuleContext | None = None, people: str = "person") -> list[Any]:
        """What becomes of each value under a mask made for it."""
        return outcome(self.mask(site), values, seed, people)


def keep_to(holds: bool, promise: str) -> None:
    """Raise `BrokenPromise` with what was promised, unless it holds."""
    if not holds:
        raise BrokenPromise(promise)


def context(values: Values, seed: int = 7, people: str = "person") -> Context:
    """What a mask sees of the batch: every row has a subject, every other path the same rows."""
    n = int(values.rows.max(initial=-1)) + 1
    return Context(bytes([seed]) * 32, pa.array([f"{people} {row // 3}" for row in range(n)], pa.string()), lambda path: values.rows)


def outcome(mask: Mask, values: Values, seed: int = 7, people: str = "person", where: Values | None = None) -> list[Any]:
    """What a mask makes of each value: `REFUSED`, None, the contents of a string, or other JSON as bytes.

    Args:
        mask: of a rule.
        values: n values.
        seed: of the batch.
        people: whose records they are.
        where: the batch that the values are a part of; themselves when None.
    """
    masked = mask(values, context(values if where is None else where, seed, people))
    n = len(values.text)
    made = masked.values if isinstance(masked.values, pa.Array) else pa.array([masked.values.as_py()] * n, masked.values.type)
    made.validate(full=True)
    keep_to(made.type in (pa.string(), pa.binary()) and len(made) == n, f"n values give n replacements, strings or JSON, not {made.type}")
    keep_to(masked.refused is None or (masked.refused.dtype == np.bool_ and masked.refused.shape == (n,)), "refused is bool, n, or None")
    refused: Sequence[bool] = [False] * n if masked.refused is None else masked.refused.tolist()
    return [REFUSED if no else _contents(new) for no, new in zip(refused, made.to_pylist(), strict=True)]


def _contents(new: Any) -> Any:
    return json.loads(new) if isinstance(new, bytes) and new.startswith(b'"') else new
