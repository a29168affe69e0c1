"""Findings as readable tuples, for tests."""

import numpy as np

from flink_masking.detect import TYPES, Detectors, Reason
from flink_masking.detect.findings import Findings
from flink_masking.detect.records import Paths


def readable(raw: bytes, findings: Findings) -> list[tuple[str, str]]:
    """(type, text) of each finding."""
    return [(TYPES[t].name, raw[s:e].decode()) for t, s, e in zip(findings.types, findings.starts, findings.ends, strict=True)]


def in_text(detectors: Detectors, text: str, path: str = "") -> list[tuple[str, str]]:
    """What is found in one text."""
    raw = text.encode()
    return readable(raw, detectors.find(np.frombuffer(raw, np.uint8), np.zeros(1, np.int64), np.array([len(raw)]),
                                        np.array([detectors.hint(path)], np.int32)))


def in_records(detectors: Detectors, records: list[str | bytes]) -> list[tuple[str, str, str]]:
    """(path, type, text as written) of what is found in JSON records."""
    raw = [record.encode() if isinstance(record, str) else record for record in records]
    ends = np.cumsum([len(x) for x in raw]).astype(np.int64)
    data, paths = b"".join(raw), Paths()
    values, findings = detectors.find_json(np.frombuffer(data, np.uint8), ends - [len(x) for x in raw], ends, paths)
    return [(paths.names[values.paths[v]], TYPES[t].name, data[s:e].decode("utf-8", "replace"))
            for t, s, e, v in zip(findings.types, findings.starts, findings.ends, findings.values, strict=True)]


def reasons(detectors: Detectors, text: str, path: str = "") -> list[Reason]:
    """The reasons of what is found in one text."""
    raw = text.encode()
    found = detectors.find(np.frombuffer(raw, np.uint8), np.zeros(1, np.int64), np.array([len(raw)]),
                           np.array([detectors.hint(path)], np.int32))
    return [Reason(int(x)) for x in found.reasons]
