"""Default Flink settings of the jobs of this library; each was measured."""

import sys
from collections.abc import Mapping

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from flink_masking.flink.compat.java_objects import is_embedded, settings_of

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

LOOPBACK = "127.0.0.1"
EMBEDDED: Mapping[str, str] = {
    # An embedded cluster is for this process: nobody else calls its JobManager, its TaskManager, its blob server or its metrics.
    "jobmanager.rpc.address": LOOPBACK, "jobmanager.bind-host": LOOPBACK,
    "taskmanager.host": LOOPBACK, "taskmanager.bind-host": LOOPBACK,
    "rest.address": LOOPBACK, "rest.bind-address": LOOPBACK,
    # Jobs come from this process, which also ends them.
    "web.submit.enable": "false", "web.cancel.enable": "false", "web.rescale.enable": "false", "rest.profiling.enabled": "false",
    # On a busy machine its parts answer each other late; Flink gives them ten seconds.
    "pekko.ask.timeout": "2 min",
}  # fmt: skip
"""Settings of an embedded cluster that cannot be overridden."""


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

    What goes before what: `layer`; what ``flink run`` was told (``-D``, ``-pyexec``); the cluster's configuration; the defaults. Without
    a cluster, as where the job's script is run by itself, Flink embeds one, and `EMBEDDED` goes before all.
    """
    own = Configuration()
    for name, value in layer.items():
        own.set_string(name, value)
    environment = StreamExecutionEnvironment.get_execution_environment(own)
    merged = settings_of(environment)
    known, rest = merged.to_dict(), Configuration()
    for name, value in {**DEFAULTS, "python.executable": sys.executable, "python.client.executable": sys.executable}.items():
        if name not in known:
            rest.set_string(name, value)
    if is_embedded(merged):
        for name, value in EMBEDDED.items():
            rest.set_string(name, value)
    environment.configure(rest)
    return environment
