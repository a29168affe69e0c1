"""What happened to control documents: one event for audit, log, metrics and alerts; names and reasons, never a value."""

from dataclasses import dataclass
from typing import Any, Literal

from flink_masking.control.instants import instant

Outcome = Literal["taken", "in_force", "refused", "revoked", "withdrawn", "ended", "unreadable", "readable", "stale"]


@dataclass(frozen=True)
class ControlEvent:
    """One event.

    Attributes:
        outcome: ``taken`` (verified, waiting for its time or in effect), ``in_force`` (a policy was switched to, a grant is carried out),
            ``ended`` (a grant is no longer carried out), ``refused`` (it has no
            effect), ``revoked``, ``withdrawn`` (the source no longer has it: it is over for good), ``unreadable`` and ``readable`` (the
            source fails, or answers again), ``stale`` (no answer for max_staleness: grants are suspended).
        at: ms since 1970, by the worker's clock.
        kind: of the document; empty where the event is about the source.
        id: of the document, or the beginning of its digest where it has none that can be trusted.
        reason: why it was refused, or what the source answered, with a hint.
        version: of a policy or trust file.
        effective_at: of the document, ms since 1970.
        signers: owners who have signed it.
    """

    outcome: Outcome
    at: int
    kind: str = ""
    id: str = ""
    reason: str = ""
    version: int | None = None
    effective_at: int | None = None
    signers: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The event as JSON values, without what it does not have."""
        times = {"at": instant(self.at), "effective_at": None if self.effective_at is None else instant(self.effective_at)}
        found = {"outcome": self.outcome, **times, "kind": self.kind, "id": self.id, "reason": self.reason, "version": self.version,
                 "signers": list(self.signers)}
        return {name: value for name, value in found.items() if value not in (None, "", [])}
