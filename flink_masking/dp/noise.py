"""Noise for exact sums: discrete Laplace from OpenDP's exact sampler, never from floating-point arithmetic.

Unit of protection: subject × window. Each distinct quantity gets an equal part of the window's epsilon, whose parts add up by sequential
composition; groups known only from the data are guarded by the threshold of the distinct subjects.

Sources: Ghosh et al. 2009 (geometric mechanism), Canonne et al. 2020 (exact sampling), Mironov 2012 (why not floats).
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from flink_masking.dp.spec import AggregateSpec, Quantity

AddNoise = Callable[[np.ndarray], np.ndarray]
"""int64 exact sums to int64 noisy sums, each with a draw of its own."""


def discrete_laplace(scale: float) -> AddNoise:
    """A mechanism that adds independent discrete Laplace noise to each number; sums that leave 64 bits saturate.

    Args:
        scale: b > 0; the noise is x with probability proportional to exp(-|x|/b).

    Returns:
        The mechanism. It holds an OpenDP object and cannot be pickled.
    """
    import opendp.prelude as opendp  # 0.15 s, which commands that draw no noise do not wait for

    opendp.enable_features("contrib")
    domain = opendp.vector_domain(opendp.atom_domain(T="i64"))
    measurement = opendp.m.make_laplace(domain, opendp.l1_distance(T="i64"), scale)
    return lambda exact: np.array(measurement(exact.tolist()), np.int64)


class Mechanisms:
    """The noisy quantities of a view."""

    def __init__(self, spec: AggregateSpec, sampler: Callable[[float], AddNoise] = discrete_laplace) -> None:
        """Build one mechanism per quantity.

        Args:
            spec: the view.
            sampler: makes a mechanism from a scale. Another one than `discrete_laplace` gives no privacy.
        """
        self._threshold = spec.threshold
        self._mechanisms = {quantity: sampler(spec.scale(quantity)) for quantity in spec.quantities}

    def draw(self, totals: pa.RecordBatch) -> tuple[np.ndarray, dict[Quantity, np.ndarray]]:
        """Draw the noise of one window; to be called once for each window and never again.

        Args:
            totals: rows of `partials.partial_schema`, all groups of the window.

        Returns:
            bool per row, whether the group is published; and for each quantity int64, the noisy numbers of the published groups.
            Nothing is drawn for the other groups beyond their number of distinct subjects.
        """
        columns = {"subjects": "subjects", "records": "records", "sum": "s", "values": "n"}
        noisy: dict[Quantity, np.ndarray] = {}
        published = np.ones(totals.num_rows, bool)
        for quantity, add_noise in self._mechanisms.items():
            suffix = "" if quantity.measure is None else str(quantity.measure)
            exact = totals.column(columns[quantity.kind] + suffix).to_numpy()
            if quantity.kind == "subjects":  # always the first
                drawn = add_noise(exact)
                published = drawn >= self._threshold
                noisy[quantity] = drawn[published]
            else:
                noisy[quantity] = add_noise(exact[published])
        return published, noisy
