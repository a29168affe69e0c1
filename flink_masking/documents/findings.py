"""The list that checks write to: faults and warnings, each with its place in the document."""

from collections.abc import Sequence

from flink_masking.documents.document import Document, Mark
from flink_masking.documents.faults import Fault, split_hint
from flink_masking.errors import PolicyError


class Findings:
    """What was found so far.

    Attributes:
        document: the policy's text with its places.
        faults: errors and warnings, in the order found.
    """

    def __init__(self, document: Document) -> None:
        """Begin with nothing found."""
        self.document = document
        self.faults: list[Fault] = []

    def error(self, path: Sequence[str | int], message: str, hint: str = "", *, at_key: bool = False) -> None:
        """Note an error at the value (or key) at `path`."""
        self.faults.append(Fault(*self._place(path, at_key), message, hint))

    def warn(self, path: Sequence[str | int], message: str, hint: str = "", *, at_key: bool = False) -> None:
        """Note something that is allowed and seldom meant."""
        self.faults.append(Fault(*self._place(path, at_key), message, hint, "warning"))

    def later(self, path: Sequence[str | int], what: str, hint: str = "") -> None:
        """Note a part of the grammar that is refused for now, never ignored."""
        self.error(path, f"{what} is not available yet", hint)

    def refused(self, path: Sequence[str | int], error: PolicyError, *, at_key: bool = False) -> None:
        """Note an error of the house's form, ``what is wrong. Hint: what to do``."""
        self.error(path, *split_hint(str(error)), at_key=at_key)

    def has_error(self, path: Sequence[str | int]) -> bool:
        """Whether an error is noted at the value at `path`."""
        place = self._place(path, False)
        return any((fault.line, fault.column) == place for fault in self.errors)

    @property
    def errors(self) -> list[Fault]:
        """The faults that a policy cannot be used with, each once."""
        return list(dict.fromkeys(fault for fault in self.faults if fault.severity == "error"))

    @property
    def warnings(self) -> list[Fault]:
        """The other ones, in the order of the text, each once."""
        return sorted({fault for fault in self.faults if fault.severity == "warning"})

    def _place(self, path: Sequence[str | int], at_key: bool) -> Mark:
        path = self.document.resolve(path) if not at_key else path  # an entry of a list that is written as the entry alone
        return self.document.key_mark(path) if at_key else self.document.mark(path)
