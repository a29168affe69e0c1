# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scan: one pass over the values of a batch that gives candidates, by the automaton and by triggers.

From every place where a word begins, and from every other character, the automaton runs once, at most as far as its longest pattern
reaches: the work is linear in the bytes. Open repeats at the end of a pattern are run along once per run of characters.
"""

import numpy as np

from flink_masking.detect.automaton_flags_kernels import AFTER, ATOMIC, GROUP, LONGEST, TOLD
from flink_masking.detect.cells_kernels import cell
from flink_masking.detect.context_kernels import BEFORE
from flink_masking.detect.digit_kernels import STRONG
from flink_masking.detect.resolve_kernels import FIELDS, START, TYPE, put
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
from flink_masking.kernels import I32, I64, I64A, JIT, U8, U16, W64, njit, types
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at, int32, outlined
from flink_masking.kernels.wide import at16

FORM, CHECKED, BY_KEY, BY_CONTEXT, BY_LIST, BY_ENTROPY = (1 << k for k in range(6))
"""Bits of `flink_masking.detect.reasons.Reason`."""
P_TYPE, P_CHECK, P_WEAK, P_STRONG, P_CONTEXT, P_ALONE, P_PART, P_TAIL, P_FLAGS = range(9)
"""Numbers of a pattern: type, check, scores, part of the match, row of bytes that go on a match or -1, flags of the automaton."""
PATTERN = 9
TRIGGERED, RUN, CLIENT_SECRET = 2, -2, -1
"""Patterns after those of the automaton, which the scan finds by itself, and their places from the end."""
WHOLE, DIGITS, PEM, SECOND, GROUPS = range(5)
"""Parts of a match."""
T_EMAIL, T_CREDENTIALS, T_URL_SECRET, T_JWT, T_PASSWORD, T_SECRET, S_LOWEST = range(7)
T_URL, S_TOLD, S_ENDS = 14, 15, 16
"""Settings of a scan, int64: numbers of the types found by triggers, or -1; the lowest confidence; the first state of the automaton that
ends a pattern, the first one that ends a pattern which needs no word or key."""
S_WORD, S_FIRST, S_TRIGGER, S_DIGIT = 1, 2, 4, 8
"""Bits of `signs`, uint8 a byte: belongs to a word of regular expressions; a pattern may begin with it, or a word that speaks for a type;
so may what triggers find; is a digit."""
U32 = types.Array(types.uint32, 1, "C", readonly=True)


@njit(**JIT)
def word_byte(c):
    """Whether a byte is an ASCII letter or digit or ``_``: a word of regular expressions."""
    return letter(c) or digit(c) or c == 95


@njit(**JIT)
def after_word(c):
    """Whether a byte may stand between a word and what it speaks for."""
    return c == 32 or c == 58 or c == 61 or c == 35 or c == 34 or c == 39 or c == 40 or c == 10 or c == 9 or c == 44 or c == 47


@njit(**JIT)
def same_before(found, n, n0, kind, start):
    """The number of the candidate of a kind and start since number n0, or n."""
    j = n - 1
    while j >= n0 and cell(found, j * FIELDS + START) == start:
        if cell(found, j * FIELDS + TYPE) == kind:
            return j
        j -= 1
    return n


@njit(**JIT)
def digit_run(p, e):
    """Where the run of digits ends that begins at p, at most two of `` .()/-`` between two of them, and whether it has 7 to 15 digits and
    may be a telephone number, an extension included."""
    outlined()
    if p + 10 <= e and at(p + 4) == 45 and at(p + 7) == 45 and (at(p) == 50 or at(p) == 49):  # a date begins with its year
        return p + 10, False
    q, digits, gap, last = p, 0, 0, p
    while q < e and digits < 16:
        c = at(q)
        if digit(c):
            digits += 1
            gap, last = 0, q + 1
        elif gap < 2 and (c == 32 or c == 46 or c == 40 or c == 41 or c == 47 or c == 45):
            gap += 1
        else:
            break
        q += 1
    if digits > 15:  # the next group may begin one
        q = p
        while q < last and digit(at(q)):
            q += 1
        return q, False
    if digits < 7:
        return last, False
    q = last + (last < e and at(last) == 32)
    if q + 1 < e and at(q) == 120 and digit(at(q + 1)):  # x123
        q += 1
    elif q + 4 < e and at(q) == 101 and at(q + 1) == 120 and at(q + 2) == 116:  # ext. 123
        q += 3
        q += at(q) == 46
        q += at(q) == 32
    else:
        q = last
    if q > last:
        first = q
        while q < e and q < first + 6 and digit(at(q)):
            q += 1
        last = q if q > first else last
    return last, last == e or not word_byte(at(last))


@njit(**JIT)
def on(q, p, e, wanted, offsets, moves):
    """Run the automaton from state q on over p…e until a state of number `wanted` or higher, or none: the state and where it was met."""
    while p < e:
        q = np.int64(at16(moves + 2 * (q * GROUP + int32(offsets, at(p)))))
        p += 1
        if q == 0 or q >= wanted:
            break
    return q, p


@njit(**JIT)
def instant(p):
    """Whether a date with ``T`` and a time of day to the second are the 19 bytes at p, of which the eleventh is the ``T``."""
    outlined()
    if at(p + 4) != 45 or at(p + 7) != 45 or at(p + 13) != 58 or at(p + 16) != 58:
        return False
    for k in range(19):
        if k != 4 and k != 7 and k != 10 and k != 13 and k != 16 and not digit(at(p + k)):
            return False
    return True


@njit(**JIT)
def client_secret_at(p, first, e):
    """Where the client secret of Azure ends that has its ``~`` at p, five characters behind its beginning; 0 where there is none."""
    outlined()
    s = p - 5
    if s < first or at(p - 1) != 81 or not digit(at(p - 2)) or not word_byte(at(s)) or (s > first and word_byte(at(s - 1))):
        return np.int64(0)
    for q in range(s + 1, s + 3):
        if not (word_byte(at(q)) or at(q) == 126 or at(q) == 46):
            return np.int64(0)
    q = p + 1
    while q < e and q <= p + 34 and (word_byte(at(q)) or at(q) == 126 or at(q) == 46 or at(q) == 45):
        q += 1
    return q if q > p + 31 else np.int64(0)


@njit(**JIT)
def end_of_key(p, e, search):
    """Where a private key ends whose first line ends at p: after its last line, which is looked for if `search`, else where its base64
    ends; and whether a last line was found."""
    outlined()
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


@njit(I64(U8, I64A, I64A, I32, U8, I64, U8, U8, I32, U16, U16, I32, I32, U8, I64A, U32, U32, I64A, I64, W64, W64), **JIT)
def scan(data, starts, ends, hints, strengths, types_, signs, pairs, offsets, moves, first, accepted, listed, extending, patterns, secrets,
         placeholders, settings, value, found, done):
    """Write the candidates of values from number `value` on; one by a pattern has ``-1 - pattern`` as its type, no score and no reasons.

    Returns:
        The number of candidates. done[0] becomes the number of the first value that is not done: below len(starts) where `found` has no
        room for more.
    """
    base, n = np.int64(data.ctypes.data), np.int64(0)
    may_end, ends_one = settings[S_TOLD], settings[S_ENDS]
    at_offsets, at_moves = np.int64(offsets.ctypes.data), np.int64(moves.ctypes.data)
    stamps, begins_at, ends_at = np.full(len(patterns) // PATTERN, -1), np.zeros(len(patterns) // PATTERN, np.int64), np.zeros(
        len(patterns) // PATTERN, np.int64)
    out, at_secrets, at_empty = np.int64(found.ctypes.data), np.int64(secrets.ctypes.data), np.int64(placeholders.ctypes.data)
    count = len(patterns) // PATTERN
    room, run, tilde = len(found) // FIELDS - 256, count + RUN, count + CLIENT_SECRET
    for v in range(value, len(starts)):
        lo, e, n0 = base + starts[v], base + ends[v], n
        p, before = lo, False
        email_until, url_until, jwt_until, kv_until, tail_until, tail_row = lo, lo, lo, lo, lo, np.int64(-1)
        run_until = lo
        skip, search, whole_email, worded = lo, True, True, lo - BEFORE - 99
        hint = np.int64(hints[v]) * types_
        # Words of other scripts may speak for a type, too, and are not met here: where a value begins with one, all of it is near one.
        reach = np.int64(BEFORE + 16) if p == e or at(p) < 0x80 else e - p + BEFORE + 99
        while p < e:
            c = at(p)
            sign = signs[np.uint64(c)]
            w = sign & S_WORD != 0
            if sign > S_WORD and not (before and w):
                if n >= room:
                    done[0] = v
                    return n0
                if sign & S_DIGIT and p >= run_until:
                    if p + 19 <= e and at(p + 10) == 84 and instant(p):  # nothing begins inside a timestamp
                        before, p = True, p + 19
                        continue
                    run_until, k = digit_run(p, e)
                    if k and patterns[run * PATTERN + P_CONTEXT]:
                        n = put(out, n, -1 - run, p - base, run_until - base, v, 0, 0)
                near, worded = p - worded <= reach, p if w and c >= 65 else worded
                q = np.int64(first[np.uint64(c)])
                if q and (p + 1 == e or pairs[np.uint64(c) * np.uint64(32) + np.uint64(at(p + 1) >> 3)] >> np.uint64(at(p + 1) & 7) & 1):
                    j = p + 1
                    told = near and after_word(at(p - 1))
                    wanted = may_end if told or hint else ends_one
                    while True:
                        if q >= wanted:
                            x = np.uint64(4 * (q - may_end))
                            edge = j == e or word_byte(at(j)) != word_byte(at(j - 1))
                            # Patterns that only a word or key makes certain enough stand at the end of a state's list.
                            last = accepted[x + np.uint64(2)] if hint or told else accepted[x + np.uint64(1)]
                            if not edge and accepted[x + np.uint64(3)] == 0:
                                last = accepted[x]
                            for a in range(accepted[x], last):
                                number = np.int64(listed[np.uint64(a)])
                                flags = number >> 16
                                if flags & AFTER and not edge:
                                    continue
                                if flags & ATOMIC:
                                    skip = j
                                if flags & TOLD and not told and not strengths[hint + (number >> 24)]:
                                    continue
                                number &= 0xFFFF
                                row = number * PATTERN
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
                                if flags & LONGEST:
                                    if stamps[number] == v and ends_at[number] > p and begins_at[number] != p:
                                        continue  # matches of one pattern do not overlap
                                    stamps[number], begins_at[number], ends_at[number] = v, p, end
                                    k = same_before(out, n, n0, -1 - number, p - base)
                                    put(out, k, -1 - number, p - base, end - base, v, 0, 0)
                                    n += k == n
                                else:
                                    n = put(out, n, -1 - number, p - base, end - base, v, 0, 0)
                            if n >= room:
                                break
                        if j >= e:
                            break
                        q, j = on(q, j, e, wanted, at_offsets, at_moves)
                        if q < wanted:
                            break
                    if skip > p:  # a private key, a UUID: nothing is looked for inside
                        before, p = True, skip
                        continue
                if sign & S_TRIGGER == 0:
                    pass
                elif not w:
                    if c == 64:
                        if p >= email_until and settings[T_EMAIL] >= 0:
                            s, f = email_at(p, lo, e, whole_email)
                            whole_email = False
                            if f:
                                n = put(out, n, settings[T_EMAIL], s - base, f - base, v, 96, FORM | CHECKED)
                    elif c == 126:
                        f = client_secret_at(p, lo, e)
                        if f and patterns[tilde * PATTERN + P_CONTEXT]:
                            n = put(out, n, -1 - tilde, p - 5 - base, f - base, v, 0, 0)
                    elif c == 58 or c == 61:
                        if c == 58 and p + 3 < e and at(p + 1) == 47 and at(p + 2) == 47:
                            s, f, until = credentials_at(p, lo, e)
                            if f:
                                email_until = until
                            if f and settings[T_CREDENTIALS] >= 0:
                                n = put(out, n, settings[T_CREDENTIALS], s - base, f - base, v, 96, FORM | CHECKED)
                            if p >= url_until:
                                s, url_until = url_at(p, lo, e)
                                if url_until > s and settings[T_URL] >= 0:
                                    n = put(out, n, settings[T_URL], s - base, url_until - base, v,
                                            30 if s == lo and url_until == e else 52, FORM)
                        elif p > lo:
                            kind, s = secret_key(p, lo, at_secrets)
                            if kind:
                                s0 = s
                                s, f = value_after(p, e, kv_until)
                                again = s < kv_until and f - s >= 64  # a part of what was weighed before
                                kv_until = max(kv_until, f)
                                fits = not again and (password_fits(s, f, at_empty) if kind == PASSWORD
                                        else token_fits(s, f, at_empty))
                                if fits:
                                    query = s0 > lo and (at(s0 - 1) == 63 or at(s0 - 1) == 38)
                                    number = (settings[T_URL_SECRET] if query else settings[T_PASSWORD] if kind == PASSWORD
                                              else settings[T_SECRET])
                                    if number >= 0:
                                        n = put(out, n, number, s - base, f - base, v, 85 if c == 61 or kind != PASSWORD else 78,
                                                BY_CONTEXT | (0 if kind == PASSWORD else BY_ENTROPY))
                elif p >= jwt_until and p + 20 < e and at(p + 1) == 121 and at(p + 2) == 74:
                    f, verdict, jwt_until = jwt_at(p, e)
                    if f and settings[T_JWT] >= 0:
                        n = put(out, n, settings[T_JWT], p - base, f - base, v, 98 if verdict == STRONG else 70,
                                FORM | (CHECKED if verdict == STRONG else 0))
            before = w
            p += 1
    done[0] = len(starts)
    return n
