"""The promises about sensitive fields: l-diversity, t-closeness, (alpha, k)."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from flink_masking.documents.document import cut
from flink_masking.errors import PolicyError
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.privacy_models import Alpha, Closeness, Diversity
from flink_masking.verify import diversity
from flink_masking.verify.attributes import over
from flink_masking.verify.closeness import Ground, distances, drift
from flink_masking.verify.release import Classes, Release
from flink_masking.verify.report import Report, Verdict
from flink_masking.verify.tree import Tree

ROUNDING = 1e-6
"""Of sums and logarithms."""
HIDDEN = "the field is not released, and the lines do not tell their records apart"
CELLS = 1 << 16


class Sensitive:
    """Judges the rules of segments about sensitive fields."""

    def __init__(self, policy: Policy, trees: Mapping[str, Tree]) -> None:
        """Take the declarations that rules refer to."""
        self._fields, self._trees = policy.fields, trees

    def judge(self, report: Report, release: Release, found: Classes) -> None:
        """Note for each rule whether it holds in every class."""
        segment = release.segment
        rules: list[Diversity | Closeness | Alpha] = [*segment.diversities, *segment.closenesses, *segment.alphas]
        for rule in rules:
            name, promised = _written(rule)
            values = release.values(rule.field, found.source)
            if not len(found.size):
                report.add(name, promised, "nothing is released", True)
            elif values is None:
                report.add(name, promised, "unknown", "open", HIDDEN)
            elif isinstance(rule, Closeness):
                self._closeness(rule, report, release, found, values)
            else:
                keys = _Keys(self._fields[rule.field])
                told_apart: dict[Any, int] = {}
                numbers = [told_apart.setdefault(keys.of(text), len(told_apart)) for text in release.raw.columns[rule.field].values]
                counted = diversity.Occurrences.of(found.of, np.array(numbers or [0], np.int64)[values])
                _diverse(rule, report, counted, keys, list(told_apart))

    def _closeness(self, rule: Closeness, report: Report, release: Release, found: Classes, values: np.ndarray) -> None:
        of_records = release.shown(rule.field) if rule.field in release.segment.release else release.raw.codes(rule.field)
        texts = release.raw.columns[rule.field].values
        ground, number = self._ground(rule, self._fields[rule.field], texts)
        keys = _Keys(self._fields[rule.field])
        numbers = np.array([number.get(keys.of(text), ground.size) for text in texts] or [0], np.int64)
        everybody = numbers[of_records[release.candidates]]
        if isinstance(rule.reference, dict):
            whole = np.zeros(ground.size + 1)
            for text, share in rule.reference.items():
                whole[number[keys.listed(text)[0]]] = share
            whole[-1] = max(0.0, 1 - whole[:-1].sum())
        else:
            whole = np.bincount(everybody, minlength=ground.size + 1) / max(1, len(everybody))
        apart = distances(ground, diversity.Occurrences.of(found.of, numbers[values]), whole)
        far = apart > rule.t + ROUNDING
        verdict: Verdict = "broken" if far.any() else "held"
        note = f"{int(far.sum()):,} of {len(far):,} classes further" if far.any() else ""
        if far.any() and rule.reference == "running":
            if release.segment.shards > 1:
                certain = np.zeros(len(far), np.bool_)  # each shard compares with its own people, and which those are only the key tells
            else:
                certain = apart > rule.t + drift(ground, everybody)(_earliest(release, found)) + ROUNDING
            verdict = "broken" if certain.any() else "open"
            note += f" from all records, {int(certain.sum()):,} from all that had come by then, whenever that was"
        report.add(*_written(rule), f"{apart.max():.4g} at most", verdict, note)

    def _ground(self, rule: Closeness, field: Field, texts: list[Any]) -> tuple[Ground, dict[Any, int]]:
        """Distances between values, and the number of each value's key."""
        keys = _Keys(field)
        if rule.distance == "hierarchical":
            tree = self._trees.get(rule.hierarchy or field.hierarchy or "")
            if tree is None:
                raise PolicyError(f"t_closeness of '{cut(rule.field)}' needs a hierarchy. Hint: flink-masking check says where")
            return Ground.hierarchical(tree), {key: at for text, at in tree.leaves.items() for key in reversed(keys.listed(text))}
        listed = tuple(rule.reference) if isinstance(rule.reference, dict) else rule.values
        if listed is None and rule.distance == "equal":
            met = tuple(dict.fromkeys(keys.of(text) for text in texts))  # no value is a value like any other here
            return Ground.equal(len(met)), {key: at for at, key in enumerate(met)}
        if listed is not None:
            numbered = {key: at for at, text in reversed(list(enumerate(listed))) for key in reversed(keys.listed(text))}
            return (Ground.equal if rule.distance == "equal" else Ground.ordered)(len(listed)), numbered
        grid = over(field, False)
        units = grid.high - grid.low + 1
        width = -(-units // CELLS)  # domains are cut into so many cells first
        cells = (units - 1) // width + 1
        bins = min(rule.bins, cells)
        places = {keys.of(text): grid.place(text) for text in texts}
        return Ground.ordered(bins), {text: place[0] // width * bins // cells for text, place in places.items() if place is not None}


def _diverse(rule: Diversity | Alpha, report: Report, counted: diversity.Occurrences, keys: "_Keys", met: list[Any]) -> None:
    if isinstance(rule, Alpha):
        bounded = None
        if rule.values is not None:
            meant = {key for text in rule.values for key in keys.listed(text)}
            bounded = {at for at, key in enumerate(met) if key in meant}
        found = diversity.largest_share(counted, bounded)
        bad, text = found > rule.alpha + ROUNDING, f"{found.max():.4g} at most"
    elif rule.kind == "distinct":
        found = diversity.distinct(counted)
        bad, text = found < rule.l, f"{found.min()} in the least diverse"
    elif rule.kind == "entropy":
        found = diversity.entropy(counted)
        bad, text = found < rule.l * (1 - ROUNDING), f"{found.min():.4g} in the least diverse"
    else:
        found = diversity.recursive(counted, rule.l)
        bad, text = found >= (rule.c or 0.0), f"c above {found.max():.4g} needed"
    report.add(*_written(rule), text, not bad.any(), f"{int(bad.sum()):,} of {len(bad):,} classes" if bad.any() else "")


def _earliest(release: Release, found: Classes) -> np.ndarray:
    """For each class how many records had come, at least, when it was formed."""
    come = found.size.copy()
    last = np.where(found.source >= 0, np.searchsorted(release.candidates, found.source) + 1, 0)
    first_group = np.full(len(come), np.iinfo(np.int64).max)  # lines of one class may be several groups: the first to be complete counts
    order = np.lexsort((last, found.of))
    edges = np.concatenate(([0], np.cumsum(found.size)))[:-1]
    at = edges + np.minimum(release.segment.k, found.size) - 1
    first_group = last[order][at]
    return np.maximum(np.minimum(come, release.segment.k), first_group)


class _Keys:
    """By what the values of a sensitive field are told apart: numbers by value, text as it is or without case and the blanks around it."""

    def __init__(self, field: Field) -> None:
        self._folded = field.compare == "folded"

    def of(self, value: Any) -> Any:
        """The key of a value as the policy would list it: text; no value stays what it is."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return _by_value(value)
        return self.listed(value)[0] if isinstance(value, str) else None

    def listed(self, text: str) -> tuple[str, ...]:
        """The keys of a value that a policy lists: of the text, and of the number that it may mean."""
        if self._folded:
            text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()
        try:
            number = _by_value(orjson.loads(text)) if text[:1] in "-0123456789" and text else text
        except (orjson.JSONDecodeError, TypeError):
            number = text
        return (number,) if self._folded or number == text else (text, number)


def _by_value(number: Any) -> str:
    """A number as text: 1 and 1.0 are one."""
    return str(int(number)) if number == int(number) else repr(number)


def _written(rule: Diversity | Closeness | Alpha) -> tuple[str, str]:
    """The rule's name and what it promises."""
    field = cut(rule.field)
    if isinstance(rule, Closeness):
        return "t_closeness", f"{field}: within {rule.t:g} ({rule.distance}, {'running' if rule.reference == 'running' else 'public'})"
    if isinstance(rule, Alpha):
        return "alpha_k", f"{field}: shares up to {rule.alpha:g}"
    return "l_diversity", f"{field}: {rule.kind} l = {rule.l}" + (f", c = {rule.c:g}" if rule.c is not None else "")
