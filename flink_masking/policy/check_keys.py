"""Checks of what a masked segment does to the keys of open objects: members declared by ``*``, whose names are data."""

from collections.abc import Mapping

from flink_masking.documents.document import Path, cut
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.policy.rules import DEFAULT, Rule, RuleCompiler, bind
from flink_masking.policy.segments import MaskedSegment, RuleSpec
from flink_masking.policy.tree import FieldTree
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action
from flink_masking.techniques.promises import Promises, Shows

KEYS = "keys."
"""In front of the path of the members: the name of their keys, for what encrypted keys are bound to."""
ON_ERROR = ("drop", "quarantine")


def check_keys(name: str, segment: MaskedSegment, rules: Mapping[str, Rule], tree: FieldTree, compiler: RuleCompiler,
               findings: Findings) -> dict[str, Rule]:
    """The rules for keys by path; faults and warnings go to `findings`.

    Args:
        name: of the segment.
        segment: as written.
        rules: of its fields, by path.
        tree: the declared fields.
        compiler: makes the techniques.
        findings: where faults go.
    """
    loc: Path = ("segments", name, "keys")
    places = dict(tree.open_places())
    written: dict[str, str] = {}
    for path in segment.keys:
        try:
            place = tree.find(path)
        except PolicyError as error:
            findings.refused((*loc, path), error, at_key=True)
            continue
        if place not in places:
            hint = did_you_mean(path, places, "paths that end in *") or "no field of this policy has a * in its path"
            findings.error((*loc, path), f"'{cut(path)}' does not name the members of an open object", hint, at_key=True)
        elif place in written:
            findings.error((*loc, path), f"'{cut(path)}' is the same as '{cut(written[place])}'", "one rule for the keys", at_key=True)
        else:
            written[place] = path
    compiled: dict[str, Rule] = {}
    for place, named in places.items():
        shown = _shown_by(place, rules, tree)
        if shown is None:
            if place in written:
                text = f"the members '{cut(place)}' are not shown, and neither are their keys"
                findings.warn((*loc, written[place]), text, "omit their entry", at_key=True)
        elif place not in written:
            at: Path = ("segments", name, "rules", shown if shown in segment.rules else DEFAULT)
            hint = f'keys: {{"{cut(place)}": {{technique: pseudonym, domain: …}}}}; or keys: {{"{cut(place)}": plain}}, where no key can ' \
                   "say anything of a person; or drop these members"
            findings.error(at, f"the keys of '{cut(place)}' are data, and would leave in clear", hint)
        else:
            spec = segment.keys[written[place]]
            if spec is not None and (rule := _rule(place, named, spec, (*loc, written[place]), compiler, findings)) is not None:
                compiled[place] = rule
    return compiled


def _shown_by(place: str, rules: Mapping[str, Rule], tree: FieldTree) -> str | None:
    """The path of a rule under which the members at `place` are in the view, with their keys; None where they are not."""
    if place in rules:
        return None if rules[place].technique.action is Action.DROP else place
    for parent in tree.parents(place):
        if parent in rules:  # what replaces the whole object replaces its keys
            return parent if rules[parent].technique.action is Action.KEEP else None
    return next((path for path in tree.under(place) if path in rules), place)


def _fits_keys(promises: Promises) -> bool:
    return promises.injective and promises.row_local and promises.shows is not Shows.EXACT


def _rule(place: str, named: tuple[str, ...], spec: RuleSpec, loc: Path, compiler: RuleCompiler, findings: Findings) -> Rule | None:
    if spec.within is not None:
        findings.error((*loc, "within"), "keys are masked as a whole", "omit 'within'", at_key=True)
        return None
    pair = bind(spec, loc, findings)
    if pair is None:
        return None
    technique, params = pair
    promises = technique.promises(params)
    if technique.action is not None:
        hint = "plain leaves the keys as they are; drop the members in 'rules'"
        findings.error(loc, f"'{technique.name}' is for values, not for keys", hint)
    elif not promises.row_local or Kind.STRING not in technique.inputs or not promises.injective:
        text = f"'{technique.name}' can give two keys of an object one name"
        findings.error(loc, text, f"one of {', '.join(registry.those(_fits_keys))}; or drop the members")
    elif "on_error" in params.model_fields_set and params.on_error not in ON_ERROR:
        findings.error((*loc, "on_error"), f"'{params.on_error}' would give several keys one name", f"one of {', '.join(ON_ERROR)}")
    elif taken := [key for key in named if technique.output(params).contains(key)]:
        findings.error(loc, f"a key could become '{cut(taken[0])}', which is declared beside '{cut(place)}'", "a longer form, or a prefix")
    else:
        params = params if params.on_error in ON_ERROR else params.model_copy(update={"on_error": "drop"})
        return compiler.key_rule(place, KEYS + place, technique, params, loc)
    return None
