# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernels that widen a box around one record after another and keep up what every other record would cost.

A record's running cost is the loss of the box that would hold the group and itself, in whole numbers (`ONE` a dimension). It changes
only when the box leaves a hierarchy node, cuts a character or widens a range; one vectorised range compare over a column then
brings it up to date.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.anonymity.layout_kernels import Shape
from flink_masking.kernels import JIT, W16, W32, W64, WU64, njit, types


class Box(NamedTuple):
    """The box of the group being formed; scratch.

    Attributes:
        low: int32, by cell dimension: lowest cell of a grid, or a leaf of the node.
        high: int32, highest cell of a grid.
        level: int64, level of the node of a hierarchy.
        word: uint64, by prefix dimension: the text of the seed.
        cut: int64, characters cut from it.
    """

    low: np.ndarray
    high: np.ndarray
    level: np.ndarray
    word: np.ndarray
    cut: np.ndarray


SHAPE = types.NamedTuple((W64, W64, W64, W64, W32, W16, W16, W32, W64, types.int32[:, ::1]), Shape)
BOX = types.NamedTuple((W32, W32, W64, WU64, W64), Box)


@njit(**JIT)
def _charge(column, cost, low, high, inside, outside):
    """Add to every cost by whether its cell lies in [low, high]: as 32 bits, which AVX2 compares fastest."""
    least, most, more, less = np.int32(low), np.int32(high), np.int32(inside), np.int32(outside)
    for j in range(column.size):
        cell = np.int32(column[j])
        cost[j] += more if min(max(cell, least), most) == cell else less


@njit(**JIT)
def _charge_words(column, cost, word, cut, inside, outside):
    """Add to every cost by whether its text is `word` but for the last `cut` characters."""
    kept = ~_tail(cut)
    prefix, more, less = word & kept, np.int32(inside), np.int32(outside)
    for j in range(column.size):
        cost[j] += more if column[j] & kept == prefix else less


@njit(**JIT)
def _charge_range(column, cost, low, high, span, scale):
    """Add the loss of the grid range that covers [low, high] and the record's own cell; no range loses more than `span` cells do."""
    for j in range(column.size):
        cell = np.int32(column[j])
        cost[j] += np.int32(min(np.int32(max(cell, high) - min(cell, low)), span) * scale) >> 10


@njit(**JIT)
def _recharge_range(column, cost, low, high, lower, higher, span, scale):
    """Add what the range that covers [lower, higher] and the record's own cell loses more than that of [low, high]."""
    for j in range(column.size):
        cell = np.int32(column[j])
        before = np.int32(min(np.int32(max(cell, high) - min(cell, low)), span) * scale) >> 10
        cost[j] += (np.int32(min(np.int32(max(cell, higher) - min(cell, lower)), span) * scale) >> 10) - before


@njit(**JIT)
def _tail(cut):
    """The bits of a word that the last `cut` characters take."""
    return (types.uint64(1) << types.uint64(8 * cut)) - types.uint64(1) if cut < 8 else ~types.uint64(0)


@njit(**JIT)
def start(cells, words, begin, end, initial, cost, shape, box):
    """Make the box that of the record at begin, and every cost its initial one and that of the box around the record and the candidate."""
    size, height, first, span, scale, node_low, node_high, node_rise, word_length, word_rise = shape
    low, high, level, word, cut = box
    for j in range(cost.size):
        cost[j] = initial[j]
    for a in range(size.size):
        column = cells[a, begin:end]
        cell = np.int32(column[0])
        low[a], high[a], level[a] = cell, cell, 0
        if height[a] == 0:
            _charge_range(column, cost, cell, cell, np.int32(span[a]), scale[a])
        for p in range(first[a] + cell, first[a] + cell + height[a] * size[a], size[a]):
            if node_rise[p]:
                _charge(column, cost, node_low[p], node_high[p], 0, node_rise[p])
    for a in range(word_length.size):
        texts = words[a, begin:end]
        word[a], cut[a] = texts[0], 0
        for c in range(word_length[a]):
            if word_rise[a, c]:
                _charge_words(texts, cost, word[a], c, 0, word_rise[a, c])


@njit(**JIT)
def widen(cells, words, begin, end, j, cost, shape, box):
    """Widen the box to hold record begin + j, and bring the costs up to date."""
    size, height, first, span, scale, node_low, node_high, node_rise, word_length, word_rise = shape
    low, high, level, word, cut = box
    for a in range(size.size):
        cell = np.int32(cells[a, begin + j])
        if height[a] == 0 and (cell < low[a] or cell > high[a]):
            lower, higher = min(low[a], cell), max(high[a], cell)
            _recharge_range(cells[a, begin:end], cost, low[a], high[a], lower, higher, np.int32(span[a]), scale[a])
            low[a], high[a] = lower, higher
        while level[a] < height[a]:
            p = first[a] + level[a] * size[a] + low[a]
            if node_low[p] <= cell and cell <= node_high[p]:
                break
            if node_rise[p]:  # what lies inside the old node now loses as much as what lay outside
                _charge(cells[a, begin:end], cost, node_low[p], node_high[p], node_rise[p], 0)
            level[a] += 1
    for a in range(word_length.size):
        while (words[a, begin + j] ^ word[a]) & ~_tail(cut[a]):
            rise = word_rise[a, cut[a]]
            if rise:
                _charge_words(words[a, begin:end], cost, word[a], cut[a], rise, 0)
            cut[a] += 1


@njit(**JIT)
def publish(shape, box, low, high):
    """The box as ranges of codes: whole nodes, not the members' own extremes."""
    d = shape.size.size
    for a in range(d):
        low[a], high[a] = box.low[a], box.high[a]
        mixed = shape.height[a] == 0 and box.low[a] < box.high[a] and box.high[a] > shape.span[a]  # a number and no number: everything
        if mixed or (shape.height[a] and box.level[a] == shape.height[a]):
            low[a], high[a] = 0, shape.size[a] - 1
        elif shape.height[a]:
            p = shape.first[a] + box.level[a] * shape.size[a] + box.low[a]
            low[a], high[a] = shape.node_low[p], shape.node_high[p]
    for a in range(shape.word_length.size):
        tail = _tail(box.cut[a])
        low[d + a], high[d + a] = box.word[a] & ~tail, box.word[a] | tail


@njit(**JIT)
def in_box(cells, words, slot, low, high):
    """Whether the record at slot lies in a published box."""
    d, inside = cells.shape[0], True
    for a in range(d):
        inside &= cells[a, slot] >= low[a] and cells[a, slot] <= high[a]
    for a in range(words.shape[0]):
        inside &= words[a, slot] >= low[d + a] and words[a, slot] <= high[d + a]
    return inside
