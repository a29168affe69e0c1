"""A policy without Flink: for producers, consumers and notebooks."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.plan import Plan, compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.keys.providers import open_ring
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.records.json.codec import binary_column
from flink_masking.vault.base import Vault
from flink_masking.vault.providers import open_vault


@dataclass(frozen=True)
class Result:
    """What became of a batch of n records.

    Attributes:
        views: for each masked segment a binary array of n records, null where the record is quarantined.
        released: for each anonymized or aggregated segment the lines that this batch set free; windows close with `Protector.finish`.
        quarantine: pairs (row of the batch, JSON line with the reason and the sealed record).
        audit: JSON lines that tell what was done, without values.
    """

    views: dict[str, pa.BinaryArray]
    released: dict[str, list[bytes]]
    quarantine: list[tuple[int, bytes]]
    audit: list[bytes]


class Protector:
    """The same engine as in the Flink job, called with batches.

    Not thread-safe: anonymized and aggregated segments keep buffers between calls.

    Example:
        protector = Protector("policy.yaml", "file:///secrets/keys.json")
        result = protector.protect([b'{"email": "john.doe@example.com"}'])
        result.views["masked-customer-events"][0]
    """

    def __init__(self, policy: str | Path | PolicySource | LoadedPolicy, keys: str | KeyRing, vault: str | Vault | None = None) -> None:
        """Compile a policy.

        Args:
            policy: path of the policy file, or a policy that has been read or loaded.
            keys: address of the key ring (``file://``, ``env://``), or an open one; it is read once.
            vault: address of the token vault (``sqlite://``, ``postgresql://``), or an open one; None where no rule makes tokens.

        Raises:
            PolicyFaults: the policy has faults.
            KeyRingError: the key ring cannot be opened.
            VaultError: the vault cannot be opened, or a rule makes tokens and none is named.
        """
        if not isinstance(policy, LoadedPolicy):
            policy = load(policy if isinstance(policy, PolicySource) else PolicySource.read(Path(policy)))
        ring = keys if isinstance(keys, KeyRing) else open_ring(keys)
        self.plan: Plan = compile_plan(policy, ring, open_vault(vault) if isinstance(vault, str) else vault)
        self._protect = Protect(self.plan, os.urandom, _now)
        self._stateful = InProcess(self.plan, _now)

    def protect(self, batch: pa.Array | Sequence[bytes | str | None]) -> Result:
        """Protect a batch of raw records.

        Args:
            batch: n records; larger batches (1,000 to 10,000) are faster by the record.

        Raises:
            TypeError: a row is neither bytes nor text nor None; a single record in place of a batch.
        """
        if isinstance(batch, str | bytes | bytearray):
            raise TypeError("a batch of records is needed, not one record. Hint: protect([record])")
        pieces = self._protect(binary_column(batch))
        start, quarantine = 0, []
        for piece in pieces:
            self._stateful.feed(piece)
            quarantine += [(start + row, line) for row, line in piece.quarantine]
            start += piece.records
        self._stateful.timers()
        views = {name: _joined([piece.views[name] for piece in pieces]) for name in pieces[0].views}
        return Result(views, self._stateful.released(), quarantine, [piece.audit for piece in pieces])

    def finish(self) -> dict[str, list[bytes]]:
        """End of input: the last lines of the anonymized and aggregated segments; what cannot be released is suppressed."""
        self._stateful.finish()
        return self._stateful.released()


def _joined(arrays: list[pa.BinaryArray]) -> pa.BinaryArray:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def _now() -> int:
    return time.time_ns() // 1_000_000
