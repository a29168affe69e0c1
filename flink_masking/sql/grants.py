"""Grants for inverse functions of SQL: where the session's policy asks for one, each batch goes under a grant that is in force."""

import time
from collections.abc import Callable

from flink_masking.control.documents import Grant
from flink_masking.control.memory import Store
from flink_masking.control.options import ControlOptions
from flink_masking.control.watcher import ControlWatcher
from flink_masking.engine.reload import ReloadingSealer
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import MaskedSegment
from flink_masking.sql.rules import SqlRule
from flink_masking.tools.reverse import SQL, chosen, unfit


class Gate:
    """The grants of one function of one session; in one thread.

    Whoever has requested a grant must be the session's actor. Documents are looked at again after ``refresh``, so that a revocation ends a
    query that runs; so does the end of the grant, and a source that has been silent for ``max_staleness``.
    """

    def __init__(self, loaded: LoadedPolicy, actor: str, control: ControlOptions, ring: Callable[[], KeyRing],
                 place: tuple[int, int] = (1, 0)) -> None:
        """Get ready; nothing is read yet.

        Args:
            loaded: the session's policy, which asks for a grant.
            actor: who has the session.
            control: where control documents are.
            ring: opens what is kept of them.
            place: how many workers run the function, and which of them this is: ``max_records`` is divided by them.

        Raises:
            ControlError: trust file or state are none, or a login cannot be read.
        """
        stream = loaded.policy.stream
        store = None if control.state is None else Store(control.state, stream, ReloadingSealer(ring, ring, "control", stream))
        self._watcher = ControlWatcher(control, stream, 0, "", store)
        self._loaded, self._actor, self._refresh = loaded, actor, control.refresh / 1000
        self._workers, self._worker = place
        self._looked: float | None = None
        self._opened: dict[str, int] = {}

    def __call__(self, rule: SqlRule, values: int) -> Grant:
        """The grant that a batch goes under, which is counted with that.

        Args:
            rule: of the call.
            values: how many values it is given.

        Raises:
            ControlError: there is none in force that allows it.
        """
        instant = time.monotonic()
        if self._looked is None or instant - self._looked >= self._refresh:
            self._watcher.look()
            self._looked = instant
        fields = self._fields(rule)

        def wrong(grant: Grant) -> str | None:
            return unfit(grant, self._loaded, fields) or self._used_up(grant, values)

        grant = chosen(self._watcher, SQL, self._actor, wrong)
        self._opened[grant.id] = self._opened.get(grant.id, 0) + values
        return grant

    def _used_up(self, grant: Grant, values: int) -> str | None:
        most = grant.body.max_records
        if most is None:
            return None
        share = most // self._workers + (self._worker < most % self._workers)
        return f"it is for {most} values" if self._opened.get(grant.id, 0) + values > share else None

    def _fields(self, rule: SqlRule) -> set[str]:
        """The fields of the policy whose values a call's rule opens: those with a rule of the same technique and domain."""
        masked = [name for name, segment in self._loaded.policy.segments.items() if isinstance(segment, MaskedSegment)]
        return {path for name in masked for path, found in self._loaded.rules(name).items()
                if found.technique.name in rule.techniques and (found.promises.domain or "") == rule.domain}
