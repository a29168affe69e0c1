"""Techniques of other packages: installed by pip, found by entry point, used from a policy and from SQL, held against the laws."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from importlib.resources import files
from pathlib import Path

import pytest

from flink_masking.errors import PolicyError
from flink_masking.techniques import registry
from flink_masking.techniques.base import Technique

PACKAGE = Path(__file__).resolve().parents[1] / "third_party" / "flink_masking_initials"
POLICY = """
version: 1
stream: people
fields:
  name: {class: direct, type: full_name}
segments:
  short: {view: masked, rules: {name: {technique: initials, mark: "-"}}}
"""
USED = """
import json, sys
import pyarrow as pa
from flink_masking import Protector
from flink_masking.policy.load import load
from flink_masking.policy.schema import json_schema
from flink_masking.policy.source import PolicySource
from flink_masking.sql.call import Call
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import Session
from flink_masking.techniques import registry
from flink_masking.testing import check
import os, udfs
from flink_masking.archive import closure

check(registry.get("initials"))
loaded = load(PolicySource("p.yaml", sys.argv[1]))
session = Session(lambda name, default: default)
column = pa.array(["Jane Doe", None, ""])
print(json.dumps({
    "warnings": [fault.message for fault in loaded.warnings],
    "schema": "technique_initials" in json_schema()["$defs"],
    "sql": Call(FUNCTIONS["initials"], session, os.urandom)(column, "-").to_pylist(),
    "mask": Call(FUNCTIONS["mask"], session, os.urandom)(column, "{technique: initials}").to_pylist(),
    "udf": udfs.initials._name,
    "packages": registry.TECHNIQUES.packages,
    "closure": sorted(closure("flink-masking-initials") - closure("flink-masking")),
}))
"""


@pytest.fixture(scope="module")
def installed(third_party):
    """The environment of a process in which the package is installed."""
    return {**os.environ, "PYTHONPATH": str(third_party)}


def test_it_is_used_like_a_technique_of_the_library(installed):
    """The laws pass, a policy, the schema and SQL know it, its UDF is there, and its package goes into the workers' archive."""
    done = subprocess.run([sys.executable, "-P", "-c", USED, POLICY], env=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["sql"] == ["J-D-", None, ""] and found["mask"] == ["J.D.", None, ""]
    assert found["schema"] and found["udf"] == "initials" and found["packages"] == {"initials": "flink-masking-initials"}
    assert found["warnings"] == [] and found["closure"] == ["flink-masking-initials"]


def test_commands_know_it(installed, tmp_path):
    """`techniques` lists it with its package, and `preview` applies it to a record of a policy."""
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "in.jsonl").write_text('{"name":"Jane Doe"}\n')
    shown = _command(installed, "techniques", "initials", "--json")
    assert json.loads(shown)[0]["package"] == "flink-masking-initials"
    assert "J-D-" in _command(installed, "preview", str(tmp_path / "p.yaml"), str(tmp_path / "in.jsonl"))


def _command(environment, *arguments):
    code = "from flink_masking.cli import main; main()"
    done = subprocess.run([sys.executable, "-P", "-c", code, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def entry(name, value):
    """An entry point of nobody's package."""
    return metadata.EntryPoint(name, value, registry.GROUP)


@pytest.mark.parametrize(("entries", "name", "message"), [
    ([entry("redact", "x:T")], "initials", "which is a name of flink-masking"),
    ([entry("redact_text", "x:T")], "initials", "which is a name of flink-masking"),
    ([entry("a", "x:T"), entry("a", "y:T")], "a", "both bring"), ([entry("A b", "x:T")], "a", "unusable name"),
    ([entry("gone", "no_such_module_at_all:T")], "gone", r"cannot be imported \(ModuleNotFoundError\)"),
    ([entry("plain", "json:dumps")], "plain", "is no Technique"),
    ([entry("other", "flink_masking.techniques.keep:TECHNIQUE")], "other", "calls itself 'keep'"),
])  # fmt: skip
def test_what_cannot_be_used_is_refused(entries, name, message, monkeypatch):
    """A package that is broken, or that takes a name, is an error with its name and a hint, never passed over."""
    monkeypatch.setattr(registry.metadata, "entry_points", lambda group: entries)
    with pytest.raises(PolicyError, match=f"{message}.*Hint: "):
        registry.Techniques()[name]


def test_own_names_are_not_looked_for(monkeypatch):
    """A technique of the library needs no look at the installed packages."""
    monkeypatch.setattr(registry.metadata, "entry_points", None)
    assert isinstance(registry.Techniques()["keep"], Technique)


def test_the_documentation_shows_what_is_run(installed):
    """Every block of the page on writing a technique is part of the package above, is run, or is the rule of the policy above."""
    page = (files("flink_masking") / "docs" / "write-a-technique.md").read_text("utf-8")
    sources = "".join(path.read_text() for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml"))
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    assert {kind for kind, _ in blocks} == {"python", "toml", "yaml"}
    for kind, text in blocks:
        if kind == "yaml":
            assert text.strip() in POLICY
        elif "flink_masking.testing" in text:
            assert subprocess.run([sys.executable, "-P", "-c", text], env=installed, capture_output=True).returncode == 0
        else:
            assert text in sources
