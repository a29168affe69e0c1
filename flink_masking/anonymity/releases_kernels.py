# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The kernels of the release limit: a hash table from people to the number of their records that count."""

from flink_masking.kernels import I32, I64, JIT, U64, W8, W64, WU64, njit, types

W32A = types.int32[::1]
FREE = -1
"""The count of a slot that holds nobody."""


@njit(**JIT)
def _slot(people, counts, person):
    """The slot of a person, or the free one where the person belongs; people are hashes already."""
    mask = types.uint64(people.size - 1)
    at = person & mask
    while counts[at] != FREE and people[at] != person:
        at = (at + types.uint64(1)) & mask
    return at


@njit(types.void(WU64, W32A, W64, U64, I64, W8), **JIT)
def admit(people, counts, used, subjects, most, kept):
    """Count each record of a person who has fewer than `most`, in the order of the records.

    Args:
        people: uint64, a power of two of slots, more than the people in it and in `subjects` together.
        counts: int32 by slot; `FREE` where there is nobody.
        used: int64[1], slots that hold somebody.
        subjects: uint64, n.
        most: records of a person that count at most.
        kept: uint8, n, out: whether the record counts.
    """
    for i in range(subjects.size):
        at = _slot(people, counts, subjects[i])
        if counts[at] == FREE:
            people[at], counts[at] = subjects[i], 0
            used[0] += 1
        kept[i] = counts[at] < most
        counts[at] += types.int32(kept[i])


@njit(types.void(WU64, W32A, W64, U64, I32), **JIT)
def add(people, counts, used, subjects, change):
    """Change people's counts, which never fall below 0; `people`, `counts`, `used` as in `admit`."""
    for i in range(subjects.size):
        at = _slot(people, counts, subjects[i])
        if counts[at] == FREE:
            people[at], counts[at] = subjects[i], 0
            used[0] += 1
        counts[at] = max(types.int32(0), types.int32(counts[at] + change[i]))


__all__ = ["FREE", "add", "admit"]
