"""Converts the counts of a batch to metric updates; pure, a few microseconds a batch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flink_masking.audit.reports import MaskedReport
from flink_masking.engine.protected import Protected
from flink_masking.logic import Effects
from flink_masking.telemetry.metrics import MetricUpdate

_COUNTS = {"released": "records_released", "suppressed": "records_suppressed", "late": "records_late", "bounded": "records_bounded",
           "counted": "records_counted", "groups": "groups_released", "rows": "groups_released", "groups_suppressed": "groups_suppressed"}
"""Metrics by the words of the audit."""
_SUMS = frozenset({"information_loss_millionths_sum", "windows_released"})
"""Figures that add up; the others are as they are after the call."""


def of_batch(pieces: Sequence[Protected], microseconds: int, key_version: int, policy_version: int) -> Iterator[MetricUpdate]:
    """Metric updates of one batch that Protect has processed.

    Args:
        pieces: what Protect made of it.
        microseconds: that it took.
        key_version: in use for it.
        policy_version: in force.
    """
    yield MetricUpdate("batches", (), 1)
    yield MetricUpdate("batches_split", (), int(len(pieces) > 1))
    yield MetricUpdate("batch_duration_microseconds", (), microseconds)
    yield MetricUpdate("batch_duration_microseconds_sum", (), microseconds)
    yield from _versions(key_version, policy_version)
    for piece in pieces:
        yield MetricUpdate("records_in", (), piece.records)
        for reason, count in piece.report.quarantined.items():
            yield MetricUpdate("records_quarantined", (reason,), count)
        if piece.report.erased:
            yield MetricUpdate("records_erased", (), piece.report.erased)
        for segment, masked in piece.report.masked.items():
            yield from _of_masked(segment, masked)
        for segment, packed in piece.report.stateful.items():
            yield MetricUpdate("records_suppressed", (segment,), packed.suppressed)


def _of_masked(segment: str, report: MaskedReport) -> Iterator[MetricUpdate]:
    yield MetricUpdate("records_released", (segment,), report.released)
    if report.suppressed:
        yield MetricUpdate("records_suppressed", (segment,), report.suppressed)
    for path, done in report.fields.items():
        if done.values is not None:
            labels = segment, path, done.technique
            yield MetricUpdate("field_values", labels, done.values)
            yield MetricUpdate("field_values_refused", labels, done.refused)


def _versions(key_version: int, policy_version: int) -> Iterator[MetricUpdate]:
    yield MetricUpdate("key_version", (), key_version)
    yield MetricUpdate("policy_version", (), policy_version)


def of_worker(services_open: bool) -> Iterator[MetricUpdate]:
    """The reading of a worker at its start.

    Args:
        services_open: whether the services that it talks to take connections from other machines.
    """
    yield MetricUpdate("worker_services_open", (), int(services_open))


def of_patches(missing: int) -> Iterator[MetricUpdate]:
    """The number of patches of PyFlink, Beam and pyarrow that this worker had to do without."""
    yield MetricUpdate("compat_patches_missing", (), missing)


def of_drift(schemas: int) -> Iterator[MetricUpdate]:
    """The number of schemas met so far that the lock file does not know."""
    yield MetricUpdate("schemas_unlocked", (), schemas)


def of_control(unreadable_s: float, refused: int) -> Iterator[MetricUpdate]:
    """Updates about control documents.

    Args:
        unreadable_s: seconds for which their source has not been readable; rounded up.
        refused: documents at the source that are refused.
    """
    yield MetricUpdate("control_unreadable_seconds", (), math.ceil(unreadable_s))
    yield MetricUpdate("control_documents_refused", (), refused)


def of_access(keys_s: float, vault_s: float | None = None) -> Iterator[MetricUpdate]:
    """Updates of what keys and vault have cost in waiting, rounded up.

    Args:
        keys_s: seconds for which the key ring has not been readable.
        vault_s: seconds for which the vault was waited for; None where there is none.
    """
    yield MetricUpdate("keys_unreadable_seconds", (), math.ceil(keys_s))
    if vault_s is not None:
        yield MetricUpdate("vault_unreadable_seconds", (), math.ceil(vault_s))


class StageUpdates:
    """Updates of one keyed operator, over all the keys (shards) that it holds."""

    def __init__(self, segment: str, policy_version: int) -> None:
        """Start when the task starts.

        Args:
            segment: whose records it holds.
            policy_version: in force.
        """
        self._labels, self._version = (segment,), policy_version
        self._held: dict[str, dict[Any, int]] = {}
        self._released = self._loss = 0
        self._smallest: int | None = None
        self._largest = 0

    def of(self, key: Any, effects: Effects, now: int, key_version: int) -> Iterator[MetricUpdate]:
        """Updates after one call of a logic.

        Args:
            key: whose logic was called.
            effects: what the call did.
            now: processing time, ms since 1970.
            key_version: in use.
        """
        figures = dict(effects.figures)
        for word, count in effects.counts.items():
            if word in _COUNTS:
                yield MetricUpdate(_COUNTS[word], self._labels, count)
        for name in _SUMS & figures.keys():
            yield MetricUpdate(name, self._labels, figures[name])
        if "group_size_min" in figures:
            yield from self._groups(figures, effects.counts.get("released", 0))
        for name in ("records_open", "windows_open", "epsilon_per_window_millionths", "lifetime_epsilon_left_millionths",
                     "oldest_arrival_milliseconds"):
            if name in figures:
                self._held.setdefault(name, {})[key] = figures[name]
        yield from self._now(now)
        yield from _versions(key_version, self._version)

    def _groups(self, figures: Mapping[str, int], released: int) -> Iterator[MetricUpdate]:
        self._smallest = min(figures["group_size_min"], self._smallest or figures["group_size_min"])
        self._largest = max(figures["group_size_max"], self._largest)
        self._released += released
        self._loss += figures["information_loss_millionths_sum"]
        yield MetricUpdate("group_size_min", self._labels, self._smallest)
        yield MetricUpdate("group_size_max", self._labels, self._largest)
        yield MetricUpdate("information_loss_millionths", self._labels, round(self._loss / max(1, self._released)))

    def _now(self, now: int) -> Iterator[MetricUpdate]:
        """What all keys hold together."""
        for name, by_key in self._held.items():
            match name:
                case "oldest_arrival_milliseconds":
                    oldest = min((time for time in by_key.values() if time), default=0)
                    yield MetricUpdate(name, self._labels, oldest)
                    yield MetricUpdate("oldest_age_milliseconds", self._labels, max(0, now - oldest) if oldest else 0)
                case "epsilon_per_window_millionths":
                    yield MetricUpdate(name, self._labels, max(by_key.values()))
                case "lifetime_epsilon_left_millionths":
                    yield MetricUpdate(name, self._labels, min(by_key.values()))
                case _:
                    yield MetricUpdate(name, self._labels, sum(by_key.values()))
