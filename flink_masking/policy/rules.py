"""Rules: from what is written to techniques with checked parameters, and what each segment does to every field."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from flink_masking.documents.document import Path, cut, listed
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.bound import technique_of
from flink_masking.policy.model import Policy
from flink_masking.policy.near import near_field
from flink_masking.policy.segments import MaskedSegment, RuleSpec, rule_spec
from flink_masking.policy.structure import faults_of
from flink_masking.policy.tree import FieldTree
from flink_masking.records.paths import parse_path, selects
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action, FieldFacts, Params, RuleContext, Technique
from flink_masking.techniques.promises import Promises, Shows
from flink_masking.techniques.within import Part

DEFAULT = "*"
"""Stands for every declared field without a rule."""
IDENTIFYING = ("identifier", "direct", "free_text")
"""Classes of fields that can say who a person is."""


class Rule(NamedTuple):
    """What is done to the values at a path.

    Attributes:
        path: as declared, or a parent in canonical form: the rule is then for the whole object or array.
        technique: from the registry.
        params: checked.
    """

    path: str
    technique: Technique
    params: Params

    @property
    def promises(self) -> Promises:
        """What it promises of its results."""
        return self.technique.promises(self.params)


def written_rules(document: Any) -> Iterator[tuple[str, str, RuleSpec]]:
    """Segment, path and rule for each rule of a document that has the form of one, also where the rest of the document is wrong."""
    segments = document.get("segments") if isinstance(document, Mapping) else None
    for name, segment in segments.items() if isinstance(segments, Mapping) else ():
        rules = segment.get("rules") if isinstance(segment, Mapping) and segment.get("view") == "masked" else None
        for path, value in rules.items() if isinstance(rules, Mapping) else ():
            try:
                yield name, path, rule_spec(value)
            except ValueError:  # a fault of the structure
                continue


def bind(spec: RuleSpec, loc: Path, findings: Findings) -> tuple[Technique, Params] | None:
    """Technique and checked parameters; None, with faults at `loc`, when the registry does not know or take them."""
    try:
        technique = registry.get(spec.technique)
    except PolicyError as error:
        findings.refused((*loc, "technique"), error)
        return None
    try:
        technique = technique_of(spec)
    except PolicyError as error:
        findings.refused((*loc, "within"), error)
        return None
    except ValidationError as error:
        findings.faults += faults_of(error, findings.document, (*loc, "within"), Part)
        return None
    try:
        return technique, technique.params.model_validate(spec.parameters)
    except ValidationError as error:
        findings.faults += faults_of(error, findings.document, loc, technique.params)
    return None


class RuleCompiler:
    """Compiles rules for the fields of one policy; everything that can be wrong becomes a fault."""

    def __init__(self, policy: Policy, tree: FieldTree, rule_context: Callable[[str], RuleContext], findings: Findings) -> None:
        """Keep what rules are compiled against.

        Args:
            policy: with a checked structure.
            tree: its fields.
            rule_context: gives where a rule for a path stands.
            findings: where faults go.
        """
        self._policy, self._tree, self._rule_context, self._findings = policy, tree, rule_context, findings

    def rule(self, path: str, technique: Technique, params: Params, loc: Path) -> Rule | None:
        """The rule, once the technique's check has passed it and its warnings are noted."""
        try:
            technique.check(params, self._rule_context(path))
        except PolicyError as error:
            self._findings.refused(loc, error)
            return None
        self._warn(path, technique, params, loc)
        return Rule(path, technique, params)

    def key_rule(self, place: str, name: str, technique: Technique, params: Params, loc: Path) -> Rule | None:
        """The rule for the keys of an object, as `rule`; they are no person's, whatever the record's subject is.

        Args:
            place: path of the members.
            name: of their keys.
            technique: as for `rule`.
            params: as for `rule`.
            loc: as for `rule`.
        """
        try:
            technique.check(params, replace(self._rule_context(place), facts=FieldFacts(name), has_subject=False))
        except PolicyError as error:
            self._findings.refused(loc, error)
            return None
        self.warn_of(technique, params, loc)
        return Rule(place, technique, params)

    def undeclared(self, technique: Technique, params: Params, loc: Path) -> Rule | None:
        """The rule for members that no field declares, as `rule`; they are no part of a field."""
        try:
            technique.check(params, replace(self._rule_context(next(iter(self._policy.fields))), facts=FieldFacts(DEFAULT)))
        except PolicyError as error:
            self._findings.refused(loc, error)
            return None
        self.warn_of(technique, params, loc)
        return Rule(DEFAULT, technique, params)

    def masked(self, name: str, segment: MaskedSegment) -> tuple[dict[str, Rule], dict[str, Rule]]:
        """The rules of a masked segment by path, its default written out; and of these, the rules that the default stands for.

        A rule on a parent covers all below it, which then have no rule of their own. Where the default drops, it is put on the topmost
        parent of which no part has a rule, so that no empty object or array is left over.
        """
        loc: Path = ("segments", name, "rules")
        bound = {path: bind(spec, (*loc, path), self._findings) for path, spec in segment.rules.items()}
        found = self._places(bound, loc)
        rules: dict[str, Rule | None] = {}
        for place, path in found.items():
            if (pair := bound[path]) is not None:
                rules[place] = self.rule(place, *pair, (*loc, path))
        drop = registry.get("drop")
        for place, path in found.items():
            pair = bound[path]
            if pair is not None and pair[0].action is Action.KEEP and place not in self._policy.fields and selects(parse_path(place)):
                message = f"'{cut(path)}' is an element as a whole, and what it holds has rules of its own"
                self._findings.error((*loc, path), message, "keep the fields in it by their own paths", at_key=True)
        default = bound[DEFAULT] if DEFAULT in bound else (drop, drop.params())
        if default is not None:
            tops, leaves = self._tree.uncovered(found)
            for place in tops if default[0].action is Action.DROP else leaves:
                rules[place] = self.rule(place, *default, (*loc, DEFAULT))
            if default[0].promises(default[1]).shows is Shows.EXACT:
                shown = [leaf for leaf in leaves if leaf in self._policy.fields and self._policy.fields[leaf].role == "sensitive"]
                if shown:
                    text = f"'*' keeps {listed(shown)} in clear, of class sensitive"
                    self._findings.warn((*loc, DEFAULT), text, "write a rule for each field of this class, keep where it is meant")
        sound = {path: rule for path, rule in rules.items() if rule is not None}
        self._check_groups(sound, {place: (*loc, found.get(place, DEFAULT)) for place in sound})
        return sound, {path: rule for path, rule in sound.items() if path not in found}

    def _check_groups(self, rules: Mapping[str, Rule], locs: Mapping[str, Path]) -> None:
        """Check that all fields that shuffle moves together have the same rule."""
        for place, rule in rules.items():
            group = set(rule.promises.moves_with)
            for path in sorted(group):
                other = rules.get(path)
                if other is None or set(other.promises.moves_with) != group:
                    message = f"'{cut(place)}' is to move together with '{cut(path)}', which has no such rule"
                    self._findings.error((*locs[place], "group"), message, "write the same rule for every field of the group")

    def _places(self, paths: Mapping[str, Any], loc: Path) -> dict[str, str]:
        """Declared place → path as written in the rules, for all that can be used."""
        found: dict[str, str] = {}
        for path in paths:
            if path == DEFAULT:
                continue
            try:
                place = self._tree.find(path)
            except PolicyError as error:
                self._findings.refused((*loc, path), error, at_key=True)
                continue
            if place is None:
                hint = near_field(path, self._policy.fields) or "declare it under 'fields'"
                self._findings.error((*loc, path), f"'{cut(path)}' is not a declared field", hint, at_key=True)
            elif place in found:
                message = f"'{cut(path)}' is the same field as '{cut(found[place])}'"
                self._findings.error((*loc, path), message, "one rule for each field", at_key=True)
            else:
                found[place] = path
        for place, path in found.items():
            covered = [parent for parent in self._tree.parents(place) if parent in found]
            if covered:
                message = f"'{cut(path)}' is covered by the rule for '{cut(covered[0])}'"
                self._findings.error((*loc, path), message, "a rule for an object or array is for all that is in it", at_key=True)
        return found

    def _warn(self, path: str, technique: Technique, params: Params, loc: Path) -> None:
        if technique.promises(params).shows is Shows.EXACT:
            for place in (path, *self._tree.under(path)):
                declared = self._policy.fields.get(place)
                if declared is not None and (declared.role in IDENTIFYING or place == self._policy.subject):
                    hint = "mask it by redact_text, or drop it" if declared.role == "free_text" else "mask it, or drop it"
                    self._findings.warn(loc, f"'{cut(place)}' is of class {declared.role} and is kept in clear", hint)
        self.warn_of(technique, params, loc)

    def warn_of(self, technique: Technique, params: Params, loc: Path) -> None:
        """Add the technique's own warnings about unusual parameters."""
        for text in technique.warnings(params):
            message, _, hint = text.partition("Hint:")
            self._findings.warn(loc, message.strip().removesuffix("."), hint.strip())
