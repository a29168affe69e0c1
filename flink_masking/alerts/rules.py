"""The grammar of alert rules."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from flink_masking.alerts.targets import FileTarget, KafkaTarget, Target, WebhookTarget, target_kind
from flink_masking.policy.durations import PositiveDuration

MINUTE, DAY = 60_000, 86_400_000
Count = Annotated[int, Field(ge=0, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500)]
Names = Annotated[tuple[Text, ...], Field(min_length=1)]
Outcome = Literal["taken", "in_force", "refused", "revoked", "withdrawn", "ended", "unreadable", "readable", "stale"]
ReverseEvent = Literal["unmask", "rekey", "reveal", "replay"]


class Rule(BaseModel):
    """What every rule has.

    Attributes:
        severity: of its alerts.
        within: length of the sliding window in ms, written as a duration.
        every: ms for which the same alert is not told again; afterwards once more, with the number of times. The file's when None.
        streams: of these streams only; all when None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    severity: Literal["info", "warning", "critical"] = "warning"
    within: PositiveDuration = MINUTE
    every: PositiveDuration | None = None
    streams: Names | None = None


class Counted(Rule):
    """A rule on a number in a window.

    Attributes:
        above: an alert where there are more in the window.
    """

    above: Count = 0

    @property
    def share_above(self) -> float | None:
        """There is no whole that this could be a share of."""
        return None

    @property
    def at_least(self) -> int:
        """No whole is needed."""
        return 0


class Shared(Rule):
    """A rule on a number, or on a share of records or values, in a window.

    Attributes:
        above: an alert where there are more in the window.
        share_above: an alert where the share is greater, 0 to 1.
        at_least: records or values that the window must have before a share counts.
    """

    above: Count | None = None
    share_above: Share | None = None
    at_least: Annotated[int, Field(ge=1, strict=True)] = 100

    @model_validator(mode="after")
    def _limit(self) -> "Shared":
        if self.above is None and self.share_above is None:
            raise ValueError("has no limit. Hint: share_above: 0.01, or above: 100")
        return self


class Quarantined(Shared):
    """Records that went to the quarantine; with `reasons` each of them is measured by itself.

    Attributes:
        reasons: each of these reasons by itself, such as contract; all together when None.
    """

    when: Literal["quarantined"]
    reasons: Names | None = None


class RejectedField(Counted):
    """Lines of the quarantine by reason and declared field.

    Attributes:
        reasons: of these reasons only; all when None.
        fields: of these declared fields only; all when None.
    """

    when: Literal["rejected_field"]
    reasons: Names | None = None
    fields: Names | None = None


class Drift(Counted):
    """Undeclared fields and schemas that the lock file does not know."""

    when: Literal["drift"]


class Refused(Shared):
    """Values that a technique could not take, by segment and field.

    Attributes:
        segments: of these segments only; all when None.
        fields: of these declared fields only; all when None.
    """

    when: Literal["refused"]
    segments: Names | None = None
    fields: Names | None = None


class Suppressed(Shared):
    """Records that a segment left out.

    Attributes:
        segments: of these segments only; all when None.
    """

    when: Literal["suppressed"]
    segments: Names | None = None


class Exhausted(Counted):
    """People whose privacy budget is used up, by segment.

    Attributes:
        segments: of these segments only; all when None.
    """

    when: Literal["exhausted"]
    segments: Names | None = None


class Reverse(Counted):
    """Commands that open protected values, by actor.

    Attributes:
        events: ``unmask``, ``rekey``, ``reveal``, ``replay``; all of them when None.
        except_actors: who may do so without an alert.
        without_grant: count only those that no grant allows.
    """

    when: Literal["reverse"]
    events: Annotated[tuple[ReverseEvent, ...], Field(min_length=1)] | None = None
    except_actors: Names | None = None
    without_grant: Annotated[bool, Field(strict=True)] = False


class Control(Counted):
    """What happened to control documents, by kind and outcome. Every worker tells it: the number is that of workers' events.

    Attributes:
        outcomes: what happened to a document.
        kinds: of these kinds of documents only; all when None.
    """

    when: Literal["control"]
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)] = ("refused", "unreadable", "stale")
    kinds: Names | None = None


class Granted(Shared):
    """Records that grants opened: `above` counts them by segment and grant, `share_above` by segment, of all records of the stream.

    Attributes:
        segments: of these segments only; all when None.
    """

    when: Literal["granted"]
    segments: Names | None = None


class Leak(Counted):
    """Values that the leak monitor found, by place and type."""

    when: Literal["leak"]


class Erased(Counted):
    """Records of erased subjects, and erasures by commands."""

    when: Literal["erased"]


class KeyAge(Rule):
    """A key version in use for longer than `older_than`, from the first event seen of it.

    Attributes:
        older_than: since its first event, in ms, written as a duration.
    """

    when: Literal["key_age"]
    older_than: PositiveDuration
    every: PositiveDuration | None = DAY


class Chain(Rule):
    """An audit chain that lacks an event for longer than `within`, or has two events of one number, or one that does not follow."""

    when: Literal["chain"]
    severity: Literal["info", "warning", "critical"] = "critical"


class Silence(Rule):
    """A stream without a record for `after`; of `streams` even those that were never seen.

    Attributes:
        after: ms without a record, written as a duration.
    """

    when: Literal["silence"]
    after: PositiveDuration


class Unreadable(Counted):
    """Lines that are no audit event, no line of the quarantine and no finding."""

    when: Literal["unreadable"]


AnyRule = Annotated[
    Quarantined | RejectedField | Drift | Refused | Suppressed | Exhausted | Reverse | Control | Granted | Leak | Erased | KeyAge | Chain
    | Silence | Unreadable,
    Field(discriminator="when"),
]
KINDS: dict[str, type[Rule]] = {
    "quarantined": Quarantined, "rejected_field": RejectedField, "drift": Drift, "refused": Refused, "suppressed": Suppressed,
    "exhausted": Exhausted, "reverse": Reverse, "control": Control, "granted": Granted, "leak": Leak, "erased": Erased, "key_age": KeyAge,
    "chain": Chain, "silence": Silence, "unreadable": Unreadable,
}  # fmt: skip


class Rules(BaseModel):
    """A file of rules.

    Attributes:
        version: of the grammar.
        source: the ``source`` of the events, a URI reference.
        every: for rules that say nothing else.
        rules: by name.
        targets: where alerts go, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Literal[1]
    source: Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9/._~:@!$&'()*+,;=%?#-]{1,500}$")] = "/flink-masking"
    every: PositiveDuration = 10 * MINUTE
    rules: Annotated[dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")], AnyRule], Field(min_length=1)]
    targets: dict[Text, Target] = Field(default_factory=dict)

    @field_validator("version", mode="before")
    @classmethod
    def _version(cls, value: Any, info: ValidationInfo) -> Any:
        if value != 1 or isinstance(value, bool):
            raise ValueError("must be 1")
        return value


def model_at(path: tuple[str | int, ...], written: Any) -> type[BaseModel] | None:
    """The model of the mapping at a place, for hints on keys; None where there is none."""
    match path:
        case ():
            return Rules
        case ("rules", _) if isinstance(written, dict):
            return KINDS.get(str(written.get("when")))
        case ("targets", _):
            kinds: dict[str, type[BaseModel]] = {"webhook": WebhookTarget, "file": FileTarget, "kafka": KafkaTarget}
            return kinds.get(str(target_kind(written)))
    return None
