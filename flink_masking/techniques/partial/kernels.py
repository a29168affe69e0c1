"""The kernel of partial: keep both ends and what follows an anchor, hide the middle."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.characters import beyond32, cover32, digits32, highest, letters32
from flink_masking.kernels.memory import SLACK, at, copy, differ32, put8, trailing_zeros

ALL_32 = 0xFFFFFFFF


@njit(**JIT)
def find(p, e, anchor, n, splat, limit):
    """Where the n bytes at `anchor` first occur in p…e, or -1; `splat` holds their first byte 32 times."""
    last = e - n
    while p <= last:
        if p + 32 <= limit:
            m = differ32(p, splat) ^ ALL_32
            if m == 0:
                p += 32
                continue
            p += trailing_zeros(m)
            if p > last:
                return np.int64(-1)
        elif at(p) != at(anchor):
            p += 1
            continue
        k = 1
        while k < n and at(p + k) == at(anchor + k):
            k += 1
        if k == n:
            return p
        p += 1
    return np.int64(-1)


@njit(**JIT)
def letter_or_digit(c):
    """Whether the lead byte c starts an ASCII letter or digit, or any character beyond ASCII."""
    return c >= 0xC0 or 48 <= c <= 57 or 97 <= (c | 32) <= 122


@njit(**JIT)
def forward(p, e, count, separators):
    """The address behind the first `count` characters of p…e (with separators: letters and digits), at most e."""
    while count > 0 and p < e:
        count -= not separators or letter_or_digit(at(p))
        p += 1
        while p < e and at(p) & 0xC0 == 0x80:
            p += 1
    return p


@njit(**JIT)
def backward(p, e, count, separators):
    """The address of the first of the last `count` characters of p…e (with separators: letters and digits), at least p."""
    while count > 0 and e > p:
        e -= 1
        while e > p and at(e) & 0xC0 == 0x80:
            e -= 1
        count -= not separators or letter_or_digit(at(e))
    return e


@njit(**JIT)
def some(p, e, separators):
    """Whether p…e holds a character that counts."""
    if not separators:
        return p < e
    while p < e:
        if letter_or_digit(at(p)):
            return True
        p += 1
    return False


@njit(**JIT)
def put_masks(o, count, mask, width):
    """Write the mask character `count` times, return the end."""
    for _ in range(count):
        for k in range(width):
            put8(o + k, at(mask + k))
        o += width
    return o


@njit(**JIT)
def hide(o, p, e, separators, mask, width):
    """Write p…e with every character masked (with separators: every letter and digit), return the end."""
    if width == 1:
        c = at(mask)
        while p < e:
            x = at(p)
            put8(o, x if separators and not letter_or_digit(x) else c)
            o += x & 0xC0 != 0x80
            p += 1
        return o
    while p < e:
        x = at(p)
        if separators and x < 0x80 and not letter_or_digit(x):
            put8(o, x)
            o += 1
        elif x & 0xC0 != 0x80:
            o = put_masks(o, 1, mask, width)
        p += 1
    return o


@njit(**JIT)
def hide_short(o, p, e, first, last, separators, c):
    """Write p…e, at most 32 ASCII characters of 32 bytes that can be read, with c for each hidden one; the end, or 0: go the slow way."""
    inside = (np.int64(1) << (e - p)) - 1
    if beyond32(p) & inside:
        return np.int64(0)
    hidden = (letters32(p) | digits32(p)) & inside if separators else inside
    while first > 0 and hidden:
        hidden &= hidden - 1
        first -= 1
    while last > 0 and hidden:
        hidden ^= highest(hidden)
        last -= 1
    if hidden == 0:
        return np.int64(0)
    cover32(o, p, hidden, c)
    return o + (e - p)


@njit([(U8, I32, U8, U8, U8, I64, I64, types.boolean, types.boolean, U8, W8, W32)], **JIT)
def partial_rows(data, offsets, valid, anchor_, splat_, first, last, separators, same, mask_, out_, ends):
    """Mask every value; anchor_ and mask_ are padded with SLACK bytes, splat_ is the anchor's first byte 32 times."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    anchor, splat, mask = np.int64(anchor_.ctypes.data), np.int64(splat_.ctypes.data), np.int64(mask_.ctypes.data)
    n, width, limit, o = len(anchor_) - SLACK, len(mask_) - SLACK, base + len(data), out
    single, short = at(mask), same and n == 0 and width == 1
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        if p == e or (len(valid) and not valid[k]):
            ends[k + 1] = o - out
            continue
        done = np.int64(0)
        if short and e <= p + 32 <= limit:
            done = hide_short(o, p, e, first, last, separators, single)
        if done:
            o = done
        else:
            head = find(p, e, anchor, n, splat, limit) if n else e
            if head >= 0 and (n == 0 or find(head + n, e, anchor, n, splat, limit) < 0):
                a, b = forward(p, head, first, separators), backward(p, head, last, separators)
            else:
                a, b = e, p
            if a < b and some(a, b, separators):
                o = copy(o, p, a - p, limit)
                if same:
                    o = hide(o, a, b, separators, mask, width)
                elif width == 1:
                    put8(o, single)
                    put8(o + 1, single)
                    put8(o + 2, single)
                    o += 3
                else:
                    o = put_masks(o, 3, mask, width)
                o = copy(o, b, e - b, limit)
            elif same:  # hidden whole; separators with nothing between them are no separators
                o = hide(o, p, e, separators and some(p, e, True), mask, width)
            else:
                o = put_masks(o, 3, mask, width)
        ends[k + 1] = o - out
