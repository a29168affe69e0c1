"""Results of an assessment: points with their evidence, plain data for text, JSON and the report."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from flink_masking.compliance.subject import PolicyViews

Status = Literal["met", "open", "outside"]
"""met: a field and rule of the policy is evidence for it; open: something in the policy speaks against it; outside: no tool can decide it,
or the policy declares nothing that it is about."""
UNKNOWN = (
    "Evidence from the policy for the points named; no legal advice, and no statement that anything satisfies a law. It rests on what the "
    "policy declares. This tool cannot know whether a field's class and type are right and complete ('flink-masking scan --against' "
    "compares them with a sample), what readers already have or do with a view, what contracts, purposes and legal bases there are, how "
    "long readers keep what they received, or who holds the keys and the vault."
)
"""What is said with every assessment."""


@dataclass(frozen=True)
class Evidence:
    """One field in one view, or one setting of the policy.

    Attributes:
        segment: of the policy; empty for the policy as a whole.
        place: path of the field, or key of the policy.
        rule: as in the policy, shortened.
        met: whether it is evidence for the point; otherwise it is why the point is open.
        note: what was found, and for open ones what to do.
    """

    segment: str
    place: str
    rule: str
    met: bool
    note: str = ""


@dataclass(frozen=True)
class Point:
    """One point of a framework.

    Attributes:
        id: such as ``164.514(b)(2)(i)(A)``.
        title: what it is about, in few words.
        evidence: what was found.
        text: what this tool cannot know of it, or what it rests on.
    """

    id: str
    title: str
    evidence: tuple[Evidence, ...] = ()
    text: str = ""

    @property
    def status(self) -> Status:
        """Open where any evidence speaks against it; outside where there is none at all."""
        if not self.evidence:
            return "outside"
        return "met" if all(one.met for one in self.evidence) else "open"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"id": self.id, "title": self.title, "status": self.status, "evidence": [asdict(one) for one in self.evidence],
                "text": self.text}


@dataclass(frozen=True)
class Figure:
    """A figure of a view.

    Attributes:
        segment: of the policy.
        name: of the figure.
        promised: by the policy, as text; empty where it promises nothing.
        measured: by `flink_masking.verify`; None where nothing was measured.
        bound: the measured figure is an upper bound of the true one.
    """

    segment: str
    name: str
    promised: str
    measured: float | None = None
    bound: bool = False


@dataclass(frozen=True)
class Framework:
    """A law or standard, as far as a policy can give evidence for it.

    Attributes:
        name: on the command line.
        title: for people.
        points: asks all its points.
        figures: of its views, where it is about figures.
        text: what it does not decide.
    """

    name: str
    title: str
    points: "Callable[[PolicyViews], list[Point]]"
    text: str = ""
    figures: "Callable[[PolicyViews], list[Figure]] | None" = None


@dataclass(frozen=True)
class Assessment:
    """The points of one framework for one policy.

    Attributes:
        framework: its name.
        title: for people.
        policy: name of the policy's file.
        stream: of the policy.
        version: of the policy.
        segments: the views that were looked at.
        points: in the order of the framework.
        figures: of the views.
        text: what it does not decide.
    """

    framework: str
    title: str
    policy: str
    stream: str
    version: int
    segments: tuple[str, ...]
    points: tuple[Point, ...]
    figures: tuple[Figure, ...] = field(default=())
    text: str = ""

    @property
    def open(self) -> int:
        """How many points are open."""
        return sum(point.status == "open" for point in self.points)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "framework": self.framework, "title": self.title, "policy": self.policy, "stream": self.stream, "version": self.version,
            "segments": list(self.segments), "open": self.open, "points": [point.as_dict() for point in self.points],
            "figures": [asdict(one) for one in self.figures], "text": self.text, "cannot_know": UNKNOWN,
        }
