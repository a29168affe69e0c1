"""Files as they grow: each planted value is found once, at the next look, in files of every kind."""

import gzip
import json
import os
import struct
import time

import pyarrow as pa
import pytest
from unlistable import unlistable

from flink_masking.keys.ring import KeyRing
from flink_masking.leaks.canaries import Canaries, CanaryWriter
from flink_masking.leaks.files import BLOCK, OVERLAP
from flink_masking.leaks.monitor import Monitor
from flink_masking.leaks.options import LeakOptions
from flink_masking.leaks.recent import Recent
from flink_masking.leaks.watching import FileWatch
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = "version: 1\nstream: s\nfields: {id: {class: identifier}}\nsegments: {v: {view: masked, rules: {id: {technique: redact}}}}\n"
MAIL = "ada.archer@shop.example.org"


@pytest.fixture
def place(tmp_path):
    """A directory and a watch on it; `look` gives file, and values found in it."""
    unread = []
    watch = FileWatch([tmp_path], Monitor, unread.append)

    def look():
        return sorted((os.path.basename(leak.source), leak.values) for leak in watch.look())

    return tmp_path, look, unread


def test_lines_that_come_are_looked_through_once(place):
    """What was there at the beginning is looked through, and then what is new; a file that has not changed is not read again."""
    path, look, _ = place
    log = path / "app.log"
    log.write_text(f"INFO {MAIL}\nINFO nothing\n")
    assert look() == [("app.log", 1)] and look() == []
    with log.open("a") as file:
        for number in range(3):
            file.write(f"INFO again {MAIL} {number}\n")
            file.flush()
            os.utime(log, ns=(time.time_ns() + number, time.time_ns() + number))
            assert look() == [("app.log", 1)]
    assert look() == []


def test_a_line_without_an_end_is_looked_through_when_it_rests(place):
    """A half-written line waits for one look; a value that is cut at its end is found once the line goes on."""
    path, look, _ = place
    log = path / "app.log"
    log.write_text(f"first\nsee {MAIL[:6]}")
    assert look() == [] and look() == []
    log.write_text(f"first\nsee {MAIL}")
    assert look() == [] and look() == [("app.log", 1)] and look() == []


@pytest.mark.parametrize(("name", "content"), [
    ("view.jsonl", json.dumps({"deep": [{"x": f"see {MAIL}!"}]}).encode() + b"\n"),
    ("app.log.gz", gzip.compress(f"INFO {MAIL}\n".encode(), mtime=0)),
    ("_metadata", b"\x00\x01" + struct.pack(">I", len(MAIL)) + MAIL.encode() + b"\xff\x00"),
    (".hidden", f"{MAIL}\n".encode()),
])
def test_files_of_every_kind_that_come_are_looked_through(place, name, content):
    """Records, compressed logs, checkpoints and hidden files, in directories that come later; one written anew is looked through anew."""
    path, look, _ = place
    assert look() == []
    (path / "chk-1").mkdir()
    (path / "chk-1" / name).write_bytes(content)
    assert look() == [(name, 1)] and look() == []
    (path / "chk-1" / name).unlink()
    assert look() == []
    (path / "chk-1" / name).write_bytes(content)
    assert look() == [(name, 1)]


def test_a_file_that_was_cut_is_looked_through_anew(place):
    """A log that a program truncates and writes again loses nothing."""
    path, look, _ = place
    log = path / "app.log"
    log.write_text("a long line without anything\n" * 3)
    assert look() == []
    log.write_text(f"{MAIL}\n")
    assert look() == [("app.log", 1)]


def test_more_than_a_block_at_once(place):
    """A file larger than what is read at once is looked through to its end, across the border of blocks."""
    path, look, _ = place
    line = b"0123456789 nothing here\n"
    (path / "big.log").write_bytes(line * (BLOCK // len(line) - 1) + b"x" * 30 + f" {MAIL} ".encode() + b"y" * 30 + b"\n" + line * 1000
                                   + f"{MAIL}\n".encode())
    assert look() == [("big.log", 2)]


@pytest.mark.parametrize("ended", [b"\n", b""], ids=["with its end", "without"])
@pytest.mark.parametrize("before", [b"", b"a line\n"], ids=["alone", "behind another"])
@pytest.mark.parametrize("border", [BLOCK, 2 * BLOCK, 2 * BLOCK - OVERLAP])
def test_a_value_across_the_border_of_blocks_of_one_line(place, border, before, ended):
    """A line that is longer than what is read at once loses no value, wherever it is cut."""
    path, look, _ = place
    row = b'{"n":12345,"t":"nothing here at all"},'
    text = b"[" + row * ((border - 100) // len(row)) + b'{"t":"'
    text += b"." * (border - len(text) - 12) + b" " + MAIL.encode() + b'"},' + row * 1000 + b'{"end":true}]' + ended
    assert text[:border].endswith(b"@")
    (path / "export.json").write_bytes(before + text)
    assert look() + look() == [("export.json", 1)] and look() == []


def test_a_long_line_that_grows_loses_no_value(place):
    """A line without an end is looked through a block at a time as it grows, and a value across the border is found."""
    path, look, _ = place
    text = b"." * (BLOCK - 12) + b" " + MAIL.encode() + b" " + b"." * BLOCK
    log = path / "app.log"
    found = []
    for size in (BLOCK, BLOCK + 5, len(text)):
        log.write_bytes(text[:size])
        found += look()
    assert found + look() == [("app.log", 1)] and look() == look() == []


def test_a_file_that_cannot_be_read_is_told_when_it_rests(place):
    """Compressed data that is cut off may be on its way: it is told at the second look, once."""
    path, look, unread = place
    whole = gzip.compress(os.urandom(1_000) + MAIL.encode() + b"\n")
    (path / "a.gz").write_bytes(whole[:500])
    assert (look(), unread) == ([], [])
    assert look() == look() == [] and len(unread) == 1 and "cut off" in unread[0]
    (path / "a.gz").write_bytes(whole)
    look()
    assert len(unread) == 1


def test_a_directory_that_cannot_be_listed_is_told_and_not_taken_for_an_empty_one(place, monkeypatch):
    """It is told once, when it rests; what was known of its files stays known, and what comes in them meanwhile is found afterwards."""
    path, look, unread = place
    (path / "chk").mkdir()
    log = path / "chk" / "app.log"
    log.write_text(f"{MAIL}\n")
    assert look() == [("app.log", 1)]
    back = unlistable(monkeypatch, path / "chk")
    with log.open("a") as file:
        file.write(f"again {MAIL}\n")
    assert look() == look() == look() == []
    assert len(unread) == 1 and unread[0] == f"{path / 'chk'}: Permission denied"
    back()
    assert look() == [("app.log", 1)] and look() == [] and len(unread) == 1


def test_a_value_whose_canary_comes_later_is_found_in_its_file(tmp_path):
    """What came last in any file is looked through again when its canaries can have been read, and each value counts once."""
    clock, ring, data = [10**12], KeyRing.new(), tmp_path / "data"
    data.mkdir()
    writer = CanaryWriter(load(PolicySource("p", POLICY)), LeakOptions(str(tmp_path / "canaries"), 1.0), lambda: ring, os.urandom,
                          lambda: clock[0])
    writer.note(pa.array([b'{"id":"CUST-00000000"}']))
    canaries, recent = Canaries(tmp_path / "canaries", ring, lambda: clock[0]), Recent(lambda: clock[0])
    watch = FileWatch([data], lambda name: Monitor(name, None, canaries, recent=recent), [].append, recent)

    def look(after):
        clock[0] += after
        canaries.look()
        found = watch.look_again() + watch.look()
        return sorted((os.path.basename(leak.source), leak.what, leak.values) for leak in found)

    for name in ("a.log", "b.log", "c.log"):
        (data / name).write_bytes(f"INFO saved CUST-0000000{'abc'.index(name[0])}\n".encode())
    assert look(0) == [("a.log", "s/id", 1)]
    (data / "b.log").unlink()
    writer.note(pa.array([b'{"id":"CUST-00000001"}', b'{"id":"CUST-00000002"}']))
    writer.close()
    assert look(2_000) == [] and look(2_000) == [("b.log", "s/id", 1), ("c.log", "s/id", 1)] and look(2_000) == []
