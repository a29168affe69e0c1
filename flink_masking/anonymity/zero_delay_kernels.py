# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The kernel of z-anonymity: who showed a value lately.

For each value the latest z distinct people are kept with the time at which each last showed it: as many as it takes to tell whether z
people showed it within the window. The number of values is bounded; one that finds no room is not tracked, and so never released.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.kernels import I64, JIT, U64, W8, W64, WU64, njit, types

USED, EARLIEST, FORGOTTEN = range(3)
"""Entries of the cursor: values tracked; the time before which no tracked value can have left the window; the time such that values which
nobody showed after it have been dropped."""
NEVER = -(1 << 62)


class Shown(NamedTuple):
    """Values and the people who showed them, in the order in which the values came.

    Attributes:
        key: uint64, by entry.
        person: uint64, (entries, z).
        time: int64, (entries, z), ms; `NEVER` where there is no person.
        changed: uint8, by entry: 1 where it is not what it was when its state was written.
        slot: int64, a power of two: a hash table of entries + 1, 0 = free.
        cursor: int64, 3.
    """

    key: np.ndarray
    person: np.ndarray
    time: np.ndarray
    changed: np.ndarray
    slot: np.ndarray
    cursor: np.ndarray


SHOWN = types.NamedTuple((WU64, types.uint64[:, ::1], types.int64[:, ::1], W8, W64, W64), Shown)


@njit(**JIT)
def _slot(shown, key):
    """The slot of a value, or the free one where it belongs."""
    mask = types.uint64(shown.slot.size - 1)
    at = key & mask
    while shown.slot[at] and shown.key[shown.slot[at] - 1] != key:
        at = (at + types.uint64(1)) & mask
    return at


@njit(**JIT)
def _forget(shown, past):
    """Drop the values that nobody showed after `past`."""
    kept, z, earliest = 0, shown.time.shape[1], np.int64(1) << 62
    for i in range(shown.slot.size):
        shown.slot[i] = 0
    for e in range(shown.cursor[USED]):
        newest = np.int64(NEVER)
        for i in range(z):
            newest = max(newest, shown.time[e, i])
        if newest > past:
            shown.key[kept], shown.changed[kept] = shown.key[e], shown.changed[e]
            for i in range(z):
                shown.person[kept, i], shown.time[kept, i] = shown.person[e, i], shown.time[e, i]
            earliest = min(earliest, newest)
            kept += 1
            shown.slot[_slot(shown, shown.key[kept - 1])] = kept
    for e in range(kept, shown.cursor[USED]):
        shown.changed[e] = 0
    shown.cursor[USED], shown.cursor[EARLIEST], shown.cursor[FORGOTTEN] = kept, earliest, past


@njit(types.void(SHOWN), **JIT)
def index(shown):
    """Fill the hash table anew."""
    for i in range(shown.slot.size):
        shown.slot[i] = 0
    for e in range(shown.cursor[USED]):
        shown.slot[_slot(shown, shown.key[e])] = e + 1


@njit(**JIT)
def _show(shown, key, person, now, window):
    """Note that a person shows a value; whether enough people have shown it within the window."""
    at = _slot(shown, key)
    if shown.slot[at] == 0:
        if shown.cursor[USED] == shown.key.size and now - window >= shown.cursor[EARLIEST]:
            _forget(shown, now - window)
            at = _slot(shown, key)
        if shown.cursor[USED] == shown.key.size:
            return False
        e = shown.cursor[USED]
        shown.key[e], shown.slot[at], shown.cursor[USED] = key, e + 1, e + 1
        shown.cursor[EARLIEST] = min(shown.cursor[EARLIEST], now)
        for i in range(shown.time.shape[1]):
            shown.time[e, i] = NEVER
    e, oldest, recent = shown.slot[at] - 1, 0, 0
    for i in range(shown.time.shape[1]):
        if shown.time[e, i] > NEVER and shown.person[e, i] == person:
            oldest = i
            break
        if shown.time[e, i] < shown.time[e, oldest]:
            oldest = i
    shown.person[e, oldest], shown.time[e, oldest], shown.changed[e] = person, now, 1
    for i in range(shown.time.shape[1]):
        recent += shown.time[e, i] > now - window
    return recent == shown.time.shape[1]


@njit(types.void(SHOWN, types.uint64[:, ::1], W64, U64, I64, I64, types.int64[:, ::1]), **JIT)
def admit(shown, keys, first, people, now, window, level):
    """Note all values of records, and find the finest form of each that may be released.

    Args:
        shown: updated.
        keys: (n, forms): each record's values, every attribute from its finest form to its coarsest.
        first: attributes + 1: where the forms of each attribute begin.
        people: n.
        now: ms.
        window: ms.
        level: (n, attributes), out: which form, counted from the finest; the number of forms when none may be released.
    """
    for j in range(keys.shape[0]):
        for a in range(first.size - 1):
            found = first[a + 1] - first[a]
            for f in range(first[a + 1] - 1, first[a] - 1, -1):
                if _show(shown, keys[j, f], people[j], now, window):
                    found = f - first[a]
            level[j, a] = found
