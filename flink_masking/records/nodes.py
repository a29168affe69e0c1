"""The trie of declared paths, as a schema is walked along with it."""

from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Wild, format_path, parse_path, unselected
from flink_masking.records.span_kernels import (
    DENY,
    DESCEND_ARRAY,
    DESCEND_OBJECT,
    EITHER,
    N_COLUMNS,
    N_ELEMENT,
    N_FLAGS,
    N_PATH,
    N_WILD,
    UNDECLARED_NODE,
)
from flink_masking.records.trie import Paths


class Trie:
    """The trie of declared paths, as schemas are walked along with it. Node -1: nothing below matters."""

    def __init__(self, paths: Paths) -> None:
        """Look at the trie of these paths."""
        self._nodes = paths.nodes.reshape(-1, N_COLUMNS)
        self._places = {label: node for node, label in enumerate(paths.labels) if node > UNDECLARED_NODE}
        self._labels = paths.labels
        self.named = paths.named

    def flags(self, node: int) -> int:
        """The flags of a node."""
        return int(self._nodes[node, N_FLAGS]) if node >= 0 else 0

    def path(self, node: int) -> int:
        """The number of a node's path, or -1."""
        return int(self._nodes[node, N_PATH]) if node >= 0 else -1

    def own(self, node: int, kind: Kind) -> int:
        """The number of the path whose values a value of this kind at a node is one of, or -1."""
        return -1 if kind is Kind.ARRAY and self.flags(node) & EITHER else self.path(node)

    def within(self, node: int, kind: Kind) -> int:
        """The node by which the members of a container at a node go; -1 where they do not matter."""
        return node if self.flags(node) & (DESCEND_OBJECT if kind is Kind.OBJECT else DESCEND_ARRAY) else -1

    def element(self, node: int) -> int:
        """The node of an array's elements."""
        return int(self._nodes[node, N_ELEMENT]) if node >= 0 else -1

    def other(self, node: int) -> int:
        """The node of members that no path names: `UNDECLARED_NODE` where they are faults, -1 where they are passed over."""
        if node < 0:
            return -1
        wild = int(self._nodes[node, N_WILD])
        return wild if wild >= 0 else UNDECLARED_NODE if self.flags(node) & DENY else -1

    def member(self, node: int, key: str) -> int:
        """The node of a member."""
        if node < 0:
            return -1
        if key not in self.named[node]:
            return self.other(node)
        label = self._labels[node]
        return self._places[format_path((*(parse_path(label) if label else ()), key))]

    def places(self, path: str) -> list[int]:
        """The nodes that a path leads to; of one with selectors those of the path without. None where the trie does not have it."""
        found = [0]
        for step in unselected(parse_path(path)):
            if isinstance(step, str):
                found = [self.member(node, step) for node in found if step in self.named[node]]
            elif step is Wild.KEY:
                found = [node for node in map(self.other, found) if node > UNDECLARED_NODE]
            else:
                inner = [node for node in map(self.element, found) if node >= 0]
                found = [*found, *inner] if step is Wild.MAYBE else inner
        return found
