"""Compiles a policy and its keys. All errors of configuration are raised here, none while records are processed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING

import pyarrow as pa

from flink_masking.contract.field import Contract
from flink_masking.engine.aggregated import compile_aggregated
from flink_masking.engine.anonymized import compile_anonymized
from flink_masking.engine.connect import ConnectSchemas
from flink_masking.engine.keys import exact
from flink_masking.engine.masking import REDACTED, FieldRule, KeptField, accepted_kinds, as_it_came
from flink_masking.engine.quarantine import day_keys
from flink_masking.engine.record import Part, RecordPlan
from flink_masking.engine.row_key import Column, RowKey
from flink_masking.engine.stateful import Stateful
from flink_masking.engine.zero_delay import compile_zero_delay
from flink_masking.errors import VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.check_contract import field_contract
from flink_masking.policy.check_keys import KEYS
from flink_masking.policy.check_record import KEY, RecordRules
from flink_masking.policy.check_sweep import SWEEPING
from flink_masking.policy.expand import Images, as_text
from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.layout import key_layout, layout
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.model import Policy
from flink_masking.policy.outcomes import view_of, view_of_keys
from flink_masking.policy.rules import DEFAULT, Rule
from flink_masking.policy.segments import KEY_VERSIONS, AggregatedSegment, AnonymizedSegment, GrantedView, MaskedSegment
from flink_masking.policy.tree import repeats
from flink_masking.records.codec import FORMATS, Codec, Rows, View, codec_for, rows_for
from flink_masking.records.connect import SCHEMA
from flink_masking.records.edits import DROP, KEEP, Edit, Replace
from flink_masking.records.paths import parse_path, selects
from flink_masking.records.spans import FATAL, Flag, Limits
from flink_masking.records.trie import Paths
from flink_masking.registry.locked import LockedSchemas
from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import SchemaSource
from flink_masking.techniques.base import Action, FieldFacts
from flink_masking.vault.base import Vault
from flink_masking.vault.day_keys import DayKeys

if TYPE_CHECKING:
    from flink_masking.engine.sweep import Sweep


@dataclass(frozen=True)
class MaskedPlan:
    """A masked segment.

    Attributes:
        name: the segment.
        rules: masks by field.
        drops: fields whose members are removed.
        keeps: fields that stay as they are.
        added: members that every record ends with, as the format writes them: the key versions of its fpe values, or nothing.
        record: what becomes of Kafka's own parts of a record.
        shuffled: the records of each batch leave in a random order of their own.
        keys: rules for the keys of open objects, by the path that ends in ``*``.
        checked: the fields at and below `keeps`, or swept, whose values have a contract to keep.
        sweeps: what becomes of members without a rule of their own, where they stay.
        view: what a format with schemas has to know of it.
        connect: the schemas of Kafka Connect that records stand beside; None: they stand alone.
        of: of a granted view, the masked segment whose rules hold for what is not granted; empty: it is a masked segment.
        open: of a granted view, the fields that grants can show more of.
    """

    name: str
    rules: tuple[FieldRule, ...]
    drops: tuple[str, ...]
    keeps: tuple[str, ...]
    added: bytes = b""
    record: RecordPlan = field(default_factory=RecordPlan)
    shuffled: bool = False
    keys: tuple[FieldRule, ...] = ()
    checked: tuple[KeptField, ...] = ()
    sweeps: tuple["Sweep", ...] = ()
    view: View | None = None
    connect: ConnectSchemas | None = None
    of: str = ""
    open: frozenset[str] = frozenset()

    @property
    def shown(self) -> list[str]:
        """The fields of which it shows anything or whose values are read."""
        return [*(rule.path for rule in self.rules if rule.shows), *(kept.path for kept in self.checked)]


@dataclass(frozen=True)
class Plan:
    """The whole policy, ready to run.

    Attributes:
        policy: the policy's model.
        codec: of the policy's format.
        ring: the keys.
        digest: SHA-256 of the policy and its files, hex.
        paths: what the scanner looks for.
        limits: of depth and size.
        masked: masked segments, in the policy's order.
        stateful: anonymized and aggregated segments, in the policy's order.
        required: fields that every record must have.
        unknown: what becomes of members that nobody declared, where they do not send the record to quarantine.
        fatal: scanner flags that send a record to quarantine.
        contracts: what is checked of the fields that a view shows, by path.
        strict: the fields of which one value that breaks its contract sends the record to quarantine.
        folded: records come as `flink_masking.records.codec.folded` makes them.
        drift: tells the schemas of records that the lock file does not know; None where there is no lock file or no registry.
        placeholders: texts that stand for a value that is not in the record, and leave as they came; None: there are none.
        key_codec: of the keys of changed rows; None where they are no records.
    """

    policy: Policy
    codec: Codec
    ring: KeyRing
    digest: str
    paths: Paths
    limits: Limits
    masked: tuple[MaskedPlan, ...]
    stateful: tuple[Stateful, ...]
    required: tuple[str, ...]
    unknown: Edit
    fatal: int
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    strict: tuple[str, ...] = ()
    folded: bool = False
    drift: LockedSchemas | None = None
    placeholders: pa.StringArray | None = None
    key_codec: Codec | None = None
    days: DayKeys | None = None

    @property
    def selected_subject(self) -> bool:
        """Whether the subject's path has a selector, so that a record can name two people."""
        return self.policy.subject is not None and selects(parse_path(self.policy.subject))

    @property
    def out_of_orderness(self) -> int:
        """Milliseconds by which a record may be older than the newest one before its window may be closed."""
        return self.policy.event_time.max_out_of_orderness if self.policy.event_time else 0

    def columns(self, name: str) -> tuple[str, ...]:
        """What the header of a segment's records names, where their format has one; otherwise empty."""
        if not FORMATS[self.policy.format].header and not FORMATS[self.policy.format].lengths:
            return ()
        for masked in self.masked:
            if masked.name == name:
                edits: dict[str, Edit] = {**dict.fromkeys(self.paths.names, KEEP), **dict.fromkeys(masked.drops, DROP)}
                return self.codec.shown(self.paths, edits, self.unknown, masked.view)
        return () if FORMATS[self.policy.format].schemas else self.segment(name).columns

    def segment(self, name: str) -> Stateful:
        """The stateful segment of that name."""
        return next(s for s in self.stateful if s.name == name)


def compile_plan(loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None = None, masked_segments: bool = True,
                 schemas: SchemaSource | None = None, outputs: OutputSchemas | None = None) -> Plan:
    """Compile a checked policy for a key ring.

    Args:
        loaded: from `flink_masking.policy.load.load`.
        ring: the keys; `KeyRing.ephemeral()` where results need not be repeatable.
        vault: where tokens are kept; may be None where no rule makes any.
        masked_segments: False leaves the masked segments out, for whoever needs the stateful ones only.
        schemas: those that records name by identifiers; None where there is no registry.
        outputs: gives identifiers to the schemas of views, where they differ from those of the records.

    Raises:
        PolicyError: a rule cannot be carried out.
        VaultError: a rule makes tokens, and there is no vault.
    """
    policy = loaded.policy
    if masked_segments and vault is None and policy.quarantine is not None:
        raise VaultError("quarantine.keep: the keys of days are kept in a vault, and none is named. Hint: --vault sqlite:///vault.db, or "
                         "vault: in the deployment")
    if masked_segments and vault is None and (places := loaded.tokenised):
        raise VaultError(f"{places[0]}: tokens are kept in a vault, and none is named. Hint: --vault sqlite:///path/to/vault.db, or vault: "
                         "in the deployment")
    masked: list[MaskedPlan] = []
    stateful: list[Stateful] = []
    key_codec = _key_codec(loaded, schemas, outputs)
    for name, segment in policy.segments.items():
        match segment:
            case MaskedSegment():
                if masked_segments:
                    masked.append(_masked(name, segment, loaded, ring, vault, key_codec))
            case AnonymizedSegment():
                stateful.append((compile_anonymized if segment.mode == "buffered" else compile_zero_delay)(name, segment, loaded, ring))
            case AggregatedSegment():
                stateful.append(compile_aggregated(name, segment, loaded, ring))
    required = tuple(path for path, field in policy.fields.items() if not field.optional and not repeats(path))
    emit: dict[str, None] = dict.fromkeys(path for m in masked for path in (*m.drops, *(r.path for r in (*m.rules, *m.keys))))
    emit.update(dict.fromkeys(kept.path for m in masked for kept in m.checked))
    emit.update(dict.fromkeys(path for m in masked for sweep in m.sweeps for path in sweep.fields))
    emit.update(dict.fromkeys(path for s in stateful for path in sorted(s.paths)))
    emit.update(dict.fromkeys((*required, *([policy.subject] if policy.subject else []))))
    if any(m.of for m in masked):  # what predicates of grants may ask for
        emit.update(dict.fromkeys(path for path, field in policy.fields.items() if field.type not in OBJECT_TYPES and not repeats(path)))
    wrapped = loaded.images is not None and loaded.images.envelope.wrapped
    emit.update(dict.fromkeys([SCHEMA] if wrapped else []))
    opaque = [path for path, field in policy.fields.items() if field.type in OBJECT_TYPES]
    selected = [path for path in policy.fields if selects(parse_path(path))]
    paths = Paths(list(emit), known=[path for path in policy.fields if path not in emit], opaque=opaque, selected=selected)
    if wrapped:
        masked = [replace(m, connect=ConnectSchemas(paths, m.view)) for m in masked if m.view is not None]
    quarantine_unknown = policy.unknown_fields == "quarantine"
    unknown = Replace(pa.scalar(REDACTED)) if policy.unknown_fields == "redact" else DROP
    shown = [path for m in masked for path in m.shown] + [path for s in stateful for path in sorted(s.checked)]
    contracts = {path: loaded.contracts[path] for path in shown if path in loaded.contracts}
    strict = tuple(contracts) if policy.contract == "strict" else ()
    drift = None
    if schemas is not None and loaded.tagged.lock is not None:
        known = [one.digest for one in loaded.tagged.lock.versions]
        schemas = drift = LockedSchemas(schemas, known, policy.contract == "strict")
    codec = codec_for(policy.format, layout(policy, schemas, loaded.source.file, outputs, loaded.source.folded))
    return Plan(policy, codec, ring, loaded.source.digest, paths, Limits(), tuple(masked), tuple(stateful), required, unknown,
                FATAL | (Flag.UNKNOWN if quarantine_unknown else 0), contracts, strict, loaded.source.folded, drift, placeholders(loaded),
                key_codec, _days(policy, ring, vault) if masked_segments else None)


def _days(policy: Policy, ring: KeyRing, vault: Vault | None) -> DayKeys | None:
    """The keys of days of the quarantine, where its records expire."""
    return None if policy.quarantine is None or vault is None else day_keys(vault, ring, policy.stream, policy.quarantine.keep)


def without_row_keys(plan: Plan) -> Plan:
    """A copy of a plan for sinks that hold no keys: those that follow from the policy's envelope are omitted."""
    masked = tuple(replace(m, record=replace(m.record, key=None)) if m.record.key is not None and m.record.key.implied else m
                   for m in plan.masked)
    return replace(plan, masked=masked)


def renewed(plan: Plan, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None) -> Plan:
    """A copy of a plan whose masked segments, packets and quarantine use another key ring.

    The stateful segments stay as they are, with the keys that they hash sensitive values with: hashes that are compared with each other
    must be made with one key, or one value would count as two.

    Args:
        plan: of `loaded`.
        loaded: the same policy.
        ring: the keys from now on.
        vault: as for `compile_plan`.

    Raises:
        PolicyError, KeyRingError: a rule cannot be carried out with this ring.
    """
    segments = {m.name: (m, loaded.policy.segments[m.name]) for m in plan.masked}
    masked = tuple(replace(_masked(name, s, loaded, ring, vault, plan.key_codec), connect=m.connect)
                   for name, (m, s) in segments.items() if isinstance(s, MaskedSegment))
    return replace(plan, ring=ring, masked=masked, days=_days(loaded.policy, ring, vault))


def key_versions(paths: Iterable[str], version: int, rows: Rows) -> bytes:
    """The member that tells the key version of the values at `paths`, as a format with nested records writes it."""
    told = ",".join(f"{json.dumps(path, ensure_ascii=False)}:{version}" for path in paths)
    return (rows.member(KEY_VERSIONS) + rows.literal(f"{{{told}}}")).encode()


def _key_codec(loaded: LoadedPolicy, schemas: SchemaSource | None, outputs: OutputSchemas | None) -> Codec | None:
    """Of the keys of changed rows, where they are records."""
    images = loaded.images
    if images is None or not images.envelope.key or images.key_text:
        return None
    return codec_for(images.key_format, key_layout(images, schemas, loaded.source.file, outputs))


def _masked(name: str, segment: MaskedSegment, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None,
            key_codec: Codec | None) -> MaskedPlan:
    rules, drops, keeps, checked, versioned = [], [], [], [], []
    sweeping = loaded.sweep(name)
    for path, rule in loaded.rules(name).items():
        if path in sweeping.fields:
            checked += [KeptField(place, rule.params.on_error, SWEEPING) for place in loaded.fields_at(path) if place in loaded.contracts]
            continue
        mask = rule.technique.make(rule.params, loaded.rule_context(path, ring, vault))
        if loaded.images is not None and not isinstance(mask, Action) and loaded.images.is_key(path):
            mask = exact(rule.promises, mask)
        if mask is Action.DROP:
            drops.append(path)
        elif mask is Action.KEEP:
            keeps.append(path)
            checked += [KeptField(place, rule.params.on_error) for place in loaded.fields_at(path) if place in loaded.contracts]
        else:
            promises = rule.promises
            versioned += [path] if promises.version_beside else []
            rules.append(FieldRule(path, rule.technique.name, mask, accepted_kinds(rule.technique.inputs), rule.params.on_error,
                                   promises.row_local, not promises.erases, promises.hides, placeholders(loaded)))
    added = key_versions(versioned, ring.primary, rows_for(loaded.policy.format)) if segment.key_versions and versioned else b""
    record = _record(loaded.record(name), loaded, ring, vault)
    if loaded.images is not None and loaded.images.envelope.key:
        record = replace(record, key=_row_key(name, loaded, loaded.images, ring, vault, key_codec))
    made = MaskedPlan(name, tuple(rules), tuple(drops), tuple(keeps), added, record, segment.order == "shuffled",
                      tuple(_key(rule, loaded, ring, vault) for rule in loaded.keys(name).values()), tuple(checked),
                      _sweeps(name, loaded, ring, vault), view_of(loaded.policy, name, loaded.rules(name)))
    if isinstance(segment, GrantedView):
        return replace(made, of=segment.of, open=frozenset(loaded.declared(path) for path in segment.may_show))
    return made


def placeholders(loaded: LoadedPolicy) -> pa.StringArray | None:
    """Texts that stand for no value."""
    return pa.array(loaded.images.placeholders, pa.string()) if loaded.images is not None and loaded.images.placeholders else None


def _row_key(name: str, loaded: LoadedPolicy, images: Images, ring: KeyRing, vault: Vault | None, codec: Codec | None) -> Part | None:
    """The key of a changed row by the rules of its columns; None where the segment drops them."""
    columns, names, rules = [], [], {}
    for column in images.envelope.key:
        path = loaded.declared(images.place(column))
        rule = loaded.rules(name).get(path)
        if rule is None or rule.technique.action is Action.DROP:  # of one column as of all: checked when the policy is loaded
            return None
        mask, technique = rule.technique.make(rule.params, loaded.rule_context(path, ring, vault)), rule.technique
        contract = loaded.contracts.get(path) if not rule.promises.erases else None
        if images.key_text:
            contract = field_contract(as_text(loaded.policy.fields[path]))
        compiled = None if isinstance(mask, Action) else FieldRule(
            KEY if images.key_text else column, technique.name, exact(rule.promises, mask), accepted_kinds(technique.inputs), "quarantine")
        if images.key_text:
            kept = FieldRule(KEY, technique.name, as_it_came, accepted_kinds(technique.inputs), "quarantine") if contract else None
            return Part("", technique.name, compiled or kept, True, True, contract, implied=True)
        for place in images.key_places(column):
            columns.append(Column(column, place, compiled, contract))
            rules[place] = rule
        names.append(technique.name)
    assert codec is not None  # texts have returned
    row = RowKey.made(codec, tuple(columns), images.key_kept, images.key_path != "", view_of_keys(name, rules))
    return Part("", ", ".join(dict.fromkeys(names)), None, True, True, None, row, implied=True)


def _sweeps(name: str, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None) -> tuple["Sweep", ...]:
    """What a segment sweeps; nothing is imported where it sweeps nothing."""
    sweeping = loaded.sweep(name)
    declared = loaded.rules(name)[sweeping.fields[0]] if sweeping.fields else None
    rules = [(declared, sweeping.fields, False), (sweeping.undeclared, (), True)]
    wanted = [(rule.params, fields, undeclared) for rule, fields, undeclared in rules if rule is not None]
    if len(wanted) == 2 and wanted[0][0] == wanted[1][0]:
        wanted = [(wanted[0][0], sweeping.fields, True)]
    if not wanted:
        return ()
    sweep, redactor = import_module("flink_masking.engine.sweep"), import_module("flink_masking.techniques.redact_text.redactor")
    context = replace(loaded.rule_context(next(iter(loaded.policy.fields)), ring, vault), facts=FieldFacts(DEFAULT))
    return tuple(sweep.Sweep(redactor.Redactor(params, context), fields, undeclared) for params, fields, undeclared in wanted)


def _key(rule: Rule, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None) -> FieldRule:
    mask, technique = rule.technique.make(rule.params, loaded.part_context(KEYS + rule.path, ring, vault)), rule.technique
    assert not isinstance(mask, Action)  # check_keys has refused keep and drop
    return FieldRule(rule.path, technique.name, exact(rule.promises, mask), accepted_kinds(technique.inputs), rule.params.on_error)


def _record(rules: RecordRules, loaded: LoadedPolicy, ring: KeyRing, vault: Vault | None) -> RecordPlan:
    def part(rule: Rule, header: str) -> Part:
        mask, technique = rule.technique.make(rule.params, loaded.part_context(rule.path, ring, vault)), rule.technique
        promises = rule.promises
        contract = rules.contracts.get(rule.path) if not promises.erases else None
        if isinstance(mask, Action):
            same = FieldRule(rule.path, technique.name, as_it_came, accepted_kinds(technique.inputs), rule.params.on_error)
            return Part(header, technique.name, same if contract else None, True, True, contract)
        mask = mask if header else exact(promises, mask)
        compiled = FieldRule(rule.path, technique.name, mask, accepted_kinds(technique.inputs), rule.params.on_error)
        return Part(header, technique.name, compiled, promises.deterministic, promises.injective, contract)

    headers = tuple(part(rule, name) for name, rule in rules.headers.items())
    return RecordPlan(part(rules.key, "") if rules.key else None, headers, rules.timestamp)
