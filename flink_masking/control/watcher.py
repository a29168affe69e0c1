"""What a worker holds: looks at the source in the background, and tells at any time what is in force.

Looks happen in a thread of their own, so that a source that is slow or away does not hold up a batch; what a look has found becomes visible
in one step, and is taken between two batches. Without `control` in the deployment there is no watcher, and nothing of this runs.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from flink_masking.control.documents import Erasure, Grant, Policy
from flink_masking.control.events import ControlEvent
from flink_masking.control.ledger import Ledger
from flink_masking.control.memory import Keeps, Kept
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources import open_source
from flink_masking.control.sources.base import Source
from flink_masking.control.state import NEVER, ControlState, View
from flink_masking.control.trust import Trust
from flink_masking.errors import ControlError

EVENTS = 1_000
"""Events that wait for a batch, at most; later ones are counted and logged only."""
OVER = 10_000
"""Ids of grants that have ended, before those that the source no longer has are forgotten."""
SKEW_S = 5.0
"""Seconds by which this host's clock may differ from the source's before it is told."""
_log = logging.getLogger(__name__)


def _now() -> int:
    return time.time_ns() // 1_000_000


class ControlWatcher:
    """The control documents of one stream, as a worker sees them.

    One thread works with batches and calls `due`, `adopted`, `refuse`, `grants_in_force`, `erasures_in_force` and `events`; looks come from
    the thread that `start` makes, or from `look`.

    Attributes:
        generation: grows when what the documents say has changed.
        next_policy: when the next policy takes effect, ms since 1970: until then there is nothing to do between two batches.
        ledger: keeps how many records of grants were claimed; None: nobody does.
    """

    def __init__(self, options: ControlOptions, stream: str, version: int, digest: str, store: Keeps | None = None,
                 clock: Callable[[], int] = _now, monotonic: Callable[[], float] = time.monotonic, source: Source | None = None,
                 follows: Literal["policy", "alerts"] = "policy", ledger: Ledger | None = None) -> None:
        """Open the source; nothing is read yet.

        Args:
            options: of the deployment.
            stream: the policy's.
            version: the submitted policy's.
            digest: the submitted policy's.
            store: keeps what must survive a restart; None: the memory of this process.
            clock: ms since 1970.
            monotonic: seconds that never go back.
            source: where documents lie; that of the options when None.
            follows: the kind of versioned document that is followed, see `ControlState`.
            ledger: keeps over restarts how many records of grants were claimed; None: a grant ends when its worker does.

        Raises:
            ControlError: the trust file is none, the store cannot be read, or the source's login cannot.
        """
        self._options, self._clock, self._monotonic, self._store = options, clock, monotonic, store
        self._source, self.ledger = source or open_source(options), ledger
        kept = store.load() if store is not None else Kept()
        self._state = ControlState(Trust.anchor(options.trust.encode()), stream, version, digest, kept, follows)
        self._saved, self._found = kept, list[bytes]()
        self._answered: float | None = None
        self._failing_since: float | None = None
        self._stale = self._skewed = self._unsaved = False
        self._events: deque[ControlEvent] = deque(maxlen=EVENTS)
        self._over = set[str]()
        self._looking, self._changing = threading.Lock(), threading.Lock()
        self._ended, self._wanted = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.refused = self.taken = 0
        self.generation = 0
        self.next_policy = 0 if self._state.kept_policy() is not None else NEVER

    def start(self) -> None:
        """Look once, and then every `refresh` in a thread of its own until `close`."""
        self.look()
        self._thread = threading.Thread(target=self._run, name="flink-masking-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and release the source."""
        self._ended.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(self._options.timeout / 1000)
        self._source.close()

    def look(self) -> None:
        """Look at the source now; failures are events, never exceptions."""
        with self._looking:
            try:
                found = self._source.read()
                with self._changing:
                    now = self._clock()
                    if found is not None or not self._state.settled(now):
                        self._found = self._found if found is None else found
                        self._note(self._state.take(self._found, now))
                        self._publish()
                self._answered = self._monotonic()
                if self._failing_since is not None or self._stale:
                    self._note([ControlEvent("readable", self._clock())])
                self._failing_since, self._stale = None, False
            except ControlError as error:
                self._failed(str(error))
            except Exception as error:  # whatever a source does, masking goes on
                self._failed(f"internal error: {type(error).__name__}. Hint: see the worker's log")
            self._compare_clocks()
            self._save()

    def upcoming(self) -> tuple[Policy, ...]:
        """Policies that may take effect, to be compiled before their time."""
        kept = self._state.kept_policy()
        return self._state.view.policies if kept is None else (kept, *self._state.view.policies)

    @property
    def view(self) -> View:
        """What the documents say now."""
        return self._state.view

    def due(self, now: int) -> Policy | None:
        """The policy to switch to, or None; takes no time but at a switch.

        Args:
            now: ms since 1970: when the batch begins.
        """
        return None if now < self.next_policy else self._state.view.policy(now) or self._kept_due()

    def _kept_due(self) -> Policy | None:
        kept = self._state.kept_policy()
        if kept is None:
            with self._changing:
                self._publish()
        return kept

    def adopted(self, policy: Policy) -> None:
        """Note that a policy is in force."""
        with self._changing:
            self._note([self._state.adopted(policy, self._clock())])
            self._publish()
        self._wanted.set()  # the thread saves it

    def refuse(self, policy: Policy, reason: str) -> None:
        """Note that a policy cannot be used; the one in force stays."""
        with self._changing:
            self._note([self._state.refuse(policy, reason, self._clock())])
            self._publish()

    def grants_in_force(self, now: int) -> tuple[Grant, ...]:
        """The grants that hold for a batch; none while the source has been silent for `max_staleness`, or has not answered yet.

        Their end is by the worker's clock: it comes whether or not the source answers, and is final though that clock be set back.

        Args:
            now: ms since 1970: when the batch begins.
        """
        grants = self._state.view.grants
        if not grants:
            return ()
        self._over.update(one.id for one in grants if now >= one.body.expires_at)
        if len(self._over) > OVER:
            self._over.intersection_update(one.id for one in grants)
        return () if self._is_stale() else tuple(one for one in self._state.view.grants_at(now) if one.id not in self._over)

    def erasures_in_force(self, now: int) -> tuple[Erasure, ...]:
        """The erasures that hold for a batch, the source away or not."""
        return self._state.view.erasures_at(now) if self._state.view.erasures else ()

    def events(self) -> list[ControlEvent]:
        """What has happened since the call before, for audit, metrics and alerts."""
        found = []
        while self._events:
            found.append(self._events.popleft())
        return found

    def unreadable_s(self) -> float:
        """Seconds since the first of the consecutive failed looks; 0 if the last one succeeded."""
        since = self._failing_since
        return 0.0 if since is None else max(0.0, self._monotonic() - since)

    def _is_stale(self) -> bool:
        return self._answered is None or (self._monotonic() - self._answered) * 1000 > self._options.max_staleness

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wanted.wait(self._options.refresh / 1000)
            self._wanted.clear()
            if not self._ended.is_set():
                self.look()

    def _publish(self) -> None:
        """Make what the state says visible to batches."""
        self.next_policy = 0 if self._state.kept_policy() is not None else self._state.view.next_policy
        self.generation += 1

    def _failed(self, reason: str) -> None:
        if self._failing_since is None:
            self._failing_since = self._monotonic()
            self._note([ControlEvent("unreadable", self._clock(), reason=reason)])
        if not self._stale and self._is_stale():
            self._stale = True
            self._note([ControlEvent("stale", self._clock(), reason=f"no answer for {self._options.max_staleness / 1000:g} s: every grant "
                                     "is suspended, masking goes on")])

    def _compare_clocks(self) -> None:
        skew = getattr(self._source, "skew_s", None)
        skewed = skew is not None and abs(skew) > SKEW_S
        if skewed and not self._skewed:
            _log.warning("this host's clock and that of the source of control documents differ by %.0f s: documents take effect by this "
                         "host's clock. Hint: synchronise the clocks (NTP)", abs(skew or 0))
        self._skewed = skewed

    def _save(self) -> None:
        same = self._state.kept == self._saved
        if self._store is None or (same and self._saved != Kept()):
            return
        try:
            kept = self._store.load() if same else self._store.save(self._state.kept)  # the file's directory may be mounted only now
        except ControlError as error:
            if not self._unsaved:
                _log.warning("%s; what was revoked or withdrawn is kept in this process only", error)
            self._unsaved = True
            return
        self._unsaved = False
        if same and kept == self._saved:
            return
        with self._changing:
            self._state.kept = self._saved = kept.merged(self._state.kept)
            self._state.merged()
            self._publish()

    def _note(self, events: list[ControlEvent]) -> None:
        for event in events:
            self.refused += event.outcome == "refused"
            self.taken += event.outcome in ("taken", "in_force")
            level = logging.INFO if event.outcome in ("taken", "in_force", "readable") else logging.WARNING
            _log.log(level, "control document %s: %s %s %s %s", event.outcome, event.kind, event.id,
                     "" if event.version is None else f"version {event.version}", event.reason)
            self._events.append(event)
