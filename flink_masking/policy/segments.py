"""The segments of a policy: what each audience receives."""

import itertools
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, model_validator

from flink_masking.policy.durations import PositiveDuration
from flink_masking.policy.fields import Model, Name, Number, Real, Whole
from flink_masking.policy.privacy_models import Alpha, Alphas, Closeness, Closenesses, Diversities, Diversity

METRICS = ("count", "count_distinct_subjects", "sum", "mean", "variance", "histogram", "quantiles")
KEY_VERSIONS = "_key_versions"
"""The member that `MaskedSegment.key_versions` adds."""
_Count = Annotated[Whole, pydantic.Field(ge=1)]


class RuleSpec(Model):
    """A rule as written; the registry knows the parameters.

    Attributes:
        technique: its name, not checked here.
        parameters: all other keys.
        within: the part of a text that it is for, as written; None: the whole value. See `flink_masking.policy.bound`.
    """

    technique: str
    parameters: dict[str, Any] = pydantic.Field(default_factory=dict)
    within: Any = None


def rule_spec(value: Any) -> RuleSpec:
    """A rule as written, ``keep`` or ``{technique: partial, keep_last: 4}``.

    Raises:
        ValueError: neither of the two.
    """
    if isinstance(value, RuleSpec):
        return value
    if isinstance(value, str):
        return RuleSpec(technique=value)
    if not isinstance(value, Mapping):
        raise ValueError("must be a technique. Hint: 'keep', or {technique: partial, keep_last: 4}")
    name = value.get("technique")
    if not isinstance(name, str):
        raise ValueError("has no technique. Hint: {technique: name, parameter: value}")
    parameters = {key: inner for key, inner in value.items() if key not in ("technique", "within")}
    if "within" in value and value["within"] is None:
        raise ValueError('has an empty \'within\'. Hint: within: {prefix: "Patient/"}')
    return RuleSpec(technique=name, parameters=parameters, within=value.get("within"))


Rule = Annotated[RuleSpec, BeforeValidator(rule_spec)]


def _key_rule(value: Any) -> RuleSpec | None:
    return None if value is None or value == "plain" else rule_spec(value)


KeyRule = Annotated[RuleSpec | None, BeforeValidator(_key_rule)]
"""A rule for keys; None: written ``plain``."""


class RecordParts(Model):
    """What becomes of Kafka's own parts of a record; a part that is not named does not leave.

    Attributes:
        key: the rule for the record's key, taken as text; without one, the segment's records have no key.
        headers: rules by the header's name, its value taken as text; every other header is dropped.
        key_type: the type of the key, one whose form can be checked; a key that does not fit goes by the rule's on_error.
        header_types: the same for headers, by name.
        timestamp: keep passes Kafka's timestamp on; with drop, a record carries the time at which it was written to the segment.
    """

    key: Rule | None = None
    headers: dict[Name, Rule] = pydantic.Field(default_factory=dict)
    key_type: Name | None = None
    header_types: dict[Name, Name] = pydantic.Field(default_factory=dict)
    timestamp: Literal["keep", "drop"] = "drop"


class MaskedSegment(Model):
    """Every record, each field by its rule.

    Attributes:
        rules: by path; ``"*"`` stands for every other declared field, which are dropped without it. With redact_text, it is for whatever
            these fields hold: text, numbers, objects with their keys.
        unknown_fields: with ``unknown_fields: scan`` of the policy, what becomes of undeclared members here: redact_text with parameters,
            or drop. Without it, the rule ``"*"`` where it is redact_text, otherwise redact_text without parameters.
        key_versions: every record ends with ``_key_versions``, the key version by path of its fpe values, which cannot carry it inside.
        record: what becomes of the key, headers and timestamp that Kafka keeps beside a record; without it, none of them leaves.
        keys: rules for the keys of objects whose members are declared by ``*``, by the path that ends in it, or plain where no key says
            anything of a person; needed wherever such members are not dropped, because their keys are data.
        order: as_read, or shuffled: the records of each batch leave in a random order of this segment's own, so that a line's number
            does not lead to the same record in another view; a batch of one record has no other order.
    """

    view: Literal["masked"]
    rules: dict[Name, Rule] = pydantic.Field(min_length=1)
    unknown_fields: Rule | None = None
    key_versions: pydantic.StrictBool = False
    record: RecordParts | None = None
    keys: dict[Name, KeyRule] = pydantic.Field(default_factory=dict)
    order: Literal["as_read", "shuffled"] = "as_read"


class MaxReleases(Model):
    """A limit on the records of one person that a segment releases.

    Attributes:
        per: milliseconds of processing time.
        count: records of a person that are released within any `per`, at most; the others are suppressed.
    """

    per: PositiveDuration
    count: Annotated[Whole, pydantic.Field(ge=1, le=1_000_000)]


class AnonymizedSegment(Model):
    """Groups of at least `k` people who look alike in their quasi-identifiers.

    Attributes:
        k: people in a group, at least; with zero_delay (where it is called z) people who showed a value.
        l_diversity: well represented values of a sensitive field in a group; one rule or a list.
        t_closeness: how near a group's sensitive values are to everybody's; one rule or a list.
        alpha_k: largest share of a sensitive value in a group; one rule or a list.
        quasi_identifiers: fields that are generalised.
        missing: what becomes of records without a quasi-identifier: suppressed, or a category of their own.
        outside: what becomes of records with a quasi-identifier outside its domain: quarantine, or the category ``unknown``.
        release: fields that are released as they are.
        max_delay: milliseconds that a record waits, at most.
        max_buffer: records that wait, at most.
        algorithm: how groups are found.
        mode: whether records wait; with zero_delay each value is released as finely as k people showed it within `window`.
        window: milliseconds of processing time, of zero_delay.
        shards: buffers that the traffic is divided over, by person.
        max_releases: how many records of a person are released within a time; without it all that find a group.
    """

    view: Literal["anonymized"]
    k: Annotated[Whole, pydantic.Field(ge=2)]
    l_diversity: Diversities | None = None
    t_closeness: Closenesses | None = None
    alpha_k: Alphas | None = None
    quasi_identifiers: tuple[Name, ...] = pydantic.Field(min_length=1)
    missing: Literal["suppress", "category"] = "suppress"
    outside: Literal["quarantine", "unknown"] = "quarantine"
    release: tuple[Name, ...] = ()
    max_delay: Annotated[PositiveDuration, pydantic.Field(json_schema_extra={"default": "30s"})] = 30_000
    max_buffer: _Count = 5_000
    algorithm: Literal["slide_grow", "mondrian"] = "slide_grow"
    mode: Literal["buffered", "zero_delay"] = "buffered"
    window: Annotated[PositiveDuration, pydantic.Field(json_schema_extra={"default": "1h"})] = 3_600_000
    shards: Annotated[Whole, pydantic.Field(ge=1, le=1024)] = 1
    max_releases: MaxReleases | None = None

    @property
    def diversities(self) -> tuple[Diversity, ...]:
        """The rules of `l_diversity`."""
        return _listed(self.l_diversity)

    @property
    def closenesses(self) -> tuple[Closeness, ...]:
        """The rules of `t_closeness`."""
        return _listed(self.t_closeness)

    @property
    def alphas(self) -> tuple[Alpha, ...]:
        """The rules of `alpha_k`."""
        return _listed(self.alpha_k)

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The fields that these rules are about, each once."""
        diverse, close = [rule.field for rule in self.diversities], [rule.field for rule in self.closenesses]
        return tuple(dict.fromkeys([*diverse, *close, *(rule.field for rule in self.alphas)]))

    @property
    def categories(self) -> bool:
        """Whether missing or unknown values have a category of their own."""
        return self.missing == "category" or self.outside == "unknown"


def _listed(rules: Any) -> Any:
    """One rule or a list of them as a tuple."""
    return () if rules is None else rules if isinstance(rules, tuple) else (rules,)


class Hopping(Model):
    """Windows of `size` milliseconds, one beginning `every` milliseconds.

    Attributes:
        size: milliseconds that a window is long, a multiple of `every`.
        every: milliseconds from the beginning of a window to that of the next.
    """

    size: PositiveDuration
    every: PositiveDuration


class Window(Model):
    """The time that a row of the aggregated segment stands for: exactly one of the two.

    Attributes:
        tumbling: milliseconds.
        hopping: overlapping windows; a record counts in size / every of them, and each costs epsilon.
    """

    model_config = pydantic.ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    tumbling: PositiveDuration | None = None
    hopping: Hopping | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Window":
        if (self.tumbling is None) == (self.hopping is None):
            raise ValueError("must be one kind of window. Hint: {tumbling: 1min}")
        return self


class GroupKey(Model):
    """One field that rows are grouped by.

    Attributes:
        field: path of a declared field.
        parameters: of the technique generalize, as written; ``generalize`` alone is a prefix or a width, by the field. Empty: as it is.
        groups: the public list of this field's values as rows show them, all of which are published; None: those that enough people share.
    """

    field: Name
    parameters: dict[str, Any] = pydantic.Field(default_factory=dict)
    groups: tuple[Any, ...] | None = None


def _group_key(value: Any) -> Any:
    if isinstance(value, GroupKey):
        return value
    if isinstance(value, str):
        return GroupKey(field=value)
    hint = "a field name, or {field: {width: 10}}"
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a field. Hint: {hint}")
    names = [key for key in value if key != "groups"]
    if len(names) != 1:
        raise ValueError(f"must name one field. Hint: {hint}")
    parameters = value[names[0]]
    if not isinstance(parameters, Mapping):
        raise ValueError(f"must say how the field is generalised. Hint: {hint}")
    listed = parameters.get("groups", value.get("groups"))
    if listed is not None and not isinstance(listed, list):
        raise ValueError("'groups' must be a list")
    rest = {key: inner for key, inner in parameters.items() if key != "groups"}
    return GroupKey(field=names[0], parameters=rest, groups=None if listed is None else tuple(listed))


class Metric(Model):
    """One figure of a row, or several.

    Attributes:
        kind: what is computed.
        field: of which field; None for the counts.
        bins: edges of a histogram's or of the quantiles' bins.
        of: shares that the quantiles are for.
    """

    kind: Literal["count", "count_distinct_subjects", "sum", "mean", "variance", "histogram", "quantiles"]
    field: Name | None = None
    bins: tuple[Number, ...] = ()
    of: tuple[Annotated[float, pydantic.Field(ge=0, le=1, allow_inf_nan=False)], ...] = ()


_BINNED = {
    "histogram": (("field", "bins"), "{histogram: {field: amount, bins: [0, 10, 50, 100]}}"),
    "quantiles": (("field", "bins", "of"), "{quantiles: {field: amount, bins: [0, 10, 50, 100], of: [0.5, 0.9]}}"),
}
"""Metrics over public bins, their keys and how they are written."""


def _metric(value: Any) -> Any:
    if isinstance(value, Metric):
        return value
    hint = "Hint: count, count_distinct_subjects, {sum: field} or {mean: field}"
    if value in ("count", "count_distinct_subjects"):
        return Metric(kind=value)
    if isinstance(value, str):
        example = _BINNED[value][1] if value in _BINNED else f"{{{value}: field}}"
        raise ValueError(f"needs a field. Hint: {example}" if value in METRICS else f"is not a known metric. {hint}")
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError(f"must be one metric. {hint}")
    ((kind, field),) = value.items()
    if kind in _BINNED:
        return _binned(kind, field)
    if kind not in METRICS[2:]:
        raise ValueError(f"'{kind}' takes no field. Hint: write '{kind}' alone" if kind in METRICS else f"is not a known metric. {hint}")
    if not isinstance(field, str) or not field:
        raise ValueError(f"'{kind}' needs a field. Hint: {{{kind}: field}}")
    return Metric.model_validate({"kind": kind, "field": field})


def _binned(kind: str, value: Any) -> Metric:
    keys, example = _BINNED[kind]
    if not isinstance(value, Mapping) or set(value) != set(keys):
        raise ValueError(f"'{kind}' needs {', '.join(keys[:-1])} and {keys[-1]}. Hint: {example}")
    for key in keys[1:]:
        listed = value[key]
        if not isinstance(listed, list) or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in listed):
            raise ValueError(f"'{key}' of '{kind}' must be a list of numbers. Hint: {example}")
    if not isinstance(value["field"], str) or not value["field"]:
        raise ValueError(f"'{kind}' needs a field. Hint: {example}")
    bins, shares = value["bins"], value.get("of", [])
    if len(bins) < 2 or not all(a < b for a, b in itertools.pairwise(bins)):
        raise ValueError(f"'bins' of '{kind}' must be two or more edges that ascend. Hint: {example}")
    if kind == "quantiles" and (not shares or len(set(shares)) != len(shares) or not all(0 <= q <= 1 for q in shares)):
        raise ValueError(f"'of' of '{kind}' must be different shares from 0 to 1. Hint: {example}")
    return Metric.model_validate({"kind": kind, "field": value["field"], "bins": bins, "of": shares})


class Privacy(Model):
    """What is spent, and how much one person can move a row.

    Attributes:
        epsilon: for each subject and window, over all that is published about the window.
        delta: probability, for each subject and window, that the bound of epsilon fails.
        max_groups_per_subject: groups of a window that a person counts in, at most.
        max_records_per_group: records of a person that count in one group, at most.
        mechanism: kind of noise; gaussian adds less where there are many metrics or groups, and uses delta.
        lifetime_epsilon: what one person may spend over all windows; after that the person no longer counts.
        neighbours: what is promised to be told apart by no reader: whether a person's records of a window are there (add_remove), or also
            which they are of all that they could be (replace), with twice the noise.
    """

    epsilon: Annotated[Real, pydantic.Field(gt=0)]
    delta: Annotated[Real, pydantic.Field(gt=0, lt=1)]
    max_groups_per_subject: _Count = 1
    max_records_per_group: _Count = 1
    mechanism: Literal["laplace", "gaussian"] = "laplace"
    lifetime_epsilon: Annotated[Real, pydantic.Field(gt=0)] | None = None
    neighbours: Literal["add_remove", "replace"] = "add_remove"


class AggregatedSegment(Model):
    """Figures for each window and group, with noise.

    Attributes:
        window: of event time.
        group_by: fields that rows are grouped by; none: one row a window.
        metrics: by name, in the order of the rows.
        privacy: the budget.
        shards: buffers that the traffic is divided over.
        clip: counts and counts of bins that noise takes below 0 are shown as 0; sums of many such rows are too large then.
    """

    view: Literal["aggregated"]
    window: Window
    group_by: tuple[Annotated[GroupKey, BeforeValidator(_group_key)], ...] = ()
    metrics: dict[Name, Annotated[Metric, BeforeValidator(_metric)]] = pydantic.Field(min_length=1)
    privacy: Privacy
    shards: Annotated[Whole, pydantic.Field(ge=1, le=1024)] = 1
    clip: pydantic.StrictBool = False


class GrantedSegment(Model):
    """Records of a masked segment that signed grants open, some of their fields shown more of; nothing without a grant in force.

    Attributes:
        of: the masked segment whose rules hold for all that is not granted.
        may_show: by path, the most that a grant can ask for.
        max_duration: milliseconds from the beginning of a grant to its end, at most.
        max_records: records that a grant opens, at most, divided over the workers of a job.
        approvals: owners of the role approver who must have signed a grant; who has requested it does not count.
    """

    view: Literal["granted"]
    of: Name
    may_show: dict[Name, Rule] = pydantic.Field(min_length=1)
    max_duration: PositiveDuration
    max_records: _Count
    approvals: Annotated[Whole, pydantic.Field(ge=1, le=100)] = 1


class GrantedView(MaskedSegment):
    """A `GrantedSegment` with the rules of its masked one, and those of `may_show` in place of theirs; policies are not written so."""

    view: Literal["granted"] = "granted"  # type: ignore[assignment]
    of: Name
    may_show: dict[Name, Rule]
    max_duration: int
    max_records: int
    approvals: int


Segment = Annotated[MaskedSegment | AnonymizedSegment | AggregatedSegment | GrantedSegment, pydantic.Field(discriminator="view")]
VIEWS: Mapping[str, type[Model]] = {"masked": MaskedSegment, "anonymized": AnonymizedSegment, "aggregated": AggregatedSegment,
                                    "granted": GrantedSegment}
