"""What a masked segment did to fields and to Kafka's parts, in counts for the audit."""

from collections.abc import Sequence

import numpy as np

from flink_masking.audit.reports import FieldReport, PartsReport
from flink_masking.engine.masking import FieldRule
from flink_masking.engine.plan import MaskedPlan
from flink_masking.engine.record import RecordPlan
from flink_masking.engine.view import RecordView
from flink_masking.policy.check_sweep import SWEEPING
from flink_masking.policy.rules import DEFAULT
from flink_masking.records.spans import SpanTable
from flink_masking.records.trie import UNDECLARED
from flink_masking.techniques.masks import Masked


def fields_done(segment: MaskedPlan, edits: Sequence[tuple[FieldRule, Masked, np.ndarray | None]], table: SpanTable, view: RecordView,
                rejected: np.ndarray) -> dict[str, FieldReport]:
    """What a masked segment did to its fields, by path.

    Args:
        segment: compiled.
        edits: its rules, what they made of the values, and which of these they could not take.
        table: the scanned batch.
        view: of it.
        rejected: bool, a row: those that are in no view.
    """
    fields = {path: FieldReport("drop") for path in segment.drops}
    fields.update({path: FieldReport("keep") for path in segment.keeps})
    for sweep in segment.sweeps:
        swept = (*sweep.fields, *([UNDECLARED] if sweep.undeclared else []))
        fields.update((path or DEFAULT, _counted(SWEEPING, table.rows(path), None, rejected)) for path in swept)
    fields.update((kept.path, _counted(kept.technique, table.rows(kept.path), view.unfit(kept.path), rejected)) for kept in segment.checked)
    fields.update((rule.path, _counted(rule.technique, table.rows(rule.path), refused, rejected)) for rule, _, refused in edits)
    return fields


def _counted(technique: str, rows: np.ndarray, refused: np.ndarray | None, rejected: np.ndarray) -> FieldReport:
    """Values of a field in accepted records, and how many of them were refused."""
    if refused is None and not rejected.any():
        return FieldReport(technique, len(rows))
    live = ~rejected[rows]
    return FieldReport(technique, int(np.count_nonzero(live)), 0 if refused is None else int(np.count_nonzero(refused & live)))


def parts_done(record: RecordPlan) -> PartsReport:
    """What a segment does to Kafka's parts."""
    return PartsReport(record.key.technique if record.key else "drop", {part.header: part.technique for part in record.headers},
                       "keep" if record.timestamp else "drop")
