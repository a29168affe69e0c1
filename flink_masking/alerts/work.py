"""Rules, targets and published rules of one watcher at work; no engine, the caller keeps the states."""

from pathlib import Path

import orjson

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.live import LiveRules
from flink_masking.alerts.logic import AlertLogic
from flink_masking.alerts.outbox import Outbox
from flink_masking.alerts.rules import Rules
from flink_masking.control.options import ControlOptions

CLOSING_S = 10.0
"""Seconds that targets get at the end."""


class Work:
    """What a watcher holds.

    Attributes:
        logic: the rules at work; another object once new rules are in force.
    """

    def __init__(self, rules: Rules, control: ControlOptions | None, logic: bytes | None = None, unsent: bytes | None = None,
                 live: bytes | None = None) -> None:
        """Open the targets and the source of published rules, and go on from states.

        Args:
            rules: as submitted, with targets.
            control: where rules are published; None: they stay as they are.
            logic: state of the logic, or None; likewise the next two, of `changed`.
            unsent: alerts that targets had not taken.
            live: the published rules in force.

        Raises:
            InputError: a target cannot be used, or a state is none.
            ControlError: the trust file cannot be used, or the login of the source of documents.
        """
        self.logic = AlertLogic(rules, logic)
        self._outbox = Outbox(rules, Path("/"), None if unsent is None else orjson.loads(unsent))
        self._live = None if control is None else LiveRules(rules, control, live)
        if self._live is not None:
            self._live.start()
        self._kept: list[bytes | None] = [unsent, live]

    def step(self, lines: list[bytes], now: int, ended: bool) -> list[Alert]:
        """Look at lines, send alerts, and return them.

        Args:
            lines: that have come since the step before.
            now: ms since 1970.
            ended: no line comes any more.
        """
        alerts = list[Alert]()
        if self._live is not None:
            self.logic, alerts = self._live.follow(self.logic, now)
        alerts += [*self.logic.take(lines, now), *self.logic.tick(now), *(self.logic.end(now) if ended else ())]
        for alert in alerts:
            self._outbox.put(alert)
        return alerts

    def changed(self) -> list[bytes | None]:
        """The states of unsent alerts and of published rules, each where it is not what it was at the last call, else None."""
        now = [orjson.dumps(self._outbox.state()), None if self._live is None else self._live.state()]
        changed = [data if data != before else None for data, before in zip(now, self._kept, strict=True)]
        self._kept = now
        return changed

    def close(self) -> None:
        """Give the targets some seconds; what they do not take is in the state."""
        if self._live is not None:
            self._live.close()
        self._outbox.close(CLOSING_S)
