"""Faults of a policy: each has a message, a hint, a line and a column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from flink_masking.errors import FlinkMaskingError, InputError, PolicyError


@dataclass(frozen=True, order=True)
class Fault:
    """One fault or warning.

    Attributes:
        line: of the policy's text, from 1.
        column: in characters, from 1.
        message: what is wrong, in the words of the policy; never a value of a record.
        hint: what to do, or "".
        severity: a policy with a warning can be used, one with an error cannot.
    """

    line: int
    column: int
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def text(self, name: str) -> str:
        """The fault as people and editors read it: ``name:line:column: message``, and the hint below."""
        kind = "warning: " if self.severity == "warning" else ""
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{name}:{self.line}:{self.column}: {kind}{self.message}{hint}"


class Faults(FlinkMaskingError):
    """A document that cannot be used, with all that is wrong with it.

    Attributes:
        name: of the document's source.
        faults: at least one, in the order of the text.
        what: kind of document, for messages.
        start: how such a document begins, as a hint.
    """

    what: ClassVar[str] = "the document"
    start: ClassVar[str] = ""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        """Keep the faults, sorted by place, each once."""
        self.name = name
        self.faults = tuple(sorted(set(faults)))
        super().__init__(self._text())

    def _text(self) -> str:
        return "\n".join(fault.text(self.name) for fault in self.faults)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as name and faults."""
        return type(self), (self.name, self.faults)


class PolicyFaults(Faults, PolicyError):
    """A policy that cannot be used; see `Faults`."""

    what, start = "the policy", "start with 'version: 1'"


class DeploymentFaults(Faults, InputError):
    """A deployment that cannot be used; see `Faults`. Its message is one line with hints."""

    what, start = "the deployment", "start with 'source: {connector: …}'"

    def _text(self) -> str:
        return "; ".join(f"{self.name}:{fault.line}:{fault.column}: {fault.message}. Hint: {fault.hint}" for fault in self.faults)


def split_hint(text: str) -> tuple[str, str]:
    """Message and hint of an error text of the house's form, ``what is wrong. Hint: what to do``."""
    message, _, hint = text.partition("Hint:")
    return message.strip().removesuffix("."), hint.strip()


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """A hint that names the nearest known word, or all of them when there are few.

    >>> did_you_mean("zipp", ["age", "zip"], "fields")
    "did you mean 'zip'?"
    """
    names = list(dict.fromkeys(known))
    near = get_close_matches(word, names, 1) or [name for name in names if _share_a_word(word, name)][:1]
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known {what}: {', '.join(names)}" if names and len(names) <= 20 else ""


def _share_a_word(word: str, name: str) -> bool:
    """Whether one is a word of the other, as ``ip`` is of ``ip_address`` and ``phone`` of ``phone_number``."""
    one, other = word.lower().split("_"), name.lower().split("_")
    return word != name and (set(one) <= set(other) or set(other) <= set(one))
