"""The laws: one function for each promise, run over every example of a technique."""

from collections.abc import Callable
from dataclasses import dataclass

from flink_masking.techniques.base import Technique
from flink_masking.testing import on_keys, on_results, on_values
from flink_masking.testing.rule import Rule, keep_to

LAWS: dict[str, Callable[[Rule], None]] = {
    law.__name__: law
    for module in (on_results, on_values, on_keys)
    for law in vars(module).values()
    if getattr(law, "__module__", None) == module.__name__ and callable(law) and not law.__name__.startswith("_")
}
"""Every law by its name; each takes a rule and raises BrokenPromise."""


@dataclass(frozen=True)
class Law:
    """One law for one example of a technique; calling it raises `BrokenPromise` where it is not kept.

    Attributes:
        name: of the law.
        technique: whose.
        example: number of the example.
    """

    name: str
    technique: Technique
    example: int

    def __call__(self) -> None:
        """Hold the technique against the law."""
        LAWS[self.name](Rule(self.technique, self.technique.examples[self.example]))

    def __str__(self) -> str:
        return f"{self.technique.name}-{self.example}-{self.name}"


def laws(technique: Technique) -> list[Law]:
    """Every law for every example of a technique: what to parametrise a test with.

    Raises:
        BrokenPromise: the technique has no examples.
    """
    keep_to(bool(technique.examples), "a technique has examples of its parameters")
    return [Law(name, technique, number) for number in range(len(technique.examples)) for name in LAWS]


def check(technique: Technique) -> None:
    """Hold a technique against all laws.

    Raises:
        BrokenPromise: with the first that is not kept.
    """
    for law in laws(technique):
        law()
