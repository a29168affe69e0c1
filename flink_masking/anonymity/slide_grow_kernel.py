# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The slide-grow kernel: forms groups of k people with little loss from a buffer that slides over the stream.

The oldest record seeds a group when the buffer is full or the record is due. The buffered record of a person not yet in the group that
enlarges the group's box least is added until k people (and l sensitive values) are in; equal losses go to the oldest. It is FADS
(Guo and Zhang, "Fast clustering-based anonymization approaches with time constraints for data streams", 2013) with the distance to
the seed replaced by the growth of the box.

What makes it fast: every candidate carries one running cost, the loss of the box that would hold the group and itself. That cost changes
only when the box leaves a hierarchy node, cuts a character or widens a range; one vectorised range compare over a column then brings
it up to date. Losses are integers (`space.ONE` a dimension): running sums are exact, so groups depend on the records and their order
alone, not on the machine, batch boundaries or snapshots.

A buffer is a window [begin, end) of the columns of `Held`; records that leave it leave holes, until `_close_holes` moves the rest to
the right.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.anonymity.space import Shape
from flink_masking.kernels import I64, JIT, W16, W32, W64, WU64, njit, types

OUT = 1 << 30
"""Cost of a record that cannot join: gone, its person is in already, or its sensitive value is of no use any more."""
BARRED = OUT // 2
"""Costs from here on mean `OUT` (running updates go on adding to it)."""


class Held(NamedTuple):
    """The columns of the buffer, with room for more records than are held.

    Attributes:
        cells: uint16, (cell dimensions, room).
        words: uint64, (prefix dimensions, room).
        subject: uint64, the person.
        sensitive: uint64, a code of the sensitive value.
        seq: int64, number of arrival.
        arrival: int64, processing time in ms.
        gone: int32, 0 or `OUT`.
        cost: int32, scratch.
        member: int64, scratch: slots of the group being formed, relative to the seed.
        people: uint64, scratch: its persons.
    """

    cells: np.ndarray
    words: np.ndarray
    subject: np.ndarray
    sensitive: np.ndarray
    seq: np.ndarray
    arrival: np.ndarray
    gone: np.ndarray
    cost: np.ndarray
    member: np.ndarray
    people: np.ndarray


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


class Left(NamedTuple):
    """What one call released and suppressed; room for all records held.

    Attributes:
        seq: int64, arrival numbers of released records, group by group.
        end: int64, for each group the end of its members in `seq`.
        low: uint64, (groups, dimensions): boxes, cell dimensions before prefix dimensions.
        high: uint64, likewise.
        at: int64, for each group the last arrival before it left.
        suppressed: int64, arrival numbers.
    """

    seq: np.ndarray
    end: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at: np.ndarray
    suppressed: np.ndarray


SHAPE = types.NamedTuple((W64, W64, W64, W32, W16, W16, W32, W64, types.int32[:, ::1]), Shape)
HELD = types.NamedTuple((types.uint16[:, ::1], types.uint64[:, ::1], WU64, WU64, W64, W64, W32, W32, W64, WU64), Held)
BOX = types.NamedTuple((W32, W32, W64, WU64, W64), Box)
LEFT = types.NamedTuple((W64, W64, types.uint64[:, ::1], types.uint64[:, ::1], W64, W64), Left)

BEGIN, END, HOLES, LAST = range(4)
"""Entries of the cursor: the window [BEGIN, END) of the buffer, holes in it, number of the last arrival."""


@njit(**JIT)
def _charge(column, cost, low, high, inside, outside):
    """Add to every cost by whether its code lies in [low, high]."""
    for j in range(column.size):
        cost[j] += inside if (column[j] >= low) & (column[j] <= high) else outside


@njit(**JIT)
def _charge_range(column, cost, low, high, scale, sign):
    """Add (sign 1) or take back (sign -1) the loss of the grid range that covers [low, high] and the record's own cell."""
    for j in range(column.size):
        cell = np.int32(column[j])
        cost[j] += sign * (np.int32((max(cell, high) - min(cell, low)) * scale) >> 10)


@njit(**JIT)
def _bar(key, cost, value):
    """Take every record with this key out of the race."""
    for j in range(key.size):
        cost[j] = OUT if key[j] == value else cost[j]


@njit(**JIT)
def _cheapest(cost):
    """The lowest cost and the first record that has it; two plain loops, because each is vectorised."""
    least = np.int32(OUT)
    for j in range(cost.size):
        least = min(least, cost[j])
    for j in range(cost.size):
        if cost[j] == least:
            return least, j
    return least, 0


@njit(**JIT)
def _holds(values, n, value):
    """Whether value is among the first n of values."""
    found = False
    for q in range(n):
        found |= values[q] == value
    return found


@njit(**JIT)
def _tail(cut):
    """The bits of a word that the last `cut` characters take."""
    return (types.uint64(1) << types.uint64(8 * cut)) - types.uint64(1) if cut < 8 else ~types.uint64(0)


@njit(**JIT)
def _start(cells, words, begin, end, gone, cost, shape, box):
    """Make the box that of the record at begin, and every cost that of the box around that record and the candidate."""
    size, height, first, scale, node_low, node_high, node_rise, word_length, word_rise = shape
    low, high, level, word, cut = box
    for j in range(cost.size):
        cost[j] = gone[j]
    for a in range(size.size):
        column = cells[a, begin:end]
        cell = np.int32(column[0])
        low[a], high[a], level[a] = cell, cell, 0
        if height[a] == 0:
            _charge_range(column, cost, cell, cell, scale[a], 1)
        for p in range(first[a] + cell, first[a] + cell + height[a] * size[a], size[a]):
            if node_rise[p]:
                _charge(column, cost, node_low[p], node_high[p], 0, node_rise[p])
    for a in range(word_length.size):
        texts = words[a, begin:end]
        word[a], cut[a] = texts[0], 0
        for c in range(word_length[a]):
            if word_rise[a, c]:
                _charge(texts, cost, word[a] & ~_tail(c), word[a] | _tail(c), 0, word_rise[a, c])


@njit(**JIT)
def _widen(cells, words, begin, end, j, cost, shape, box):
    """Widen the box to hold record begin + j, and bring the costs up to date."""
    size, height, first, scale, node_low, node_high, node_rise, word_length, word_rise = shape
    low, high, level, word, cut = box
    for a in range(size.size):
        cell = np.int32(cells[a, begin + j])
        if height[a] == 0 and (cell < low[a] or cell > high[a]):
            column = cells[a, begin:end]
            _charge_range(column, cost, low[a], high[a], scale[a], -1)
            low[a], high[a] = min(low[a], cell), max(high[a], cell)
            _charge_range(column, cost, low[a], high[a], scale[a], 1)
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
                _charge(words[a, begin:end], cost, word[a] & ~_tail(cut[a]), word[a] | _tail(cut[a]), rise, 0)
            cut[a] += 1


@njit(**JIT)
def _publish(shape, box, low, high):
    """The box as ranges of codes: whole nodes, not the members' own extremes."""
    d = shape.size.size
    for a in range(d):
        low[a], high[a] = box.low[a], box.high[a]
        if shape.height[a] and box.level[a] == shape.height[a]:
            low[a], high[a] = 0, shape.size[a] - 1
        elif shape.height[a]:
            p = shape.first[a] + box.level[a] * shape.size[a] + box.low[a]
            low[a], high[a] = shape.node_low[p], shape.node_high[p]
    for a in range(shape.word_length.size):
        tail = _tail(box.cut[a])
        low[d + a], high[d + a] = box.word[a] & ~tail, box.word[a] | tail


@njit(**JIT)
def _in_box(cells, words, slot, low, high):
    """Whether the record at slot lies in a published box."""
    d, inside = cells.shape[0], True
    for a in range(d):
        inside &= cells[a, slot] >= low[a] and cells[a, slot] <= high[a]
    for a in range(words.shape[0]):
        inside &= words[a, slot] >= low[d + a] and words[a, slot] <= high[d + a]
    return inside


@njit(**JIT)
def _grow(held, begin, end, k, l, shape, box, low, high):  # noqa: E741
    """Form the group of the record at begin from [begin, end); its slots, less begin, go to `held.member`, its box to low and high.

    Returns:
        Number of members; 0 when fewer than k people or l sensitive values can be brought together (nothing is changed then).
    """
    cost, gone = held.cost[begin:end], held.gone[begin:end]
    subject, sensitive = held.subject[begin:end], held.sensitive[begin:end]
    cells, words, member, people = held.cells, held.words, held.member, held.people
    _start(cells, words, begin, end, gone, cost, shape, box)
    member[0], people[0], cost[0] = 0, subject[0], OUT
    n, kinds, strict, total = 1, 1, False, np.int32(0)
    while n < k or kinds < l:
        if kinds < l and l - kinds >= k - n and not strict:  # every place left must bring a new sensitive value
            strict = True
            for q in range(n):
                _bar(sensitive, cost, sensitive[member[q]])
        total, j = _cheapest(cost)
        if total >= BARRED:
            return 0
        if _holds(people, n, subject[j]):  # a person counts once; this bars all their records at once
            _bar(subject, cost, subject[j])
            continue
        if l > 1:
            known = False
            for q in range(n):
                known |= sensitive[member[q]] == sensitive[j]
            kinds += not known
            if strict:
                _bar(sensitive, cost, sensitive[j])
        member[n], people[n], cost[j] = j, subject[j], OUT
        n += 1
        _widen(cells, words, begin, end, j, cost, shape, box)
    _publish(shape, box, low, high)
    counted = n
    for q in range(counted):
        gone[member[q]] = OUT
    for j in range(gone.size):  # further records of the same people come along when they lie in the box: no wider, nobody new
        candidate = (cost[j] == total or cost[j] >= BARRED) and gone[j] == 0
        if candidate and _holds(people, counted, subject[j]) and _in_box(cells, words, begin + j, low, high):
            member[n], gone[j] = j, OUT
            n += 1
    return n


@njit(**JIT)
def _close_holes(held, begin, end):
    """Move what is still held in [begin, end) to the right, in the order of arrival; the new begin."""
    slots, n = held.member, 0
    for j in range(end - 1, begin - 1, -1):
        if held.gone[j] == 0:
            slots[n] = j
            n += 1
    for a in range(held.cells.shape[0]):
        for i in range(n):
            held.cells[a, end - 1 - i] = held.cells[a, slots[i]]
    for a in range(held.words.shape[0]):
        for i in range(n):
            held.words[a, end - 1 - i] = held.words[a, slots[i]]
    for i in range(n):
        j, to = slots[i], end - 1 - i
        held.subject[to], held.sensitive[to], held.seq[to] = held.subject[j], held.sensitive[j], held.seq[j]
        held.arrival[to], held.gone[to] = held.arrival[j], 0
    return end - n


@njit(types.Tuple((I64, I64, I64))(HELD, W64, I64, I64, I64, I64, I64, I64, types.boolean, SHAPE, BOX, LEFT), **JIT)
def run(held, cursor, filled, k, l, max_buffer, max_delay, now, everything, shape, box, left):  # noqa: E741
    """Admit the records in [cursor[END], filled) one by one, and let groups leave whenever records are due.

    A record is due when more than max_buffer are held and it is the oldest, when it has been held for max_delay, or when everything is.

    Args:
        held: the buffer.
        cursor: int64, 4, see `BEGIN`; updated.
        filled: end of the records in the buffer, admitted or not.
        k: people a group.
        l: sensitive values a group; 1 to ignore them.
        max_buffer: records.
        max_delay: ms.
        now: processing time, ms.
        everything: whether all records are due (end of input).
        shape: the space.
        box: scratch.
        left: out.

    Returns:
        Numbers of groups, of records released and of records suppressed.
    """
    begin, end, holes, last = cursor[BEGIN], cursor[END], cursor[HOLES], cursor[LAST]
    groups = released = suppressed = 0
    while True:
        while begin < end and held.gone[begin]:
            begin += 1
            holes -= 1
        if begin < end and (everything or end - begin - holes > max_buffer or now - held.arrival[begin] >= max_delay):
            n = _grow(held, begin, end, k, l, shape, box, left.low[groups], left.high[groups])
            if n == 0:
                held.gone[begin] = OUT
                left.suppressed[suppressed] = held.seq[begin]
                suppressed += 1
                holes += 1
                continue
            for q in range(n):
                left.seq[released + q] = held.seq[begin + held.member[q]]
            released += n
            holes += n
            left.end[groups], left.at[groups] = released, last
            groups += 1
        elif end < filled:
            last = held.seq[end]
            end += 1
        else:
            break
        if holes > 16 + (end - begin) // 8:  # scans go over holes too; moving the rest now and then is cheaper
            begin, holes = _close_holes(held, begin, end), 0
    cursor[BEGIN], cursor[END], cursor[HOLES], cursor[LAST] = begin, end, holes, last
    return groups, released, suppressed


