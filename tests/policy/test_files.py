"""Files that a policy names: below its folder, of bounded size, whatever names, links and races say."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from waiting import CLIENT_S

from flink_masking.deployment.model import Deployment
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError
from flink_masking.policy.files import LARGEST, read_below
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

OUTSIDE = "SECRET;OF;ELSEWHERE\n"
TREE = "Boston;MA;*\nAlbany;NY;*\n"
POLICY = """\
version: 1
stream: s
subject: id
fields: {id: {class: identifier}, city: {class: quasi%s}, income: {class: sensitive}}
segments:
  s:
    view: anonymized
    k: 3
    max_delay: 1min
    quasi_identifiers: [city]
    release: [income]
    t_closeness: {field: income, t: 0.5, distance: hierarchical%s}
"""


@pytest.fixture
def folder(tmp_path):
    """A policy's folder beside a file that is not for it."""
    (tmp_path / "outside.csv").write_text(OUTSIDE)
    inside = tmp_path / "policy"
    inside.mkdir()
    return inside


def names(folder):
    """Names that lead out of the folder, each with what makes it so."""
    outside = folder.parent / "outside.csv"
    (folder / "link.csv").symlink_to(outside)
    (folder / "relative.csv").symlink_to("../outside.csv")
    (folder / "chain.csv").symlink_to("link.csv")
    (folder / "up").symlink_to("..")
    (folder / "sub").mkdir()
    return [str(outside), "../outside.csv", "sub/../../outside.csv", "link.csv", "relative.csv", "chain.csv", "up/outside.csv",
            "/proc/self/environ", "sub/../link.csv", "../policy/link.csv"]  # fmt: skip


def test_nothing_outside_the_folder_is_read(folder):
    """Absolute names, .. and links that lead out are refused, and the reason quotes nothing."""
    for name in names(folder):
        with pytest.raises(InputError, match="leads out of the policy's folder") as raised:
            read_below(folder, name)
        assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("place", ["field", "t_closeness"])
def test_a_policy_that_names_one_has_a_fault(folder, place):
    """Wherever a policy names a file, one outside its folder is a fault at its line, and none of it travels with the policy."""
    for name in names(folder):
        given = f", hierarchy: {name}"
        (folder / "policy.yaml").write_text(POLICY % ((given, "") if place == "field" else ("", given)))
        source = PolicySource.read(folder / "policy.yaml")
        assert source.files == {}
        with pytest.raises(PolicyFaults, match="the name leads out of the policy's folder") as raised:
            load(source)
        assert "SECRET" not in str(raised.value)
        assert (4 if place == "field" else 12) in {fault.line for fault in raised.value.faults}


def test_links_below_the_folder_are_followed(folder):
    """Files as Kubernetes mounts a ConfigMap, each a link into a folder that is a link, are read; so are files of subfolders."""
    (folder / "..2026").mkdir()
    (folder / "..2026" / "city.csv").write_text(TREE)
    (folder / "..data").symlink_to("..2026")
    (folder / "city.csv").symlink_to("..data/city.csv")
    assert TREE == read_below(folder, "city.csv")
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "sub" / "deep" / "city.csv").write_bytes(b"\xef\xbb\xbf" + TREE.replace("\n", "\r\n").encode())
    assert TREE == read_below(folder, "sub/deep/./city.csv")
    other = folder.parent / "other"
    other.symlink_to(folder)
    assert TREE == read_below(other, "city.csv")


def test_what_is_no_file_is_refused_at_once(folder):
    """Folders, pipes, links in a circle and missing files end in a reason; a pipe is not waited for."""
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    (folder / "circle").symlink_to("circle")
    (folder / "bytes").write_bytes(b"\xff\xfe\xfa")
    for name, what in {"pipe": "no regular file", "sub": "no regular file|directory", "circle": "circle", "no": "no such file",
                       "bytes": "not UTF-8", "": "leads out", ".": "leads out"}.items():  # fmt: skip
        with pytest.raises(InputError, match=what):
            read_below(folder, name)


def test_files_are_bounded(folder):
    """A file of 16 MiB is read, one of a byte more is not; nor are policies, deployments, and files that are larger together."""
    (folder / "large.csv").write_bytes(b"x" * LARGEST)
    assert LARGEST == len(read_below(folder, "large.csv"))
    (folder / "large.csv").write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(InputError, match="larger than 16,777,216 bytes"):
        read_below(folder, "large.csv")
    with pytest.raises(InputError, match="larger than 16,777,216 bytes"):
        PolicySource.read(folder / "large.csv")
    with pytest.raises(InputError, match="larger than 16,777,216 bytes"):
        Deployment.read(folder / "large.csv")
    for name in ("a.csv", "b.csv"):
        (folder / name).write_bytes(b"x" * (LARGEST // 2 + 1))
    (folder / "policy.yaml").write_text(POLICY % (", hierarchy: a.csv", ", hierarchy: b.csv"))
    source = PolicySource.read(folder / "policy.yaml")
    assert (["a.csv"], ["b.csv"]) == (list(source.files), list(source.unreadable))
    assert "bytes together" in source.unreadable["b.csv"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_that_is_swapped_in_leads_nowhere(folder, what):
    """While a file, or the folder that it lies in, is replaced by a link to the outside and back, no read gives what is outside."""
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "elsewhere" / "city.csv").write_text(OUTSIDE)
    (folder / "sub").mkdir()
    (folder / "sub" / "city.csv").write_text(TREE)
    target = folder / "sub" if what == "folder" else folder / "sub" / "city.csv"
    evil = folder.parent / "elsewhere" if what == "folder" else folder.parent / "outside.csv"
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            os.rename(target, folder / "aside")
            os.symlink(evil, target)
            os.unlink(target)
            os.rename(folder / "aside", target)

    thread = threading.Thread(target=swap)
    thread.start()
    read = refused = 0
    try:
        while read < 200 or refused < 200:
            try:
                assert TREE == read_below(folder, "sub/city.csv")
                read += 1
            except InputError:
                refused += 1
    finally:
        stop.set()
        thread.join()


def test_the_command_says_where(folder):
    """``check`` ends with the place in the policy and what to do, and shows nothing of the file."""
    (folder / "policy.yaml").write_text(POLICY % (", hierarchy: ../outside.csv", ""))
    command = [Path(sys.executable).with_name("flink-masking"), "check", folder / "policy.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_S, check=False)
    assert 2 == done.returncode
    assert "policy.yaml:4:" in done.stderr
    assert "the name leads out of the policy's folder" in done.stderr
    assert "Hint: files that a policy names lie below its folder" in done.stderr
    assert "SECRET" not in done.stderr + done.stdout
