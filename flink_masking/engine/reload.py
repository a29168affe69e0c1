"""Reloads the key ring of a running job: masks are recompiled between two batches, sealers decrypt with newer keys."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from flink_masking.engine.plan import Plan, compile_plan, renewed
from flink_masking.engine.protect import NO_PARTS, PLAIN, Protect, Protected
from flink_masking.engine.record import Parts, Transport
from flink_masking.errors import DecryptionError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.policy.load import LoadedPolicy
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.base import Vault


class ReloadingProtect:
    """Protect with the key ring as it is now.

    A batch is protected with one ring from its first record to its last. When the ring has changed since the batch before, the masked
    segments are compiled anew, and quarantine, packets and a new audit chain use it, too; the events of that chain name the new key
    version. What stateful segments compare with each other (people, sensitive values) stays under the key that the job began with.
    """

    def __init__(self, loaded: LoadedPolicy, ring: Callable[[], KeyRing], vault: Vault | None, entropy: Callable[[int], bytes],
                 clock: Callable[[], int], transport: Transport = PLAIN, schemas: SchemaSource | None = None,
                 outputs: OutputSchemas | None = None) -> None:
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

        Raises:
            PolicyError: a rule cannot be carried out.
            KeyRingError: the ring lacks a key.
            VaultError: a rule makes tokens, and there is no vault.
        """
        self._loaded, self._ring, self._vault, self._entropy, self._clock = loaded, ring, vault, entropy, clock
        self._transport = transport
        self.plan: Plan = compile_plan(loaded, ring(), vault, schemas=schemas, outputs=outputs)
        self._protect = Protect(self.plan, entropy, clock, transport=transport)

    def __call__(self, payloads: pa.Array, parts: Parts = NO_PARTS) -> list[Protected]:
        """Protect a batch; see `Protect`.

        Raises:
            KeyRingError: a changed ring lacks a key that the policy needs.
        """
        ring = self._ring()
        if ring is not self.plan.ring:
            self.plan = renewed(self.plan, self._loaded, ring, self._vault)
            self._protect = Protect(self.plan, self._entropy, self._clock, self._protect.people, self._transport)
        return self._protect(payloads, parts)


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
