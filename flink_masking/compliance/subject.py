"""What each view of a policy shows of each field: the material that all frameworks ask their questions of."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flink_masking.compliance.model import Evidence
from flink_masking.contract.field import Contract
from flink_masking.documents.document import cut
from flink_masking.documents.faults import did_you_mean
from flink_masking.errors import PolicyError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.durations import written
from flink_masking.policy.fields import Field
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import DEFAULT, Rule
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, GrantedView, MaskedSegment
from flink_masking.records.paths import format_path, parse_path, unselected
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.promises import Promises, Shows
from flink_masking.vault.memory import MemoryVault

if TYPE_CHECKING:
    from flink_masking.verify.report import Report
    from flink_masking.verify.sequences import Join

UNDECLARED = "undeclared members"
"""Stands for the path of what no field declares."""
TIMESTAMP = "record.timestamp"
"""Stands for the path of the time that Kafka keeps beside a record."""
BY_RECORD = ("masked", "granted")
"""Kinds of views with a record for each record. A grant bounds who sees a value and for how long, not what of it is seen."""
_LONGEST = 90
_GROUPED = Promises(shows=Shows.COARSER, deterministic=False, lasting=False, passes=True)
_NOISY = Promises(shows=Shows.NOISE, deterministic=False, lasting=False, passes=False)
_EXACT = Promises(shows=Shows.EXACT, deterministic=True, lasting=True)


@dataclass(frozen=True)
class Showing:
    """What one view shows of one field.

    Attributes:
        segment: the view.
        view: masked, granted, anonymized or aggregated.
        path: of the field, as declared; of a rule with selectors, as the rule has it; or ``record.key`` and the like.
        field: its declaration; None for parts of a Kafka record and for undeclared members.
        text: the rule, as in the policy, shortened.
        promises: of the rule, or of the kind of view.
        rule: of a masked view, or of an aggregated view's group; None otherwise.
        context: where the rule stands, for trying it; None where there is no rule.
        contract: what values keep that the rule takes; None where nothing is declared that could be checked.
        grant: of a granted view, within which limits a grant lets records flow; empty where none is needed.
    """

    segment: str
    view: str
    path: str
    field: Field | None
    text: str
    promises: Promises
    rule: Rule | None = None
    context: RuleContext | None = dataclasses.field(default=None, repr=False, compare=False)
    contract: Contract | None = dataclasses.field(default=None, repr=False, compare=False)
    grant: str = ""

    @property
    def hidden(self) -> bool:
        """Whether nothing of any value leaves but that it was there, or how long it was."""
        dropped = self.rule is not None and self.rule.technique.action is Action.DROP
        return dropped or self.promises.always_null or self.promises.erases

    @property
    def by_record(self) -> bool:
        """Whether the view has a record for each record, as masked and granted views have, and no groups or figures."""
        return self.view in BY_RECORD

    @property
    def exact(self) -> bool:
        """Whether values leave as they came."""
        return self.promises.shows is Shows.EXACT

    @property
    def parted(self) -> bool:
        """Whether a part of each value leaves as it came."""
        return self.promises.shows is Shows.PART

    @property
    def random_token(self) -> bool:
        """Whether a value leaves as a token that was drawn at random: neither a key nor the value alone gives it.

        A ciphertext under a person's own key depends on a vault, too, but it is computed from the value.
        """
        one = self.promises
        return one.needs_vault and not one.needs_subject and one.shows is Shows.NOTHING and not one.passes and not one.parts

    @property
    def stand_in(self) -> bool:
        """Whether a value leaves as a consistent stand-in or ciphertext that tells nothing of it."""
        return self.promises.shows is Shows.NOTHING and not self.promises.passes and not self.hidden

    @property
    def keyed(self) -> bool:
        """Whether keys of the ring or the vault are needed for the result."""
        return bool(self.promises.purposes)

    def evidence(self, met: bool, note: str) -> Evidence:
        """Evidence about this field in this view."""
        return Evidence(self.segment, self.path, self.text, met, "; ".join(part for part in (note, self.grant) if part))

    def tell(self) -> str:
        """What the view shows, in a word or two."""
        if self.hidden:
            return "nothing"
        if self.stand_in:
            return "random token" if self.random_token else "stand-in"
        return {Shows.EXACT: "exact", Shows.COARSER: "coarser", Shows.PART: "part", Shows.NOISE: "noise",
                Shows.NOTHING: "other records' values"}[self.promises.shows]


class PolicyViews:
    """A policy and what its views show, with measured figures where there are any.

    Attributes:
        loaded: the policy.
        segments: names of the views that are looked at.
        reports: what `flink_masking.verify` measured, by segment.
        joins: what it found when it joined the views; None: it was not tried.
    """

    def __init__(self, loaded: LoadedPolicy, segments: Collection[str] = (), reports: "Mapping[str, Report] | None" = None,
                 joins: "list[Join] | None" = None) -> None:
        """Take the views.

        Args:
            loaded: the policy.
            segments: only these; empty: all.
            reports: measured figures by segment.
            joins: what joining the views gave.

        Raises:
            PolicyError: there is no such segment.
        """
        for name in segments:
            if name not in loaded.policy.segments:
                raise PolicyError(f"'{cut(name)}' is not a segment of the policy. Hint: "
                                  f"{did_you_mean(name, loaded.policy.segments, 'segments')}")
        self.loaded, self.reports, self.joins = loaded, dict(reports or {}), joins
        self.segments = tuple(name for name in loaded.policy.segments if not segments or name in segments)

    @property
    def fields(self) -> Mapping[str, Field]:
        """The declared fields by path."""
        return self.loaded.policy.fields

    def of_view(self, *views: str) -> list[str]:
        """The segments of these kinds."""
        return [name for name in self.segments if self.loaded.policy.segments[name].view in views]

    @property
    def aggregated(self) -> dict[str, AggregatedSegment]:
        """The aggregated segments by name."""
        chosen = {name: self.loaded.policy.segments[name] for name in self.segments}
        return {name: one for name, one in chosen.items() if isinstance(one, AggregatedSegment)}

    @cached_property
    def showings(self) -> tuple[Showing, ...]:
        """What all views show, in the order of the policy; a field that a view does not name is shown as nothing."""
        return tuple(one for name in self.segments for one in self._of(name))

    def of(self, paths: Collection[str]) -> list[Showing]:
        """What the views show of some declared fields, rules with selectors in them included."""
        return [one for one in self.showings if one.path in paths or _declared(one.path, self.fields) in paths]

    def shown(self, segment: str, path: str) -> list[Showing]:
        """What one view shows of one declared field."""
        return [one for one in self.of([path]) if one.segment == segment]

    def _of(self, name: str) -> Iterator[Showing]:
        segment = self.loaded.policy.segments[name]
        if isinstance(segment, GrantedView):
            grant = f"only with a grant, {limits(segment)}"
            yield from (dataclasses.replace(one, view="granted", grant=grant) for one in self._masked(name, segment))
        elif isinstance(segment, MaskedSegment):
            yield from self._masked(name, segment)
        elif isinstance(segment, AnonymizedSegment):
            yield from self._anonymized(name, segment)
        elif isinstance(segment, AggregatedSegment):
            yield from self._aggregated(name, segment)
        else:
            raise KeyError(segment)  # a loaded policy has a GrantedView in its place

    def _masked(self, name: str, segment: MaskedSegment) -> Iterator[Showing]:
        for path, rule in self.loaded.rules(name).items():
            for place in self.loaded.fields_at(path) or (path,):
                yield self._showing(name, place, self.fields.get(_declared(place, self.fields)), rule, path)
        record = self.loaded.record(name)
        for rule in record.rules:
            yield self._part(name, rule.path, rule, record.contracts.get(rule.path))
        if record.timestamp:
            yield Showing(name, "masked", TIMESTAMP, None, "keep", _EXACT)
        for path, rule in self.loaded.keys(name).items():
            yield self._part(name, f"keys of {path}", rule)
        swept = self.loaded.sweep(name)
        if swept.undeclared is not None:
            yield self._part(name, UNDECLARED, swept.undeclared)

    def _part(self, name: str, place: str, rule: Rule, contract: Contract | None = None) -> Showing:
        """What a masked view shows of a part that no field declares."""
        context = None
        if rule.technique.action is None and place == UNDECLARED:
            anywhere = self.loaded.rule_context(next(iter(self.fields)), KeyRing.ephemeral(), MemoryVault())
            context = dataclasses.replace(anywhere, facts=FieldFacts(DEFAULT))
        elif rule.technique.action is None:
            context = self.loaded.part_context(place, KeyRing.ephemeral(), MemoryVault())
        return Showing(name, "masked", place, None, rule_text(rule), rule.promises, rule, context, contract)

    def _showing(self, name: str, place: str, declared: Field | None, rule: Rule, path: str) -> Showing:
        context = None
        if rule.technique.action is None:
            context = self.loaded.rule_context(path, KeyRing.ephemeral(), MemoryVault())
        view, contract = self.loaded.policy.segments[name].view, self.loaded.contracts.get(_declared(place, self.fields))
        return Showing(name, view, place, declared, rule_text(rule), rule.promises, rule, context, contract)

    def _anonymized(self, name: str, segment: AnonymizedSegment) -> Iterator[Showing]:
        groups = f"generalized to groups, k = {segment.k}" if segment.mode == "buffered" else f"generalized by value, z = {segment.k}"
        for path, declared in self.fields.items():
            if path in segment.quasi_identifiers:
                yield Showing(name, "anonymized", path, declared, groups, _GROUPED)
            elif path in segment.release:
                yield Showing(name, "anonymized", path, declared, f"released in {groups.partition(' ')[2]}", _EXACT)
            else:
                yield Showing(name, "anonymized", path, declared, "not released", _hidden())

    def _aggregated(self, name: str, segment: AggregatedSegment) -> Iterator[Showing]:
        groups = {rule.path: rule for rule in self.loaded.groups(name)}
        measured = {metric.field for metric in segment.metrics.values() if metric.field is not None}
        epsilon = f"epsilon = {segment.privacy.epsilon:g}"
        for path, declared in self.fields.items():
            if path in groups:
                shown = self._showing(name, path, declared, groups[path], path)
                yield dataclasses.replace(shown, text=f"group by {shown.text}")
            elif path in measured:
                yield Showing(name, "aggregated", path, declared, f"in figures with noise, {epsilon}", _NOISY)
            else:
                yield Showing(name, "aggregated", path, declared, "not released", _hidden())


def limits(segment: GrantedView) -> str:
    """How much one grant of a view opens, at most, and who must approve it."""
    approvals = "1 approval" if segment.approvals == 1 else f"{segment.approvals} approvals"
    records = "1 record" if segment.max_records == 1 else f"{segment.max_records:,} records"
    return f"at most {records} within {written(segment.max_duration)}, {approvals}"


def rule_text(rule: Rule) -> str:
    """A rule as a policy would write it, shortened."""
    given: dict[str, Any] = rule.params.model_dump(exclude_unset=True, exclude_none=True, by_alias=True, mode="json")
    parts = [f"{key}: {_written(value)}" for key, value in given.items()]
    if getattr(rule.technique, "parts", ()):
        parts.append("within: …")
    text = f"{rule.technique.name} {{{', '.join(parts)}}}" if parts else rule.technique.name
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hidden() -> Promises:
    return Promises(shows=Shows.NOTHING, deterministic=True, lasting=False, passes=False, hides=float("inf"))


def _declared(path: str, fields: Mapping[str, Field]) -> str:
    """The declared field that a rule's path is about: itself, or the same without its selectors."""
    if path in fields:
        return path
    try:
        plain = format_path(unselected(parse_path(path)))
    except PolicyError:
        return path
    return plain if plain in fields else path
