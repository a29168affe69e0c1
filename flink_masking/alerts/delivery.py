"""One queue for each target, emptied by a thread of its own: a receiver that is slow or away holds up neither rules nor other targets."""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.files import FileSender
from flink_masking.alerts.kafka import KafkaSender
from flink_masking.alerts.refusal import SendError
from flink_masking.alerts.rules import Rules
from flink_masking.alerts.targets import FileTarget, Target, WebhookTarget
from flink_masking.alerts.webhook import WebhookSender

QUEUE, PATIENCE_S = 1_000, 3_600.0
FIRST_S, LONGEST_S = 0.25, 30.0
"""Seconds before the second attempt, and between attempts at most."""
_log = logging.getLogger(__name__)


class Sender(Protocol):
    """Sends one alert; see `Delivery`."""

    def send(self, event: bytes, rule: str) -> None:
        """Send a CloudEvent, and return once it is taken.

        Raises:
            SendError: it was not.
        """
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class Delivery:
    """A queue and its thread.

    Attributes:
        sent: alerts that were taken.
        dropped: alerts for which the queue had no room, or that were given up.
    """

    def __init__(self, name: str, sender: Sender, source: str, most: int = QUEUE, patience: float = PATIENCE_S,
                 first: float = FIRST_S) -> None:
        """Start the thread.

        Args:
            name: of the target.
            sender: at work in the thread only.
            source: of the events that are made here.
            most: alerts that wait.
            patience: seconds for which an alert is tried.
            first: seconds before the second attempt; each further one waits twice as long, up to `LONGEST_S`.
        """
        self._name, self._sender, self._source, self._most, self._patience, self._first = name, sender, source, most, patience, first
        self._queue: deque[Alert] = deque()
        self._changed = threading.Condition()
        self._ended = self._failing = False
        self._untold = 0
        self.sent = self.dropped = 0
        self._thread = threading.Thread(target=self._run, name=f"flink-masking-alerts-{name}", daemon=True)
        self._thread.start()

    def put(self, alert: Alert) -> None:
        """Queue an alert; where there is no room it is counted, and the number is told when the receiver takes alerts again."""
        with self._changed:
            if len(self._queue) >= self._most:
                self._drop(f"{self._most} alerts wait")
            else:
                self._queue.append(alert)
                self._changed.notify()

    def waiting(self) -> tuple[list[Alert], int]:
        """The alerts that the receiver has not taken yet, and how many were dropped or given up that it has not been told of."""
        with self._changed:
            return list(self._queue), self._untold

    def lost(self, count: int) -> None:
        """Count alerts that were dropped or given up before a restart; they are told when the receiver takes alerts again."""
        with self._changed:
            self._untold += count

    def close(self, wait: float = 0.0) -> int:
        """Give what waits some seconds, end the thread, and return how many alerts were not sent."""
        until = time.monotonic() + wait
        with self._changed:
            while self._queue and (left := until - time.monotonic()) > 0:
                self._changed.wait(min(left, 0.1))
            self._ended = True
            self._changed.notify_all()
        self._thread.join(max(1.0, wait))
        with self._changed:
            return len(self._queue) + self.dropped

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        self._untold += 1
        if self._untold == 1:
            _log.error("alerts to %s are dropped (%s)", self._name, reason)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._ended:
                    self._changed.wait()
                if self._ended:
                    break
                alert = self._queue[0]
            taken = self._deliver(alert)
            with self._changed:
                if self._ended and taken is None:
                    break
                self._queue.popleft()
                self.sent += bool(taken)
                untold = self._untold if taken else 0
                self._untold -= untold
                if untold:
                    numbers = {"count": untold}
                    self._queue.appendleft(Alert("dropped", "dropped", "critical", alert.time, {"target": self._name}, numbers))
                self._changed.notify_all()
        self._sender.close()

    def _deliver(self, alert: Alert) -> bool | None:
        """Whether the alert was taken; None where the end came first."""
        event, until, pause = alert.cloud_event(self._source), time.monotonic() + self._patience, self._first
        while True:
            try:
                self._sender.send(event, alert.rule)
            except SendError as error:
                if not self._failing:
                    _log.warning("alerts to %s: %s", self._name, error)
                self._failing = True
                if not error.again or time.monotonic() + pause > until:
                    with self._changed:
                        self._drop(str(error))
                    return False
            else:
                self._failing = False
                return True
            with self._changed:
                if self._changed.wait_for(lambda: self._ended, pause * random.uniform(0.75, 1.25)):
                    return None
            pause = min(LONGEST_S, 2 * pause)


def deliveries(rules: Rules, folder: Path) -> Mapping[str, Delivery]:
    """A delivery for each target.

    Args:
        rules: with targets.
        folder: what relative file names are relative to.

    Raises:
        InputError: a secret cannot be read, or a target cannot be used.
    """
    made = {name: _sender(name, target, folder) for name, target in rules.targets.items()}
    found = {}
    for name, target in rules.targets.items():
        most, patience = (target.queue, target.patience / 1000) if isinstance(target, WebhookTarget) else (QUEUE, PATIENCE_S)
        found[name] = Delivery(name, made[name], rules.source, most, patience)
    return found


def _sender(name: str, target: Target, folder: Path) -> Sender:
    if isinstance(target, WebhookTarget):
        return WebhookSender(name, target, folder)
    return FileSender(folder / target.file) if isinstance(target, FileTarget) else KafkaSender(name, target, folder)
