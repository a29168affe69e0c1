# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scan: one pass over the values of a batch that gives candidates, by the automaton and by triggers.

From every place where a word begins, and from every other character, the automaton runs once, at most as far as its longest pattern
reaches: the work is linear in the bytes. Open repeats at the end of a pattern are run along once per run of characters.
"""

import numpy as np

from flink_masking.detect.automaton_flags_kernels import AFTER
from flink_masking.detect.digit_kernels import STRONG
from flink_masking.detect.resolve_kernels import FIELDS, put
from flink_masking.detect.trigger_kernels import (
    PASSWORD,
    credentials_at,
    email_at,
    jwt_at,
    password_fits,
    secret_key,
    token_fits,
    url_at,
    value_after,
)
from flink_masking.kernels import I32, I64, I64A, JIT, U8, U16, U64, W64, njit, types
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at

FORM, CHECKED, BY_KEY, BY_CONTEXT, BY_LIST, BY_ENTROPY = (1 << k for k in range(6))
"""Bits of `flink_masking.detect.reasons.Reason`."""
P_TYPE, P_CHECK, P_WEAK, P_STRONG, P_CONTEXT, P_ALONE, P_PART, P_TAIL, P_FLAGS = range(9)
"""Numbers of a pattern: type, check, scores, part of the match, row of bytes that go on a match or -1, flags of the automaton."""
PATTERN = 9
WHOLE, DIGITS, PEM = 0, 1, 2
"""Parts of a match."""
T_EMAIL, T_CREDENTIALS, T_URL_SECRET, T_JWT, T_PASSWORD, T_SECRET, S_LOWEST = range(7)
T_URL = 14
"""Settings of a scan, int64: numbers of the types found by triggers, or -1; the lowest confidence."""
ACCEPTS = np.uint32(1 << 31)
U32 = types.Array(types.uint32, 1, "C", readonly=True)


@njit(**JIT)
def boundary(p, first, e):
    """Whether a word begins or ends at p."""
    before = p > first and word_byte(at(p - 1))
    return before != (p < e and word_byte(at(p)))


@njit(**JIT)
def word_byte(c):
    """Whether a byte is an ASCII letter or digit or ``_``: a word of regular expressions."""
    return letter(c) or digit(c) or c == 95


@njit(**JIT)
def end_of_key(p, e, search):
    """Where a private key ends whose first line ends at p: after its last line, which is looked for if `search`, else where its base64
    ends; and whether a last line was found."""
    q = p
    while search and q + 8 < e:
        if at(q) == 45 and at(q + 1) == 45 and at(q + 2) == 45 and at(q + 3) == 45 and at(q + 4) == 45 and at(q + 5) == 69 \
                and at(q + 6) == 78 and at(q + 7) == 68:  # -----END
            q += 8
            dashes = 0
            while q < e and dashes < 5 and at(q) != 10:
                dashes = dashes + 1 if at(q) == 45 else 0
                q += 1
            return q, True
        q += 1
    q = p
    while q < e and (letter(at(q)) or digit(at(q)) or at(q) == 43 or at(q) == 47 or at(q) == 61 or at(q) <= 32):
        q += 1
    return q, False


@njit(I64(U8, I64A, I64A, U8, U32, U32, I32, I32, U8, I64, I64A, U64, U16, U64, U16, I64A, I64, W64, W64), **JIT)
def scan(data, starts, ends, classes, moves, first, accepted, listed, extending, width, patterns, secret_keys, secret_kinds, empty_keys,
         empty_kinds, settings, value, found, done):
    """Write the candidates of values from number `value` on; one by a pattern has ``-1 - pattern`` as its type, no score and no reasons.

    Returns:
        The number of candidates. done[0] becomes the number of the first value that is not done: below len(starts) where `found` has no
        room for more.
    """
    base, n = np.int64(data.ctypes.data), np.int64(0)
    room = len(found) // FIELDS - 256
    for v in range(value, len(starts)):
        lo, e, n0 = base + starts[v], base + ends[v], n
        p, before = lo, False
        email_until, url_until, jwt_until, kv_until, tail_until, tail_row = lo, lo, lo, lo, lo, np.int64(-1)
        skip, search, whole_email = lo, True, True
        while p < e:
            c = at(p)
            w = word_byte(c)
            if not (before and w):
                if n >= room:
                    done[0] = v
                    return n0
                q = first[np.uint64(c)]
                if q:
                    j = p + 1
                    while True:
                        if q >= ACCEPTS:
                            q ^= ACCEPTS
                            state = np.uint64(q) // np.uint64(width)
                            for a in range(accepted[state], accepted[state + np.uint64(1)]):
                                number = np.int64(listed[a])
                                row = number * PATTERN
                                if patterns[row + P_CONTEXT] == 0 or (patterns[row + P_FLAGS] & AFTER and not boundary(j, lo, e)):
                                    continue
                                end, tail = j, patterns[row + P_TAIL]
                                if tail >= 0:
                                    if tail == tail_row and tail_until > end:
                                        end = tail_until
                                    else:
                                        while end < e and extending[tail * 256 + at(end)]:
                                            end += 1
                                        tail_row, tail_until = tail, end
                                elif patterns[row + P_PART] == PEM:
                                    end, search = end_of_key(end, e, search)
                                    skip = end
                                n = put(found, n, -1 - number, p - base, end - base, v, 0, 0)
                            if n >= room:
                                break
                        if j >= e:
                            break
                        q = moves[np.uint64(q) + np.uint64(classes[np.uint64(at(j))])]
                        if q == 0:
                            break
                        j += 1
                    if skip > p:  # a private key: nothing is looked for inside
                        before, p = False, skip
                        continue
                if not w:
                    if c == 64:
                        if p >= email_until and settings[T_EMAIL] >= 0:
                            s, f = email_at(p, lo, e, whole_email)
                            whole_email = False
                            if f:
                                n = put(found, n, settings[T_EMAIL], s - base, f - base, v, 96, FORM | CHECKED)
                    elif c == 58 or c == 61:
                        if c == 58 and p + 3 < e and at(p + 1) == 47 and at(p + 2) == 47:
                            s, f, until = credentials_at(p, lo, e)
                            if f and settings[T_CREDENTIALS] >= 0:
                                email_until = until
                                n = put(found, n, settings[T_CREDENTIALS], s - base, f - base, v, 96, FORM | CHECKED)
                            if p >= url_until:
                                s, url_until = url_at(p, lo, e)
                                if url_until > s and settings[T_URL] >= 0:
                                    n = put(found, n, settings[T_URL], s - base, url_until - base, v,
                                            30 if s == lo and url_until == e else 52, FORM)
                        elif p > lo:
                            kind, s = secret_key(p, lo, secret_keys, secret_kinds)
                            if kind:
                                s0 = s
                                s, f = value_after(p, e, kv_until)
                                kv_until = max(kv_until, f)
                                fits = (password_fits(s, f, empty_keys, empty_kinds) if kind == PASSWORD
                                        else token_fits(s, f, empty_keys, empty_kinds))
                                if fits:
                                    query = s0 > lo and (at(s0 - 1) == 63 or at(s0 - 1) == 38)
                                    number = (settings[T_URL_SECRET] if query else settings[T_PASSWORD] if kind == PASSWORD
                                              else settings[T_SECRET])
                                    if number >= 0:
                                        n = put(found, n, number, s - base, f - base, v, 85 if c == 61 or kind != PASSWORD else 78,
                                                BY_CONTEXT | (0 if kind == PASSWORD else BY_ENTROPY))
                elif c == 101 and p >= jwt_until and p + 20 < e and at(p + 1) == 121 and at(p + 2) == 74:
                    f, verdict, jwt_until = jwt_at(p, e)
                    if f and settings[T_JWT] >= 0:
                        n = put(found, n, settings[T_JWT], p - base, f - base, v, 98 if verdict == STRONG else 70,
                                FORM | (CHECKED if verdict == STRONG else 0))
            before = w
            p += 1
    done[0] = len(starts)
    return n
