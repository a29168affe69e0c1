"""Flink settings that a job of this library runs with, unless the deployment says otherwise; each was measured."""

import sys
from collections.abc import Mapping

from pyflink.common import Configuration

DEFAULTS: Mapping[str, str] = {
    # Flink's own defaults (1,000 each) halve throughput; a short bundle time keeps a quiet stream's latency low all the same.
    "python.fn-execution.arrow.batch.size": "10000",
    "python.fn-execution.bundle.size": "100000",
    "python.fn-execution.bundle.time": "50",
    "pipeline.object-reuse": "true",
}

LOCAL: Mapping[str, str] = {
    # A local run that fails must say so at once instead of starting again.
    "restart-strategy.type": "disable",
    "metrics.fetcher.update-interval": "1000",
}


def configuration(*layers: Mapping[str, str]) -> Configuration:
    """The defaults with `layers` on top, later ones winning, and this Python for client and workers."""
    merged = {**DEFAULTS, "python.executable": sys.executable, "python.client.executable": sys.executable}
    for layer in layers:
        merged.update(layer)
    result = Configuration()
    for name, value in merged.items():
        result.set_string(name, value)
    return result
