"""A policy and its keys, compiled: everything that can be wrong has been found, at run time functions see data only."""

from dataclasses import dataclass

import pyarrow as pa

from flink_masking.engine.aggregated import compile_aggregated
from flink_masking.engine.anonymized import compile_anonymized
from flink_masking.engine.masking import REDACTED, FieldRule, accepted_kinds
from flink_masking.engine.stateful import Stateful
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, MaskedSegment
from flink_masking.policy.tree import repeats
from flink_masking.records.edits import DROP, Edit, Replace
from flink_masking.records.spans import FATAL, Flag, Limits
from flink_masking.records.trie import Paths
from flink_masking.techniques.base import Action


@dataclass(frozen=True)
class MaskedPlan:
    """A masked segment.

    Attributes:
        name: the segment.
        rules: masks by field.
        drops: fields whose members are removed.
        keeps: fields that stay as they are.
    """

    name: str
    rules: tuple[FieldRule, ...]
    drops: tuple[str, ...]
    keeps: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The whole policy, ready to run.

    Attributes:
        policy: the policy's model.
        ring: the keys.
        digest: SHA-256 of the policy and its files, hex.
        paths: what the scanner looks for.
        limits: of depth and size.
        masked: masked segments, in the policy's order.
        stateful: anonymized and aggregated segments, in the policy's order.
        required: fields that every record must have.
        unknown: what becomes of members that nobody declared, where they do not send the record to quarantine.
        fatal: scanner flags that send a record to quarantine.
    """

    policy: Policy
    ring: KeyRing
    digest: str
    paths: Paths
    limits: Limits
    masked: tuple[MaskedPlan, ...]
    stateful: tuple[Stateful, ...]
    required: tuple[str, ...]
    unknown: Edit
    fatal: int

    @property
    def out_of_orderness(self) -> int:
        """Milliseconds by which a record may be older than the newest one before its window may be closed."""
        return self.policy.event_time.max_out_of_orderness if self.policy.event_time else 0

    def segment(self, name: str) -> Stateful:
        """The stateful segment of that name."""
        return next(s for s in self.stateful if s.name == name)


def compile_plan(loaded: LoadedPolicy, ring: KeyRing) -> Plan:
    """Compile a checked policy for a key ring.

    Args:
        loaded: from `flink_masking.policy.load.load`.
        ring: the keys; `KeyRing.ephemeral()` where results need not be repeatable.

    Raises:
        PolicyError: a rule cannot be carried out.
    """
    policy = loaded.policy
    masked: list[MaskedPlan] = []
    stateful: list[Stateful] = []
    for name, segment in policy.segments.items():
        match segment:
            case MaskedSegment():
                masked.append(_masked(name, loaded, ring))
            case AnonymizedSegment():
                stateful.append(compile_anonymized(name, segment, loaded, ring))
            case AggregatedSegment():
                stateful.append(compile_aggregated(name, segment, loaded, ring))
    required = tuple(path for path, field in policy.fields.items() if not field.optional and not repeats(path))
    emit: dict[str, None] = dict.fromkeys(path for m in masked for path in (*m.drops, *(r.path for r in m.rules)))
    emit.update(dict.fromkeys(path for s in stateful for path in sorted(s.paths)))
    emit.update(dict.fromkeys((*required, *([policy.subject] if policy.subject else []))))
    opaque = [path for path, field in policy.fields.items() if field.type in OBJECT_TYPES]
    paths = Paths(list(emit), known=[path for path in policy.fields if path not in emit], opaque=opaque)
    quarantine_unknown = policy.unknown_fields == "quarantine"
    unknown = Replace(pa.scalar(REDACTED)) if policy.unknown_fields == "redact" else DROP
    return Plan(policy, ring, loaded.source.digest, paths, Limits(), tuple(masked), tuple(stateful), required, unknown,
                FATAL | (Flag.UNKNOWN if quarantine_unknown else 0))


def _masked(name: str, loaded: LoadedPolicy, ring: KeyRing) -> MaskedPlan:
    rules, drops, keeps = [], [], []
    for path, rule in loaded.rules(name).items():
        mask = rule.technique.make(rule.params, loaded.site(path, ring))
        if mask is Action.DROP:
            drops.append(path)
        elif mask is Action.KEEP:
            keeps.append(path)
        else:
            rules.append(FieldRule(path, rule.technique.name, mask, accepted_kinds(rule.technique.inputs), rule.params.on_error,
                                   rule.technique.row_local))
    return MaskedPlan(name, tuple(rules), tuple(drops), tuple(keeps))
