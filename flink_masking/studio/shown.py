"""One audience's view beside the sample: records before and after, quarantined records with their reason, lines of groups and figures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import orjson
import pyarrow as pa

from flink_masking.engine.quarantine import Entry
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.studio.outcome import Outcome
from flink_masking.tools.member_faults import MemberFaults
from flink_masking.tools.preview import MISSING, hidden, side_by_side, why_empty
from flink_masking.verify.records import Records

RECORDS, LINES = 20, 60
"""Records, and lines of groups and figures, that are shown at once."""


def shown(outcome: Outcome, segment: str, start: int = 0, raw: bool = False, refused: bool = False) -> dict[str, Any]:
    """A part of one view.

    Args:
        outcome: of the policy.
        segment: its name.
        start: number of the first record or line, from 0.
        raw: whether personal values are shown on the "before" side.
        refused: only quarantined records, of a masked view.

    Returns:
        Plain values.
    """
    reasons = Counter((entry.reason, entry.path or "") for entry in outcome.quarantine.values())
    told = {"segment": segment, "view": outcome.loaded.policy.segments[segment].view, "records": len(outcome.sample.records),
            "quarantined": len(outcome.quarantine),
            "reasons": [{"reason": reason, "path": path, "records": count} for (reason, path), count in reasons.most_common(20)]}
    if segment in outcome.views:
        return told | _masked(outcome, segment, start, raw, refused)
    return told | _lines(outcome, segment, start)


def _masked(outcome: Outcome, segment: str, start: int, raw: bool, refused: bool) -> dict[str, Any]:
    """Records beside what becomes of them, in the order of the sample."""
    rows = sorted(outcome.quarantine) if refused else range(len(outcome.sample.records))
    chosen = list(rows[start : start + RECORDS])
    plan, places = outcome.protector.plan, pa.array(chosen, pa.int64())
    records = outcome.sample.records.take(places)
    after = outcome.views[segment].take(places).to_pylist()
    before, undeclared, columns = hidden(plan, records)
    members = partial(plan.codec.members, columns=plan.columns(segment))
    found = []
    for row, one, left, right, unnamed in zip(chosen, records.to_pylist(), before.to_pylist(), after, undeclared, strict=True):
        if (entry := outcome.quarantine.get(row)) is not None:
            found.append({"row": row, "quarantine": _reason(entry), **({"raw": _text(one or b"")} if raw else {})})
            continue
        clear = plan.codec.members(one, plan.codec.columns) if one is not None else {}
        visible = clear if raw else plan.codec.members(left, columns) if left is not None else {}
        made = members(right) if right is not None else {}
        found.append({"row": row, "members": list(_members(visible, clear, made)), "undeclared": 0 if raw else unnamed})
    return {"kind": "masked", "start": start, "page": RECORDS, "total": len(rows), "shown": found}


def _members(visible: Mapping[str, str], clear: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Path, before, after, and what happened: same, changed, removed or added."""
    for path, left, right in side_by_side(visible, after):
        first = clear.get(path, left)
        mark = "added" if first == MISSING else "removed" if right == MISSING else "same" if first == right else "changed"
        yield path, left, right, mark


def _reason(entry: Entry) -> dict[str, Any]:
    faults = MemberFaults()
    faults.add(entry.members, entry.unlisted)
    return {"reason": entry.reason, "path": entry.path or "", "members": [fault.of_one() for fault in faults.fields],
            "unlisted": entry.unlisted}


def _lines(outcome: Outcome, segment: str, start: int) -> dict[str, Any]:
    """Lines of groups, class by class, or rows of figures."""
    declared = outcome.loaded.policy.segments[segment]
    quasi = [path.removesuffix("[*]") for path in declared.quasi_identifiers] if isinstance(declared, AnonymizedSegment) else []
    records = Records(outcome.held[segment], outcome.loaded.policy, flat=True, texts=quasi)
    lines = [line if isinstance(line, dict) else {} for line in records]
    told: dict[str, Any] = {"kind": "lines", "start": start, "page": LINES, "total": len(lines), "quasi_identifiers": quasi}
    if not lines:
        return told | {"columns": [], "lines": [], "empty": why_empty(outcome.loaded, segment, outcome.accepted)}
    labels = [tuple(_value(line.get(path)) for path in quasi) for line in lines]
    order = sorted(range(len(lines)), key=labels.__getitem__) if quasi else list(range(len(lines)))
    sizes = Counter(labels)
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels[at] for at in order))}
    columns = list(dict.fromkeys(name for line in lines[:1000] for name in line))
    part = [{"cells": [_value(lines[at].get(name, MISSING)) for name in columns],
             **({"class": numbers[labels[at]], "size": sizes[labels[at]]} if quasi else {})} for at in order[start : start + LINES]]
    return told | {"columns": columns, "lines": part, "empty": "", "classes": len(numbers) if quasi else 0}


def _value(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _text(record: bytes) -> str:
    return record.decode("utf-8", "backslashreplace")
