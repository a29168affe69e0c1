# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Where the values and unusual keys of JSON records lie, and by which path each is reached.

Reads whatever comes: text that is not JSON gives values too, never a fault, and a record that does not begin with ``{`` or ``[`` is one
value. Checking records is the work of the codec.
"""

import numpy as np

from flink_masking.detect.words_kernels import BASIS, PRIME, mixed
from flink_masking.kernels import I32, I64, I64A, JIT, U8, W8, W32, W64, WU64, njit
from flink_masking.kernels.characters import digit, digits32, letter, letters32, same32
from flink_masking.kernels.memory import at, put8, trailing_zeros
from flink_masking.kernels.wide import load_raw64

STRING, NUMBER, KEY, WORD, TEXT = range(5)
"""Kinds of values."""
P_PARENT, P_FIRST, P_LAST, P_CHILDREN = range(4)
PATH = 4
"""Numbers of a path, int64: the path above it; where its key stands in the data, or -1 twice for the members of an array and -2 twice for
all further members of an object; how many members it has so far."""
DEEPEST, MOST_CHILDREN, MOST_PATHS = 128, 256, 1 << 15
"""Deeper members have the path of the deepest; an object of more different members is a map, whose members have one path."""
ELEMENT, OTHERS = -1, -2
LONG_WORD, LONG_CAPITALS = 24, 12


@njit(**JIT)
def end_of_string(p, e):
    """Where the string whose contents begin at p ends: at its quote, or at e; and whether a backslash is inside."""
    escaped = False
    while p < e:
        if p + 32 <= e:
            quotes, escapes = same32(p, 34), same32(p, 92)
            if quotes == 0 and escapes == 0:
                p += 32
                continue
            p += trailing_zeros(quotes | escapes)
        c = at(p)
        if c == 34:
            return p, escaped
        if c == 92:
            escaped = True
            p += 1
        p += 1
    return e, escaped


@njit(**JIT)
def of_name(c):
    """Whether a byte other than a letter or digit is usual in the name of a member: ``_-:$``."""
    return c == 95 or c == 45 or c == 58 or c == 36


@njit(**JIT)
def eight(p, n):
    """The n bytes at p, at most eight, as one number, the first one lowest."""
    x = np.uint64(0)
    for k in range(n):
        x |= np.uint64(at(p + k)) << np.uint64(8 * k)
    return x


@njit(**JIT)
def key_hash(p, e, limit):
    """The hash of a key's bytes, which can be read up to `limit`; whether it is unusual: not a short name of letters with two digits at
    most, in words of fewer than `LONG_WORD` letters, and with a small one from `LONG_CAPITALS` on."""
    n, k = e - p, np.int64(0)
    h, odd, vector = BASIS ^ np.uint64(n), n > 48, n <= 32 and p + 32 <= limit
    if vector:
        inside = (np.int64(1) << n) - 1
        digits = digits32(p) & inside
        others = inside & ~(letters32(p) | digits)
        while others:
            odd = odd or not of_name(at(p + trailing_zeros(others)))
            others &= others - 1
        digits &= digits - 1
        odd = odd or digits & (digits - 1) != 0
    else:
        count = 0
        for q in range(p, e):
            c = at(q)
            count += digit(c)
            odd = odd or not (letter(c) or digit(c) or of_name(c))
        odd = odd or count > 2
    while k < n:
        left = n - k
        if vector and left < 8:
            x = load_raw64(p + k) & ((np.uint64(1) << np.uint64(8 * left)) - np.uint64(1))
        elif vector:
            x = load_raw64(p + k)
        else:
            x = eight(p + k, min(left, np.int64(8)))
        h = (h ^ x) * PRIME
        h ^= h >> np.uint64(32)
        k += 8
    if n >= LONG_CAPITALS and not odd:
        q, word, small = p, 0, False
        while q < e and word < LONG_WORD and not (small and n < LONG_WORD):
            c = at(q)
            word = 0 if of_name(c) else word + 1
            small = small or 97 <= c <= 122
            q += 1
        odd = word >= LONG_WORD or not small
    return h, odd


@njit(**JIT)
def path_of(parent, h, first, last, table, numbers, paths, counts):
    """The number of the member of path `parent` with a hash, added if it is new."""
    mask = np.uint64(len(table) - 1)
    wanted = mixed(h + np.uint64(parent) * np.uint64(0x9E3779B97F4A7C15))
    k = wanted & mask
    while table[k] != 0:
        if table[k] == wanted:
            return np.int64(numbers[k])
        k = (k + np.uint64(1)) & mask
    if first >= 0 and (paths[parent * PATH + P_CHILDREN] >= counts[1] or counts[0] + 1 >= MOST_PATHS):
        return path_of_others(parent, table, numbers, paths, counts)
    number = counts[0]
    if number >= MOST_PATHS:
        return np.int64(parent)
    counts[0] += 1
    table[k], numbers[k] = wanted, number
    paths[parent * PATH + P_CHILDREN] += 1
    x = number * PATH
    paths[x + P_PARENT], paths[x + P_FIRST], paths[x + P_LAST], paths[x + P_CHILDREN] = parent, first, last, 0
    return number


@njit(**JIT)
def path_of_others(parent, table, numbers, paths, counts):
    """The number of the path of all further members of an object."""
    mask = np.uint64(len(table) - 1)
    wanted = mixed(np.uint64(7) + np.uint64(parent) * np.uint64(0x9E3779B97F4A7C15))
    k = wanted & mask
    while table[k] != 0:
        if table[k] == wanted:
            return np.int64(numbers[k])
        k = (k + np.uint64(1)) & mask
    number = counts[0]
    if number >= MOST_PATHS:
        return np.int64(parent)
    counts[0] += 1
    table[k], numbers[k] = wanted, number
    x = number * PATH
    paths[x + P_PARENT], paths[x + P_FIRST], paths[x + P_LAST], paths[x + P_CHILDREN] = parent, OTHERS, OTHERS, 0
    return number


@njit(**JIT)
def ends_word(c):
    """Whether a byte ends a number or a word such as ``true``."""
    return c <= 32 or c == 44 or c == 125 or c == 93 or c == 34 or c == 123 or c == 91


@njit(I64(U8, I64A, I64A, WU64, W32, W64, W64, I64, W64, W64, W8, W64, W32, W8, W64), **JIT)
def values_of(data, starts, ends, table, numbers, paths, counts, first_row, firsts, lasts, kinds, rows, leading, escapes, done):
    """List the values of records from number `first_row` on.

    The contents of value k are ``data[firsts[k]:lasts[k]]``, its kind kinds[k], its record rows[k], its path leading[k]; escapes[k] is 1
    where an escape is inside. `table` and `numbers` find paths by hash, `paths` describes them,
    counts[0] is how many there are, counts[1] how many different members an object has that is no map; path 0 is the record.

    Returns:
        The number of values. done[0] becomes the number of the first record that there is no room for.
    """
    base, n, room = np.int64(data.ctypes.data), np.int64(0), len(firsts) - 2
    limit = base + len(data)
    stack, arrays = np.zeros(DEEPEST + 1, np.int64), np.zeros(DEEPEST + 1, np.uint8)
    for row in range(first_row, len(starts)):
        n0, p, e = n, base + starts[row], base + ends[row]
        while p < e and at(p) <= 32:
            p += 1
        if p == e:
            continue
        if at(p) != 123 and at(p) != 91:
            if n >= room:
                done[0] = row
                return n0
            firsts[n], lasts[n], kinds[n] = starts[row], ends[row], TEXT
            rows[n], leading[n], escapes[n] = row, 0, 0
            n += 1
            continue
        depth, over, path, awaiting = 0, 0, np.int64(0), False
        stack[0] = 0
        while p < e:
            if n >= room:
                done[0] = row
                return n0
            c = at(p)
            if c == 34:
                q, escaped = end_of_string(p + 1, e)
                after = q + 1
                while after < e and at(after) <= 32:
                    after += 1
                if awaiting and after < e and at(after) == 58:  # a key
                    h, odd = key_hash(p + 1, q, limit)
                    path = path_of(stack[depth], h, p + 1 - base, q - base, table, numbers, paths, counts)
                    if odd:
                        firsts[n], lasts[n], kinds[n] = p + 1 - base, q - base, KEY
                        rows[n], leading[n], escapes[n] = row, path, escaped
                        n += 1
                    awaiting = False
                    p = after + 1
                    continue
                firsts[n], lasts[n], kinds[n] = p + 1 - base, q - base, STRING
                rows[n], leading[n], escapes[n] = row, path, escaped
                n += 1
                p = q + 1
            elif c == 123 or c == 91:
                if depth < DEEPEST:
                    depth += 1
                    arrays[depth] = c == 91
                    if c == 91:
                        path = path_of(path, np.uint64(3), ELEMENT, ELEMENT, table, numbers, paths, counts)
                    stack[depth] = path
                else:
                    over += 1
                awaiting = c == 123
                p += 1
            elif c == 125 or c == 93:
                if over:
                    over -= 1
                elif depth:
                    depth -= 1
                path = stack[depth]
                awaiting = False
                p += 1
            elif c == 44:
                awaiting = over > 0 or not arrays[depth]
                path = stack[depth]
                p += 1
            elif c <= 32 or c == 58:
                p += 1
            else:
                q = p
                while q < e and not ends_word(at(q)):
                    q += 1
                if q == p:
                    q += 1
                kind = NUMBER if digit(c) or c == 45 else WORD
                firsts[n], lasts[n], kinds[n] = p - base, q - base, kind
                rows[n], leading[n], escapes[n] = row, path, 0
                n += 1
                p = q
    done[0] = len(starts)
    return n


@njit(I64(I64A, I64A, U8, I32, U8, I32, W64, W32), **JIT)
def plain_spans(starts, ends, kinds, paths, escapes, hints_of_paths, plain, hints):
    """What of values is searched as it is written: write its ends, the start where nothing is (words, strings with escapes), and the hints
    of the values, none for keys; the result is how many values have escapes."""
    count = np.int64(0)
    for v in range(len(starts)):
        count += escapes[v]
        plain[v] = starts[v] if escapes[v] or kinds[v] == WORD else ends[v]
        hints[v] = 0 if kinds[v] == KEY else hints_of_paths[paths[v]]
    return count


@njit(**JIT)
def hexadecimal(p):
    """The value of four hexadecimal digits, or -1."""
    x = np.int64(0)
    for k in range(4):
        c = at(p + k)
        if digit(c):
            x = x * 16 + c - 48
        elif 97 <= (c | 32) <= 102:
            x = x * 16 + (c | 32) - 87
        else:
            return np.int64(-1)
    return x


@njit(**JIT)
def character(p, e):
    """The character at p of a JSON string: how many bytes it is written with, and its code point; a byte that is no escape is itself."""
    if at(p) != 92 or p + 1 >= e:
        return np.int64(1), at(p)
    c = at(p + 1)
    if c == 117 and p + 6 <= e:
        x = hexadecimal(p + 2)
        if x >= 0:
            if 0xD800 <= x < 0xDC00 and p + 12 <= e and at(p + 6) == 92 and at(p + 7) == 117:
                y = hexadecimal(p + 8)
                if 0xDC00 <= y < 0xE000:
                    return np.int64(12), 0x10000 + ((x - 0xD800) << 10) + y - 0xDC00
            return np.int64(6), (np.int64(0xFFFD) if 0xD800 <= x < 0xE000 else x)
    if c == 110:
        return np.int64(2), np.int64(10)
    if c == 116:
        return np.int64(2), np.int64(9)
    if c == 114:
        return np.int64(2), np.int64(13)
    if c == 98 or c == 102:
        return np.int64(2), np.int64(32)
    return np.int64(2), c


@njit(**JIT)
def size_of(written, x):
    """Bytes of UTF-8 that a character becomes; a byte that was no escape stays one byte."""
    if written == 1 or x < 0x80:
        return 1
    return 2 if x < 0x800 else 3 if x < 0x10000 else 4


@njit(I64(U8, I64A, I64A, W8, W64), **JIT)
def decode(data, starts, ends, out, offsets):
    """Write the strings ``data[starts[k]:ends[k]]`` without escapes to ``out[offsets[k]:offsets[k + 1]]``; the result is their size."""
    base, o = np.int64(data.ctypes.data), np.int64(out.ctypes.data)
    begin = o
    offsets[0] = 0
    for k in range(len(starts)):
        p, e = base + starts[k], base + ends[k]
        while p < e:
            written, x = character(p, e)
            size = size_of(written, x)
            if size == 1:
                put8(o, x)
            else:
                for j in range(size - 1, 0, -1):
                    put8(o + j, 0x80 | (x & 0x3F))
                    x >>= 6
                put8(o, (0xF00 >> size) & 0xFF | x)
            o += size
            p += written
        offsets[k + 1] = o - begin
    return o - begin


@njit(I64(U8, I64A, I64A, I64A, I64A, W64, W64), **JIT)
def written_spans(data, starts, ends, offsets, values, firsts, lasts):
    """Replace positions in decoded strings by positions in the strings as written, ``data[starts[k]:ends[k]]``.

    Spans are ordered by value and start, and do not overlap within a value except by starting again.
    """
    base, value, p, decoded = np.int64(data.ctypes.data), np.int64(-1), np.int64(0), np.int64(0)
    for k in range(len(values)):
        v = values[k]
        e = base + ends[v]
        if v != value or firsts[k] < decoded:
            value, p, decoded = v, base + starts[v], offsets[v]
        while decoded < firsts[k] and p < e:
            written, x = character(p, e)
            decoded += size_of(written, x)
            p += written
        first, q, at_decoded = p, p, decoded
        while at_decoded < lasts[k] and q < e:
            written, x = character(q, e)
            at_decoded += size_of(written, x)
            q += written
        firsts[k], lasts[k] = first - base, q - base
        p, decoded = q, at_decoded
    return len(values)
