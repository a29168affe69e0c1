"""Decrypts masked records without a command line: for services and notebooks of key holders, who say who they are and why."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

import pyarrow as pa

from flink_masking.audit.accountable import noted, told
from flink_masking.audit.log import AuditLog
from flink_masking.control.options import ControlOptions
from flink_masking.crypto.secret import Secret
from flink_masking.errors import ControlError, InputError
from flink_masking.keys.providers import open_ring
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.registry.client import open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import SchemaSource
from flink_masking.tools.reverse import limited, require_grant
from flink_masking.tools.unmask import Unmask
from flink_masking.vault.base import Vault
from flink_masking.vault.providers import open_vault


class Unmasker(Secret):
    """Opens the reversible fields of a masked segment; refuses to be pickled, copied or printed. Used in a ``with`` block.

    Who, why and which fields is appended to an audit file before the first value is opened, and how many at the end. Not thread-safe.

    Examples:
        >>> import tempfile
        >>> from flink_masking import KeyRing, Protector, Unmasker
        >>> from flink_masking.policy.source import PolicySource
        >>> policy = PolicySource("policy.yaml", '''
        ... version: 1
        ... stream: events
        ... fields: {name: {class: direct, type: person}}
        ... segments: {claims: {view: masked, rules: {name: {technique: encrypt, domain: person}}}}
        ... ''')
        >>> keys = KeyRing.ephemeral()
        >>> masked = Protector(policy, keys).protect([b'{"name":"Ada"}']).views["claims"]
        >>> audit = tempfile.mkdtemp() + "/unmask.audit.jsonl"
        >>> with Unmasker(policy, "claims", keys, actor="jdoe", purpose="ticket 4711", audit=audit) as unmasker:
        ...     unmasker.unmask(masked).to_pylist()
        [b'{"name":"Ada"}']
    """

    def __init__(self, policy: str | Path | PolicySource | LoadedPolicy, segment: str, keys: str | KeyRing, *, actor: str, purpose: str,
                 audit: str | Path, vault: str | Vault | None = None, fields: Iterable[str] | None = None, version: int | None = None,
                 skip_unreadable: bool = False, registry: str | RegistryOptions | SchemaSource | None = None,
                 control: ControlOptions | None = None) -> None:
        """Find out what can be opened; nothing is yet.

        Args:
            policy: path of the policy file that the records were masked with, or a policy that has been read or loaded.
            segment: a masked segment of it.
            keys: address of the key ring, or an open one.
            actor: who does it; one line.
            purpose: why; one line.
            audit: a file of audit events, which is appended to.
            vault: address of the token vault, or an open one, which stays open; None where no token is asked for.
            fields: paths of rules; None: every reversible one.
            version: the key version of FPE values in records without ``_key_versions``; None: the primary one.
            skip_unreadable: values that cannot be opened become null and are counted, instead of a DecryptionError.
            registry: address or options of the schema registry that records name their schemas by, or an open source of schemas.
            control: where grants are, for policies that ask for one (``reverse: {requires_grant: true}``).

        Raises:
            PolicyFaults: the policy has faults.
            InputError: the segment or a field cannot be opened by anybody, or actor or purpose is not one line.
            KeyRingError: the key ring cannot be opened, or lacks a version or a domain.
            RegistryError: the registry cannot be used.
            VaultError: the vault cannot be opened, or tokens are asked for and none is named.
        """
        if not isinstance(policy, LoadedPolicy):
            policy = load(policy if isinstance(policy, PolicySource) else PolicySource.read(Path(policy)))
        who = {"actor": told("actor", actor), "purpose": told("purpose", purpose)}
        ring = keys if isinstance(keys, KeyRing) else open_ring(keys)
        options = RegistryOptions(registry) if isinstance(registry, str) else registry
        schemas = open_registry(options) if isinstance(options, RegistryOptions) else options
        self._held = ExitStack()
        tokens = self._held.enter_context(closing(open_vault(vault, existing=True))) if isinstance(vault, str) else vault
        try:
            self._step = Unmask(policy, segment, ring, tokens, fields, version, skip_unreadable, schemas=schemas)
        except BaseException:
            self._held.close()
            raise
        self._log = AuditLog(Path(audit), ring, policy.policy.stream, policy.policy.version, policy.source.digest)
        self._facts = {**who, "segment": segment, "fields": list(self._step.fields)}
        self._open = False
        self._asking = policy, segment, list(self._step.fields), who["actor"], control, ring

    def __enter__(self) -> Self:
        """Write to the audit that it begins.

        Raises:
            ControlError: the policy asks for a grant, and there is none; that somebody has tried is in the audit.
        """
        try:
            grant = require_grant(*self._asking)
        except ControlError:
            with noted(self._log, "unmask", self._facts):
                raise
        if grant is not None:
            self._facts["grant"] = grant.id
        self._opened = limited(grant, lambda batch: self._step(batch).records, lambda: self._step.records)
        self._end = self._held.enter_context(noted(self._log, "unmask", self._facts))
        self._open = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Write to the audit how it ended, and close the vault."""
        self._open = False
        if error is None:
            step = self._step
            self._end({"records": step.records, "values": {p: {"technique": step.techniques[p], **c} for p, c in step.fields.items()}})
        self._held.__exit__(kind, error, trace)  # type: ignore[arg-type]

    def unmask(self, records: pa.Array | Sequence[bytes | str | None]) -> pa.BinaryArray:
        """Open a batch: the values of the chosen fields in clear, all else byte for byte as it was.

        Args:
            records: n records of the segment.

        Returns:
            n records.

        Raises:
            InputError: not in a ``with`` block, or a record cannot be read.
            DecryptionError: a value cannot be opened, without detail; never with `skip_unreadable`.
            KeyRingError: a record's key version is missing, disabled or destroyed.
            VaultError: the vault failed.
            ControlError: its grant has ended, or is for fewer records.
        """
        if not self._open:
            raise InputError("unmask: nothing is opened that the audit does not know of. Hint: with Unmasker(…) as unmasker: …")
        return self._opened(binary_column(records))
