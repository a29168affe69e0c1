"""The declared fields as a tree, in which rules find what they cover."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from flink_masking.documents.document import cut
from flink_masking.errors import PolicyError
from flink_masking.records.paths import At, Step, Where, Wild, format_path, parse_path, selects, unselected

Steps = tuple[Step, ...]


@dataclass
class _Node:
    steps: Steps
    declared: str | None = None
    children: dict[Step, "_Node"] = field(default_factory=dict)

    def leaves(self) -> Iterator["_Node"]:
        """The declared nodes here and below, in the order of declaration of their parents."""
        if self.declared is not None:
            yield self
        for child in self.children.values():
            yield from child.leaves()

    def outermost(self) -> Iterator["_Node"]:
        """The declared nodes here or below that have no declared node above them."""
        if self.declared is not None:
            yield self
            return
        for child in self.children.values():
            yield from child.outermost()


class FieldTree:
    """Declared paths and their parents.

    A path in a policy is found by its steps, whatever its spelling; results are in the spelling of the declaration, parents in canonical
    form.
    """

    def __init__(self) -> None:
        """Begin without fields."""
        self._root = _Node(())

    def add(self, path: str) -> str | None:
        """Declare a path; returns the earlier spelling when it is declared already.

        Raises:
            PolicyError: the path cannot be parsed.
        """
        node = self._root
        for step in parse_path(path):
            node = node.children.setdefault(step, _Node((*node.steps, step)))
        if node.declared is not None:
            return node.declared
        node.declared = path
        return None

    def find(self, path: str) -> str | None:
        """The path as declared, or the canonical form of a parent; None when it is neither.

        Raises:
            PolicyError: the path cannot be parsed, or is a parent by part of its forms only.
        """
        node = self._node(parse_path(path))
        if node is not None and Wild.MAYBE in node.children:
            raise PolicyError(f"'{cut(path)}' is declared with [*]?. Hint: write {cut(_name(node.children[Wild.MAYBE]))}")
        return None if node is None else _name(node)

    def whole(self, path: str) -> str | None:
        """For a path with selectors, the declared path with ``[*]`` in their place, as declared; None where it is not declared."""
        node = self._node(unselected(parse_path(path)))
        return None if node is None else node.declared

    def told_by(self, path: str) -> list[str]:
        """For a path with selectors, the paths of the values that decide."""
        steps = parse_path(path)
        return [format_path((*unselected(steps[:place]), Wild.ELEMENT, *step.path)) for place, step in enumerate(steps)
                if isinstance(step, Where)]

    def selecting(self, ruled: Collection[str]) -> set[Steps]:
        """Steps of what paths with selectors, as `find` gives them, take their values from."""
        return {unselected(steps) for path in ruled if selects(steps := parse_path(path))}

    def parents(self, path: str) -> tuple[str, ...]:
        """What lies above a path that `find` gave, outermost first, in the same form; with selectors, also what they select from."""
        steps = parse_path(path)
        above = [steps[:length] for length in range(1, len(steps))]
        nodes = (self._node(part) for part in dict.fromkeys([*above, *(unselected(part) for part in above)]))
        return tuple(_name(node) for node in nodes if node is not None)

    def under(self, path: str) -> tuple[str, ...]:
        """The declared paths strictly below a path that `find` gave."""
        node = self._node(parse_path(path))
        return tuple(_name(leaf) for leaf in node.leaves() if leaf is not node) if node else ()

    def mixed(self) -> Iterator[tuple[str, str]]:
        """Pairs of declared paths of which one makes an array and the other an object of the same parent."""
        yield from _mixed(self._root)

    def open_places(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Paths that end in ``*``, so that keys there are data, as `find` gives them; and the keys that are named beside each."""
        for node in _below(self._root):
            if Wild.KEY in node.children:
                yield _name(node.children[Wild.KEY]), tuple(step for step in node.children if isinstance(step, str))
        if Wild.KEY in self._root.children:
            yield _name(self._root.children[Wild.KEY]), tuple(step for step in self._root.children if isinstance(step, str))

    def uncovered(self, ruled: Collection[str]) -> tuple[list[str], list[str]]:
        """What a segment's rules leave to its default.

        Args:
            ruled: paths with a rule of their own, as `find` gives them; such a rule covers everything below.

        Returns:
            The topmost paths, parents included, that hold no ruled path; and the declared leaves that no rule covers, without declared
            parents of which a part has a rule.
        """
        tops: list[str] = []
        leaves: list[str] = []
        selecting = self.selecting(ruled)
        for node in self._root.children.values():
            self._split(node, ruled, selecting, tops, leaves)
        return tops, leaves

    def _split(self, node: _Node, ruled: Collection[str], selecting: set[Steps], tops: list[str], leaves: list[str]) -> None:
        if _name(node) in ruled:
            return
        held = any(_name(inner) in ruled or inner.steps in selecting for inner in _below(node))
        if not held and Wild.MAYBE not in node.children:
            found = [_name(leaf) for leaf in node.outermost()]
            # Of a selected element more may be shown than what is declared of it by itself.
            tops.extend(found if isinstance(node.steps[-1], Where | At) else [_name(node)])
            leaves.extend(found)
            return
        for child in node.children.values():
            self._split(child, ruled, selecting, tops, leaves)

    def _node(self, steps: Steps) -> _Node | None:
        node: _Node | None = self._root
        for step in steps:
            node = node.children.get(step) if node else None
        return node


def several(path: str) -> bool:
    """Whether a path names several values of a record: it has a ``[*]`` or a ``*`` outside selectors.

    A path whose arrays all have selectors names one value, the first that fits.

    Raises:
        PolicyError: the path cannot be parsed.

    >>> several("telecom[system=phone].value"), several("telecom[*].value")
    (False, True)
    """
    return any(isinstance(step, Wild) for step in parse_path(path))


def repeats(path: str) -> bool:
    """Whether a record can hold several values at the path: it has a ``[*]``, a ``*`` or a selector.

    Raises:
        PolicyError: the path cannot be parsed.
    """
    return not all(isinstance(step, str) for step in parse_path(path))


def _name(node: _Node) -> str:
    return format_path(node.steps) if node.declared is None else node.declared


def _below(node: _Node) -> Iterator[_Node]:
    for child in node.children.values():
        yield child
        yield from _below(child)


def _form(step: Step) -> int:
    """What a step makes of its parent: 0 an array, 1 either, 2 an object."""
    return 0 if step is Wild.ELEMENT or isinstance(step, Where | At) else 1 if step is Wild.MAYBE else 2


def _mixed(node: _Node) -> Iterator[tuple[str, str]]:
    forms = {_form(step): child for step, child in reversed(node.children.items())}
    if len(forms) > 1:
        one, other = (_name(next(forms[form].leaves())) for form in sorted(forms)[:2])
        yield one, other
    for child in node.children.values():
        yield from _mixed(child)
