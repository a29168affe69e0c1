"""What verify reads: the formats and compressions that `run` reads and writes, with the same findings in each."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pytest
from release_material import FILES, POLICY, raw_records, released, verdicts

from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.verify.files import verify
from flink_masking.verify.joint import verify_joint

CSV = POLICY.replace("stream: patients\n", "stream: patients\nformat: csv\n")
SHAPES = {"plain": bytes, "gzip": gzip.compress, "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
          "mark": lambda data: b"\xef\xbb\xbf" + data}
BROKEN = {
    "sound": lambda lines: lines,
    "k": lambda lines: [{**lines[0], "ward": "*", "zip": "*"}, *lines[1:]],
    "once": lambda lines: [*lines, lines[0]],
    "covered": lambda lines: [{**lines[0], "seq": 999}, *lines[1:]],
    "members": lambda lines: [{**line, "person": "P1"} for line in lines],
}


def as_json(records):
    """JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def as_csv(records):
    """CSV with a header, by the standard library."""
    written = io.StringIO(newline="")
    rows = csv.DictWriter(written, list(records[0]))
    rows.writeheader()
    rows.writerows(records)
    return written.getvalue().encode()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wrong", BROKEN)
def test_findings_do_not_depend_on_the_format(tmp_path, wrong, shape):
    """The same values as JSON lines and as CSV, in any compression, give one report."""
    raw, lines, found = raw_records(), BROKEN[wrong](released(raw_records())), []
    for text, write in ((POLICY, as_json), (CSV, as_csv)):
        (tmp_path / "raw").write_bytes(SHAPES[shape](write(raw)))
        (tmp_path / "view").write_bytes(SHAPES[shape](write(lines)))
        found.append(verify(PolicySource("policy.yaml", text, FILES), tmp_path / "raw", tmp_path / "view", "partners"))
    assert found[0].as_dict() == found[1].as_dict()
    assert [wrong] * (wrong != "sound") == [name for name, verdict in verdicts(found[1]).items() if verdict == "broken"][:1]


ALL = """\
version: 3
stream: orders
format: csv
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  at: {class: plain, type: datetime}
  age: {class: quasi, type: integer, domain: [18, 97]}
  home.city: {class: quasi}
  amount: {class: measure, scale: 2, bounds: [0, 1000]}
  member: {class: plain, type: boolean}
  note: {class: plain, optional: true}
segments:
  masked:
    view: masked
    rules:
      {id: {technique: pseudonym, domain: d}, age: {technique: generalize, width: 10}, home.city: keep, amount: keep, at: drop, "*": keep}
  groups: {view: anonymized, k: 4, quasi_identifiers: [age], release: [amount, member, note]}
  sums:
    view: aggregated
    window: {tumbling: 1h}
    group_by: [{home.city: {groups: ["Brno, old town", Prague]}}, {member: {groups: [true, false]}}]
    metrics: {orders: count, total: {sum: amount}, spread: {histogram: {field: amount, bins: [0, 100, 1000]}}}
    privacy: {epsilon: 20, delta: 0.001}
"""


@pytest.fixture
def views(tmp_path):
    """What the library makes of 240 CSV records, in files as `run` writes them; the policy, the raw file and the directory."""
    records = [{"id": f"p{n % 60}", "at": f"2024-03-15T10:{n % 60:02}:00Z", "age": 18 + n * 7 % 80,
                "home.city": ["Prague", "Brno, old town"][n % 3 == 0], "amount": f"{n * 37 % 1000}.{n % 100:02}",
                "member": ["true", "false"][n % 2], "note": ["", 'a "b"', "1"][n % 3]} for n in range(240)]
    raw = as_csv(records)
    (tmp_path / "raw.csv").write_bytes(raw)
    text = ALL.replace("format: csv\n", f"format: csv\ncolumns: [{', '.join(records[0])}]\n")
    protector = Protector(PolicySource("policy.yaml", text), KeyRing.ephemeral())
    result = protector.protect(raw.splitlines()[1:])
    final = protector.finish()
    assert [] == list(result.quarantine)
    released = {name: [*rows, *final[name]] for name, rows in result.released.items()} | {"masked": result.views["masked"].to_pylist()}
    for name, rows in released.items():
        (tmp_path / "out" / name).mkdir(parents=True)
        for number, part in enumerate((rows[::2], rows[1::2])):
            lines = [row.encode() if isinstance(row, str) else row for row in part]
            header = protector.plan.codec.header(protector.plan.columns(name))
            (tmp_path / "out" / name / f"part-{number}").write_bytes(header + b"".join(line + b"\n" for line in lines))
    return PolicySource("policy.yaml", text), tmp_path / "raw.csv", tmp_path / "out"


@pytest.mark.parametrize("segment", ["groups", "sums"])
def test_views_of_csv_keep_their_promises(views, segment):
    """Every promise of what the library makes of CSV is held, and none is open."""
    source, raw, out = views
    report = verify(source, raw, out / segment)
    assert {"held"} == set(verdicts(report).values())
    assert (240, True) == (report.counts["raw"], report.counts.get("released", report.counts.get("rows")) > 0)


def test_a_changed_figure_is_found(views):
    """A sum in a CSV row that noise cannot explain breaks the promise of noise."""
    source, raw, out = views
    for file in (out / "sums").iterdir():
        with file.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        file.write_bytes(as_csv([{**row, "total": float(row["total"]) + 50_000} for row in rows]))
    assert "broken" == verdicts(verify(source, raw, out / "sums"))["noise"]


def test_views_of_csv_are_joined(views):
    """The joint attack on masked and anonymized CSV finds joins by the values that both show."""
    source, raw, out = views
    joins = verify_joint(source, raw, out)
    assert [("groups", "masked")] == [join.views for join in joins if "amount" in join.fields]


def test_a_column_named_twice_is_refused(tmp_path):
    """A header that names a column twice is an error: which value counts is up to readers."""
    for name, data in (("raw", as_csv(raw_records())), ("view", b"age,zip,ward,age\n")):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match="names a column twice"):
        verify(PolicySource("policy.yaml", CSV, FILES), tmp_path / "raw", tmp_path / "view", "partners")
