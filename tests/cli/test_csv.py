"""Commands on CSV files, without Flink: preview and unmask."""

import csv
import gzip
import io
import sys
from types import SimpleNamespace

import pytest

from flink_masking.keys.files import create
from flink_masking.protector import Protector

POLICY = """\
version: 3
stream: orders
format: csv
columns: [id, card, name, city]
fields:
  id: {class: identifier}
  card: {class: direct}
  name: {class: direct}
  city: {class: plain}
segments:
  masked:
    view: masked
    rules:
      id: drop
      card: {technique: fpe, domain: pan, format: card, keep_first: 6}
      name: {technique: encrypt, domain: name}
      city: keep
"""
NAMES = ['"Žofie, ""Z"""', '"two\nlines"', "plain", '""', ""]
ROWS = [f"{i},41111111111111{i:02d},{name},Prague".encode() for i, name in enumerate(NAMES, 10)]


@pytest.fixture
def place(tmp_path):
    """A policy, a key ring, raw records and the masked view."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    create(tmp_path / "keys.json")
    (tmp_path / "raw.csv.gz").write_bytes(gzip.compress(b"id,card,name,city\r\n" + b"\r\n".join(ROWS)))
    protector = Protector(tmp_path / "policy.yaml", f"file://{tmp_path}/keys.json")
    view = protector.protect(ROWS).views["masked"].to_pylist()
    header = protector.plan.codec.header(protector.plan.columns("masked"))
    (tmp_path / "masked").mkdir()
    (tmp_path / "masked" / "part-0").write_bytes(header + b"\n".join(view[:2]) + b"\n")
    (tmp_path / "masked" / "part-1").write_bytes(header + b"\n".join(view[2:]) + b"\n")
    return tmp_path


def test_preview(cli, place):
    """The values of a compressed CSV file are shown before and after, by column; personal ones by their class only."""
    done = cli("preview", place / "policy.yaml", place / "raw.csv.gz", "--limit", 2)
    assert 0 == done.code, done.err
    assert "event 2" in done.out and "‹direct›" in done.out and "Prague" in done.out and "fm1." in done.out
    assert "lines" not in done.out and "4111111111111110" not in done.out


def test_unmask(cli, place):
    """What was masked comes back cell for cell, behind the header of the view."""
    done = cli("unmask", place / "policy.yaml", "--segment", "masked", "--input", place / "masked", "--output", place / "clear.csv",
               "--keys", f"file://{place}/keys.json", "--actor", "ann", "--purpose", "case 7")
    assert 0 == done.code, done.err
    expected = [b"card,name,city", *(row.partition(b",")[2] for row in ROWS)]
    assert b"".join(row + b"\n" for row in expected) == (place / "clear.csv").read_bytes()


def test_rekey(cli, place):
    """Cells under the first key version become cells under the second, which open as what they were; all other cells stay."""
    ring = f"file://{place}/keys.json"
    before = [row for part in sorted((place / "masked").iterdir()) for row in csv.reader(part.open(newline=""))]
    assert cli("keys", "add", place / "keys.json").code == 0 and cli("keys", "promote", place / "keys.json", "2").code == 0
    given = (place / "policy.yaml", "--segment", "masked", "--keys", ring, "--actor", "ann", "--purpose", "rotation")
    done = cli("rekey", *given, "--input", place / "masked", "--output", place / "new.csv", "--from-version", 1, "--to-version", 2)
    assert 0 == done.code, done.err
    after = list(csv.reader((place / "new.csv").open(newline="")))
    header = ["card", "name", "city"]
    assert [header] == after[:1] and [row for row in before if row != header] != after[1:]
    assert [row[2] for row in before if row != header] == [row[2] for row in after[1:]]
    assert cli("keys", "destroy", place / "keys.json", "1", "--yes").code == 0
    opened = cli("unmask", *given, "--input", place / "new.csv", "--output", place / "clear.csv", "--key-version", 2)
    assert 0 == opened.code, opened.err
    clear = [b"card,name,city", *(row.partition(b",")[2] for row in ROWS)]
    assert b"".join(row + b"\n" for row in clear) == (place / "clear.csv").read_bytes()


def test_another_header(cli, place):
    """A file whose header is not the policy's is refused with the column's number."""
    (place / "other.csv").write_bytes(b"id,name,card,city\n1,2,3,4\n")
    done = cli("preview", place / "policy.yaml", place / "other.csv")
    assert 0 != done.code and "column 2 of its header" in done.err


@pytest.mark.parametrize(("text", "says"), [
    ("id;card;name;city\n1;4111111111111111;A;Prague\n", "no column is a declared field"),
    ("1,4111111111111111,A,Prague\n", "no column is a declared field"),
    ("id,card,name,city,mail\n1,4111111111111111,A,Prague,a@b.cz\n", "the column 'mail' is no declared field"),
    ("id,name,city\n1,A,Prague\n", "no column is named 'card', and the field is not optional"),
])
@pytest.mark.parametrize("command", ["preview", "run"])
def test_the_header_is_compared_with_the_fields(cli, place, command, text, says):
    """A file with another separator, without a header or with other columns is refused before anything is written."""
    policy = POLICY.replace("columns: [id, card, name, city]\n", "")
    (place / "policy.yaml").write_text(policy.replace("card: {class: direct", "card: {optional: false, class: direct"))
    (place / "other.csv").write_text(text)
    more = {"preview": [place / "other.csv"],
            "run": ["--input", place / "other.csv", "--output", place / "views", "--keys", f"file://{place}/keys.json"]}[command]
    done = cli(command, place / "policy.yaml", *more)
    assert done.code == 1 and says in done.err and "Hint: " in done.err
    assert not (place / "views").exists()


def test_preview_of_long_and_empty_records(cli, place):
    """A cell beyond the limit of Python's parser is shown like any other; a blank line is shown as refused."""
    (place / "long.csv").write_text("id,card,name,city\n1,4111111111111111,A," + "x" * 200_000 + "\n")
    done = cli("preview", place / "policy.yaml", place / "long.csv")
    assert done.code == 0 and "xxx" in done.out, done.err


def test_unmask_reads_a_header_from_standard_input(cli, place, monkeypatch):
    """The header comes with the stream; a view without the column that is asked for is refused."""
    options = ["--segment", "masked", "--keys", f"file://{place}/keys.json", "--actor", "ann", "--purpose", "case 7"]
    text = (place / "masked" / "part-0").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(text))))
    done = cli("unmask", place / "policy.yaml", "--input", "-", "--output", place / "clear.csv", *options)
    assert done.code == 0, done.err
    assert (place / "clear.csv").read_bytes().splitlines()[0] == text.splitlines()[0]
    (place / "cut.csv").write_text("city\nPrague\n")
    done = cli("unmask", place / "policy.yaml", "--input", place / "cut.csv", "--output", place / "none.csv", *options)
    assert done.code == 1 and "no column is named 'card'" in done.err and not (place / "none.csv").exists()
