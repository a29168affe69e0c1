# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The tokens of RFC 8259 at absolute addresses: strict scanning, decoding and encoding.

A scanning function returns the position after its token, or -1 when it is not one. `e` is the end of the record, `limit` the end of
readable memory (see flink_masking.kernels.memory).
"""

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.memory import at, put8, special32, trailing_zeros
from flink_masking.records.scalar_kernels import utf8_length


@njit(**JIT)
def hex4(p):
    """The value of four hexadecimal digits, or -1."""
    x = 0
    for k in range(4):
        c = at(p + k)
        if 48 <= c <= 57:
            c -= 48
        elif 65 <= (c & 0xDF) <= 70:
            c = (c & 0xDF) - 55
        else:
            return -1
        x = x << 4 | c
    return x


@njit(**JIT)
def escape_length(p, e):
    """Length of the escape sequence at p, or 0. A surrogate must be paired, because UTF-8 cannot hold half of a pair."""
    if p + 1 >= e:
        return 0
    c = at(p + 1)
    if c != 117:
        return 2 if (c == 34 or c == 92 or c == 47 or c == 98 or c == 102 or c == 110 or c == 114 or c == 116) else 0
    u = hex4(p + 2) if p + 6 <= e else -1
    if u < 0 or 0xDC00 <= u < 0xE000:
        return 0
    if u < 0xD800 or u >= 0xE000:
        return 6
    if p + 12 > e or at(p + 6) != 92 or at(p + 7) != 117:
        return 0
    return 12 if 0xDC00 <= hex4(p + 8) < 0xE000 else 0


@njit(**JIT)
def string(p, e, limit):
    """Scan a string whose opening quote is before p: twice the position after the closing quote, plus 1 if it has escapes; or -1."""
    escaped = 0
    while True:
        if p + 32 <= limit:
            m = special32(p)
            if m == 0:
                p += 32
                continue
            p += trailing_zeros(m)
        else:
            while p < e and 32 <= at(p) < 128 and at(p) != 34 and at(p) != 92:
                p += 1
        if p >= e:
            return -1
        c = at(p)
        if c == 34:
            return 2 * (p + 1) + escaped
        if c < 32:
            return -1
        if c == 92:
            n = escape_length(p, e)
            if n == 0:
                return -1
            escaped = 1
            p += n
        while p < e and at(p) >= 128:
            n = utf8_length(p, e)
            if n == 0:
                return -1
            p += n


@njit(**JIT)
def put_utf8(u, to):
    """Write code point u as UTF-8, returning the end."""
    if u < 0x80:
        put8(to, u)
        return to + 1
    n = 2 if u < 0x800 else 3 if u < 0x10000 else 4
    for k in range(n - 1, 0, -1):
        put8(to + k, 0x80 | u & 0x3F)
        u >>= 6
    put8(to, (0xC0 if n == 2 else 0xE0 if n == 3 else 0xF0) | u)
    return to + n


@njit(**JIT)
def code_point(p):
    """The code point of the validated escape sequence at p."""
    c = at(p + 1)
    if c != 117:
        return 8 if c == 98 else 12 if c == 102 else 10 if c == 110 else 13 if c == 114 else 9 if c == 116 else c
    u = hex4(p + 2)
    return 0x10000 + ((u - 0xD800) << 10) + hex4(p + 8) - 0xDC00 if 0xD800 <= u < 0xDC00 else u


@njit(**JIT)
def unescape(p, e, to, cap):
    """Decode the validated string content p..e to `to`, returning its end there; cap when it would not fit below cap."""
    while p < e:
        if to + 4 > cap:
            return cap
        c = at(p)
        if c == 92:
            to = put_utf8(code_point(p), to)
            p += escape_length(p, e)
        else:
            put8(to, c)
            to += 1
            p += 1
    return to


@njit(**JIT)
def key_hash(p, e, h, scratch):
    """A hash of the decoded key p..e, starting from the secret h; `scratch` has 4 bytes to write to."""
    while p < e:
        c = at(p)
        if c == 92:
            q = put_utf8(code_point(p), scratch)
            for k in range(q - scratch):
                h = (h ^ at(scratch + k)) * 0x100000001B3
            p += escape_length(p, e)
        else:
            h = (h ^ c) * 0x100000001B3
            p += 1
    return h ^ (h >> 31)


@njit(**JIT)
def escape(p, n, to):
    """Write n bytes as JSON string content, returning the end; one byte becomes six at worst."""
    for k in range(n):
        c = at(p + k)
        if c >= 32 and c != 34 and c != 92:
            put8(to, c)
            to += 1
            continue
        put8(to, 92)
        short = 98 if c == 8 else 102 if c == 12 else 110 if c == 10 else 114 if c == 13 else 116 if c == 9 else c
        if short >= 34:
            put8(to + 1, short)
            to += 2
            continue
        put8(to + 1, 117)
        put8(to + 2, 48)
        put8(to + 3, 48)
        put8(to + 4, 48 + (c >> 4))
        put8(to + 5, 48 + (c & 15) if c & 15 < 10 else 87 + (c & 15))
        to += 6
    return to


@njit(**JIT)
def literal(p, e, word, n):
    """Position after the literal at p if its bytes 1 to n - 1 are those of `word` (little-endian), or -1."""
    if p + n > e:
        return -1
    for k in range(1, n):
        if at(p + k) != word & 255:
            return -1
        word >>= 8
    return p + n


@njit(**JIT)
def space(p, e, note):
    """Position after the white space at p; a line break among it makes the byte at address `note` 1."""
    while p < e:
        c = at(p)
        if c > 32 or (c != 32 and c != 10 and c != 13 and c != 9):
            break
        if c == 10 or c == 13:
            put8(note, 1)
        p += 1
    return p
