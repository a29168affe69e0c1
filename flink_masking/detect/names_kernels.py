# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Names of people, places and companies, and street addresses in running text: lists, titles, cues and runs of capitals.

A value is cut into at most `MOST` tokens at a time; a run that crosses that border is found in two parts.
"""

import numpy as np

from flink_masking.detect.resolve_kernels import FIELDS, put
from flink_masking.detect.scan_kernels import BY_LIST, S_LOWEST
from flink_masking.detect.tokens_kernels import (
    CAPITAL,
    CITY,
    COMMA,
    COMMON,
    COMPANY,
    COUNTRY,
    CUE,
    FAR,
    FIRST,
    HASH,
    INITIAL,
    JOINED,
    LAST,
    LINE,
    MOST,
    NATIONALITY,
    NUMBER,
    PARTICLE,
    POINT,
    SHOUTED,
    SPACE,
    STATE,
    STREET,
    T_BITS,
    T_END,
    T_GAP,
    T_SHAPE,
    T_START,
    TITLE,
    TOKEN,
    UNIT,
    cut,
    phrase,
    street_word,
)
from flink_masking.kernels import I64, I64A, JIT, U8, U16, U64, W64, njit
from flink_masking.kernels.memory import at

BY_RULE = 256
(N_PERSON, N_CITY, N_COUNTRY, N_NATIONALITY, N_ORGANIZATION, N_ADDRESS, N_TITLE) = range(7, 14)
"""Settings after those of the scan: numbers of the types, or -1."""
NAME = FIRST | LAST
PLACE = CITY | COUNTRY | STATE | NATIONALITY


@njit(**JIT)
def capital(tokens, k, caseless):
    """Whether a token may belong to a name: it begins with a capital, or in a text without any it is of a list and no common word."""
    bits = tokens[k * TOKEN + T_BITS]
    if caseless:
        return bits & (NAME | PLACE | COMPANY) != 0 and bits & COMMON == 0
    return tokens[k * TOKEN + T_SHAPE] & CAPITAL != 0


@njit(**JIT)
def address_end(tokens, k, n, caseless, keys, bits):
    """The last token of an address that begins with token k, or -1."""
    capitals, numbers, streets, units, lines, last, j = 0, 0, 0, 0, 0, np.int64(-1), k
    while j < n and j < k + 24:
        x = j * TOKEN
        of, shape = tokens[x + T_BITS], tokens[x + T_SHAPE]
        if shape & NUMBER:
            numbers += 1
            last = j
        else:
            street = street_word(tokens, j, keys, bits)
            if of & UNIT and not (of & PARTICLE):
                units += 1
                last = j
            elif street and (shape & CAPITAL or caseless or j > k):
                streets += 1
                capitals += shape & CAPITAL
                last = j
            elif shape & CAPITAL or (caseless and of & COMMON == 0):
                if of & COMMON and of & (NAME | PLACE | STREET) == 0:
                    break
                capitals += 1
                last = j
            elif not of & PARTICLE:
                break
        gap = tokens[x + T_GAP]
        lines += gap == LINE
        if gap == FAR or (gap == POINT and not (of & (STREET | UNIT) or shape & INITIAL)):
            break
        j += 1
    if last < 0 or numbers == 0:
        return np.int64(-1)
    if units and (capitals or numbers) and (numbers >= 1 and units + capitals >= 1):
        return last if units > 1 or capitals or numbers > 1 or tokens[k * TOKEN + T_SHAPE] & CAPITAL else np.int64(-1)
    if streets and capitals + streets >= 2 and numbers:
        return last
    if streets and numbers and capitals >= 1:
        return last
    return last if (capitals >= 2 and (numbers >= 2 or lines)) else np.int64(-1)


@njit(**JIT)
def run_end(tokens, k, n, caseless):
    """The last token of the run of capitals that begins with token k."""
    j = k
    while j + 1 < n:
        gap, shape = tokens[j * TOKEN + T_GAP], tokens[j * TOKEN + T_SHAPE]
        if not (gap == SPACE or gap == JOINED or (gap == POINT and shape & INITIAL)):
            break
        following = j + 1
        if tokens[following * TOKEN + T_SHAPE] & NUMBER:
            break
        # Particles inside a name: Donald van der Voet.
        while (following + 1 < n and following < j + 4 and tokens[following * TOKEN + T_BITS] & PARTICLE
               and tokens[following * TOKEN + T_GAP] == SPACE and not tokens[following * TOKEN + T_SHAPE] & CAPITAL):
            following += 1
        if not capital(tokens, following, caseless):
            break
        of = tokens[following * TOKEN + T_BITS]
        if of & COMMON and of & NAME == 0:
            break
        if gap == JOINED and not (tokens[following * TOKEN + T_SHAPE] & CAPITAL or caseless):
            break
        j = following
    return j


@njit(**JIT)
def names_in(base, p, e, value, keys, bits, settings, found, n, room, tokens):
    """Add the names in the text p…e as candidates; the result is their number so far, or -1 where `found` has no room."""
    lowest = settings[S_LOWEST]
    blank, q = False, p
    while q < e and not blank:
        blank = at(q) == 32
        q += 1
    if not blank:
        return n
    while p < e:
        count, p, capitals = cut(p, e, keys, bits, tokens)
        if n + 2 * count + 2 >= room:
            return np.int64(-1)
        caseless = not capitals
        k, titled, cue, begins = 0, False, False, True
        while k < count:
            x = k * TOKEN
            of, shape, gap = tokens[x + T_BITS], tokens[x + T_SHAPE], tokens[x + T_GAP]
            s, f = tokens[x + T_START], tokens[x + T_END]
            if shape & NUMBER or of & UNIT or (of & STREET and shape & CAPITAL) or (shape & CAPITAL and street_word(tokens, k, keys, bits)):
                last = address_end(tokens, k, count, caseless, keys, bits)
                if last >= 0 and settings[N_ADDRESS] >= 0:
                    n = put(found, n, settings[N_ADDRESS], s - base, tokens[last * TOKEN + T_END] - base, value, 72, BY_RULE)
                    k = last + 1
                    titled, cue, begins = False, False, False
                    continue
            if of & TITLE and (shape & CAPITAL or caseless) and (gap == POINT or gap == SPACE) and k + 1 < count \
                    and (capital(tokens, k + 1, caseless)):
                if settings[N_TITLE] >= 0 and lowest <= 55:
                    n = put(found, n, settings[N_TITLE], s - base, (f + 1 if gap == POINT else f) - base, value, 55, BY_LIST)
                titled, begins = True, False
                k += 1
                continue
            if not capital(tokens, k, caseless):
                cue = of & CUE != 0 and gap != FAR
                titled, begins = False, gap == FAR or gap == POINT or gap == LINE
                k += 1
                continue
            if of & COMMON and of & NAME == 0 and of & (COUNTRY | NATIONALITY | STATE) == 0:
                # A common word with a capital: the first of a sentence, or of a heading.
                last, _ = phrase(tokens, k, count, keys, bits, CITY | COUNTRY | STATE)
                if last <= k:
                    cue = of & CUE != 0 and gap != FAR
                    titled, begins = False, gap == FAR or gap == POINT or gap == LINE
                    k += 1
                    continue
            last = run_end(tokens, k, count, caseless)
            names, words, companies, commons = 0, 0, 0, 0
            for j in range(k, last + 1):
                b = tokens[j * TOKEN + T_BITS]
                particle = b & PARTICLE and not tokens[j * TOKEN + T_SHAPE] & CAPITAL
                words += not particle
                names += b & NAME != 0 and not particle
                commons += b & COMMON != 0
                companies += b & COMPANY != 0 and j > k
            place, place_bits = phrase(tokens, k, count, keys, bits, PLACE)
            following = last + 1 < count and tokens[(last + 1) * TOKEN + T_BITS] & COMPANY and tokens[last * TOKEN + T_GAP] in (SPACE, COMMA) \
                and tokens[(last + 1) * TOKEN + T_SHAPE] & CAPITAL
            kind, score, reasons = np.int64(-1), 0, BY_LIST
            if companies or following:
                last += 1 if following else 0
                kind, score, reasons = settings[N_ORGANIZATION], 60, BY_RULE
            elif titled:
                kind, score, reasons = settings[N_PERSON], 88, BY_RULE
            elif place >= last and not cue and not (place_bits & (COUNTRY | NATIONALITY | STATE) == 0 and names == words):
                last = place
                if place_bits & COUNTRY:
                    kind, score = settings[N_COUNTRY], 55
                elif place_bits & NATIONALITY:
                    kind, score = settings[N_NATIONALITY], 55
                else:
                    kind, score = settings[N_CITY], 60 if not begins or place > k else 45
            elif names * 2 >= words and names > 0:
                alone = words == 1
                if alone and commons:  # Will, May, Rose
                    score = 70 if cue else 35 if begins else 50
                elif alone:
                    score = 75 if cue else 65 if tokens[x + T_BITS] & FIRST else 55
                else:
                    score = 85 if names == words else 70
                if caseless:
                    score -= 12
                if not alone and commons == words and not cue:
                    score = 40
                kind = settings[N_PERSON]
            elif cue and words <= 3 and not (shape & SHOUTED):
                kind, score, reasons = settings[N_PERSON], 62, BY_RULE
            elif words >= 2 and not begins and commons == 0 and words <= 4 and not caseless and not shape & SHOUTED:
                kind, score, reasons = settings[N_PERSON], 50, BY_RULE
            if kind >= 0 and score >= lowest:
                n = put(found, n, kind, s - base, tokens[last * TOKEN + T_END] - base, value, score, reasons)
            gap = tokens[last * TOKEN + T_GAP]
            b = tokens[last * TOKEN + T_BITS]
            cue, titled = b & CUE != 0 and kind < 0, False
            begins = gap == FAR or gap == POINT or gap == LINE
            k = last + 1
    return n


@njit(I64(U8, I64A, I64A, U64, U16, I64A, I64, W64, W64), **JIT)
def find_names(data, starts, ends, keys, bits, settings, value, found, done):
    """Write the names in values from number `value` on as candidates.

    Returns:
        The number of candidates. done[0] becomes the number of the first value that is not done.
    """
    base, n, room = np.int64(data.ctypes.data), np.int64(0), len(found) // FIELDS
    tokens = np.empty(MOST * TOKEN, np.int64)
    for v in range(value, len(starts)):
        if ends[v] - starts[v] > 3:
            more = names_in(base, base + starts[v], base + ends[v], v, keys, bits, settings, found, n, room, tokens)
            if more < 0:
                done[0] = v
                return n
            n = more
    done[0] = len(starts)
    return n
