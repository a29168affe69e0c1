"""From a policy's source to a policy that can be used, or to all that is wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flink_masking.anonymity.dimensions import Dimension
from flink_masking.contract.field import Contract
from flink_masking.documents.document import Document
from flink_masking.documents.faults import Fault, PolicyFaults
from flink_masking.documents.findings import Findings
from flink_masking.dp.spec import AggregateSpec
from flink_masking.errors import InputError
from flink_masking.hierarchy import Hierarchy
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.aggregates import aggregate_spec
from flink_masking.policy.check import Compiled, check
from flink_masking.policy.check_format import column_faults
from flink_masking.policy.check_record import RecordRules
from flink_masking.policy.check_retention import token_domains
from flink_masking.policy.check_schema import check_key_schema, derived_key_schemas, derived_schemas, schema_faults
from flink_masking.policy.check_sweep import Sweeping
from flink_masking.policy.expand import Images, expanded
from flink_masking.policy.facts import part_context
from flink_masking.policy.granted import with_granted
from flink_masking.policy.layout import layout
from flink_masking.policy.mechanisms import dimension
from flink_masking.policy.model import Policy
from flink_masking.policy.outcomes import view_of, view_of_keys
from flink_masking.policy.rules import Rule, bind, written_rules
from flink_masking.policy.segments import AggregatedSegment, MaskedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.policy.structure import build
from flink_masking.policy.tagged import Tagged, write_out
from flink_masking.records.codec import FORMATS, View, codec_for
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.vault.base import Vault


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy without faults, and what was compiled of it.

    Attributes:
        policy: the model.
        source: what it was read from; jobs carry this and load it again.
        warnings: what is allowed and seldom meant, in the order of the text.
        tagged: what tags and rules by class or tag were resolved to; `policy` has all of it written out.
        images: where the rows stand in the records of change data capture; None: a record is a row.
    """

    policy: Policy
    source: PolicySource
    warnings: list[Fault]
    _compiled: Compiled = field(repr=False)
    tagged: Tagged = field(default_factory=Tagged)
    images: Images | None = None
    _written: Policy | None = None

    @property
    def written(self) -> Policy:
        """The model as it is written, with paths within the row where rows stand in envelopes."""
        return self._written or self.policy

    @property
    def hierarchies(self) -> Mapping[str, Hierarchy]:
        """The hierarchies by file name, as written in the policy."""
        return self._compiled.facts.hierarchies

    def rules(self, segment: str) -> dict[str, Rule]:
        """What a masked segment does, by path: every declared field is covered by exactly one entry.

        The default is written out: for ``drop`` on the topmost parents of which no part has a rule of its own, so that no empty shell is
        left over; for another technique on each declared field. An entry for a parent covers all below it.

        Raises:
            KeyError: there is no masked segment of that name.
        """
        return dict(self._compiled.rules[segment])

    def covering(self, segment: str, path: str) -> Rule | None:
        """The rule of a masked segment that covers a declared field: its own, or that of what it is a part of; None where none does.

        Raises:
            KeyError: there is no masked segment of that name.
            PolicyError: the path cannot be parsed.
        """
        tree, rules = self._compiled.tree, self._compiled.rules[segment]
        found = tree.find(path) or path
        return next((rules[place] for place in (found, *reversed(tree.parents(found))) if place in rules), None)

    def declared(self, path: str) -> str:
        """A declared path in the spelling of its declaration; any other as it is."""
        return self._compiled.tree.find(path) or path

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """What is checked of the values of each field that has something declared, by path."""
        return self._compiled.contracts

    def fields_at(self, path: str) -> tuple[str, ...]:
        """The declared fields that a rule for `path`, as in `rules`, is for: itself or what is below it."""
        return tuple(place for place in (path, *self._compiled.tree.under(path)) if place in self.policy.fields)

    def in_order(self) -> "LoadedPolicy":
        """The same policy with ``order: as_read`` in every masked segment, to show records beside their source."""
        segments = {name: segment.model_copy(update={"order": "as_read"}) if isinstance(segment, MaskedSegment) else segment
                    for name, segment in self.policy.segments.items()}
        return replace(self, policy=self.policy.model_copy(update={"segments": segments}))

    def with_columns(self, columns: tuple[str, ...]) -> "LoadedPolicy":
        """The same policy for records of files, which have no framing, with these columns, as the header of a view names them."""
        framing = {"framing": "none"} if FORMATS[self.policy.format].framings else {}
        return replace(self, policy=self.policy.model_copy(update={"columns": columns, **framing}))

    def of_files(self, header: tuple[str, ...] | None) -> "LoadedPolicy":
        """The same policy for records of files with this header, or without any: files have no framing."""
        made = self if header is None and self.policy.framing == "none" else self.with_columns(header or ())
        return replace(made, source=replace(self.source, columns=header if made is self else header or ()))

    def for_header(self, columns: tuple[str, ...], place: str) -> "LoadedPolicy":
        """The same policy for raw records with these columns, as the header of an input names them.

        Raises:
            InputError: columns and fields do not fit each other; `place` is the input's name.
        """
        made = self.with_columns(columns)
        if FORMATS[self.policy.format].schemas:
            for message, hint in schema_faults(self.policy, codec_for(self.policy.format, layout(made.policy))):
                raise InputError(f"{place}: {message}. Hint: {hint}")
            return made
        for _, message, hint in column_faults(self.policy, columns):
            raise InputError(f"{place}: {message}. Hint: {hint}")
        return made

    def schemas_of_views(self) -> Iterator[tuple[str, str, str, bool]]:
        """Of formats with schemas: for each schema that the policy names, and each masked segment, the schema of the view.

        Returns:
            File, segment or, for keys, segment and ``.key``, text of the view's schema, whether it differs from the file's.

        Raises:
            InputError: a schema is none.
        """
        yield from derived_schemas(self.policy, self.views, self.source)
        if self.images is not None:
            yield from derived_key_schemas(self.images, self.key_views, self.source)

    @property
    def views(self) -> dict[str, View]:
        """What the rules of each masked segment make of the types of fields, by its name."""
        return {name: view_of(self.policy, name, rules) for name, rules in self._compiled.rules.items()}

    @property
    def key_views(self) -> dict[str, View]:
        """The same for the keys of changed rows; empty where the policy has none."""
        return {} if self.images is None else key_views(self.images, self._compiled)

    @property
    def tokenised(self) -> tuple[str, ...]:
        """The rules that need a token vault, as ``segment: path``."""
        return tuple(f"{name}: {rule.path}" for name, rule in self._compiled.masking() if rule.promises.needs_vault)

    @property
    def token_domains(self) -> tuple[str, ...]:
        """The key domains whose tokens the rules make, sorted."""
        return token_domains(rule for _, rule in self._compiled.masking())

    @property
    def erasable(self) -> bool:
        """Whether a vault keeps anything that the erasure of a subject destroys."""
        rules = [rule for found in self._compiled.rules.values() for rule in found.values()]
        return any(rule.promises.needs_subject for rule in rules if rule.promises.needs_vault) or (
            self.policy.erasure is not None and bool(self.tokenised))

    def record(self, segment: str) -> RecordRules:
        """What a masked segment does with Kafka's own parts of a record.

        Raises:
            KeyError: there is no masked segment of that name.
        """
        return self._compiled.records[segment]

    def keys(self, segment: str) -> dict[str, Rule]:
        """What a masked segment does to the keys of open objects, by the path that ends in ``*``; keys that stay are not among them.

        Raises:
            KeyError: there is no masked segment of that name.
        """
        return dict(self._compiled.keys[segment])

    def sweep(self, segment: str) -> Sweeping:
        """What a masked segment sweeps: undeclared members, and declared ones without a rule of their own.

        Raises:
            KeyError: there is no masked segment of that name.
        """
        return self._compiled.sweeps[segment]

    def groups(self, segment: str) -> tuple[Rule, ...]:
        """The rules of an aggregated segment's `group_by`, in its order: keep or generalize.

        Raises:
            KeyError: there is no aggregated segment of that name.
        """
        return self._compiled.groups[segment]

    def dimension(self, path: str, categories: bool = False) -> Dimension:
        """The dimension of a quasi-identifier of an anonymized segment; with codes for missing and unknown values on request."""
        return dimension(self.policy.fields[path], self.hierarchies, categories, path.endswith("[*]"))

    def aggregate(self, segment: str) -> AggregateSpec:
        """What an aggregated segment computes and promises.

        Raises:
            KeyError: there is no aggregated segment of that name.
        """
        found = self.policy.segments[segment]
        if not isinstance(found, AggregatedSegment):
            raise KeyError(segment)
        return aggregate_spec(found, self.policy, [rule.path for rule in self.groups(segment)])

    def facts(self, path: str) -> FieldFacts:
        """What techniques may know of a declared field, or of a parent.

        Raises:
            PolicyError: the path is neither.
        """
        return self._compiled.facts.of(path)

    def part_context(self, part: str, keys: KeyRing, vault: Vault | None = None) -> RuleContext:
        """Where a rule for a part of Kafka's stands; see `flink_masking.policy.facts.part_context`."""
        return part_context(part, self.policy.stream, keys, self.source, vault, self.policy.token_days)

    def rule_context(self, path: str, keys: KeyRing, vault: Vault | None = None) -> RuleContext:
        """Where a rule for `path` stands, for the makers of techniques.

        Args:
            path: as in `rules`.
            keys: the key ring.
            vault: where tokens are kept; None where nothing asks for any.

        Raises:
            PolicyError: the path is neither a declared field nor a parent of one.
        """
        return self._compiled.facts.rule_context(path, keys, self.source, vault)


def load(source: PolicySource) -> LoadedPolicy:
    """Parse and check a policy, and run the maker of every technique with a throw-away key ring.

    Raises:
        PolicyFaults: with every fault found. Contradictions between parts are checked once each part by itself is valid.
    """
    document = Document(source.name, source.text)
    findings = Findings(document)
    policy, faults = build(document)
    if policy is None:
        findings.faults += faults
        for segment, path, spec in written_rules(document.value):
            bind(spec, ("segments", segment, "rules", path), findings)
        raise PolicyFaults(source.name, findings.errors)
    policy, tagged = write_out(policy, source, findings)
    policy = with_granted(policy, findings)
    if findings.errors:
        raise PolicyFaults(source.name, findings.errors)
    compiled = check(policy, source, findings)
    if findings.errors:
        raise PolicyFaults(source.name, findings.errors)
    images, written = None, policy
    if policy.record is not None:
        policy, images = expanded(policy, policy.record)
        whole = Findings(document)  # what it warns of has been said of the row
        compiled = check(policy, source, whole, images.row_path)
        check_key_schema(images, key_views(images, compiled), source, whole)
        if whole.errors:
            raise PolicyFaults(source.name, whole.errors)
    loaded = LoadedPolicy(policy, source, findings.warnings, compiled, tagged, images, written)
    return loaded if source.columns is None else loaded.with_columns(source.columns)


def key_views(images: Images, compiled: Compiled) -> dict[str, View]:
    """How keys of changed rows leave each masked segment that has them, by its name."""
    views = {}
    for name, rules in compiled.rules.items():
        found = {place: rules.get(compiled.tree.find(images.place(column)) or "") for column in images.envelope.key
                 for place in images.key_places(column)}
        columns = {path: rule for path, rule in found.items() if rule is not None and rule.technique.action is not Action.DROP}
        if columns:
            views[name] = view_of_keys(name, columns)
    return views


def load_policy(path: str | Path) -> LoadedPolicy:
    """Read and check a policy and the files that it names; no key is needed.

    Args:
        path: of the YAML file.

    Returns:
        The policy; its `warnings` are worth a look, and `policy` is the model.

    Raises:
        InputError: the file cannot be read.
        PolicyFaults: the policy has faults; `faults` has each with line, column, message and hint.

    Examples:
        >>> from flink_masking import load_policy
        >>> from flink_masking.examples import CUSTOMER_EVENTS
        >>> sorted(load_policy(CUSTOMER_EVENTS).policy.segments)[0]
        'aggregated-customer-metrics'
    """
    return load(PolicySource.read(path))
