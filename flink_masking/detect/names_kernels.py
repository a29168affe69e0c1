# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Names of people, places and companies, and street addresses in running text: lists, titles, cues and runs of capitals.

A value is cut into at most `MOST` tokens at a time; a run that crosses that border is found in two parts.
"""

import numpy as np

from flink_masking.detect.cells_kernels import cell
from flink_masking.detect.resolve_kernels import FIELDS, VALUE, put
from flink_masking.detect.scan_kernels import BY_LIST, S_LOWEST, U32
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
    WHERE,
    cut,
    phrase,
    said,
    street_word,
)
from flink_masking.kernels import I64, I64A, JIT, U8, W64, njit
from flink_masking.kernels.characters import digit, same32
from flink_masking.kernels.memory import at

BY_RULE = 256
(N_PERSON, N_CITY, N_COUNTRY, N_NATIONALITY, N_ORGANIZATION, N_ADDRESS, N_TITLE) = range(7, 14)
"""Settings after those of the scan: numbers of the types, or -1."""
NAME = FIRST | LAST
PLACE = CITY | COUNTRY | STATE | NATIONALITY


@njit(**JIT)
def capital(tokens, k, caseless):
    """Whether a token may belong to a name: it begins with a capital, or in a text without any it is of a list and no common word."""
    if caseless:
        bits = cell(tokens, k * TOKEN + T_BITS)
        return bits & (NAME | PLACE | COMPANY) != 0 and bits & COMMON == 0
    return cell(tokens, k * TOKEN + T_SHAPE) & CAPITAL != 0


@njit(**JIT)
def with_digit(p, e):
    """Whether a digit stands in a word."""
    while p < e:
        if digit(at(p)):
            return True
        p += 1
    return False


@njit(**JIT)
def address_end(tokens, k, n, caseless, few):
    """The last token of an address that begins with token k, or -1."""
    capitals, numbers, streets, units, lines, last, j = 0, 0, 0, 0, 0, np.int64(-1), k
    while j < n and j < k + 24:
        x = j * TOKEN
        of, shape = said(tokens, j, few), cell(tokens, x + T_SHAPE)
        if shape & NUMBER:
            numbers += 1
            last = j
            if numbers == j - k + 1 > 3:  # numbers alone
                break
        else:
            street = street_word(tokens, j, few)
            if of & UNIT and not (of & PARTICLE):
                units += 1
                last = j
            elif street and (shape & CAPITAL or caseless or j > k):
                streets += 1
                capitals += shape & CAPITAL
                last = j
            elif shape & CAPITAL or (caseless and of & COMMON == 0):
                if of & COMMON and of & (NAME | PLACE | STREET) == 0 and not (j + 1 < n and street_word(tokens, j + 1, few)):
                    break
                if caseless and with_digit(cell(tokens, x + T_START), cell(tokens, x + T_END)):
                    break
                capitals += 1
                last = j
            elif not of & PARTICLE:
                break
        gap = cell(tokens, x + T_GAP)
        lines += gap == LINE
        if gap == FAR or (gap == POINT and not (of & (STREET | UNIT) or shape & INITIAL)):
            break
        j += 1
    if last < 0 or numbers == 0:
        return np.int64(-1)
    if units and (capitals or numbers) and (numbers >= 1 and units + capitals >= 1):
        return last if units > 1 or capitals or numbers > 1 or cell(tokens, k * TOKEN + T_SHAPE) & CAPITAL else np.int64(-1)
    if streets and capitals + streets >= 2 and numbers:
        return last
    if streets and numbers and capitals >= 1:
        return last
    return last if (capitals >= 2 and (numbers >= 2 or lines)) else np.int64(-1)


@njit(**JIT)
def run_end(tokens, k, n, caseless, few):
    """The last token of the run of capitals that begins with token k."""
    j = k
    while j + 1 < n:
        gap, shape = cell(tokens, j * TOKEN + T_GAP), cell(tokens, j * TOKEN + T_SHAPE)
        if not (gap in (SPACE, JOINED) or (gap == POINT and shape & INITIAL)):
            break
        following = j + 1
        if cell(tokens, following * TOKEN + T_SHAPE) & NUMBER:
            break
        # Particles inside a name: Donald van der Voet.
        while (following + 1 < n and following < j + 4 and said(tokens, following, few) & PARTICLE
               and cell(tokens, following * TOKEN + T_GAP) == SPACE and not cell(tokens, following * TOKEN + T_SHAPE) & CAPITAL):
            following += 1
        if not capital(tokens, following, caseless):
            break
        of = said(tokens, following, few)
        if of & COMMON and of & NAME == 0:
            break
        if gap == JOINED and not (cell(tokens, following * TOKEN + T_SHAPE) & CAPITAL or caseless):
            break
        j = following
    return j


@njit(**JIT)
def names_in(base, limit, p, e, value, lists, few, settings, out, n, room, tokens):
    """Add the names in the text p…e as candidates; the result is their number so far, or -1 where there is no room."""
    lowest = cell(settings, S_LOWEST)
    blank, q = False, p
    while q < e and not blank:
        if q + 32 <= limit:
            blank = same32(q, 32) & ((np.int64(1) << min(e - q, np.int64(32))) - 1) != 0
            q += 32
        else:
            blank = at(q) == 32
            q += 1
    if not blank:
        return n
    while p < e:
        count, p, capitals = cut(p, e, lists, tokens)
        if n + 2 * count + 2 >= room:
            return np.int64(-1)
        caseless = not capitals
        k, titled, cue, begins, where = 0, False, False, True, False
        while k < count:
            x = k * TOKEN
            shape, gap = cell(tokens, x + T_SHAPE), cell(tokens, x + T_GAP)
            if shape == 0 and not caseless and (k + 1 == count or cell(tokens, x + TOKEN + T_SHAPE) == 0):
                # A word in small letters before another one: it tells nothing.
                titled, cue, where, begins = False, False, False, gap in (FAR, POINT, LINE)
                k += 1
                continue
            of = said(tokens, k, few)
            s, f = cell(tokens, x + T_START), cell(tokens, x + T_END)
            if shape & NUMBER or of & UNIT or (of & STREET and shape & CAPITAL) \
                    or (shape & CAPITAL and k + 1 < count and cell(tokens, x + TOKEN + T_SHAPE) & NUMBER and street_word(tokens, k, few)):
                last = address_end(tokens, k, count, caseless, few)
                if last >= 0 and cell(settings, N_ADDRESS) >= 0:
                    n = put(out, n, cell(settings, N_ADDRESS), s - base, cell(tokens, last * TOKEN + T_END) - base, value, 72, BY_RULE)
                    k = last + 1
                    titled, cue, begins = False, False, False
                    continue
            if of & TITLE and (shape & CAPITAL or caseless) and (gap in (POINT, SPACE)) and k + 1 < count \
                    and (capital(tokens, k + 1, caseless)):
                if cell(settings, N_TITLE) >= 0 and lowest <= 55:
                    n = put(out, n, cell(settings, N_TITLE), s - base, (f + 1 if gap == POINT else f) - base, value, 55, BY_LIST)
                titled, begins = True, False
                k += 1
                continue
            if not capital(tokens, k, caseless):
                cue = of & CUE != 0 and gap != FAR
                where = of & WHERE != 0 and gap == SPACE
                titled, begins = False, gap in (FAR, POINT, LINE)
                k += 1
                continue
            if of & COMMON and of & NAME == 0 and of & (COUNTRY | NATIONALITY | STATE) == 0:
                # A common word with a capital: the first of a sentence, or of a heading.
                last, _ = phrase(tokens, k, count, lists, CITY | COUNTRY | STATE)
                if last <= k:
                    cue = of & CUE != 0 and gap != FAR
                    titled, begins = False, gap in (FAR, POINT, LINE)
                    k += 1
                    continue
            last = run_end(tokens, k, count, caseless, few)
            names, words, companies, commons = 0, 0, 0, 0
            for j in range(k, last + 1):
                b = said(tokens, j, few)
                particle = b & PARTICLE and not cell(tokens, j * TOKEN + T_SHAPE) & CAPITAL
                words += not particle
                names += b & NAME != 0 and not particle
                commons += b & COMMON != 0
                companies += b & COMPANY != 0 and j > k
            place, place_bits = phrase(tokens, k, count, lists, PLACE)
            following = last + 1 < count and said(tokens, last + 1, few) & COMPANY and cell(tokens, last * TOKEN + T_GAP) in (SPACE,
                COMMA) \
                and cell(tokens, (last + 1) * TOKEN + T_SHAPE) & CAPITAL
            kind, score, reasons = np.int64(-1), 0, BY_LIST
            if companies or following:
                last += 1 if following else 0
                kind, score, reasons = cell(settings, N_ORGANIZATION), 60, BY_RULE
            elif titled:
                kind, score, reasons = cell(settings, N_PERSON), 88, BY_RULE
            elif place >= last and not cue and not (place_bits & (COUNTRY | NATIONALITY | STATE) == 0 and names == words):
                last = place
                if place_bits & COUNTRY:
                    kind, score = cell(settings, N_COUNTRY), 55
                elif place_bits & NATIONALITY:
                    kind, score = cell(settings, N_NATIONALITY), 55
                else:
                    kind, score = cell(settings, N_CITY), 60 if not begins or place > k else 45
            elif names * 2 >= words and names > 0:
                alone = words == 1
                if alone and commons:  # Will, May, Rose
                    score = 70 if cue else 35 if begins else 50
                elif alone:
                    score = 75 if cue else 65 if cell(tokens, x + T_BITS) & FIRST else 55
                else:
                    score = 85 if names == words else 70
                if caseless:
                    score -= 12
                if not alone and commons == words and not cue:
                    score = 40
                kind = cell(settings, N_PERSON)
            elif cue and words <= 3 and not (shape & SHOUTED):
                kind, score, reasons = cell(settings, N_PERSON), 62, BY_RULE
            elif where and not begins and commons == 0 and words <= 4 and not shape & SHOUTED:
                kind, score, reasons = cell(settings, N_CITY), 52, BY_RULE
            elif words >= 2 and not begins and commons == 0 and words <= 4 and not caseless and not shape & SHOUTED:
                kind, score, reasons = cell(settings, N_PERSON), 50, BY_RULE
            if kind >= 0 and score >= lowest:
                n = put(out, n, kind, s - base, cell(tokens, last * TOKEN + T_END) - base, value, score, reasons)
            gap = cell(tokens, last * TOKEN + T_GAP)
            b = said(tokens, last, few)
            cue, titled, where = b & CUE != 0 and kind < 0, False, False
            begins = gap in (FAR, POINT, LINE)
            k = last + 1
    return n


@njit(I64(U8, I64A, I64A, U32, U32, I64A, I64A, I64, I64, W64, W64), **JIT)
def find_names(data, starts, ends, lists, few, settings, keyed, covered, value, found, done):
    """Write the names in values from number `value` on as candidates, but for those that are candidates as a whole by their keys: the
    first `covered` of `keyed`.

    Returns:
        The number of candidates. done[0] becomes the number of the first value that is not done.
    """
    base, n, room = np.int64(data.ctypes.data), np.int64(0), len(found) // FIELDS
    tokens = np.empty(MOST * TOKEN, np.int64)
    places, out = np.int64(tokens.ctypes.data), np.int64(found.ctypes.data)
    at_lists, at_few, chosen = np.int64(lists.ctypes.data), np.int64(few.ctypes.data), np.int64(settings.ctypes.data)
    j = np.int64(0)
    for v in range(value, len(starts)):
        while j < covered and keyed[j * FIELDS + VALUE] < v:
            j += 1
        if ends[v] - starts[v] > 3 and not (j < covered and keyed[j * FIELDS + VALUE] == v):
            more = names_in(base, base + len(data), base + starts[v], base + ends[v], v, at_lists, at_few, chosen, out, n, room, places)
            if more < 0:
                done[0] = v
                return n
            n = more
    done[0] = len(starts) + 0 * len(tokens)  # a local array lives as long as it is mentioned
    return n
