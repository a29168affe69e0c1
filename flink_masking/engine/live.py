"""Compiles a policy that replaces another one in a running job, or says why it cannot."""

from dataclasses import dataclass, replace

from flink_masking.control.bodies import PolicyBody
from flink_masking.engine.plan import Plan, compile_plan
from flink_masking.engine.record import RecordPlan, Transport
from flink_masking.errors import ControlError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.changes import changes
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import SchemaSource
from flink_masking.vault.base import Vault


@dataclass(frozen=True)
class Prepared:
    """A policy that can be switched to.

    Attributes:
        version: its own.
        loaded: the policy.
        plan: compiled for the ring of that time; masked segments in the order of the submitted policy, whose columns the job has.
    """

    version: int
    loaded: LoadedPolicy
    plan: Plan


def prepare(body: PolicyBody, submitted: LoadedPolicy, first: Plan, ring: KeyRing, vault: Vault | None, transport: Transport,
            schemas: SchemaSource | None = None, outputs: OutputSchemas | None = None) -> Prepared:
    """Load, check and compile a policy for a job that was submitted with another one.

    Args:
        body: of the document.
        submitted: the policy that the job was built from.
        first: the same, compiled when the worker started: its stateful segments go on.
        ring: the keys.
        vault: where tokens are kept, or None.
        transport: what is known of the topics at both ends.
        schemas: as for `compile_plan`.
        outputs: as for `compile_plan`.

    Raises:
        PolicyFaults: the policy has faults.
        ControlError: version or stream are not those of the document, or the job cannot follow the policy live.
        PolicyError, KeyRingError, VaultError: as `compile_plan`.
    """
    loaded = load(replace(body.source, columns=submitted.source.columns, folded=submitted.source.folded))
    if (loaded.policy.version, loaded.policy.stream) != (body.version, body.stream):
        raise ControlError("version and stream of the policy are not those of its document. Hint: flink-masking policy publish makes "
                           "both")
    if found := [change for change in changes(submitted, loaded) if change.effect != "live"]:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ControlError(f"{found[0].place}: {found[0].text}: needs {found[0].effect}{more}. Hint: restart the job; flink-masking policy "
                           "diff OLD NEW shows all")
    plan = compile_plan(loaded, ring, vault, schemas=schemas, outputs=outputs)
    masked = {segment.name: segment for segment in plan.masked}
    ordered = tuple(masked[segment.name] for segment in first.masked)
    for before, after in zip(first.masked, ordered, strict=True):
        if _columns(before.record) != _columns(after.record):
            raise ControlError(f"segments.{before.name}.record: key or headers leave that did not, or no longer do. Hint: restart the job")
        if before.name in transport.upserts:
            _check_upserts(after.name, after.record, after.shuffled)
    return Prepared(body.version, loaded, replace(plan, masked=ordered, stateful=first.stateful))


def _columns(record: RecordPlan) -> tuple[bool, tuple[str, ...], bool]:
    """What of a record crosses the job graph."""
    return record.key is not None, tuple(part.header for part in record.headers), record.timestamp


def _check_upserts(name: str, record: RecordPlan, shuffled: bool) -> None:
    """Refuse what a topic that keeps the newest record of each key cannot take; as when the job was built."""
    if shuffled:
        raise ControlError(f"segments.{name}.order: the sink is upsert-kafka, which keeps the newest record. Hint: omit 'order'")
    if record.key is None or not (record.key.injective and record.key.deterministic):
        raise ControlError(f"segments.{name}.record.key: the sink is upsert-kafka, and records of one key would replace those of "
                           "another. Hint: a technique that maps one key to one value, such as pseudonym")
