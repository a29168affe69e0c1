"""Applies a policy without Flink, in producers, consumers and notebooks."""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flink_masking.crypto.secret import Secret
from flink_masking.engine.inprocess import InProcess
from flink_masking.engine.plan import Plan
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.watch import RingWatcher
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.registry.client import open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.registered import open_outputs
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.base import Vault
from flink_masking.vault.providers import open_vault

if TYPE_CHECKING:
    from flink_masking.control.watcher import ControlWatcher
    from flink_masking.frames.protected import FrameResult

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The outcome of a batch of n records.

    Attributes:
        views: for each masked segment a binary array of n records, null where the record is quarantined. Row i is the batch's record i,
            but for a segment with ``order: shuffled``.
        released: for each anonymized or aggregated segment the lines that this batch set free; windows close with `Protector.finish`.
        quarantine: pairs (row of the batch, JSON line with the reason and the sealed record).
        audit: JSON lines that tell what was done, without values.
    """

    views: dict[str, pa.BinaryArray]
    released: dict[str, list[bytes]]
    quarantine: list[tuple[int, bytes]]
    audit: list[bytes]


class Protector(Secret):
    """The same engine as in the Flink job, called with batches; refuses to be pickled, copied or printed.

    Not thread-safe: anonymized and aggregated segments keep buffers between calls. A key ring that is named by its address is looked at
    between two batches, as in a job: a version that was promoted, disabled or destroyed takes effect without a new Protector.

    Examples:
        >>> from flink_masking import KeyRing, Protector
        >>> from flink_masking.policy.source import PolicySource
        >>> policy = '''
        ... version: 1
        ... stream: events
        ... fields: {email: {class: direct, type: email}}
        ... segments: {support: {view: masked, rules: {email: {technique: partial, keep_first: 1, keep_after: "@"}}}}
        ... '''
        >>> protector = Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral())
        >>> result = protector.protect([b'{"email":"john.doe@example.com"}', b"broken"])
        >>> result.views["support"].to_pylist()
        [b'{"email":"j***@example.com"}', None]
        >>> [row for row, line in result.quarantine]
        [1]
    """

    def __init__(self, policy: str | Path | PolicySource | LoadedPolicy, keys: str | KeyRing, vault: str | Vault | None = None, *,
                 key_refresh_s: float = 30.0, registry: str | RegistryOptions | SchemaSource | None = None,
                 control: "ControlWatcher | None" = None) -> None:
        """Compile a policy.

        Args:
            policy: path of the policy file, or a policy that has been read or loaded.
            keys: address of the key ring (``file://``, ``env://``, …), or an open one, which stays as it is.
            vault: address of the token vault (``sqlite://``, ``postgresql://``), or an open one; None where no rule makes tokens.
            key_refresh_s: seconds between two looks at the address of the key ring, more than 0. A look that fails is logged, and the
                ring before stays in use.
            registry: address or options of the schema registry that records name their schemas by, or an open source of schemas. Views
                whose schema differs need options with `subjects`, or a source that is one of `OutputSchemas`, too.
            control: the control documents, started and closed by the caller: live policies, erasures, and the grants without which
                granted views stay empty.

        Raises:
            PolicyFaults: the policy has faults.
            KeyRingError: the key ring cannot be opened.
            RegistryError: the registry cannot be used.
            VaultError: the vault cannot be opened, or a rule makes tokens and none is named.
            ValueError: an interval that is not positive.
        """
        if not isinstance(policy, LoadedPolicy):
            policy = load(policy if isinstance(policy, PolicySource) else PolicySource.read(Path(policy)))
        self._loaded = policy
        ring = (lambda: keys) if isinstance(keys, KeyRing) else RingWatcher(keys, key_refresh_s, report=_report).ring
        options = RegistryOptions(registry) if isinstance(registry, str) else registry
        schemas = open_registry(options) if isinstance(options, RegistryOptions) else options
        self._protect = ReloadingProtect(policy, ring, open_vault(vault) if isinstance(vault, str) else vault, os.urandom, _now,
                                         schemas=schemas, outputs=open_outputs(options) if isinstance(options, RegistryOptions) else
                                         schemas if isinstance(schemas, OutputSchemas) else None,
                                         control=control)
        self.plan: Plan = self._protect.plan
        self._stateful = InProcess(self.plan, _now)

    def protect(self, batch: pa.Array | Sequence[bytes | str | None]) -> Result:
        """Protect a batch of raw records.

        Args:
            batch: n records; larger batches (1,000 to 10,000) are faster by the record.

        Raises:
            TypeError: a row is neither bytes nor text nor None; a single record in place of a batch.
            KeyRingError: the key ring has changed, and lacks a key that the policy needs.
            VaultError: the token vault was away for longer than its patience.
        """
        if isinstance(batch, str | bytes | bytearray):
            raise TypeError("a batch of records is needed, not one record. Hint: protect([record])")
        pieces = self._protect(binary_column(batch))
        if self._protect.plan is not self.plan:
            self.plan = self._protect.plan
            self._stateful.renew(self.plan)
        start, quarantine = 0, []
        for piece in pieces:
            self._stateful.feed(piece)
            quarantine += [(start + row, line) for row, line in piece.quarantine]
            start += piece.records
        self._stateful.timers()
        views = {name: _joined([piece.views[name] for piece in pieces]) for name in pieces[0].views}
        return Result(views, self._stateful.released(), quarantine, [line for piece in pieces for line in piece.audit_lines])

    def protect_frame(self, frame: Any, segment: str | None = None, *, keep_index: bool = False, last: bool = False) -> "FrameResult":
        """Protect the rows of a frame as records, its columns as their fields; a column that no field declares passes nowhere.

        Null (of pandas also NaN) is a member that is null; nested columns are objects and arrays; times are text in ISO 8601.

        Args:
            frame: a frame of pandas or polars, or an Arrow table, n rows.
            segment: make the frame of this segment only; None: of all.
            keep_index: of pandas, show an index without a name that is no plain range; one with a name is a column like others.
            last: no frame follows: anonymized and aggregated segments release what they may, and suppress the rest, see `finish`.

        Returns:
            Frames of the same kind.

        Raises:
            TypeError: no frame.
            InputError: the policy's records are not JSON, there is no such segment, a column has no form in JSON, or the index could hold
                data.
            KeyRingError, VaultError: as `protect`.
        """
        from flink_masking.frames.protected import protect_table

        return protect_table(frame, segment, keep_index, self._loaded, lambda: self.plan, self.protect, self.finish if last else None)

    def finish(self) -> dict[str, list[bytes]]:
        """End of input: the last lines of the anonymized and aggregated segments; what cannot be released is suppressed."""
        self._stateful.finish()
        return self._stateful.released()


def _joined(arrays: list[pa.BinaryArray]) -> pa.BinaryArray:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def _report(error: KeyRingError) -> None:
    _log.warning("the key ring could not be checked; the current one stays in use: %s", error)


def _now() -> int:
    return time.time_ns() // 1_000_000
