"""Registers the metrics of the table in Flink's metric groups and updates them once per batch."""

from collections.abc import Iterable
from typing import Any, Self

from pyflink.datastream import RuntimeContext
from pyflink.metrics import Counter, MetricGroup

from flink_masking.flink import compat
from flink_masking.flink.open_ports import services_open
from flink_masking.flink.task_manager import end_with_task_manager
from flink_masking.telemetry.metrics import METRICS, SCOPE, MetricUpdate
from flink_masking.telemetry.updates import of_patches, of_worker


class Instruments:
    """The metrics of one operator; each is registered at its first reading.

    Label values become groups of Flink's metrics, with the label's name as key: names from the policy, or words of this library.
    """

    def __init__(self, group: MetricGroup | None) -> None:
        """Keep the operator's group; None where Flink was told to keep no metrics of Python functions."""
        self._group = None if group is None else group.add_group(SCOPE)
        self._counters: dict[tuple[str, tuple[str, ...]], Counter] = {}
        self._gauges: dict[tuple[str, tuple[str, ...]], int] = {}

    @classmethod
    def of(cls, context: Any) -> Self:
        """The instruments of a function, from the context that its ``open`` is given (Flink has two kinds)."""
        if isinstance(context, RuntimeContext):
            return cls(context.get_metrics_group())
        try:
            return cls(context.get_metric_group())
        except RuntimeError:  # how PyFlink says python.metric.enabled: false
            return cls(None)

    @classmethod
    def of_worker(cls, context: Any) -> Self:
        """The same for a function that works for long: it ends with its TaskManager, and tells whether the worker's services are open."""
        end_with_task_manager()
        made = cls.of(context)
        made.record(of_worker(services_open()))
        made.record(of_patches(len(compat.report().missing)))
        return made

    def record(self, updates: Iterable[MetricUpdate]) -> None:
        """Count, and show the figures of gauges from the end of the bundle on."""
        if self._group is None:
            return
        for name, labels, value in updates:
            at = name, labels
            if METRICS[name].kind == "gauge":
                if at not in self._gauges:
                    self._scope(name, labels).gauge(name, lambda at=at: self._gauges[at])
                self._gauges[at] = value
                continue
            counter = self._counters.get(at)
            if counter is None:
                counter = self._counters[at] = self._scope(name, labels).counter(name)
            counter.inc(value)

    def _scope(self, name: str, labels: tuple[str, ...]) -> Any:
        group: Any = self._group
        for key, value in zip(METRICS[name].labels, labels, strict=True):
            group = group.add_group(key, value)
        return group
