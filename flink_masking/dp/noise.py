"""Noise for exact sums: discrete Laplace or discrete Gaussian, from exact samplers on whole numbers, never from floating-point arithmetic.

Unit of protection: subject × window. Each distinct quantity gets an equal part of the window's budget: of epsilon by sequential
composition with Laplace noise, of the zCDP loss rho with Gaussian noise. Groups known only from the data are guarded by the threshold of
the distinct subjects.

Why noise is a function of a stored seed and of what it is added to. A window that is computed again after a crash must show the same
noisy numbers: two draws around one sum average out. A number that was drawn is durable only with the next checkpoint, and nothing tells
an operator that it is complete; so nothing that is drawn when a window closes can be sent safely before. Instead, the randomness is drawn
and stored before: a seed for each day, a day ahead (`flink_masking.dp.seeds`). The noise of a number is a function of the seed, the
window, the group's bytes, all exact totals of the group, the quantity, the mechanism and its scale:

    name  = first 96 bits of HMAC-SHA-256(HMAC-SHA-256(seed, "groups"), window | totals | group)
    words = AES-256(HMAC-SHA-256(seed, mechanism | quantity | scale), name | bin | counter)

and of nothing else: not of which other groups there are, or which are published. So a changed delta, threshold or public list shows the
numbers of a group unchanged, and never moves the noise of one group to another. The same totals take the same noise whenever they are
computed, in this process or in the next: a replay repeats its values with any sink. Other totals of the group (a record was late in one run
and not in the other), or another scale, take noise that is independent of the first, so that no difference of two published numbers is
exact. Two publications of one window from different records are two releases, and that a group shows the same numbers in both tells that
its totals did not change (docs/differential-privacy.md). Whoever holds neither seed nor state keys sees the distributions themselves, up
to what breaks AES-256 or HMAC-SHA-256.

OpenDP is the accountant: its own maps and its conversion from zCDP are compared with the budget whenever mechanisms are made.
"""

import functools
import hmac
import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.crypto.prf import Prf
from flink_masking.dp.samplers import SAMPLERS, Sampler, WordStream
from flink_masking.dp.spec import AggregateSpec, Quantity
from flink_masking.errors import PolicyError

__all__ = ["Mechanisms", "Sampler", "accounted_epsilon", "exact_numbers"]

_TOLERANCE = 1e-9
_NAMED_BYTES = 1 << 26
"""Totals that are hashed at a time."""


class Mechanisms:
    """The noisy quantities of a view."""

    def __init__(self, spec: AggregateSpec, sampler: Sampler | None = None) -> None:
        """Compare OpenDP's account with the budget.

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
            seed: 32 secret bytes. A group with the same totals takes the same noise from the same seed, whatever the other groups are.

        Returns:
            bool per row, whether the group is published; and for each quantity int64, the noisy numbers of the published groups (for
            bins, a row a group). Noise is drawn for all groups: what is published is decided afterwards and moves no draw.
        """
        names = group_names(totals, hmac.digest(seed, b"groups", "sha256"))
        noisy: dict[Quantity, np.ndarray] = {}
        for quantity, scale in self._scales.items():
            exact = exact_numbers(self._spec, totals, quantity)
            context = repr((self._spec.mechanism, tuple(quantity), scale)).encode()
            each = exact.size // max(1, len(exact))
            stream = WordStream(hmac.digest(seed, b"noise" + context, "sha256"), names, max(1, each))
            noisy[quantity] = exact + self._sampler(scale, exact.size, stream).reshape(exact.shape)
        published = np.ones(totals.num_rows, bool)
        if self._spec.groups is None:
            published = noisy[Quantity("subjects")] >= self._spec.threshold
        return published, {quantity: numbers[published] for quantity, numbers in noisy.items()}


def group_names(totals: pa.RecordBatch, key: bytes) -> np.ndarray:
    """A name for each group and its totals: the front of HMAC-SHA-256 of window, totals and the group's bytes.

    Args:
        totals: rows of `partials.partial_schema`.
        key: secret.

    Returns:
        uint64, (n, 2), of 96 bits: equal for equal rows, and for no others but with a probability of n² / 2⁹⁷.
    """
    prf, numbers = Prf(key), [name for name in totals.schema.names if name != "group"]
    step = max(1, _NAMED_BYTES // (8 * len(numbers)))
    names = np.empty((totals.num_rows, 2), np.uint64)
    for begin in range(0, totals.num_rows, step):
        piece = totals.slice(begin, step)
        fixed = np.stack([piece.column(name).to_numpy() for name in numbers], axis=1).astype("<i8")
        offsets = np.arange(piece.num_rows + 1, dtype=np.int32) * np.int32(8 * len(numbers))
        front = pa.Array.from_buffers(pa.binary(), piece.num_rows, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(fixed))])
        whole = pc.binary_join_element_wise(front, piece.column("group"), pa.scalar(b""))
        names[begin:begin + step] = np.ascontiguousarray(prf.digests(whole)[:, :16]).view("<u8")
    names[:, 1] &= np.uint64(0xFFFFFFFF)
    return names


def exact_numbers(spec: AggregateSpec, totals: pa.RecordBatch, quantity: Quantity) -> np.ndarray:
    """The exact sums of a quantity: int64 by group, for bins by group and bin. Not private."""
    if quantity.kind == "bins":
        assert quantity.measure is not None
        number = spec.binned.index((quantity.measure, quantity.bins))
        return np.stack([totals.column(f"h{number}_{bin}").to_numpy() for bin in range(len(quantity.bins) - 1)], axis=1)
    columns = {"subjects": "subjects", "records": "records", "sum": "s", "squares": "q", "values": "n"}
    return np.asarray(totals.column(columns[quantity.kind] + ("" if quantity.measure is None else str(quantity.measure))).to_numpy())


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
