"""Generalisation hierarchies: a tree of labels over a public set of values, read from the ARX CSV form.

A line is ``leaf;parent;grandparent;…;root``; all lines have the same number of cells. Leaves are kept in depth-first order, so every
node is a contiguous range of leaf numbers (design rule of stream anonymity: a group of codes is a box).
"""

import csv
import io
from collections.abc import Sequence

from flink_masking.errors import PolicyError


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

    def labels(self, level: int) -> tuple[str, ...]:
        """The label of every leaf at `level` (0 = the leaf itself, `height` = the root), in the order of `leaves`."""
        return tuple(path[level] for path in self.paths)
