"""Generalisation hierarchies: a tree of labels over a public set of values, read from the ARX CSV form.

A line is ``leaf;parent;grandparent;…;root``; all lines have the same number of cells. Leaves are kept in depth-first order, so every
node is a contiguous range of leaf numbers (design rule of stream anonymity: a group of codes is a box).
"""

import csv
import io
from collections.abc import Iterator, Sequence

import yaml

from flink_masking.errors import PolicyError

NODES = 100_000
"""Nodes of a YAML hierarchy at most, aliases written out."""


class Hierarchy:
    """A balanced tree of labels.

    Attributes:
        leaves: the values, in depth-first order.
        paths: for each leaf, its labels from the leaf up to the root (all of the same length).
        height: number of levels above the leaves; level 0 is the leaf itself, level `height` the root.
    """

    def __init__(self, rows: Sequence[Sequence[str]], where: str) -> None:
        """Build the tree from rows of labels, leaf first.

        Raises:
            PolicyError: no rows, rows of different lengths, an empty label, a value twice, or a label with two parents.
        """
        if not rows:
            raise PolicyError(f"{where}: the hierarchy is empty. Hint: one line for each value: value;parent;…;*")
        lengths = {len(row) for row in rows}
        if len(lengths) != 1 or lengths == {0}:
            few, many = min(lengths), max(lengths)
            raise PolicyError(f"{where}: lines have {few} to {many} cells. Hint: give every value the same number of levels")
        parents: dict[tuple[int, str], str] = {}
        for number, row in enumerate(rows, 1):
            if "" in row:  # a separator too many would make the empty text a root, which says nothing
                raise PolicyError(f"{where}:{number}: cell {row.index('') + 1} is empty. Hint: name every node; call the root *")
            for level in range(len(row) - 1):
                if parents.setdefault((level, row[level]), row[level + 1]) != row[level + 1]:
                    what = f"a label of level {level} has two different parents"
                    raise PolicyError(f"{where}:{number}: {what}. Hint: make labels unique within a level")
        if len({row[-1] for row in rows}) > 1 or lengths == {1}:  # a common root is implied, as in ARX's own readers
            rows = [(*row, "*") for row in rows]
        if len({row[0] for row in rows}) != len(rows):
            raise PolicyError(f"{where}: a value is listed twice. Hint: one line for each value")
        self.paths = tuple(tuple(row) for row in sorted(rows, key=lambda row: tuple(reversed(row))))
        self.leaves = tuple(path[0] for path in self.paths)
        self.height = len(self.paths[0]) - 1

    @classmethod
    def from_csv(cls, text: str, where: str) -> "Hierarchy":
        """Read the ARX CSV form; the separator is ``;`` or ``,``, whichever the first line has.

        Args:
            text: the whole file, decoded.
            where: the file's name, for error messages.

        Raises:
            PolicyError: not CSV; else see the constructor.

        >>> Hierarchy.from_csv("Boston;MA;*\\nAlbany;NY;*\\nSalem;MA;*", "city.csv").leaves
        ('Boston', 'Salem', 'Albany')
        """
        text = text.removeprefix("\ufeff").lstrip()
        separator = ";" if ";" in text.partition("\n")[0] else ","
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, ""), delimiter=separator, strict=True)]
        except csv.Error:
            rows = None
        if rows is None:  # raised here, so that csv's error, which may quote the file, is no context of this one
            raise PolicyError(f"{where}: not a CSV file. Hint: one line for each value, value;parent;…;*, quotes closed")
        return cls([row for row in rows if any(row)], where)

    @classmethod
    def from_yaml(cls, text: str, where: str) -> "Hierarchy":
        """Read nested YAML: mappings from a label to what lies below it, lists of values at the ends; all scalars are text.

        A single outermost key is the root, else the root is ``*``. Values that lie less deep than others are repeated below themselves.

        Args:
            text: the whole file, decoded.
            where: the file's name, for error messages.

        Raises:
            PolicyError: not such a tree, or larger than 100,000 nodes; else see the constructor.

        >>> Hierarchy.from_yaml("MA: [Boston, Salem]\\nNY: [Albany]", "city.yaml").paths[2]
        ('Albany', 'NY', '*')
        """
        try:
            node = yaml.compose(text, Loader=yaml.BaseLoader)
        except (yaml.YAMLError, RecursionError):
            node = None
        if not isinstance(node, yaml.MappingNode):  # raised here, so that YAML's error, which may quote the file, is no context of this one
            raise PolicyError(f"{where}: not a tree in YAML. Hint: East: {{MA: [Boston, Salem]}}")
        rows = list(_rows(node, (), where, [NODES]))
        depth = max(map(len, rows), default=0)
        return cls([(row[0],) * (depth - len(row)) + row for row in rows], where)

    @classmethod
    def read(cls, text: str, where: str) -> "Hierarchy":
        """Read a file by the ending of its name: ``.yaml`` and ``.yml`` nested, any other the CSV form.

        Raises:
            PolicyError: as `from_yaml` and `from_csv`.
        """
        return cls.from_yaml(text, where) if where.lower().endswith((".yaml", ".yml")) else cls.from_csv(text, where)

    def labels(self, level: int) -> tuple[str, ...]:
        """The label of every leaf at `level` (0 = the leaf itself, `height` = the root), in the order of `leaves`."""
        return tuple(path[level] for path in self.paths)


def _rows(node: yaml.Node, above: tuple[str, ...], where: str, left: list[int]) -> Iterator[tuple[str, ...]]:
    """The labels of every value below a node, the value first; `left` counts down the nodes that may still come."""
    left[0] -= 1
    place = f"{where}:{node.start_mark.line + 1}"
    if left[0] < 0 or len(above) > 40:
        raise PolicyError(f"{place}: too large or too deep. Hint: at most {NODES} nodes in 40 levels, and no alias to what it lies in")
    if isinstance(node, yaml.ScalarNode):
        yield (node.value, *above)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _rows(item, above, where, left)
    else:
        for key, below in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise PolicyError(f"{place}: a label is not a text. Hint: East: {{MA: [Boston, Salem]}}")
            if isinstance(below, yaml.ScalarNode) and not below.value:
                yield (key.value, *above)
            else:
                yield from _rows(below, (key.value, *above), where, left)
