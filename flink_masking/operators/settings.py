"""Flink settings that a job of this library runs with, unless the deployment says otherwise; each was measured."""

import sys
from collections.abc import Mapping

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.util.java_utils import get_j_env_configuration

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


def stream_environment(layer: Mapping[str, str]) -> StreamExecutionEnvironment:
    """An execution environment for a cluster.

    What goes before what: `layer`; what ``flink run`` was told (``-D``, ``-pyexec``); the cluster's configuration; the defaults.
    """
    own = Configuration()
    for name, value in layer.items():
        own.set_string(name, value)
    environment = StreamExecutionEnvironment.get_execution_environment(own)
    merged = Configuration(j_configuration=get_j_env_configuration(environment._j_stream_execution_environment))
    known, rest = merged.to_dict(), Configuration()
    for name, value in {**DEFAULTS, "python.executable": sys.executable, "python.client.executable": sys.executable}.items():
        if name not in known:
            rest.set_string(name, value)
    environment.configure(rest)
    return environment
