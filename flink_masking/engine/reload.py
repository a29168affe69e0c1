"""Reloads the key ring and the policy of a running job: both change between two batches; sealers decrypt with newer keys."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from flink_masking.engine.erased import ErasedSubjects, Erasures
from flink_masking.engine.plan import Plan, compile_plan, renewed
from flink_masking.engine.protect import NO_PARTS, PLAIN, Protect
from flink_masking.engine.protected import Protected
from flink_masking.engine.record import Parts, Transport
from flink_masking.errors import (
    DecryptionError,
    FlinkMaskingError,
    KeyRingUnavailableError,
    RegistryUnavailableError,
    VaultUnavailableError,
)
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.policy.load import LoadedPolicy
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.base import Vault

if TYPE_CHECKING:
    from flink_masking.control.documents import Policy
    from flink_masking.control.watcher import ControlWatcher
    from flink_masking.engine.grants import Grants
    from flink_masking.engine.live import Prepared

AGAIN = 5_000
"""Milliseconds until a policy is compiled again that needs what is away."""
_log = logging.getLogger(__name__)


class ReloadingProtect:
    """Protect with the key ring and the policy as they are now.

    A batch is protected with one ring from its first record to its last. When the ring has changed since the batch before, the masked
    segments are compiled anew, and quarantine, packets and a new audit chain use it, too; the events of that chain name the new key
    version. What stateful segments compare with each other (people, sensitive values) stays under the key that the job began with.

    With `control`, a policy is switched to by the clock at the beginning of a batch: every record of the batch is made by that policy, and
    header and audit name its version. It is compiled when it is known, which is before its time where it was issued early enough. One that
    cannot be loaded or compiled, or that the job cannot follow live, is refused: the policy before stays in force, and an event says so.
    """

    def __init__(self, loaded: LoadedPolicy, ring: Callable[[], KeyRing], vault: Vault | None, entropy: Callable[[int], bytes],
                 clock: Callable[[], int], transport: Transport = PLAIN, schemas: SchemaSource | None = None,
                 outputs: OutputSchemas | None = None, control: "ControlWatcher | None" = None, workers: int = 1,
                 worker: int = 0) -> None:
        """Compile the policy for the ring as it is.

        Args:
            loaded: the policy.
            ring: gives the ring to use now, the same object until it has changed (`flink_masking.keys.watch.RingWatcher.ring`).
            vault: where tokens are kept, or None.
            entropy: n → n random bytes.
            clock: processing time in ms since 1970.
            transport: what is known of the topics at both ends.
            schemas: those that records name by identifiers, or None.
            outputs: gives identifiers to the schemas of views, or None.
            control: the control documents, started by the caller; None: the policy stays as it is, and no grant is in force.
            workers: how many do the same work: a grant's records are divided among them.
            worker: which of them this is, from 0 on.

        Raises:
            PolicyError: a rule cannot be carried out.
            KeyRingError: the ring lacks a key.
            VaultError: a rule makes tokens, and there is no vault.
        """
        self._submitted, self._control, self._generation = loaded, control, -1
        self._schemas, self._outputs = schemas, outputs
        self._prepared: dict[str, Prepared] = {}
        self._again: dict[str, int] = {}
        self._loaded, self._ring, self._vault, self._entropy, self._clock = loaded, ring, vault, entropy, clock
        self._transport = transport
        self.plan: Plan = compile_plan(loaded, ring(), vault, schemas=schemas, outputs=outputs)
        self._erased = ErasedSubjects(loaded.policy.stream)
        self._erasures = Erasures(self._erased, vault, control, loaded.policy.stream)
        self._grants: Grants | None = None
        if control is not None:
            from flink_masking.engine import grants

            self._grants = grants.Grants(control, clock(), workers, worker, self.plan.ring.versions[0])
        self._protect = Protect(self.plan, entropy, clock, transport=transport, erased=self._erased, grants=self._grants)
        self._first = self.plan

    def __call__(self, payloads: pa.Array, parts: Parts = NO_PARTS) -> list[Protected]:
        """Protect a batch; see `Protect`.

        Raises:
            KeyRingError: a changed ring lacks a key that the policy needs.
        """
        ring, now = self._ring(), None
        if self._control is not None:
            now = self._clock()
            self._follow(self._control, ring, now)
        if ring is not self.plan.ring:
            self._use(renewed(self.plan, self._loaded, ring, self._vault))
        self._erasures.follow(self._loaded, self._clock() if now is None else now)
        if self._grants is not None and now is not None:
            self._protect.note(event.body() for event in self._grants.follow(self._loaded, self.plan, self._vault, now))
        return self._protect(payloads, parts, now)

    def _use(self, plan: Plan) -> None:
        self.plan = plan
        self._protect = Protect(plan, self._entropy, self._clock, self._protect.people, self._transport, self._erased, self._grants)

    def _follow(self, control: "ControlWatcher", ring: KeyRing, now: int) -> None:
        """Compile the policies that have come, and switch to the one whose time it is."""
        if control.generation != self._generation:
            self._generation = control.generation
            for policy in control.upcoming():
                self._ready(control, policy, ring, now)
        while (due := control.due(now)) is not None and now >= self._again.get(due.id, 0):
            found = self._ready(control, due, ring, now)
            if found is None:
                continue  # refused, and another one may be due; or to be tried again
            try:
                plan = found.plan if found.plan.ring is ring else renewed(found.plan, found.loaded, ring, self._vault)
            except FlinkMaskingError as error:
                control.refuse(due, str(error))
                continue
            self._loaded = found.loaded
            self._use(plan)
            control.adopted(due)
            self._prepared = {name: one for name, one in self._prepared.items() if one.version > due.body.version}
            self._again.clear()
        self._protect.note(event.body() for event in control.events())

    def _ready(self, control: "ControlWatcher", policy: "Policy", ring: KeyRing, now: int) -> "Prepared | None":
        """The compiled policy of a document; None where it was refused, or what it needs is away: then it is tried again."""
        from flink_masking.engine.live import prepare

        if (found := self._prepared.get(policy.id)) is None:
            try:
                found = self._prepared[policy.id] = prepare(policy.body, self._submitted, self._first, ring, self._vault, self._transport,
                                                            self._schemas, self._outputs)
            except (VaultUnavailableError, RegistryUnavailableError, KeyRingUnavailableError) as error:
                self._again[policy.id] = now + AGAIN
                _log.warning("policy version %d cannot be compiled now; it is tried again: %s", policy.body.version, error)
            except FlinkMaskingError as error:
                control.refuse(policy, str(error))
            except Exception as error:  # a policy from outside must not fail the job
                _log.warning("a policy could not be compiled", exc_info=error)
                control.refuse(policy, f"internal error: {type(error).__name__}. Hint: see the worker's log, and flink-masking policy diff")
        return found


class ReloadingSealer:
    """A sealer with the key ring as it is now.

    Another process may have sealed with a version that was promoted a moment ago: a blob that does not open is tried once more with the
    ring as it stands at its address.
    """

    def __init__(self, ring: Callable[[], KeyRing], look: Callable[[], KeyRing], purpose: str, domain: str,
                 place: Sequence[str] = ()) -> None:
        """Derive the keys.

        Args:
            ring: gives the ring to use now, the same object until it has changed.
            look: gives the ring as it stands at its address, now.
            purpose: as for `Sealer`.
            domain: as for `Sealer`.
            place: as for `Sealer`.
        """
        self._ring, self._look, self._named = ring, look, (purpose, domain, place)
        self._use(ring())

    def _use(self, ring: KeyRing) -> Sealer:
        self._used, self._sealer = ring, Sealer(ring, *self._named)
        return self._sealer

    def _now(self) -> Sealer:
        ring = self._ring()
        return self._sealer if ring is self._used else self._use(ring)

    def seal(self, data: bytes, associated: bytes = b"") -> bytes:
        """Encrypt under the primary key; see `Sealer.seal`."""
        return self._now().seal(data, associated)

    def open(self, blob: bytes, associated: bytes = b"") -> bytes:
        """Decrypt; see `Sealer.open`.

        Raises:
            DecryptionError: no version of the ring, as it stands at its address, has sealed it.
            KeyRingError: the version is disabled or was destroyed, or the ring had to be read again and could not be read.
        """
        try:
            return self._now().open(blob, associated)
        except DecryptionError:
            ring = self._look()
            if ring is self._used:
                raise
            return self._use(ring).open(blob, associated)
