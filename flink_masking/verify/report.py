"""The report of an audit: promises that hold, are broken or undecidable, and further figures."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from flink_masking.verify.lines import Table

Verdict = Literal["held", "broken", "open"]


@dataclass(frozen=True)
class Promise:
    """One promise of the policy.

    Attributes:
        name: of the rule.
        promised: in the policy's words.
        found: what the output shows.
        verdict: open where the output alone does not decide it.
        note: why, or where.
        outside: the same two, `found` and `note`, for people who do not hold the raw records, where these must not learn them as they are;
            see `flink_masking.verify.passed_on`.
    """

    name: str
    promised: str
    found: str
    verdict: Verdict
    note: str = ""
    outside: tuple[str, str] | None = field(default=None, repr=False, compare=False)


@dataclass
class Report:
    """Findings about one view.

    Attributes:
        segment: its name.
        view: anonymized or aggregated.
        counts: lines, raw records and what became of them.
        promises: in the order of the policy.
        figures: by section, by name: loss, risk, homogeneity, delay.
        notes: how figures came about, where that is not plain.
    """

    segment: str
    view: str
    counts: dict[str, int] = field(default_factory=dict)
    promises: list[Promise] = field(default_factory=list)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, promised: str, found: str, verdict: Verdict | bool, note: str = "",
            outside: tuple[str, str] | None = None) -> None:
        """Add a promise: True means kept, False broken."""
        told: Verdict = verdict if isinstance(verdict, str) else "held" if verdict else "broken"
        self.promises.append(Promise(name, promised, found, told, note, outside))

    @property
    def broken(self) -> bool:
        """Whether any promise is broken."""
        return any(promise.verdict == "broken" for promise in self.promises)

    @property
    def open(self) -> bool:
        """Whether any promise cannot be decided."""
        return any(promise.verdict == "open" for promise in self.promises)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = asdict(self)
        for promise in told["promises"]:
            del promise["outside"]
        return {**told, "broken": self.broken, "open": self.open}


def unreadable(table: "Table") -> str:
    """What is said of lines that were not read; nothing where all were."""
    others = table.unreadable - table.twice
    parts = [f"{others:,} lines are no JSON objects"] if others else []
    return "; ".join(parts + ([f"{table.twice:,} lines have a member twice"] if table.twice else []))
