# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What has no bound on its length is found from a sign that it must have, with a bounded look to both sides: ``@``, ``://``, ``=``,
``eyJ``.

Every function takes addresses: `first` and `e` are the ends of the value. A result with an end of 0 is none.
"""

import numpy as np

from flink_masking.contract.email_kernels import email_fits
from flink_masking.detect.cells_kernels import found
from flink_masking.detect.token_checks_kernels import jwt_header, random_text
from flink_masking.detect.words_kernels import letters_hash
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at, outlined

LOCAL, HOST, AUTHORITY, KEY, VALUE = 256, 253, 512, 40, 512


@njit(**JIT)
def local_character(c):
    """Whether a byte may stand in the local part of an address inside a text; signs that often stand beside an address do not."""
    return letter(c) or digit(c) or c == 46 or c == 95 or c == 37 or c == 43 or c == 45 or c == 39 or c == 38 or c == 33 or c == 35 \
        or c == 36 or c == 42 or c == 94 or c == 126


@njit(**JIT)
def email_at(p, first, e, whole):
    """The e-mail address around the ``@`` at p; `whole` tells that the value may be one and nothing else."""
    outlined()
    if whole and e - first <= 254 and email_fits(first, e):
        return first, e
    start, low = p, max(first, p - LOCAL)
    while start > low and local_character(at(start - 1)):
        start -= 1
    while start > low and at(start - 1) >= 0x80:  # letters beyond ASCII, and what precedes them
        lead = start - 1
        while lead > low and at(lead) & 0xC0 == 0x80:
            lead -= 1
        if at(lead) > 0xD3 and start != p:  # a Latin, Greek or Cyrillic letter, or a local part that has nothing of ASCII
            break
        start = lead
        while start > low and local_character(at(start - 1)):
            start -= 1
    while start < p and (at(start) == 46 or at(start) == 39 or at(start) == 45 or at(start) == 42):
        start += 1
    if start == p:
        return np.int64(0), np.int64(0)
    # The host: labels with points between; an end counts where the last label is of letters.
    q, limit, end, labels, label, letters = p + 1, min(e, p + 1 + HOST), np.int64(0), 0, p + 1, True
    while q < limit:
        c = at(q)
        if c == 46:
            if q == label or at(q - 1) == 45:
                break
            if labels and letters and q - label >= 2:
                end = q
            labels += 1
            label, letters = q + 1, True
        elif letter(c):
            pass
        elif digit(c) or c == 45:
            if q == label and c == 45:
                break
            if labels and letters and q - label >= 2 and c == 45:
                end = q  # "…@example.com-" and the like
            letters = letters and q - label >= 4 and at(label) | 32 == 120 and at(label + 1) | 32 == 110 and at(label + 2) == 45
        elif c >= 0x80:
            if labels and letters and q - label >= 2:
                end = q
            if c >= 0xE2 and c < 0xE4:  # punctuation
                break
            letters = False
        else:
            break
        q += 1
    if labels and letters and q - label >= 2:
        end = q
    return start, end


@njit(**JIT)
def in_url(c):
    """Whether a byte goes on a URL in a text."""
    return c > 32 and c != 34 and c != 60 and c != 62 and c != 92 and c != 96 and c != 127


@njit(**JIT)
def credentials_at(p, first, e):
    """``user:password`` of the URL whose ``://`` is at p, and where the authority ends."""
    outlined()
    start = p
    while start > first and p - start < 16 and (letter(at(start - 1)) or digit(at(start - 1)) or at(start - 1) == 43):
        start -= 1
    q, limit = p + 3, min(e, p + 3 + AUTHORITY)
    sign, colon = np.int64(0), np.int64(0)
    while q < limit:
        c = at(q)
        if not in_url(c) or c == 47 or c == 63 or c == 35:
            break
        if c == 64:
            sign = q
        elif c == 58 and colon == 0:
            colon = q
        q += 1
    good = start < p and sign > 0 and 0 < colon < sign - 1
    return (p + 3 if good else np.int64(0)), (sign if good else np.int64(0)), q


@njit(**JIT)
def url_at(p, first, e):
    """The URL whose ``://`` is at p: where it begins and ends, the same where there is none."""
    outlined()
    start = p
    while start > first and p - start < 16 and (letter(at(start - 1)) or digit(at(start - 1)) or at(start - 1) == 43):
        start -= 1
    q, limit = p + 3, min(e, p + 2048)
    while q < limit and in_url(at(q)):
        q += 1
    while q > p + 3 and (at(q - 1) == 46 or at(q - 1) == 44 or at(q - 1) == 41 or at(q - 1) == 39 or at(q - 1) == 59 or at(q - 1) == 33):
        q -= 1
    while q < e and at(q) & 0xC0 == 0x80:
        q += 1
    return (start, q) if start < p and q > p + 5 else (q, q)


@njit(**JIT)
def jwt_at(p, e):
    """The JSON web token at p, where ``eyJ`` stands: end, whether its header has "alg", and how far it was looked."""
    outlined()
    q, segments, last, header = p, 0, p, np.int64(0)
    while True:
        run = q
        while q < e and (letter(at(q)) or digit(at(q)) or at(q) == 45 or at(q) == 95):
            q += 1
        if segments == 0:
            header = q
        if q - run < (10 if segments == 0 else 2) and segments < 2:
            return np.int64(0), np.int64(0), q
        segments += 1
        last = q
        if segments == 5 or q >= e or at(q) != 46:
            break
        q += 1
    if (segments < 2 or (segments == 2 and (last == e or at(last) != 46))) and (segments < 2 or jwt_header(p, header) < 2):
        return np.int64(0), np.int64(0), q
    return last, jwt_header(p, header), q


PASSWORD, TOKEN = 1, 2
"""What kind of secret a key word promises."""


@njit(**JIT)
def secret_key(p, first, words):
    """What the word before p, spaces and quotes between, promises: `PASSWORD`, `TOKEN` or 0; and where the word begins."""
    outlined()
    q = p
    while q > first and p - q < 3 and (at(q - 1) == 32 or at(q - 1) == 34 or at(q - 1) == 39 or at(q - 1) == 93):
        q -= 1
    end, start = q, q
    while start > first and end - start < KEY:
        c = at(start - 1)
        if not (letter(c) or digit(c) or c == 95 or c == 45 or c == 46 or c >= 0x80):
            break
        start -= 1
    if end - start < 2:
        return np.int64(0), start
    word = start
    while word < end:  # the whole word, then what follows a separator or begins with a capital
        kind = found(words, letters_hash(word, end))
        if kind:
            return kind, start
        word += 1
        while word < end:
            c, before = at(word), at(word - 1)
            if before == 95 or before == 45 or before == 46 or (65 <= c <= 90 and 97 <= before <= 122):
                break
            word += 1
    return np.int64(0), start


@njit(**JIT)
def ends_value(c):
    """Whether a byte ends a value after ``=`` or ``:`` without quotes."""
    return c <= 32 or c == 34 or c == 39 or c == 38 or c == 59 or c == 44 or c == 60 or c == 62 or c == 41 or c == 125 or c == 93 or c == 96


@njit(**JIT)
def parameter(p, e):
    """Whether the name of a parameter and a ``=`` stand at p: the ``&`` before them ends a value; one in a password does not."""
    q = p
    while q < e and q - p < KEY and (letter(at(q)) or digit(at(q)) or at(q) == 95 or at(q) == 45 or at(q) == 46 or at(q) == 37):
        q += 1
    return q > p and q < e and at(q) == 61


@njit(**JIT)
def value_after(p, e, known):
    """Start and end of the value after the ``=`` or ``:`` at p; `known` is the end of the value found before this one."""
    outlined()
    q = p + 1
    if q < e and at(q) == 62:  # =>
        q += 1
    while q < e and q - p < 4 and at(q) == 32:
        q += 1
    quote = np.int64(0)
    if q < e and (at(q) == 34 or at(q) == 39):
        quote = at(q)
        q += 1
    start = q
    if start < known:
        return start, known
    limit = min(e, start + VALUE)
    while q < limit and (at(q) != quote and at(q) >= 32 if quote else not ends_value(at(q)) or (at(q) == 38 and not parameter(q + 1, e))):
        q += 1
    while q > start and quote == 0 and (at(q - 1) == 46 or at(q - 1) == 33 or at(q - 1) == 63):
        q -= 1
    return start, q


@njit(**JIT)
def placeholder(p, e, empty):
    """Whether a text stands for a secret that is not there: ``xxxxxxxx``, ``********``, ``${VAR}``, ``changeme``."""
    if e - p < 3:
        return True
    c, second = at(p), at(p + 1)
    if c == 60 or c == 123 or (c == 36 and (second == 123 or second == 40 or letter(second))) or (c == 37 and at(e - 1) == 37) or c == 91:
        return not (c == 36 and digit(second))
    same, q = True, p + 1
    while q < e and q < p + 64:
        same = same and at(q) == c
        q += 1
    return same or found(empty, letters_hash(p, min(e, p + 40))) != 0


@njit(**JIT)
def password_fits(p, e, empty):
    """Whether a text can be a password: 4 to 128 bytes, no placeholder."""
    outlined()
    return 4 <= e - p <= 128 and not placeholder(p, e, empty)


@njit(**JIT)
def token_fits(p, e, empty):
    """Whether a text can be a random secret: 10 bytes or more, entropy of 3.5 bits a character (3 under 20 bytes), no placeholder."""
    outlined()
    if e - p < 10 or placeholder(p, e, empty):
        return False
    return random_text(p, e, 3.0 if e - p < 20 else 3.5)
