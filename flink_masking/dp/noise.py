"""Noise for exact sums: discrete Laplace or discrete Gaussian, from exact samplers on whole numbers, never from floating-point arithmetic.

Unit of protection: subject × window. Each distinct quantity gets an equal part of the window's budget: of epsilon by sequential
composition with Laplace noise, of the zCDP loss rho with Gaussian noise. Groups known only from the data are guarded by the threshold of
the distinct subjects.

Why noise is a function of a stored seed and of what it is added to. A window that is computed again after a crash must show the same
noisy numbers: two draws around one sum average out. A number that was drawn is durable only with the next checkpoint, and nothing tells
an operator that it is complete; so nothing that is drawn when a window closes can be sent safely before. Instead, the randomness is drawn
and stored before: a seed for each day, a day ahead (`flink_masking.dp.seeds`). The noise of a window comes from AES-256 in counter mode
under a key that HMAC-SHA-256 makes of the seed and of the window's exact sums. The same sums take the same noise whenever they are
computed, in this process or in the next, so that a replay repeats its values with any sink; other sums (a record was late in one run and
not in the other) take noise that is independent of the first, so that no difference of two published numbers is exact. Whoever holds
neither seed nor state keys sees the distributions themselves, up to what breaks AES-256 or HMAC-SHA-256.

OpenDP is the accountant: its own maps and its conversion from zCDP are held against the budget whenever mechanisms are made.

Sources: Ghosh et al. 2009 (geometric mechanism), Canonne et al. 2020 (discrete Gaussian, exact sampling), Mironov 2012 (why not floats).
"""

import functools
import hashlib
import hmac
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from flink_masking.arrow import parts
from flink_masking.dp import sampling_kernels
from flink_masking.dp.spec import AggregateSpec, Quantity
from flink_masking.errors import PolicyError

_TOLERANCE = 1e-9


class WordStream:
    """Uniform 64-bit words from a key: AES-256 in counter mode."""

    def __init__(self, key: bytes) -> None:
        """Begin at the first word of a key of 32 bytes, which makes no other stream."""
        self._cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()

    def words(self, n: int) -> np.ndarray:
        """The next n words, uint64."""
        return np.frombuffer(self._cipher.update(bytes(8 * n)), "<u8").astype(np.uint64)


Sampler = Callable[[float, int, WordStream], np.ndarray]
"""From a scale, a number of draws and a stream to int64 noise."""


def discrete_laplace(scale: float, n: int, stream: WordStream) -> np.ndarray:
    """Independent draws of x with probability proportional to exp(-|x|/scale).

    Args:
        scale: from `AggregateSpec.scale`.
        n: draws.
        stream: of uniform words.

    Returns:
        int64.
    """
    return _drawn(sampling_kernels.laplace, scale, n, stream, 16)


def discrete_gaussian(scale: float, n: int, stream: WordStream) -> np.ndarray:
    """As `discrete_laplace`, with probability proportional to exp(-x²/2·scale²)."""
    return _drawn(sampling_kernels.gaussian, scale, n, stream, 32)


def _drawn(kernel: Callable[..., int], scale: float, n: int, stream: WordStream, words_each: int) -> np.ndarray:
    exact = Fraction(scale)
    out, at, done = np.empty(n, np.int64), np.zeros(2, np.int64), 0
    words = stream.words(words_each * n + 64)
    while (done := kernel(words, exact.numerator, exact.denominator.bit_length() - 1, out, done, at)) < n:
        words = np.concatenate([words[at[0]:], stream.words(words_each * (n - done) + 64)])
        at[:] = 0
    return out


SAMPLERS: dict[str, Sampler] = {"laplace": discrete_laplace, "gaussian": discrete_gaussian}
"""By the mechanism's name."""


class Mechanisms:
    """The noisy quantities of a view."""

    def __init__(self, spec: AggregateSpec, sampler: Sampler | None = None) -> None:
        """Hold OpenDP's account against the budget.

        Args:
            spec: the view.
            sampler: None for that of the spec's mechanism. Another one gives no privacy.

        Raises:
            PolicyError: by OpenDP's account, a window would cost more than its epsilon.
        """
        self._spec, self._sampler = spec, sampler or SAMPLERS[spec.mechanism]
        self._scales = {quantity: spec.scale(quantity) for quantity in spec.quantities}
        if sampler is None and accounted_epsilon(spec) > spec.epsilon * (1 + _TOLERANCE):
            raise PolicyError("aggregated view: a window would cost more than its epsilon. Hint: a larger epsilon or delta")

    def draw(self, totals: pa.RecordBatch, seed: bytes) -> tuple[np.ndarray, dict[Quantity, np.ndarray]]:
        """The noise of one window, added to its sums.

        Args:
            totals: rows of `partials.partial_schema`, all groups of the window.
            seed: 32 secret bytes. The same totals and seed give the same result, any others an independent one.

        Returns:
            bool per row, whether the group is published; and for each quantity int64, the noisy numbers of the published groups (for
            bins, a row a group). Nothing is drawn for the other groups beyond their number of distinct subjects.
        """
        content = _digest(totals)
        noisy: dict[Quantity, np.ndarray] = {}
        published = np.ones(totals.num_rows, bool)
        for quantity, scale in self._scales.items():
            exact = exact_numbers(self._spec, totals, quantity)
            decides = quantity.kind == "subjects" and self._spec.groups is None  # then it is the first
            chosen = exact if decides else exact[published]
            context = repr((self._spec.mechanism, tuple(quantity), scale)).encode()
            stream = WordStream(hmac.digest(seed, content + context, "sha256"))
            drawn = chosen + self._sampler(scale, chosen.size, stream).reshape(chosen.shape)
            if decides:
                published = drawn >= self._spec.threshold
                drawn = drawn[published]
            noisy[quantity] = drawn
        return published, noisy


def exact_numbers(spec: AggregateSpec, totals: pa.RecordBatch, quantity: Quantity) -> np.ndarray:
    """The exact sums of a quantity: int64 by group, for bins by group and bin. Not private."""
    if quantity.kind == "bins":
        assert quantity.measure is not None
        number = spec.binned.index((quantity.measure, quantity.bins))
        return np.stack([totals.column(f"h{number}_{bin}").to_numpy() for bin in range(len(quantity.bins) - 1)], axis=1)
    columns = {"subjects": "subjects", "records": "records", "sum": "s", "squares": "q", "values": "n"}
    return np.asarray(totals.column(columns[quantity.kind] + ("" if quantity.measure is None else str(quantity.measure))).to_numpy())


def _digest(totals: pa.RecordBatch) -> bytes:
    """A digest of rows, the same for equal rows."""
    groups = parts(totals.column("group"))
    whole = hashlib.sha256(np.diff(groups.offsets).tobytes())
    whole.update(groups.data[groups.offsets[0]:groups.offsets[-1]].tobytes())
    for name in totals.schema.names:
        if name != "group":
            whole.update(totals.column(name).to_numpy().tobytes())
    return whole.digest()


@functools.lru_cache(maxsize=64)
def accounted_epsilon(spec: AggregateSpec) -> float:
    """The epsilon of a window by OpenDP's account of its mechanisms, at the part of delta that is the noise's."""
    import opendp.prelude as opendp  # 0.15 s, which commands that draw no noise do not wait for

    opendp.enable_features("contrib")
    domain, losses = opendp.vector_domain(opendp.atom_domain(T="i64")), []
    for quantity in spec.quantities:
        if spec.mechanism == "laplace":
            mechanism = opendp.m.make_laplace(domain, opendp.l1_distance(T="i64"), spec.scale(quantity))
            losses.append(mechanism.map(spec.sensitivity(quantity)))
        else:
            mechanism = opendp.m.make_gaussian(domain, opendp.l2_distance(T="f64"), spec.scale(quantity))
            losses.append(mechanism.map(math.sqrt(spec.squared_sensitivity(quantity))))
    if spec.mechanism == "laplace":
        return math.fsum(losses)
    whole = opendp.m.make_gaussian(domain, opendp.l2_distance(T="f64"), 1.0)  # of the same loss, rho = distance² / 2
    return float(opendp.c.make_zCDP_to_approxDP(whole).map(math.sqrt(2 * math.fsum(losses))).epsilon(spec.noise_delta))
