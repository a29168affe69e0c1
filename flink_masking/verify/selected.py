"""The value of a record that a path with selectors names, read by the verifier's own walk over parsed records."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flink_masking.records.paths import At, Step, Where, Wild, parse_path, selects, unselected

Place = tuple[str | int, ...]
"""Keys and numbers of elements that lead to a value."""


def selecting(path: str, fields: Iterable[str], absent: Any, one: bool = False) -> Callable[[dict[str, Any]], Any]:
    """What gets the first value at a path that is not null and no earlier field has taken; null where all are, `absent` without any.

    Args:
        path: with selectors.
        fields: all declared fields, in the order in which they count.
        absent: stands for no value.
        one: whether several different values are none.
    """
    steps = parse_path(path)
    whole, before = unselected(steps), []
    for field in fields:
        other = parse_path(field)
        if other == steps:
            break
        if selects(other) and unselected(other) == whole:
            before.append(other)

    def get(record: dict[str, Any]) -> Any:
        taken = {place for other in before for place, _ in _values(record, other)}
        found = [value for place, value in _values(record, steps) if place not in taken]
        live = [value for value in found if value is not None]
        if one and len(set(map(_written, live))) > 1:
            return absent
        return live[0] if live else None if found else absent

    return get


def _values(value: Any, steps: tuple[Step, ...], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """The values at a path, with their places, in order."""
    if not steps:
        yield place, value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if type(value) is dict and step in value:
            yield from _values(value[step], rest, (*place, step))
    elif type(value) is list:
        for number, element in enumerate(value):
            if _fits(element, number, step):
                yield from _values(element, rest, (*place, number))
    elif step is Wild.MAYBE:
        yield from _values(value, rest, place)


def _fits(element: Any, number: int, step: Step) -> bool:
    if isinstance(step, At):
        return number == step.index
    if isinstance(step, Where):
        return any(_written(told) == step.value for _, told in _values(element, step.path))
    return True


def _written(value: Any) -> str | None:
    """A scalar as text; None of anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value) if isinstance(value, int | float) else None
