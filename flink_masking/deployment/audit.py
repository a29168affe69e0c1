"""Section ``audit`` of a deployment: the log that ``flink-masking audit seal`` writes."""

from pydantic import BaseModel, ConfigDict

from flink_masking.policy.durations import PositiveDuration


class AuditSection(BaseModel):
    """The log that audit events are sealed into; jobs do not need it.

    Attributes:
        log: a directory, file:// or an address of an object store, such as s3://bucket/prefix.
        key: file with the key that signs its checkpoints, on the sealer's machine: made by ``audit key``, or an identity.
        name: of the log, such as audit.example.com/orders; needed where the key is an identity, and otherwise in the key's file.
        passphrase_file: file with the passphrase of the identity in its first line; needed by the job, ``audit seal`` asks for it.
        seal_every: milliseconds, written as a duration: the shortest time between two checkpoints.
        state: directory of the sealer's machine for its state; needed where the log is in an object store.
        keep: milliseconds, written as a duration: how long leaf hashes are kept, by which records can be traced; None: for ever. The log
            itself holds counts and roots only, and stays.
        also: directories and files with events of commands, sealed into the same log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    log: str
    key: str
    name: str | None = None
    passphrase_file: str | None = None
    seal_every: PositiveDuration = 10_000
    state: str | None = None
    keep: PositiveDuration | None = None
    also: tuple[str, ...] = ()
