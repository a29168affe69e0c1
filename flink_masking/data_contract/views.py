"""What the views of a policy show: their fields, what each is made of, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, GrantedSegment, MaskedSegment
from flink_masking.techniques.base import Action
from flink_masking.techniques.promises import Shows


@dataclass(frozen=True)
class ViewField:
    """A field of a view.

    Attributes:
        path: in the view.
        inputs: paths of the fields that it is made of.
        technique: by which it is made, or the kind of a metric.
        logic: technique and parameters in one line; without lists of the policy, which may name people.
        summary: the same for people.
        shows: how much it tells of a value.
        lasting: whether a result stands for a person, the same in all of the person's records.
        role: class of the field that it is made of; of a metric, measure.
        type: of the values, as the field declares it; None where that is not known.
    """

    path: str
    inputs: tuple[str, ...]
    technique: str
    logic: str
    summary: str
    shows: Shows
    lasting: bool
    role: str
    type: str | None = None

    @property
    def masking(self) -> bool:
        """Whether values do not leave as they are."""
        return self.shows is not Shows.EXACT


def view_fields(loaded: LoadedPolicy, segment: str) -> list[ViewField]:
    """The fields of a view, in the order of the policy's fields.

    Args:
        loaded: the policy.
        segment: its name.

    Raises:
        KeyError: there is no such segment.
    """
    match loaded.policy.segments[segment]:
        case MaskedSegment():
            return _masked(loaded, segment)
        case AnonymizedSegment() as anonymized:
            return _anonymized(loaded, anonymized)
        case AggregatedSegment() as aggregated:
            return _aggregated(loaded, segment, aggregated)
        case GrantedSegment():
            raise KeyError(segment)  # a loaded policy has a GrantedView in its place


def _masked(loaded: LoadedPolicy, segment: str) -> list[ViewField]:
    found: dict[str, ViewField] = {}
    for place, rule in loaded.rules(segment).items():
        for path in () if rule.technique.action is Action.DROP else loaded.fields_at(place):
            declared = loaded.policy.fields[path]
            promises = rule.promises
            lasting = promises.stands_for_a_person and rule.technique.action is None
            found[path] = ViewField(path, (path,), rule.technique.name, logic(rule), rule.technique.summary, promises.shows, lasting,
                                    declared.role, declared.type)
    return [found[path] for path in loaded.policy.fields if path in found]


def _anonymized(loaded: LoadedPolicy, segment: AnonymizedSegment) -> list[ViewField]:
    way = f"k-anonymity(k={segment.k})" if segment.mode == "buffered" else f"zero delay(z={segment.k})"
    found = []
    for path, declared in loaded.policy.fields.items():
        if path in segment.quasi_identifiers:
            summary = f"A range or category that at least {segment.k} people share."
            found.append(ViewField(path, (path,), segment.algorithm, way, summary, Shows.COARSER, False, declared.role, declared.type))
        elif path in segment.release:
            summary = f"Released as it is in groups of at least {segment.k} people."
            found.append(ViewField(path, (path,), "keep", f"keep in {way}", summary, Shows.EXACT, False, declared.role, declared.type))
    return found


def _aggregated(loaded: LoadedPolicy, name: str, segment: AggregatedSegment) -> list[ViewField]:
    fields, subject = loaded.policy.fields, loaded.policy.subject
    found = []
    for rule in loaded.groups(name):
        declared = fields[rule.path]
        found.append(ViewField(rule.path, (rule.path,), rule.technique.name, f"group by {logic(rule)}", "Group of the row.",
                               Shows.COARSER, False, declared.role, declared.type))
    way = f"{segment.privacy.mechanism} noise(epsilon={segment.privacy.epsilon:g})"
    for metric, of in segment.metrics.items():
        inputs = (of.field,) if of.field is not None else (subject,) if of.kind == "count_distinct_subjects" and subject else ()
        found.append(ViewField(metric, inputs, of.kind, f"{of.kind} with {way}", f"{of.kind} of a window and group, with noise.",
                               Shows.NOISE, False, "measure", "number" if of.kind not in ("histogram", "quantiles") else None))
    return found


def logic(rule: Rule) -> str:
    """A rule in one line, ``partial(keep_first=1, keep_after="@")``; a list is only counted."""
    given = rule.params.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    shown = ", ".join(f"{name}={_told(value)}" for name, value in given.items() if name != "on_error")
    return f"{rule.technique.name}({shown})" if shown else rule.technique.name


def _told(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{len(value)} values"
    if isinstance(value, Mapping):
        return f"{{{', '.join(map(str, value))}}}"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
