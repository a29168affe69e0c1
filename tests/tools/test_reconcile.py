"""The accounts of a finished run, drawn up from a directory as a job leaves it."""

import json

import orjson
import pytest

from flink_masking.errors import JobError
from flink_masking.files.opened import data_files as files
from flink_masking.tools.reconcile import SegmentAccount, count_lines, lines, summarize

POLICY = """\
version: 1
stream: books
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  age: {class: quasi, domain: [0, 120]}
  at: {class: plain, type: datetime}
segments:
  seen: {view: masked, rules: {id: {technique: redact}}}
  groups: {view: anonymized, k: 2, quasi_identifiers: [age]}
  sums: {view: aggregated, window: {tumbling: 1min}, metrics: {n: count}, privacy: {epsilon: 1, delta: 0.01}}
"""


def audit(records, quarantined, packed, suppressed):
    """A protect event."""
    groups = {"packed": packed, "suppressed": suppressed}
    segments = {"seen": {"released": records, "fields": {}}, "groups": groups, "sums": {"packed": packed}}
    return {"event": "protect", "records": records, "quarantined": quarantined, "segments": segments}


def release(segment, **counts):
    """A release event."""
    return {"event": "release", "segments": {segment: {"stage": "x", **counts}}}


EVENTS = [
    audit(6, {"malformed": 1, "unknown_field": 1}, 3, 1),
    audit(4, {"malformed": 1}, 3, 0),
    release("groups", released=2, suppressed=1, groups=1),
    release("groups", released=2, suppressed=1, groups=1),
    release("sums", counted=5, bounded=1, late=1),
    release("sums", rows=2, released=3, suppressed=1, groups_suppressed=1),
    release("sums", late=1),
]
LINES = {"audit": len(EVENTS), "quarantine": 3, "seen": 7, "groups": 4, "sums": 2}


@pytest.fixture
def output(tmp_path):
    """An output directory that agrees with itself, in nested and numbered part files."""
    for name, count in LINES.items():
        rows = [orjson.dumps(event) for event in EVENTS] if name == "audit" else [b"{}"] * count
        first = tmp_path / name / "2024-03-15--10"
        first.mkdir(parents=True)
        (first / "part-0").write_bytes(b"".join(row + b"\n" for row in rows[:2]))
        (tmp_path / name / "part-1").write_bytes(b"".join(row + b"\n" for row in rows[2:]))
    return tmp_path


def test_agreeing_accounts_are_summed_up(planned, output):
    """Input, quarantine by reason, and for each segment what was released, suppressed and written."""
    summary = summarize(planned(POLICY), output)
    assert (summary.input, summary.quarantined, summary.reasons) == (10, 3, {"malformed": 2, "unknown_field": 1})
    assert summary.segments == {"seen": SegmentAccount(7, 0, 7), "groups": SegmentAccount(4, 3, 4), "sums": SegmentAccount(3, 4, 2, 2)}
    assert json.loads(summary.encode())["segments"]["sums"] == {"released": 3, "suppressed": 4, "rows": 2, "late": 2}


@pytest.mark.parametrize("name", ["quarantine", "seen", "groups", "sums"])
@pytest.mark.parametrize("change", [b"{}\n", None])
def test_a_line_too_many_or_too_few_is_an_error(planned, output, name, change):
    """Each view and the quarantine must hold exactly the lines that the audit speaks of; the error names which does not."""
    part = output / name / "part-1" if (output / name / "part-1").stat().st_size else output / name / "2024-03-15--10" / "part-0"
    part.write_bytes(part.read_bytes() + change if change else part.read_bytes()[3:])
    with pytest.raises(JobError, match=f"^{name}: the counts do not reconcile.*Hint: "):
        summarize(planned(POLICY), output)


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (audit(1, {}, 1, 0), "seen"),
        (audit(0, {"malformed": 1}, 0, 0), "quarantine"),
        (release("groups", released=1), "groups"),
        (release("groups", suppressed=1), "groups"),
        (release("sums", bounded=1), "sums"),
        (release("sums", late=1), "sums"),
        (release("sums", rows=1), "sums"),
    ],
)
def test_an_event_too_many_is_an_error(planned, output, event, named):
    """Counts that do not fit the records lost or found are an error at the place concerned."""
    with (output / "audit" / "part-2").open("wb") as opened:
        opened.write(orjson.dumps(event) + b"\n")
    with pytest.raises(JobError, match=f"^{named}: "):
        summarize(planned(POLICY), output)


@pytest.mark.parametrize(
    "line", [b"not JSON", b"[1]", b"{}", b'{"event":"protect","segments":{}', b'{"event":"protect","segments":{}}', b'"event"']
)
def test_a_damaged_audit_is_an_error(planned, output, line):
    """An audit line that is no event is no reason for a traceback."""
    (output / "audit" / "part-2").write_bytes(line + b"\n")
    with pytest.raises(JobError, match=r"^audit: .*Hint: "):
        summarize(planned(POLICY), output)


def test_a_run_that_wrote_nothing_adds_up_to_nothing(planned, tmp_path):
    """An empty output is an empty account, of every segment."""
    summary = summarize(planned(POLICY), tmp_path)
    assert (summary.input, summary.quarantined) == (0, 0) and set(summary.segments) == {"seen", "groups", "sums"}


def test_unfinished_and_hidden_files_do_not_count(tmp_path):
    """Names that begin with a dot or underscore are passed over at every level; the rest comes in order; a cut-off line does not count."""
    passed_over = dict.fromkeys([".part.inprogress", "_SUCCESS", ".hidden/part", "c/_tmp/y"], "x\n")
    for name, text in {"b/part": "3\n4\n", "a": "1\n2\n", "z": "5\ncut off", **passed_over}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    assert [file.relative_to(tmp_path).as_posix() for file in files(tmp_path)] == ["a", "b/part", "z"]
    assert list(lines(tmp_path)) == [b"1", b"2", b"3", b"4", b"5", b"cut off"]
    assert count_lines(tmp_path) == 5
    assert files(tmp_path / "a") == files(tmp_path / "nowhere") == []


def test_hidden_parents_of_the_directory_do_not_matter(tmp_path):
    """Only names below the directory count: it may itself lie in a hidden one."""
    inner = tmp_path / ".cache" / "out"
    inner.mkdir(parents=True)
    (inner / "part").write_text("1\n")
    assert count_lines(inner) == 1
