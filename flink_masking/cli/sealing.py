"""What ``audit seal`` reads, where it writes, and its loop."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import typer

from flink_masking.addresses.endpoints import kafka_endpoint
from flink_masking.audit.entries import expire_leaves
from flink_masking.audit.events import iso
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.sealer import ROUND, Sealer
from flink_masking.audit.sources import FileSource
from flink_masking.audit.stores import Directory, Store, open_store
from flink_masking.cli.audit_target import directory
from flink_masking.errors import InputError, JobError, LogUnavailableError

if TYPE_CHECKING:
    from flink_masking.deployment.model import Deployment

EVERY = 10.0
HOUR = 3_600.0
STATE = ".sealer"


class Source(Protocol):
    """Gives lines of audit events, each once."""

    def read(self, positions: Mapping[str, Any], most: int) -> tuple[list[bytes], dict[str, Any]]:
        """See `flink_masking.audit.sources.FileSource.read`."""
        ...


class Step(NamedTuple):
    """What a checkpoint added.

    Attributes:
        size: of the log, entries.
        added: entries since the sealer began.
        again: lines of this step that had been sealed before.
        positions: how far each source has been read.
    """

    size: int
    added: int
    again: int
    positions: Mapping[str, Any]


@dataclass(frozen=True)
class Sealing:
    """A sealer's work.

    Attributes:
        sources: of events.
        store: of the log.
        signer: of its checkpoints.
        state: directory of the sealer's state.
        every: seconds between two checkpoints at least.
        shown: the log's address.
        keep: milliseconds for which leaf hashes are kept; None: for ever.
    """

    sources: Sequence[Source]
    store: Store
    signer: NoteSigner
    state: Path
    every: float
    shown: str
    keep: int | None = None

    @classmethod
    def of(cls, sources: Sequence[Path], log: str | None, key: Path | None, state: Path | None, every: float | None,
           name: str | None = None, passphrase_file: Path | None = None) -> "Sealing":
        """What the command line says; what it does not say comes from the deployment.

        Raises:
            BadParameter: log or key are missing.
            InputError: the deployment cannot be read, its audit is not readable here, or there is no such store.
            KeyRingError: the key cannot be read.
            ControlError: the key is an identity that cannot be opened.
        """
        from flink_masking.cli.identity import passphrase
        from flink_masking.control.note_key import note_signer
        from flink_masking.deployment.model import Deployment

        found: list[Source] = []
        keep: int | None = None
        for path in sources:
            if path.is_file() and path.suffix in (".yaml", ".yml"):
                deployment = Deployment.read(path)
                found.append(_sink(path, deployment))
                if (section := deployment.audit) is not None:
                    found += [FileSource(Path(also)) for also in section.also]
                    if key is None:  # name and passphrase are those of the key
                        name, told = name or section.name, section.passphrase_file
                        passphrase_file = passphrase_file or (None if told is None else Path(told))
                    log, key = log or section.log, key or Path(section.key)
                    state = state or (None if section.state is None else Path(section.state))
                    every, keep = every or section.seal_every / 1000, section.keep
            else:
                found.append(FileSource(path))
        for option, given in (("--log", log), ("--key", key)):
            if given is None:
                raise typer.BadParameter("needed where no deployment has a section audit", param_hint=option)
        assert log is not None and key is not None
        store = open_store(log)
        if state is None:
            if not isinstance(store, Directory):
                raise typer.BadParameter("needed for a log that is no directory of this machine", param_hint="--state")
            state = store.path / STATE
        signed_by = key
        signer = note_signer(key, name, lambda: passphrase(signed_by, passphrase_file))
        return cls(found, store, signer, state, every or EVERY, log, keep)

    def expire(self, now: int) -> int:
        """Remove leaf hashes that are older than they are kept, by a time in ms since 1970; how many files were removed."""
        return 0 if self.keep is None else expire_leaves(self.store, iso(now - self.keep))

    def bytes(self, positions: Mapping[str, Any] | None) -> int | None:
        """Bytes of all sources, or those that were read of them; None where a source is no file."""
        files = [source for source in self.sources if isinstance(source, FileSource)]
        if len(files) < len(self.sources):
            return None
        return sum(source.bytes(positions) for source in files)

    def run(self, once: bool, told: Callable[[Step], None]) -> int:
        """Seal until interrupted.

        Args:
            once: end when everything that is there has been sealed.
            told: called after each checkpoint.

        Returns:
            Entries of the log, with `once`.

        Raises:
            InputError: another sealer writes the log, or it is not as this one left it.
            OSError: with `once`, it could not be written; without, it is tried again.
        """
        with ExitStack() as held:
            sealer, looked = held.enter_context(Sealer(self.store, self.signer, self.state)), -HOUR
            begin = sealer.position.size
            while True:
                begun = time.monotonic()
                full = True
                while full:
                    full = False
                    for source in self.sources:
                        again = sealer.again
                        try:
                            lines, reached = source.read(sealer.position.sources, ROUND)
                            note = sealer.seal(lines, reached)
                        except (OSError, JobError) as error:
                            if once:
                                raise
                            _complain(error)
                            full = False
                            break
                        if note is not None:
                            size = sealer.position.size
                            told(Step(size, size - begin, sealer.again - again, sealer.position.sources))
                        full = full or len(lines) >= ROUND
                if begun - looked >= HOUR:
                    try:
                        self.expire(time.time_ns() // 1_000_000)
                        looked = begun
                    except OSError as error:
                        if once:
                            raise
                        _complain(error)
                if once:
                    return sealer.position.size
                time.sleep(max(0.1, self.every - (time.monotonic() - begun)))


def _complain(error: OSError | JobError) -> None:
    from flink_masking.cli.console import err

    if isinstance(error, JobError | LogUnavailableError):
        err.print(f"{error} It is tried again.", soft_wrap=True)
        return
    why = error.strerror or type(error).__name__
    err.print(f"the log cannot be written now ({why}); nothing is lost, it is tried again", soft_wrap=True)


def _sink(path: Path, deployment: "Deployment") -> Source:
    """The audit sink of a deployment as a source."""
    options = deployment.sinks.get("audit")
    if options is None:
        raise InputError(f"{path}: the deployment has no sink audit. Hint: sinks.audit: {{connector: …}}")
    if kafka_endpoint(options) is not None:
        from flink_masking.kafka.audit_topic import AuditTopic

        return AuditTopic(deployment)
    if (place := directory(options)) is not None:
        return FileSource(place)
    raise InputError(f"{path}: sinks.audit is neither in Kafka nor in files of this machine. Hint: copy its files here, and give the "
                     "directory")
