"""Where the entries of a quarantine are: a directory of a run, or the sink of a deployment, a directory or a topic in Kafka."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import typer

if TYPE_CHECKING:
    from flink_masking.audit.log import EventLog
    from flink_masking.control.documents import Grant
    from flink_masking.deployment.model import Deployment
    from flink_masking.engine.quarantine import Entry, QuarantineReader
    from flink_masking.kafka.quarantine import QuarantineTopic
    from flink_masking.keys.ring import KeyRing


class _Allowed:
    """Whether a grant allows to open an entry; each record that it opens is counted."""

    def __init__(self, grant: "Grant") -> None:
        self._grant, self._opened = grant, set[str]()

    def __call__(self, entry: "Entry") -> bool:
        body = self._grant.body
        if entry.stream != body.stream or len(self._grant.signers) < (entry.approvals or 1):
            return False
        self._opened.add(entry.id)
        return body.max_records is None or len(self._opened) <= body.max_records


@dataclass(frozen=True)
class Quarantine:
    """A quarantine that can be read.

    Attributes:
        source: as given.
        directory: of the entries; None where they are in Kafka.
        deployment: whose quarantine it is; None for a directory that was given.
        command_config: properties of a Kafka user instead of the deployment's own.
    """

    source: Path
    directory: Path | None
    deployment: "Deployment | None"
    command_config: Path | None

    @classmethod
    def at(cls, source: Path, command_config: Path | None = None) -> "Quarantine":
        """The quarantine that a path names.

        Raises:
            InputError: nothing is there, a deployment without a quarantine, or one whose quarantine is neither files nor in Kafka.
        """
        from flink_masking.addresses.endpoints import kafka_endpoint
        from flink_masking.deployment.model import Deployment
        from flink_masking.errors import InputError

        if source.is_dir():
            return cls(source, source, None, None)
        if not source.exists():
            raise InputError(f"{source}: there is no such directory or file. Hint: give OUTPUT/quarantine of a run, or a deployment")
        deployment = Deployment.read(source)
        options = deployment.sinks.get("quarantine")
        if options is None:
            raise InputError(f"{source}: the deployment has no quarantine. Hint: sinks.quarantine: {{connector: …}}")
        if kafka_endpoint(options) is not None:
            return cls(source, None, deployment, command_config)
        place = urlsplit(str(options.get("path", "")))
        if options.get("connector") != "filesystem" or place.scheme not in ("", "file") or not place.path:
            raise InputError(f"{source}: sinks.quarantine is neither in Kafka nor in files of this machine. Hint: copy its files here, and "
                             "give the directory")
        return cls(source, Path(unquote(place.path)), deployment, None)

    def entries(self) -> "Iterator[Entry]":
        """All entries, in order of files or partitions.

        Raises:
            InputError: a line is no entry.
            JobError: Kafka cannot be reached, or does not let us read.
        """
        from flink_masking.engine.quarantine import read_entries
        from flink_masking.tools.reconcile import lines

        if self.directory is not None:
            return read_entries(lines(self.directory))
        return self.topic().entries()

    def topic(self) -> "QuarantineTopic":
        """The topic of a quarantine in Kafka.

        Raises:
            InputError: its properties cannot be read.
            JobError: Java or the Kafka client is missing.
        """
        import os

        from flink_masking.java import java_home

        os.environ["JAVA_HOME"] = str(java_home())
        from flink_masking.kafka.quarantine import QuarantineTopic

        assert self.deployment is not None
        return QuarantineTopic(self.deployment, self.command_config)

    def ring(self, keys: str | None) -> "KeyRing":
        """The key ring that opens the entries.

        Args:
            keys: its address, or None for the deployment's.

        Raises:
            BadParameter: none is named.
            KeyRingError: it cannot be opened.
        """
        from flink_masking.keys.providers import open_ring

        if keys is None and self.deployment is None:
            raise typer.BadParameter("the address of the key ring is needed; write --keys file:///path", param_hint="--keys")
        return open_ring(keys if keys is not None or self.deployment is None else self.deployment.keys)  # type: ignore[arg-type]

    def under_grant(self, ring: "KeyRing", grants: Path | None, log: "EventLog", kind: str, facts: dict[str, Any]) -> "Grant | None":
        """The grant that entries are opened under, where the first one says that one is needed; its id is put into the facts.

        Args:
            ring: the key ring.
            grants: a deployment with a section control; None: the one whose quarantine it is.
            log: where an attempt without a grant is noted.
            kind: of the event.
            facts: for the audit.

        Raises:
            ControlError: one is needed, and there is none.
        """
        from flink_masking.audit.accountable import noted
        from flink_masking.cli.accountable import control_in
        from flink_masking.errors import ControlError
        from flink_masking.tools.reverse import QUARANTINE, few_approvals, find_grant

        first = next(iter(self.entries()), None)
        if first is None or (approvals := first.approvals) is None:
            return None
        try:
            control = control_in(grants) or (None if self.deployment is None else self.deployment.control_options)
            if control is None:
                raise ControlError(f"a grant is needed to open records of {first.stream}. Hint: --grants DEPLOYMENT, with a section "
                                   "control")
            found = find_grant(first.stream, QUARANTINE, facts["actor"], control, ring, lambda grant: few_approvals(grant, approvals))
        except ControlError:
            with noted(log, kind, facts):
                raise
        facts["grant"] = found.id
        return found

    def reader(self, ring: "KeyRing", vault: str | None, grant: "Grant | None" = None) -> "QuarantineReader":
        """What opens the entries.

        Args:
            ring: the key ring.
            grant: of `under_grant`; entries of other streams, or that need more approvals, stay closed.
            vault: address of the vault with the keys of days, where records expire; None: the deployment's, if it has one.

        Raises:
            VaultError: it cannot be opened.
        """
        from flink_masking.cli.addresses import absolute, named_vault
        from flink_masking.engine.quarantine import QuarantineReader
        from flink_masking.vault.providers import open_vault

        address = absolute(named_vault(vault)) if vault is not None else self.deployment.vault if self.deployment is not None else None
        opened = None if address is None else open_vault(address, existing=vault is not None)
        return QuarantineReader(ring, opened, allowed=None if grant is None else _Allowed(grant))

    def who(self, actor: str | None, purpose: str | None) -> dict[str, str]:
        """Actor and purpose, required before anything is decrypted.

        Raises:
            BadParameter: one of them is missing.
            InputError: one of them is not one line of text.
        """
        from flink_masking.audit.accountable import told

        for name, text in (("--actor", actor), ("--purpose", purpose)):
            if text is None:
                raise typer.BadParameter("needed to open records; it is written to the audit", param_hint=name)
        return {"actor": told("--actor", actor or ""), "purpose": told("--purpose", purpose or "")}

    def log(self, ring: "KeyRing", audit: Path | None) -> "EventLog":
        """The audit that openings are noted in: the one given, the deployment's, or a file beside the source."""
        from flink_masking.cli.audit_target import event_log

        return event_log(audit, self.beside(".audit.jsonl"), ring, deployment=self.deployment)

    def beside(self, suffix: str) -> Path:
        """A file beside the source, named after it."""
        source = self.source.resolve()
        return source.with_name(source.name + suffix)
