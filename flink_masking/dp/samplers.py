"""Draws of discrete Laplace and discrete Gaussian noise, each from uniform words of its own.

A draw is a function of the stream's key and of the draw's name alone: which other draws are made, and in which order, plays no part.

Sources: Ghosh et al. 2009 (geometric mechanism), Canonne et al. 2020 (discrete Gaussian, exact sampling), Mironov 2012 (why not floats).
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from flink_masking.crypto.cmac import BlockCipher
from flink_masking.dp import sampling_kernels

MOST_EACH = 1 << 16
"""Draws that may share a name."""
_BLOCKS = 1 << 16
_CHUNK = 8192
"""Draws whose words are held at a time: a megabyte or two."""


class WordStream:
    """Uniform 64-bit words for numbered draws: AES-256 of the draw's name, its number under that name and the number of the block.

    Distinct draws have distinct blocks, so their words are independent, up to what breaks AES-256 as a permutation.
    """

    def __init__(self, key: bytes, names: np.ndarray | None = None, each: int = 1) -> None:
        """Prepare a key.

        Args:
            key: 32 bytes, which make no other stream.
            names: uint64, (n, 2), distinct, the second word below 2**32: draw i has name i // each. None: the draw's number is its name.
            each: draws that share a name, at most 65,536.
        """
        assert 1 <= each <= MOST_EACH
        self._cipher = BlockCipher(key)  # of distinct blocks it is as good as a pseudo-random function
        self._names, self._each = names, each

    def words(self, draws: np.ndarray, first: int, count: int) -> np.ndarray:
        """Words of some draws.

        Args:
            draws: int64, n: numbers of draws.
            first: number of the first word.
            count: words of each draw.

        Returns:
            uint64, (n, count).
        """
        begin, end = first // 2, (first + count + 1) // 2
        if end > _BLOCKS:
            raise RuntimeError("a draw of noise took more than 131,072 words")  # its probability is below 2**-1000
        number, element = np.divmod(draws.astype(np.uint64), np.uint64(self._each))
        names = np.stack([number, np.zeros_like(number)], axis=1) if self._names is None else self._names[number]
        blocks = np.empty((len(draws), end - begin, 2), "<u8")
        blocks[:, :, 0] = names[:, :1]
        blocks[:, :, 1] = (names[:, 1] | element << np.uint64(32))[:, None] | np.arange(begin, end, dtype=np.uint64) << np.uint64(48)
        words = self._cipher.encrypt(blocks.reshape(-1).view(np.uint8)).view("<u8").reshape(len(draws), -1)
        return np.ascontiguousarray(words[:, first - 2 * begin:][:, :count], np.uint64)


Sampler = Callable[[float, int, WordStream], np.ndarray]
"""From a scale, a number of draws and a stream to int64 noise."""


def discrete_laplace(scale: float, n: int, stream: WordStream) -> np.ndarray:
    """Independent draws of x with probability proportional to exp(-|x|/scale).

    Args:
        scale: from `AggregateSpec.scale`.
        n: draws, those numbered 0 to n - 1 of the stream.
        stream: of uniform words.

    Returns:
        int64.
    """
    return drawn(sampling_kernels.laplace, scale, n, stream, 20)


def discrete_gaussian(scale: float, n: int, stream: WordStream) -> np.ndarray:
    """As `discrete_laplace`, with probability proportional to exp(-x²/2·scale²)."""
    return drawn(sampling_kernels.gaussian, scale, n, stream, 32)


def drawn(kernel: Callable[..., int], scale: float, n: int, stream: WordStream, words_each: int) -> np.ndarray:
    """Draws 0 to n - 1 of a stream, `words_each` words at a time: how many changes the speed and never a draw."""
    exact, out, at = Fraction(scale), np.empty(n, np.int64), np.zeros(3, np.int64)
    for begin in range(0, n, _CHUNK):
        draws = np.arange(begin, min(begin + _CHUNK, n))
        words = stream.words(draws, 0, words_each)
        while len(draws):
            places = draws.copy()
            left = kernel(words.reshape(-1), words.shape[1], exact.numerator, exact.denominator.bit_length() - 1, places, out, at)
            if not left:
                break
            draws = draws[places[:left]]
            words = np.hstack([words[places[:left]], stream.words(draws, words.shape[1], words_each)])
    return out


SAMPLERS: dict[str, Sampler] = {"laplace": discrete_laplace, "gaussian": discrete_gaussian}
"""By the mechanism's name."""
