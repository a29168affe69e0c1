"""What was done to the records of one step, typed: the audit's events, the metrics and the reconciliation of a run are made from it."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from flink_masking.audit.salted import SALTED
from flink_masking.errors import InputError


@dataclass(frozen=True, slots=True)
class FieldReport:
    """What a masked segment did to the values of one field.

    Attributes:
        technique: as in the policy.
        values: values in accepted records; None where they are kept or dropped without being inspected.
        refused: of these, the ones that the technique could not take.
    """

    technique: str
    values: int | None = None
    refused: int = 0

    def body(self) -> dict[str, Any]:
        """As the audit has it."""
        return {"technique": self.technique, **({} if self.values is None else {"values": self.values, "refused": self.refused})}


@dataclass(frozen=True, slots=True)
class PartsReport:
    """What a masked segment did to Kafka's own parts of the records.

    Attributes:
        key: technique.
        headers: technique by header.
        timestamp: ``keep`` or ``drop``.
    """

    key: str
    headers: Mapping[str, str]
    timestamp: str

    def body(self) -> dict[str, Any]:
        """As the audit has it."""
        return {"key": self.key, "headers": dict(self.headers), "timestamp": self.timestamp}


@dataclass(frozen=True, slots=True)
class SourceRange:
    """Records of one source partition that a batch covers.

    Attributes:
        topic: its name; empty where the source has none.
        partition: its number.
        first: smallest offset.
        last: largest offset.
        records: how many records of the batch are from there.
    """

    topic: str
    partition: int
    first: int
    last: int
    records: int


@dataclass(frozen=True, slots=True)
class MaskedReport:
    """What became of a batch in a masked segment.

    Attributes:
        released: records in the view.
        fields: by path.
        tombstones: records without a value that were passed on as deletions.
        suppressed: records without a value that were left out.
        parts: None where the segment shows none of Kafka's parts.
        shuffled: whether the records left in an order of their own; told of two records or more.
        keys: technique by path, of the members of open objects whose keys are masked.
        root: RFC 6962 root over the released records, in their order; None without digests.
        grants: records that each grant in force applied to, by its id.
        salted: whether the root's leaves are salted, see `flink_masking.audit.salted`.
    """

    released: int
    fields: Mapping[str, FieldReport]
    tombstones: int = 0
    suppressed: int = 0
    parts: PartsReport | None = None
    shuffled: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    root: bytes | None = None
    grants: Mapping[str, int] = field(default_factory=dict)
    salted: bool = False

    def body(self) -> dict[str, Any]:
        """As the audit has it."""
        body: dict[str, Any] = {"released": self.released, "fields": {path: report.body() for path, report in self.fields.items()}}
        body.update({name: count for name, count in (("tombstones", self.tombstones), ("suppressed", self.suppressed)) if count})
        if self.parts is not None:
            body["record"] = self.parts.body()
        if self.shuffled and self.released + self.tombstones > 1:  # the place of a single record is not hidden
            body["order"] = "shuffled"
        if self.keys:
            body["keys"] = dict(self.keys)
        if self.root is not None:
            body["root"] = base64.b64encode(self.root).decode()
            body.update({"leaves": SALTED} if self.salted else {})
        if self.grants:
            body["grants"] = dict(self.grants)
        return body


@dataclass(frozen=True, slots=True)
class PackedReport:
    """What became of a batch on its way to a stateful segment.

    Attributes:
        packed: records sent to the segment's first stage.
        suppressed: records that never enter it.
    """

    packed: int
    suppressed: int

    def body(self) -> dict[str, Any]:
        """As the audit has it."""
        return {"packed": self.packed, "suppressed": self.suppressed}


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of a batch of raw records.

    Attributes:
        records: records read.
        quarantined: rejected records by reason.
        masked: by segment, in the order of the policy.
        stateful: by segment, likewise.
        drift: identifiers of schemas that the lock file does not know, met for the first time, as ``id 12``.
        source: what the batch covers of the source's partitions; empty without digests, or where the source has no offsets.
        control: what has happened to control documents since the batch before, see `flink_masking.control.events`.
        erased: records of erased subjects, which are in no view and not in the quarantine.
        erasures: erased subjects that were met for the first time, each as key version and keyed hash, ``1:6f3a…``.
    """

    records: int
    quarantined: Mapping[str, int]
    masked: Mapping[str, MaskedReport] = field(default_factory=dict)
    stateful: Mapping[str, PackedReport] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    source: tuple[SourceRange, ...] = ()
    control: tuple[Mapping[str, Any], ...] = ()
    erased: int = 0
    erasures: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The body of the audit event ``protect``."""
        segments = {name: report.body() for name, report in self.masked.items()}
        segments.update((name, report.body()) for name, report in self.stateful.items())
        drift = {"drift": list(self.drift)} if self.drift else {}
        control = {"control": list(self.control)} if self.control else {}
        source = {"source": [asdict(one) for one in self.source]} if self.source else {}
        erased = {**({"erased": self.erased} if self.erased else {}), **({"erasures": list(self.erasures)} if self.erasures else {})}
        return {"records": self.records, "quarantined": dict(self.quarantined), "segments": segments, **drift, **source, **control,
                **erased}


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one call did in a stage of a stateful segment.

    Attributes:
        segment: its name.
        stage: its stage.
        counts: records and groups by what became of them, see `flink_masking.logic.Effects`.
        root: RFC 6962 root over the lines that the last stage released, in their order; None without digests, or where it released none.
        lines: how many these are.
    """

    segment: str
    stage: str
    counts: Mapping[str, int]
    root: bytes | None = None
    lines: int = 0

    def body(self) -> dict[str, Any]:
        """The body of the audit event ``release``."""
        told = {} if self.root is None else {"root": base64.b64encode(self.root).decode(), "lines": self.lines}
        return {"segments": {self.segment: {"stage": self.stage, **self.counts, **told}}}


def read_report(line: bytes) -> BatchReport | StageReport | None:
    """The report in an audit event; of a batch, what its stateful segments tell, but nothing of the masked ones.

    Args:
        line: one line of the audit.

    Returns:
        None for an event of another kind.

    Raises:
        InputError: the line is no event of the audit.
    """
    try:
        event = orjson.loads(line)
        if event["event"] == "protect":
            packed = {name: PackedReport(done["packed"], done.get("suppressed", 0)) for name, done in event["segments"].items()
                      if "packed" in done}
            return BatchReport(event["records"], event["quarantined"], stateful=packed, erased=event.get("erased", 0))
        if event["event"] == "release":
            (name, done), = event["segments"].items()
            root, lines = done.pop("root", None), done.pop("lines", 0)
            return StageReport(name, done.pop("stage"), done, None if root is None else base64.b64decode(root), lines)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise InputError("a line is no audit event. Hint: give the audit directory of a run, unchanged") from None
    return None
