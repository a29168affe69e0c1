"""The metrics of a running job, one row each: code, documentation, dashboard and alerts are held against this table.

Figures are whole numbers, because PyFlink's gauges carry no others: fractions are told in millionths. Distributions are not used: Flink's
Prometheus reporter writes 0 for each of PyFlink's; nor are meters: Prometheus makes rates of counters by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

SCOPE = "flink_masking"
"""The group that all metrics of the library lie in."""
MILLION = 1_000_000


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: as a group of Flink's metrics holds it.
        kind: a counter only grows, until its task starts again; a gauge is the last figure.
        unit: of its figure.
        labels: keys of its labels; their values are names from the policy or words of this library, never data.
        step: where it is counted: in Protect, in the keyed operators of stateful segments, or in both.
        help: what it tells.
    """

    name: str
    kind: Literal["counter", "gauge"]
    unit: str
    labels: tuple[str, ...]
    step: Literal["protect", "stateful", "both"]
    help: str

    @property
    def exported(self) -> str:
        """The name that Flink's Prometheus reporter gives it: the keys of its labels are part of it."""
        return "_".join(("flink_taskmanager_job_task_operator", SCOPE, *self.labels, self.name))


_SEGMENT, _FIELD = ("segment",), ("segment", "field", "technique")

TABLE = (
    Metric("records_in", "counter", "records", (), "protect", "raw records read"),
    Metric("records_quarantined", "counter", "records", ("reason",), "protect", "records that no view holds, by reason"),
    Metric("records_released", "counter", "records", _SEGMENT, "both",
           "records in the view (aggregated: in published groups)"),
    Metric("records_suppressed", "counter", "records", _SEGMENT, "both",
           "records left out by the segment's own rules: no group of k people, max_releases, a quasi-identifier missing, a group below the "
           "threshold"),
    Metric("records_erased", "counter", "records", (), "protect", "records of subjects who were erased, which are in no view"),
    Metric("field_values", "counter", "values", _FIELD, "protect", "values that went through a technique; keep and drop count none"),
    Metric("field_values_refused", "counter", "values", _FIELD, "protect", "those that the technique refused, treated as on_error says"),
    Metric("batches", "counter", "batches", (), "protect", "batches protected"),
    Metric("batches_split", "counter", "batches", (), "protect", "batches that were larger than the limit and protected in pieces"),
    Metric("batch_duration_microseconds", "gauge", "µs", (), "protect", "time that the last batch took"),
    Metric("batch_duration_microseconds_sum", "counter", "µs", (), "protect", "time that all batches took: by batches, the mean"),
    Metric("key_version", "gauge", "version", (), "both", "primary version of the key ring in use"),
    Metric("policy_version", "gauge", "version", (), "both", "version of the policy in force"),
    Metric("keys_unreadable_seconds", "gauge", "s", (), "both",
           "how long checks of the key ring have failed, or found a ring that is refused; 0 after a successful check"),
    Metric("vault_unreadable_seconds", "gauge", "s", (), "protect", "how long the token vault was waited for during the last batch"),
    Metric("control_unreadable_seconds", "gauge", "s", (), "protect",
           "how long looks at the source of control documents have failed; 0 after a successful one"),
    Metric("control_documents_refused", "gauge", "documents", (), "protect",
           "documents at the source that are refused: they do not verify, or the job cannot follow them; audit and log say why"),
    Metric("schemas_unlocked", "gauge", "schemas", (), "protect",
           "schemas of records that the policy's lock file does not know, met since the task started"),
    Metric("worker_services_open", "gauge", "0 or 1", (), "both", "1: services of this Python worker take connections from other machines"),
    Metric("compat_patches_missing", "gauge", "patches", (), "both",
           "patches of PyFlink, Beam and pyarrow that do not fit what is installed: the job is right and slower; the log names them"),
    Metric("records_late", "counter", "records", _SEGMENT, "stateful", "records that came after their window was closed; left out"),
    Metric("records_counted", "counter", "records", _SEGMENT, "stateful",
           "records in a window that was closed; late ones by late and counted ones are the share that came too late"),
    Metric("records_bounded", "counter", "records", _SEGMENT, "stateful", "records left out by the limits per person and window"),
    Metric("records_open", "gauge", "records", _SEGMENT, "stateful",
           "records held, waiting for a group or for their window's end (of the second stage: sums of groups)"),
    Metric("windows_open", "gauge", "windows", _SEGMENT, "stateful", "windows that wait for their end"),
    Metric("oldest_arrival_milliseconds", "gauge", "ms since 1970", _SEGMENT, "stateful",
           "when the oldest record held arrived; 0 when none is held"),
    Metric("oldest_age_milliseconds", "gauge", "ms", _SEGMENT, "stateful",
           "how long the oldest record held has waited, when the operator was last at work"),
    Metric("groups_released", "counter", "groups", _SEGMENT, "stateful", "groups of people (or of an aggregated window) published"),
    Metric("groups_suppressed", "counter", "groups", _SEGMENT, "stateful", "groups of an aggregated window below the threshold"),
    Metric("group_size_min", "gauge", "records", _SEGMENT, "stateful", "the smallest group since the task started; below k must never be"),
    Metric("group_size_max", "gauge", "records", _SEGMENT, "stateful", "the largest group since the task started"),
    Metric("information_loss_millionths", "gauge", "millionths", _SEGMENT, "stateful",
           "mean loss of the records released since the task started: 0 as they came, 1,000,000 nothing left"),
    Metric("information_loss_millionths_sum", "counter", "millionths", _SEGMENT, "stateful",
           "loss of all records released: by records_released, the mean over any time"),
    Metric("windows_released", "counter", "windows", _SEGMENT, "stateful", "windows closed and published"),
    Metric("epsilon_per_window_millionths", "gauge", "millionths", _SEGMENT, "stateful",
           "privacy loss of one person in one window; a person in n windows has spent n times as much"),
    Metric("lifetime_epsilon_left_millionths", "gauge", "millionths", _SEGMENT, "stateful",
           "smallest share of lifetime_epsilon that a person has left: at 0, records of that person are no longer counted"),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in TABLE}


class MetricUpdate(NamedTuple):
    """A figure of one metric.

    Attributes:
        name: the metric's.
        labels: values of its labels.
        value: what a counter grows by, or a gauge's figure.
    """

    name: str
    labels: tuple[str, ...]
    value: int


def as_markdown(table: Iterable[Metric] = TABLE) -> str:
    """The table as the documentation shows it."""
    lines = ["| metric | kind, unit | labels | counted in | what it tells |", "|---|---|---|---|---|"]
    for m in table:
        step = {"protect": "Protect", "stateful": "stateful segments", "both": "both"}[m.step]
        lines.append(f"| `{m.name}` | {m.kind}, {m.unit} | {', '.join(f'`{name}`' for name in m.labels)} | {step} | {m.help} |")
    return "\n".join(lines) + "\n"
