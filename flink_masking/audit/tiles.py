"""The files of a log (C2SP tlog-tiles): tiles of 256 hashes for each level of the tree, bundles of 256 entries.

A tile of level L holds the roots of trees over 256ᴸ entries each. The last tile of a level may be partial; it then has a name of its own
for each width, so no file ever changes.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from flink_masking.crypto.merkle import EMPTY, HASH_BYTES, node_hash, root_of
from flink_masking.errors import InputError

WIDTH = 256
LARGEST_ENTRY = 65_535
"""Bytes of an entry: its length has two of them in a bundle."""


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """The name of a tile of hashes."""
    return f"tile/{level}/{_numbered(number, width)}"


def bundle_path(number: int, width: int = WIDTH) -> str:
    """The name of a bundle of entries."""
    return f"tile/entries/{_numbered(number, width)}"


def _numbered(number: int, width: int) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[k : k + 3] for k in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return name if width == WIDTH else f"{name}.p/{width}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of all tiles of a tree, lowest level first."""
    level = 0
    while count := size >> 8 * level:
        for number in range(-(-count // WIDTH)):
            yield level, number, min(WIDTH, count - number * WIDTH)
        level += 1


def bundle(entries: Sequence[bytes]) -> bytes:
    """A bundle of up to 256 entries."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        InputError: it does not hold exactly `width` entries.
    """
    found, at = list[bytes](), 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(data) or len(found) != width:
        raise InputError("a bundle of entries is damaged. Hint: restore the log")
    return found


class Tree:
    """The right edge of a growing tree: for each level the hashes of its last, partial tile; and the entries of the last bundle."""

    def __init__(self) -> None:
        """Begin without entries."""
        self.size = 0
        self.levels: list[list[bytes]] = []
        self.entries: list[bytes] = []

    def append(self, entry: bytes, leaf: bytes) -> Iterator[tuple[str, bytes]]:
        """Add an entry with its leaf hash; gives names and contents of the files that are now full."""
        number = self.size // WIDTH
        self.entries.append(entry)
        if len(self.entries) == WIDTH:
            yield bundle_path(number), bundle(self.entries)
            self.entries = []
        self.size += 1
        yield from self._add(0, leaf)

    def _add(self, level: int, node: bytes) -> Iterator[tuple[str, bytes]]:
        if level == len(self.levels):
            self.levels.append([])
        tile = self.levels[level]
        tile.append(node)
        if len(tile) == WIDTH:
            data = b"".join(tile)
            yield tile_path(level, (self.size >> 8 * (level + 1)) - 1), data
            tile.clear()
            yield from self._add(level + 1, root_of(np.frombuffer(data, np.uint8).reshape(-1, HASH_BYTES)))

    def partial(self) -> Iterator[tuple[str, bytes]]:
        """Names and contents of the partial files."""
        if self.entries:
            yield bundle_path(self.size // WIDTH, len(self.entries)), bundle(self.entries)
        for level, tile in enumerate(self.levels):
            if tile:
                yield tile_path(level, self.size >> 8 * (level + 1), len(tile)), b"".join(tile)

    @property
    def root(self) -> bytes:
        """RFC 6962 root over all entries."""
        right: bytes | None = None
        for tile in self.levels:
            hashes = [*tile, *([right] if right is not None else [])]
            while len(hashes) > 1:
                odd = [hashes[-1]] if len(hashes) % 2 else []
                hashes = [*(node_hash(hashes[k], hashes[k + 1]) for k in range(0, len(hashes) - 1, 2)), *odd]
            right = hashes[0] if hashes else None
        return EMPTY if right is None else right

    def copy(self) -> "Tree":
        """A tree that grows on its own."""
        other = Tree()
        other.size, other.levels, other.entries = self.size, [list(tile) for tile in self.levels], list(self.entries)
        return other
