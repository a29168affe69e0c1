# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The slide-grow kernel: forms groups of k people with little loss from a buffer that slides over the stream.

The oldest record seeds a group when the buffer is full or the record is due. The buffered record of a person not yet in the group that
enlarges the group's box least is added until k people (and l sensitive values) are in; equal losses go to the oldest. It is FADS
(Guo and Zhang, "Fast clustering-based anonymization approaches with time constraints for data streams", 2013) with the distance to
the seed replaced by the growth of the box.

What makes it fast: see `box_kernels`. Losses are whole numbers and running sums are exact, so groups depend on the records and their
order alone, not on the machine, batch boundaries or snapshots.

Besides the box, a candidate may be cheaper for being rare or old (`Limits`): such records are hard to place later. Only past records
tell what is rare. When a group of k people does not satisfy the models, it grows by the cheapest records that bring it closer to them.

A buffer is a window [begin, end) of the columns of `Held`; records that leave it leave holes, until `_close_holes` moves the rest to
the right.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.anonymity import box_kernels as boxes
from flink_masking.anonymity.box_kernels import BOX, SHAPE
from flink_masking.anonymity.layout_kernels import ONE, Groups
from flink_masking.anonymity.models import model_kernels as models
from flink_masking.anonymity.models.model_kernels import PAST, RULES
from flink_masking.anonymity.models.tally_kernels import TALLY, add, clear, take_back
from flink_masking.anonymity.rarity_kernels import SEEN, rarity
from flink_masking.kernels import I64, INLINED, JIT, W32, W64, WU64, njit, types

OUT = 1 << 30
"""Cost of a record that cannot join: gone, or its person is in already."""
BARRED = OUT // 2
"""Costs from here on mean `OUT` (running updates go on adding to it)."""
BLOCK, PIECE = 256, 128
"""Records whose costs are compared, and records that are looked through for those in the box, at a time."""


class Held(NamedTuple):
    """The columns of the buffer, with room for more records than are held.

    Attributes:
        cells: uint16, (cell dimensions, room).
        words: uint64, (prefix dimensions, room).
        subject: uint64, the person.
        sensitive: uint64, (sensitive attributes, room): codes of the sensitive values.
        seq: int64, number of arrival.
        arrival: int64, processing time in ms.
        bias: int32, what a record costs before any box: the less, the rarer it is.
        gone: int32, 0 or `OUT`.
        initial: int32, scratch.
        cost: int32, scratch.
        masked: int32, scratch: costs without those of records that do not bring a group closer to a model.
        member: int64, scratch: slots of the group being formed, relative to the seed.
        people: uint64, scratch: its persons.
    """

    cells: np.ndarray
    words: np.ndarray
    subject: np.ndarray
    sensitive: np.ndarray
    seq: np.ndarray
    arrival: np.ndarray
    bias: np.ndarray
    gone: np.ndarray
    initial: np.ndarray
    cost: np.ndarray
    masked: np.ndarray
    member: np.ndarray
    people: np.ndarray


class Limits(NamedTuple):
    """When records are due and what a group needs.

    Attributes:
        k: people.
        max_buffer: records held at most.
        max_delay: ms that a record is held at most.
        max_arrivals: a record is due when so many records have come since, itself included.
        rare: how much cheaper a rare record is, 2^20 for the whole of its mean loss.
        age: how much cheaper the oldest record is than the newest, 2^20 for the loss of a whole dimension.
    """

    k: int
    max_buffer: int
    max_delay: int
    max_arrivals: int
    rare: int
    age: int


HELD = types.NamedTuple(
    (types.uint16[:, ::1], types.uint64[:, ::1], WU64, types.uint64[:, ::1], W64, W64, W32, W32, W32, W32, W32, W64, WU64), Held)
LIMITS = types.NamedUniTuple(I64, 6, Limits)
LEFT = types.NamedTuple((W64, W64, types.uint64[:, ::1], types.uint64[:, ::1], W64, W64, W64), Groups)

BEGIN, END, HOLES, LAST = range(4)
"""Entries of the cursor: the window [BEGIN, END) of the buffer, holes in it, number of the last arrival."""


@njit(**JIT)
def _bar(key, cost, value):
    """Take every record with this key out of the race."""
    for j in range(key.size):
        cost[j] = max(cost[j], np.int32(OUT) if key[j] == value else np.int32(-OUT))


@njit(**JIT)
def _cheapest(cost):
    """The lowest cost and the first record that has it: the lowest of each block, then a search in one, both vectorised."""
    least, block = np.int32(OUT), 0
    for first in range(0, cost.size, BLOCK):
        lowest, some = np.int32(OUT), cost[first : first + BLOCK]
        for j in range(some.size):
            lowest = min(lowest, some[j])
        if lowest < least:
            least, block = lowest, first
    some, at = cost[block : block + BLOCK], np.int32(BLOCK)
    for j in range(some.size):
        at = min(at, np.int32(j) if some[j] == least else np.int32(BLOCK))
    return least, block + np.int64(at)


@njit(**JIT)
def _any_as_near(cost, initial, gone, size):
    """Whether a record that is not gone lies in a box of that loss, or is of a person who is barred."""
    found, size = np.int32(0), np.int32(size)
    for j in range(cost.size):  # the largest of 32-bit numbers, which the compiler makes a vectorised loop of
        near = np.int32(1) if (np.int32(cost[j] - initial[j]) == size) | (cost[j] >= BARRED) else np.int32(0)
        found = max(found, np.int32(0) if gone[j] else near)
    return found > 0


@njit(**JIT)
def _holds(values, n, value):
    """Whether value is among the first n of values."""
    found = False
    for q in range(n):
        found |= values[q] == value
    return found


@njit(**INLINED)
def _next(cost, masked, sensitive, begin, end, n, k, rules, past, tally):
    """What to add to a group of n people: cost, slot (-1: the group is complete), model that is to be brought closer (-1: none)."""
    count = rules.kind.size
    r = models.urgent(rules, tally, k - n)
    scarce = r >= 0
    if n >= k and not scarce:
        r = models.failing(rules, past, tally)
        if r == count:
            return np.int32(0), -1, -1
    if r < 0:
        total, j = _cheapest(cost)
        return total, j, -1
    for j in range(cost.size):
        masked[j] = cost[j]
    models.mask(rules, past, tally, r, scarce, sensitive[rules.column[r], begin:end], masked, np.int32(OUT))
    total, j = _cheapest(masked)
    return total, j, r


@njit(**JIT)
def _asks(wanted, columns, used, places, distinct):
    """Whether models have a say in who is next: each place left must bring a new value, or the group is complete and may fail one."""
    lacking = np.int64(0)
    for r in range(wanted.size):
        lacking = max(lacking, wanted[r] - used[columns[r]])
    return lacking >= places if places > 0 else lacking > 0 or not distinct


@njit(**JIT)
def _grow(held, begin, end, limits, last, rules, past, tally, distinct, shape, box, low, high):
    """Form the group of the record at begin from [begin, end); its slots, less begin, go to `held.member`, its box to low and high.

    `distinct` tells whether the models ask for distinct values and nothing else, which a further record cannot take from a group.

    Returns:
        Number of members; when no group can be brought together, -1 for too few people and -2 - r for model r (nothing is changed then).
    """
    cost, gone, initial = held.cost[begin:end], held.gone[begin:end], held.initial[begin:end]
    subject, sensitive, masked = held.subject[begin:end], held.sensitive, held.masked[begin:end]
    cells, words, member, people = held.cells, held.words, held.member, held.people
    _initial(held.seq[begin:end], held.bias[begin:end], gone, initial, limits.age, last)
    boxes.start(cells, words, begin, end, initial, cost, shape, box)
    member[0], people[0], cost[0] = 0, subject[0], OUT
    n, k, size, r, modelled = 1, limits.k, np.int32(0), -1, sensitive.shape[0] > 0
    lacks, columns = rules.l, rules.column
    if modelled:
        clear(tally)
        add(tally, sensitive, begin)
    while True:
        if modelled and _asks(lacks, columns, tally.used, k - n, distinct):
            total, j, r = _next(cost, masked, sensitive, begin, end, n, k, rules, past, tally)
            if j < 0:
                break
        elif n < k:  # without the reference counts of all the arrays that models take
            total, j = _cheapest(cost)
            r = -1
        else:
            break
        if total >= BARRED:
            return -2 - r
        if _holds(people, n, subject[j]):  # a person counts once; this bars all their records at once
            _bar(subject, cost, subject[j])
            continue
        member[n], people[n], cost[j], size = j, subject[j], OUT, total - initial[j]
        if modelled:
            add(tally, sensitive, begin + j)
        n += 1
        boxes.widen(cells, words, begin, end, j, cost, shape, box)
    boxes.publish(shape, box, low, high)
    counted = n
    for q in range(counted):
        gone[member[q]] = OUT
    for first in range(0, gone.size, PIECE):  # further records of the same people come along when they lie in the box: no wider, nobody new
        if not _any_as_near(cost[first : first + PIECE], initial[first : first + PIECE], gone[first : first + PIECE], size):
            continue
        for j in range(first, min(first + PIECE, gone.size)):
            candidate = (cost[j] - initial[j] == size or cost[j] >= BARRED) and gone[j] == 0
            if candidate and _holds(people, counted, subject[j]) and boxes.in_box(cells, words, begin + j, low, high):
                if modelled and not distinct:
                    add(tally, sensitive, begin + j)
                    if models.failing(rules, past, tally) < rules.kind.size:
                        take_back(tally, sensitive, begin + j)
                        continue
                member[n], gone[j] = j, OUT
                n += 1
    return n


@njit(**JIT)
def _initial(seq, bias, gone, initial, age, last):
    """What records cost before any box: the newest one `age` more than the oldest."""
    slope = (age << 20) // max(np.int64(1), last - seq[0])
    if slope == 0:
        for j in range(initial.size):
            initial[j] = gone[j] + bias[j]
        return
    for j in range(initial.size):
        initial[j] = gone[j] + bias[j] + np.int32(((seq[j] - seq[0]) * slope) >> 20)


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
    for a in range(held.sensitive.shape[0]):
        for i in range(n):
            held.sensitive[a, end - 1 - i] = held.sensitive[a, slots[i]]
    for i in range(n):
        j, to = slots[i], end - 1 - i
        held.subject[to], held.seq[to], held.arrival[to] = held.subject[j], held.seq[j], held.arrival[j]
        held.bias[to], held.gone[to] = held.bias[j], 0
    return end - n


@njit(types.Tuple((I64, I64, I64))(HELD, W64, I64, LIMITS, I64, types.boolean, RULES, PAST, TALLY, SEEN, SHAPE, BOX, LEFT), **JIT)
def run(held, cursor, filled, limits, now, everything, rules, past, tally, seen, shape, box, left):
    """Admit the records in [cursor[END], filled) one by one, and let groups leave whenever records are due.

    The oldest record is due when more than `max_buffer` are held, when it has been held for `max_delay` or `max_arrivals`, or when
    everything is.

    Args:
        held: the buffer.
        cursor: int64, 4, see `BEGIN`; updated.
        filled: end of the records in the buffer, admitted or not.
        limits: see `Limits`.
        now: processing time, ms.
        everything: whether all records are due (end of input).
        rules: the models.
        past: distributions that closeness models compare with; running ones are updated with every record admitted.
        tally: scratch.
        seen: running counts that tell what is rare; updated when `rare` is not 0.
        shape: the space.
        box: scratch.
        left: out, with room for all records held; boxes have cell dimensions before prefix dimensions.

    Returns:
        Numbers of groups, of records released and of records suppressed.
    """
    begin, end, holes, last = cursor[BEGIN], cursor[END], cursor[HOLES], cursor[LAST]
    groups = released = suppressed = 0
    gone, arrival, seq, bias, cells, words, sensitive = held.gone, held.arrival, held.seq, held.bias, held.cells, held.words, held.sensitive
    max_buffer, max_delay, max_arrivals, rare = limits.max_buffer, limits.max_delay, limits.max_arrivals, limits.rare
    modelled = sensitive.shape[0] > 0
    whole, distinct = ONE * (cells.shape[0] + words.shape[0]), True
    for r in range(rules.kind.size):
        distinct &= rules.kind[r] == models.DISTINCT
    while True:
        while begin < end and gone[begin]:
            begin += 1
            holes -= 1
        due = begin < end and (everything or end - begin - holes > max_buffer or now - arrival[begin] >= max_delay
                               or last - seq[begin] >= max_arrivals - 1)
        if due:
            n = _grow(held, begin, end, limits, last, rules, past, tally, distinct, shape, box, left.low[groups], left.high[groups])
            if n < 0:
                gone[begin] = OUT
                left.suppressed[suppressed], left.reason[suppressed] = seq[begin], -1 - n
                suppressed += 1
                holes += 1
                continue
            member, left_seq = held.member, left.seq
            for q in range(n):
                left_seq[released + q] = seq[begin + member[q]]
            released += n
            holes += n
            left.end[groups], left.at[groups] = released, last
            groups += 1
        elif end < filled:
            last, bias[end] = seq[end], 0
            if rare:
                bias[end] = whole - ((rare * rarity(cells, words, end, shape, seen)) >> 20)
            if modelled:
                models.learn(rules, past, sensitive, end)
            end += 1
        else:
            break
        if holes > 16 + (end - begin) // 8:  # scans go over holes too; moving the rest now and then is cheaper
            begin, holes = _close_holes(held, begin, end), 0
    cursor[BEGIN], cursor[END], cursor[HOLES], cursor[LAST] = begin, end, holes, last
    return groups, released, suppressed
