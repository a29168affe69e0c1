"""Maps in disguise: objects whose keys are data, which a policy declares by ``.*``."""

import numpy as np

from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Step, Wild
from flink_masking.scan.statistics import Statistics
from flink_masking.scan.tree import Numbering
from flink_masking.scan.value_kernels import KINDS, VALUES

KEYS, MEMBERS, NEW = 12, 50, 0.05
"""An object is a map if it has shown so many keys in so many members, and this part of its members has a key that no other member has: by
Good and Turing the chance that the next member has one that was not seen, either."""
TELLING = 0.5
"""Or if this part of its keys looks like data, or two of them do."""


def join_maps(paths: Numbering, statistics: Statistics, either: bool = True) -> tuple[np.ndarray, dict[int, list[str]]]:
    """Give the members of each map one path, and add up what was found at them.

    In other objects only the members have it whose keys identify somebody by themselves: a report, a proposal never shows such a key.

    Args:
        paths: grows by the paths that end in ``*``.
        statistics: of the paths; those of members go to the path that ends in ``*``.
        either: give what is an array in one record and none in another one path, which ends in ``[*]?``.

    Returns:
        int32, for each path the one that it belongs to; and by the path that ends in ``*`` the different keys that there were.
    """
    children: dict[int, list[int]] = {}
    for number in range(1, len(paths)):
        children.setdefault(paths.parents[number], []).append(number)
    targets = np.arange(paths.most, dtype=np.int32)
    maps: dict[int, list[str]] = {}
    known: dict[int, dict[Step, int]] = {}  # the children of paths that others are merged into, by their steps
    queue = [0]
    while queue:
        number = queue.pop()
        known.pop(number, None)
        keyed = [child for child in children.get(number, []) if isinstance(paths.steps[child], str) or paths.steps[child] is Wild.KEY]
        if not _is_map(number, keyed, paths, statistics):
            keyed = [child for child in keyed if statistics.personal(paths.steps[child])]
        if keyed:
            star = next((child for child in keyed if paths.steps[child] is Wild.KEY), None)
            if star is None:
                star = paths.add(number, Wild.KEY)
                children.setdefault(number, []).append(star)
            maps[star] = [step for child in keyed if isinstance(step := paths.steps[child], str)]
            for child in keyed:
                _merge(child, star, paths, statistics, children, known, targets)
            merged = set(keyed) - {star}
            children[number] = [child for child in children[number] if child not in merged]
        elif either and _is_either(number, children, paths, statistics):
            _join_either(number, paths, statistics, children, known, targets)
        queue += children.get(number, [])
    return targets, maps


def _is_either(number: int, children: dict[int, list[int]], paths: Numbering, statistics: Statistics) -> bool:
    """Whether a path is an array of objects in one record and an object in another, or an array of values and a value."""
    element = next((child for child in children.get(number, []) if paths.steps[child] is Wild.ELEMENT), None)
    if not number or element is None:
        return False
    here, inside = (statistics.counts[n][KINDS:] for n in (number, element))
    if inside[Kind.ARRAY]:
        return False
    if here[Kind.OBJECT]:
        return bool(inside[Kind.OBJECT]) and not here[: Kind.NULL].any() and not inside[: Kind.NULL].any()
    return bool(here[: Kind.NULL].any()) and bool(inside[: Kind.NULL].any()) and not inside[Kind.OBJECT]


def _join_either(number: int, paths: Numbering, statistics: Statistics, children: dict[int, list[int]],
           known: dict[int, dict[Step, int]], targets: np.ndarray) -> None:  # fmt: skip
    """Give what is an array here and no array there one path for both, which ends in ``[*]?``."""
    either = paths.add(number, Wild.MAYBE)
    statistics.lift(either, number)
    below = children[number]
    children[number] = [either]
    for child in below:
        into = either
        if paths.steps[child] is not Wild.ELEMENT:
            into = paths.add(either, paths.steps[child])
            children.setdefault(either, []).append(into)
        _merge(child, into, paths, statistics, children, known, targets)


def _merge(source: int, into: int, paths: Numbering, statistics: Statistics, children: dict[int, list[int]],
           known: dict[int, dict[Step, int]], targets: np.ndarray) -> None:  # fmt: skip
    """Add a path and all below it to another one."""
    if source == into:
        return
    statistics.join(into, source)
    targets[targets == source] = into
    known.pop(source, None)
    if into not in known:
        known[into] = {paths.steps[other]: other for other in reversed(children.get(into, []))}
    for child in children.pop(source, []):
        same = known[into].get(paths.steps[child])
        if same is None:
            same = known[into][paths.steps[child]] = paths.add(into, paths.steps[child])
            children.setdefault(into, []).append(same)
        _merge(child, same, paths, statistics, children, known, targets)


def _is_map(number: int, keyed: list[int], paths: Numbering, statistics: Statistics) -> bool:
    if not keyed or not statistics.counts[number][KINDS + Kind.OBJECT]:
        return False
    if any(paths.steps[child] is Wild.KEY for child in keyed):
        return True
    values = statistics.counts[keyed, VALUES]
    members, once = int(values.sum()), int(np.count_nonzero(values == 1))
    if len(keyed) >= KEYS and members >= MEMBERS and once >= NEW * members:
        return True
    telling = sum(statistics.telling(paths.steps[child]) for child in keyed)
    return telling >= 2 or telling >= TELLING * len(keyed) > 0
