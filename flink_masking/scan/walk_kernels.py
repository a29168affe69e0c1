# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""One pass over JSON records that lists every member: where its value lies, of what kind it is, by which path and in which container."""

import numpy as np

from flink_masking.detect.json_kernels import end_of_string
from flink_masking.kernels import I64, I64A, JIT, U8, W8, W32, W64, WU64, njit
from flink_masking.kernels.memory import at

STRING, ENCODED, NUMBER, TRUE, FALSE, NULL, OBJECT, ARRAY = range(8)
"""As `flink_masking.records.kinds.Kind`."""
P_PARENT, P_FIRST, P_LAST, P_CHILDREN = range(4)
PATH = 4
"""Numbers of a path, int64: the path above; where its key stands in the data of the batch that showed it first, or a negative code twice;
how many different members it has."""
ELEMENT, OTHERS = -1, -2
MOST_CHILDREN, MOST_PATHS, DEEPEST = 1024, 1 << 15, 130
"""An object of more different members is a map, whose further members share one path."""
BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


@njit(**JIT)
def mixed(x):
    """All bits of a 64-bit word spread over all bits (the finaliser of MurmurHash3)."""
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))


@njit(**JIT)
def hash_of(p, e):
    """A hash of the bytes p…e that is not 0."""
    h = BASIS
    while p < e:
        h = (h ^ np.uint64(at(p))) * PRIME
        p += 1
    return mixed(h) | np.uint64(1)


@njit(**JIT)
def path_of(parent, h, first, last, table, numbers, paths, counts):
    """The number of the member with a hash below a path, added if it is new; where there is no room, that of all other members."""
    mask = np.uint64(len(table) - 1)
    for attempt in range(2):
        wanted = mixed(h + np.uint64(parent) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
        k = wanted & mask
        while table[k] != 0:
            if table[k] == wanted:
                return np.int64(numbers[k])
            k = (k + np.uint64(1)) & mask
        full = counts[0] + 1 >= MOST_PATHS or paths[parent * PATH + P_CHILDREN] >= MOST_CHILDREN
        if first < 0 or attempt or not full:
            break
        h, first, last = np.uint64(7), np.int64(OTHERS), np.int64(OTHERS)
    number = counts[0]
    if number >= len(numbers) // 4 + MOST_CHILDREN:
        return np.int64(parent)
    counts[0] += 1
    table[k], numbers[k] = wanted, number
    paths[parent * PATH + P_CHILDREN] += 1
    x = number * PATH
    paths[x + P_PARENT], paths[x + P_FIRST], paths[x + P_LAST], paths[x + P_CHILDREN] = parent, first, last, 0
    return number


@njit(I64(U8, I64A, I64A, U8, WU64, W32, W64, W64, I64, W64, W64, W8, W32, W32, W64, W32, W64), **JIT)
def walk(data, starts, ends, skipped, table, numbers, paths, counts, first_row, firsts, lasts, kinds, rows, places, owners, members, done):
    """List the members of JSON objects that a codec has found to be valid, from number `first_row` on; bounded on any bytes.

    Member k has the contents ``data[firsts[k]:lasts[k]]``, kind kinds[k], record rows[k], path places[k]; it stands in the container that
    is member owners[k], -1 for the record itself; members[k] is how many members a container has. Path 0 is the record.

    Returns:
        The number of members. done[0] becomes the number of the first record that there is no room for.
    """
    base, n, room = np.int64(data.ctypes.data), np.int64(0), len(firsts)
    stack, depth = np.zeros(DEEPEST + 1, np.int64), 0
    for row in range(first_row, len(starts)):
        if skipped[row]:
            continue
        n0, p, e, depth = n, base + starts[row], base + ends[row], 0
        path, awaiting = np.int64(0), False
        while p < e:
            if n >= room:
                done[0] = row
                return n0
            c = at(p)
            if c <= 32 or c == 58:
                p += 1
                continue
            if c == 44:
                awaiting = depth > 0 and kinds[stack[depth]] == OBJECT
                p += 1
                continue
            if c == 125 or c == 93:
                if depth > 0:
                    lasts[stack[depth]] = p + 1 - base
                    depth -= 1
                awaiting = False
                p += 1
                continue
            if awaiting:
                if c != 34:
                    p += 1
                    continue
                q, _ = end_of_string(p + 1, e)
                path = path_of(np.int64(places[stack[depth]]), hash_of(p + 1, q), p + 1 - base, q - base, table, numbers, paths, counts)
                awaiting = False
                p = q + 1
                continue
            owner = stack[depth] if depth > 0 else np.int64(-1)
            if depth > 0:
                members[owner] += 1
                if kinds[owner] == ARRAY:
                    step = np.int64(ELEMENT)
                    path = path_of(np.int64(places[owner]), np.uint64(3), step, step, table, numbers, paths, counts)
            else:
                path = np.int64(0)
            firsts[n], rows[n], places[n], owners[n], members[n] = p - base, row, path, owner, 0
            if c == 34:
                q, escaped = end_of_string(p + 1, e)
                firsts[n] += 1
                kinds[n] = ENCODED if escaped else STRING
                lasts[n] = q - base
                p = q + 1
            elif c == 123 or c == 91:
                kinds[n] = OBJECT if c == 123 else ARRAY
                lasts[n] = e - base
                if depth < DEEPEST:
                    depth += 1
                    stack[depth] = n
                awaiting = c == 123
                p += 1
            else:
                q = p + 1
                while q < e:
                    d = at(q)
                    if d <= 32 or d == 44 or d == 125 or d == 93:
                        break
                    q += 1
                kinds[n] = TRUE if c == 116 else FALSE if c == 102 else NULL if c == 110 else NUMBER
                lasts[n] = q - base
                p = q
            n += 1
    done[0] = len(starts)
    return n
