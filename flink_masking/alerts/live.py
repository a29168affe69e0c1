"""Alert rules that change while somebody watches: signed control documents of kind ``alerts``."""

import time
from collections.abc import Callable
from typing import Any

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.kept_rules import verified_state
from flink_masking.alerts.load import AlertFaults, rules_of
from flink_masking.alerts.logic import AlertLogic
from flink_masking.alerts.rules import Rules
from flink_masking.control.bodies import AlertsBody
from flink_masking.control.documents import Policy
from flink_masking.control.events import ControlEvent
from flink_masking.control.memory import Kept
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.base import Source
from flink_masking.control.watcher import ControlWatcher
from flink_masking.errors import ControlError

RULE = "alert-rules"
"""The name in alerts about the rules themselves."""
SEVERITY = {"in_force": "info", "readable": "info", "revoked": "info", "withdrawn": "warning", "unreadable": "warning", "stale": "warning",
            "refused": "critical"}
"""Of the outcomes that are told."""


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Memory:
    """What must survive a restart, for whoever keeps it with a state of its own."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    def load(self) -> Kept:
        return self.kept

    def save(self, kept: Kept) -> Kept:
        self.kept = self.kept.merged(kept)
        return self.kept


class LiveRules:
    """The rules in force, followed from the file that was submitted on; looks happen in a thread of their own.

    A document takes effect when it verifies, is meant for this watcher (its rules have the same ``source``), has a higher version than
    every one before, has no fault, and names no other targets than those that the watcher began with: where alerts go cannot change
    live. Otherwise the rules in force stay. Either way an alert tells it.

    Attributes:
        rules: in force; their targets are those of the submitted rules.
    """

    def __init__(self, rules: Rules, options: ControlOptions, kept: bytes | None = None, clock: Callable[[], int] = _now,
                 source: Source | None = None) -> None:
        """Open the source; nothing is read yet.

        Args:
            rules: as submitted.
            options: where documents are, and whom the watcher trusts.
            kept: of `state`, or None; nothing in it is trusted that no signature vouches for, see `verified_state`.
            clock: ms since 1970.
            source: where documents lie; that of the options when None.

        Raises:
            ControlError: the trust file is none, a login cannot be read, or `kept` is no state.
        """
        self.rules, self._submitted = rules, rules
        found, self._refused = (Kept(), []) if kept is None else verified_state(kept, options, rules.source, clock())
        self._memory = _Memory(found)
        self._watcher = ControlWatcher(options, rules.source, 0, "", self._memory, clock, source=source, follows="alerts")
        self._generation, self._ready = -1, dict[str, Rules]()
        self._told = dict[tuple[str, str, str], int]()

    def start(self) -> None:
        """Look once, and then every `refresh` until `close`."""
        self._watcher.start()

    def look(self) -> None:
        """Look at the source now."""
        self._watcher.look()

    def close(self) -> None:
        """End the thread and release the source."""
        self._watcher.close()

    def state(self) -> bytes:
        """What `__init__` goes on from: the document in force, what was revoked or withdrawn, and trust files; nothing secret."""
        return self._memory.kept.dump()

    def follow(self, logic: AlertLogic, now: int) -> tuple[AlertLogic, list[Alert]]:
        """Use the rules whose time has come; call it between two batches of lines.

        Args:
            logic: the rules at work.
            now: ms since 1970.

        Returns:
            The logic to use, and what has to be told about the rules.
        """
        if self._watcher.generation != self._generation:
            self._generation = self._watcher.generation
            for document in self._watcher.upcoming():
                self._checked(document)
        while (due := self._watcher.due(now)) is not None:
            if (found := self._checked(due)) is not None:
                self.rules, logic = found, AlertLogic(found, logic.state())
                self._watcher.adopted(due)
        if self._ready and not self._watcher.upcoming():
            self._ready.clear()
        events, self._refused = [*self._refused, *self._watcher.events()], []
        return logic, [alert for event in events if (alert := self._alert(event, now)) is not None]

    def _checked(self, document: Policy) -> Rules | None:
        """The rules of a document; None where it was refused."""
        if (found := self._ready.get(document.id)) is None:
            body: Any = document.body
            try:
                found = self._ready[document.id] = _usable(body, self._submitted)
            except AlertFaults as error:
                first = error.faults[0]
                self._watcher.refuse(document, f"line {first.line}: {first.message}. Hint: {first.hint or 'flink-masking alerts check'}")
            except ControlError as error:
                self._watcher.refuse(document, str(error))
            except Exception as error:  # rules from outside must not end the watch
                self._watcher.refuse(document, f"internal error: {type(error).__name__}. Hint: see the log, and flink-masking alerts check")
        return found

    def _alert(self, event: ControlEvent, now: int) -> Alert | None:
        """What is told of an event; the same at most once in ``every`` of the rules."""
        if event.outcome not in SEVERITY or event.kind not in ("", "alerts"):
            return None  # documents of other kinds are for jobs, whose audit tells of them
        key = event.outcome, event.id, event.reason
        self._told = {one: at for one, at in self._told.items() if now - at < self.rules.every}
        if key in self._told:
            return None
        self._told[key] = now
        facts = {"outcome": event.outcome, "kind": "alerts" if event.kind else "", "document": event.id, "reason": event.reason}
        numbers = {} if event.version is None else {"version": event.version}
        return Alert(RULE, "control", SEVERITY[event.outcome], event.at, {name: text for name, text in facts.items() if text}, numbers)


def _usable(body: AlertsBody, submitted: Rules) -> Rules:
    """The rules of a document, with the targets of the submitted ones.

    Raises:
        AlertFaults: they have faults.
        ControlError: they are another watcher's, or name other targets.
    """
    found = rules_of(body.name, body.text)
    if found.source != body.stream:
        raise ControlError("'source' of the rules is not that of the document. Hint: flink-masking alerts publish makes both")
    if found.targets and found.targets != submitted.targets:
        raise ControlError("targets: they cannot change live. Hint: omit targets in the published rules, or restart with the new file")
    return found.model_copy(update={"targets": submitted.targets})
