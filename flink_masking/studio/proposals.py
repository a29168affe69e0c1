"""A policy for the sample, field by field: what `scan` proposes, and what of it is accepted."""

from collections.abc import Collection
from typing import Any

from flink_masking.errors import InputError
from flink_masking.records.codec import FORMATS
from flink_masking.scan import Scanner, propose_policy
from flink_masking.scan.choices import Choice
from flink_masking.scan.propose import Draft, stream_name
from flink_masking.scan.report import Report
from flink_masking.studio.sample import Sample

STREAM = ("subject", "event_time")
"""Proposals that are about the stream as a whole; fields are named by their paths."""


class Proposals:
    """The proposals for a sample; the sample is scanned when they are first asked for. Not thread-safe."""

    def __init__(self, sample: Sample) -> None:
        """Keep the sample."""
        self._sample = sample
        self._found: tuple[Draft, Report] | None = None

    def listed(self) -> dict[str, Any]:
        """All proposals, in the order of the policy, as plain values without a value of the sample.

        Raises:
            InputError: the sample cannot be scanned, or no policy takes all of its records.
        """
        draft, report = self._scanned()
        counts = {path.path: path for path in report.paths}
        fields = []
        for one in draft.choices:
            path = counts.get(one.path)
            fields.append({"id": one.path, "class": one.role, "type": one.type, "rule": one.rule, "because": one.because,
                           "decide": one.decide, "share": None if path is None else path.share, "values": path.values if path else None})
        named = {"subject": draft.subject, "event_time": draft.event_time}
        return {"stream": draft.stream, "records": report.readable, "fields": fields,
                "settings": [{"id": name, "field": field} for name, field in named.items() if field]}

    def policy(self, accepted: Collection[str]) -> str:
        """The policy with the proposals that are accepted; other fields are declared, and dropped.

        Args:
            accepted: paths of fields, and of `STREAM`.

        Raises:
            InputError: see `listed`.
        """
        draft, _ = self._scanned()
        return draft.text({one.path for one in draft.choices} - set(accepted), set(STREAM) & set(accepted))

    def declarations(self) -> dict[str, str]:
        """By path of each member of the sample, a declaration; empty where the sample cannot be scanned."""
        try:
            draft, _ = self._scanned()
        except InputError:
            return {}
        return {one.path: _declared(one) for one in draft.choices}

    def _scanned(self) -> tuple[Draft, Report]:
        if self._found is None:
            name = self._sample.format
            if FORMATS[name].messages:
                raise InputError(f"records of format {name} do not tell their schema, and are not scanned. Hint: declare the fields of the "
                                 "schema")
            cut = self._sample.read(name)
            scanner = Scanner(name, cut.columns)
            scanner.add(cut.records, self._sample.name)
            report, each = scanner.report(), ""
            if report.each:
                each = report.each
                cut = self._sample.read(name, each=each)
                scanner = Scanner(name, cut.columns)
                scanner.add(cut.records, self._sample.name)
                report = scanner.report()
            if not report.readable:
                raise InputError("nothing can be proposed: the sample has no record that can be read. Hint: name a file of records")
            proposal = propose_policy(report, stream_name(self._sample.name), lambda: iter([cut.records]), cut.columns, each)
            self._found = proposal.draft, report
        return self._found


def _declared(one: Choice) -> str:
    parts = [f"class: {one.role}", *([f"type: {one.type}"] if one.type else []), *([f"unit: {one.unit}"] if one.unit else [])]
    return f"{{{', '.join(parts)}}}"
