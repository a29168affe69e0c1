# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernel that reads short texts as words."""

from flink_masking.kernels import I32, I64, JIT, U8, W8, WU64, njit, types

SPACE, TILDE, STAR = 32, 126, 42


@njit(types.void(U8, I32, I64, WU64, W8), **JIT)
def parse_words(data, offsets, length, words, ok):
    """Texts of at most `length` printable ASCII characters as big-endian words, padded with 0; ok is 0 for other texts.

    Args:
        data: bytes of all texts.
        offsets: n + 1.
        length: 1 to 8.
        words: n, out.
        ok: n, out.
    """
    for i in range(words.size):
        p, e = offsets[i], offsets[i + 1]
        word = types.uint64(0)
        good = e - p <= length
        if good:
            for k in range(p, e):
                c = data[k]
                good &= c >= SPACE and c <= TILDE and c != STAR
                word = (word << types.uint64(8)) | types.uint64(c)
            if e - p < length:  # a shift by all 64 bits would be undefined
                word <<= types.uint64(8 * (length - (e - p)))
        words[i] = word if good else types.uint64(0)
        ok[i] = good
