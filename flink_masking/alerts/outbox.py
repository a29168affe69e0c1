"""The targets of rules, and what they have not taken yet, so that no alert is lost when a process ends."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.delivery import deliveries
from flink_masking.alerts.rules import Rules

_log = logging.getLogger(__name__)


class Outbox:
    """A delivery for each target; alerts that wait can be kept and sent after a restart, under the same ids."""

    def __init__(self, rules: Rules, folder: Path, kept: Mapping[str, Any] | None = None) -> None:
        """Open the targets, and queue what waited before a restart.

        Args:
            rules: with targets.
            folder: what relative file names are relative to.
            kept: of `state`, or None.

        Raises:
            InputError: a secret cannot be read, or a target cannot be used.
        """
        self._targets = deliveries(rules, folder)
        for name, (alerts, lost) in (kept or {}).items():
            if (target := self._targets.get(name)) is None:
                _log.error("%d alerts waited for target %s, which the rules no longer have: they are not sent", len(alerts) + lost, name)
                continue
            target.lost(lost)
            for body in alerts:
                target.put(Alert.of(body))

    def put(self, alert: Alert) -> None:
        """Queue an alert for every target."""
        for target in self._targets.values():
            target.put(alert)

    def state(self) -> dict[str, Any]:
        """As JSON values: by target the alerts that it has not taken, and how many were dropped untold; nothing where nothing waits."""
        found = {name: target.waiting() for name, target in self._targets.items()}
        return {name: [[alert.body() for alert in alerts], lost] for name, (alerts, lost) in found.items() if alerts or lost}

    def close(self, wait: float) -> dict[str, int]:
        """Give what waits some seconds, end the threads, and return how many alerts were not sent, by target."""
        return {name: left for name, target in self._targets.items() if (left := target.close(wait))}
