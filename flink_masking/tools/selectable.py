"""Whether the values of a field with selectors can be told apart in a masked view: what decides must be shown there."""

from collections.abc import Iterable, Iterator

from flink_masking.errors import InputError
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.records.paths import At, Step, Where, Wild, format_path, parse_path, selects, unselected


def check_selectable(loaded: LoadedPolicy, segment: str, wanted: Iterable[str]) -> None:
    """Refuse fields whose values cannot be found in a view, or would be taken for those of another field.

    Args:
        loaded: the policy that the view was made with.
        segment: a masked segment.
        wanted: paths of rules, whose values are to be found.

    Raises:
        InputError: what decides about a field, or about another one with values in the same place, is not in the view as it was.
    """
    for path in wanted:
        for field in _beside(loaded, segment, path):
            for fault, hint in _faults(loaded, segment, field):
                what = f"'{path}'" if field == path else f"'{field}', beside which '{path}' stands,"
                raise InputError(f"{segment}: {what} {fault}. Hint: {hint}; of records that were made without it the values cannot be told "
                                 "apart: choose other fields with --field")


def _beside(loaded: LoadedPolicy, segment: str, path: str) -> Iterator[str]:
    """The field itself, if it has selectors, and those that take values of its place before it, unless they are dropped."""
    steps = parse_path(path)
    for field in loaded.policy.fields:
        other = parse_path(field)
        if selects(other) and unselected(other) == unselected(steps):
            if other == steps or not _drops(loaded.covering(segment, field)):
                yield field
            if other == steps:
                return


def _faults(loaded: LoadedPolicy, segment: str, field: str) -> Iterator[tuple[str, str]]:
    """What a view lacks of that by which a field is selected, and what to do."""
    steps = parse_path(field)
    for place, step in enumerate(steps):
        if isinstance(step, Where):
            told = format_path((*unselected(steps[:place]), Wild.ELEMENT, *step.path))
            rule = loaded.covering(segment, told)
            if rule is None or rule.technique.name != "keep":
                done = "drops" if _drops(rule) or rule is None else f"changes ({rule.technique.name})"
                yield f"is selected by '{told}', which the view {done}", f"a rule '{told}: keep'"
        elif isinstance(step, At) and (gone := _missing_before(loaded, segment, steps[:place], step.index)):
            yield f"is selected by its place, and the view drops elements before it ('{gone}')", f"keep or mask '{gone}' instead"


def _missing_before(loaded: LoadedPolicy, segment: str, array: tuple[Step, ...], index: int) -> str | None:
    """A rule that can remove an element before a place; None where there is none."""
    rules = {parse_path(path): rule for path, rule in loaded.rules(segment).items()}
    own = {steps[-1].index: rule for steps, rule in rules.items()
           if isinstance(steps[-1], At) and unselected(steps[:-1]) == unselected(array)}
    if all(before in own and not _can_drop(own[before]) for before in range(index)):
        return None
    for steps, rule in rules.items():
        element = len(steps) == len(array) + 1 and unselected(steps) == (*unselected(array), Wild.ELEMENT)
        if element and _can_drop(rule) and not (isinstance(steps[-1], At) and steps[-1].index >= index):
            return rule.path
    return None


def _drops(rule: Rule | None) -> bool:
    return rule is not None and rule.technique.name == "drop"


def _can_drop(rule: Rule) -> bool:
    return _drops(rule) or rule.params.on_error == "drop"
