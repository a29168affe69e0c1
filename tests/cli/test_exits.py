"""Exit codes and --json: what holds for every command of the tree."""

import json
import re
import sys
from importlib import resources

import pytest
import typer
from command_tree import COMMANDS, options
from full_disk import full_disk

from flink_masking.cli.app import app
from flink_masking.cli.console import print_json, reporting_errors
from flink_masking.cli.exits import codes, table
from flink_masking.errors import ExitCode, InputError

MAKES = "writes files or documents, and says in a line which"
RUNS = "runs in the foreground until it is ended"
ALWAYS = "prints JSON always"
NO_JSON = {
    **dict.fromkeys(["example", "sql client-setup", "keys new", "keys add", "keys promote", "keys disable", "keys enable", "keys destroy",
                     "keys export", "keys restore", "keys signer", "keys sign", "audit key", "policy new", "identity new", "control sign",
                     "control trust new", "control trust next", "grant request"], MAKES),
    **dict.fromkeys(["control approve", "grant approve"], "asks a person, unless --yes, and signs a file"),
    **dict.fromkeys(["demo", "broker", "registry", "audit serve", "alerts watch", "studio"], RUNS),
    **dict.fromkeys(["schema", "lineage", "audit schema", "alerts schema", "identity show"], ALWAYS),
    "quarantine show": "prints a line an entry, of records as they are; summary has --json",
    "contract export": "prints contracts in the standard's own form, YAML",
    "log-config": "prints a configuration of log4j",
    "docs": "prints a page, or where the pages are",
    "sql functions": "prints SQL",
    "sql job": "prints SQL",
}  # fmt: skip
"""Commands without --json, and why."""
LINES = {"control list", "grant list", "alerts test"}
"""Commands whose --json is a document a line: lists of documents and of events, which are read one by one."""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_the_exit_codes(cli, name):
    """The help of every command ends with its exit codes."""
    done = cli(*name.split(), "--help")
    assert done.code == 0
    told = re.sub(r"\s+", " ", done.out)
    assert all(f"{code} {text}" in told for code, text in codes(COMMANDS[name]).items())


def test_the_page_has_the_table():
    """The documentation's tables of codes are those that the commands use."""
    page = resources.files("flink_masking.docs").joinpath("commands.md").read_text()
    assert table(app) in page


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_json_or_a_reason(name):
    """Every command has --json, or is in the list with the reason."""
    assert ("--json" in options(name)) != (name in NO_JSON)


def test_no_reason_is_left_over():
    """The list has no command that the tree does not have, but for what other branches of work add."""
    assert set(NO_JSON) - {"studio"} <= set(COMMANDS)


def test_commands_of_lines_are_documented():
    """The page names the commands whose --json is a document a line, and each has --json."""
    page = resources.files("flink_masking.docs").joinpath("commands.md").read_text()
    assert all(f"`{name}`" in page and name not in NO_JSON for name in LINES)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(NO_JSON)))
def test_wrong_usage_is_json(cli, name):
    """With --json, stdout holds one document also where the arguments cannot be used, and stderr says the same for people."""
    done = cli(*name.split(), "--json", "--no-such-option")
    told = json.loads(done.out)
    assert (done.code, told["error"]["exit_code"], list(told)) == (2, 2, ["error"])
    assert told["error"]["message"] in done.err and told["error"]["hint"] in done.err


def test_faults_of_a_policy_are_json(cli, tmp_path):
    """Each fault of a policy has its line and column in the document."""
    (tmp_path / "policy.yaml").write_text("version: 1\nstream: a\nfields: {a: {class: nothing}}\nsegments: {}\n")
    done = cli("check", tmp_path / "policy.yaml", "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, error["exit_code"]) == (2, 2)
    assert error["faults"][0]["line"] == 3 and error["faults"][0]["message"] in done.err


def test_an_error_of_a_file_is_json(cli, tmp_path):
    """A missing file is one document with message and hint; without --json stdout stays empty."""
    done = cli("leaks", tmp_path / "none", "--json")
    assert json.loads(done.out)["error"]["message"].startswith(str(tmp_path / "none"))
    assert cli("leaks", tmp_path / "none").out == ""


def test_an_error_behind_lines_is_a_line(capsys, monkeypatch):
    """Behind a document a line, an error is one line more; behind the one document of a command nothing is added."""
    monkeypatch.setattr(sys, "argv", ["flink-masking", "control", "list", "--json"])
    with pytest.raises(SystemExit), reporting_errors():
        typer.echo('{"id": 1}')
        raise InputError("the disk is full. Hint: free space")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"id": 1}, {"error": {"message": "the disk is full.", "hint": "free space", "exit_code": 1}}]
    with pytest.raises(SystemExit), reporting_errors():
        print_json({"id": 1})
        raise InputError("the disk is full. Hint: free space")
    assert json.loads(capsys.readouterr().out) == {"id": 1}


def test_jars_are_json(cli, tmp_path):
    """Each jar of a deployment is told with the file that it was copied to."""
    (tmp_path / "my.jar").write_bytes(b"jar")
    (tmp_path / "deployment.yaml").write_text(f"source: {{connector: datagen}}\nsinks: {{}}\nkeys: k\njars: ['file://{tmp_path}/my.jar']\n")
    done = cli("jars", tmp_path / "deployment.yaml", "--into", tmp_path / "lib", "--json")
    assert json.loads(done.out) == [{"jar": "my.jar", "path": f"{tmp_path}/lib/my.jar"}], done.err


def test_a_jar_that_does_not_fit_leaves_nothing(cli, tmp_path):
    """Where the disk is full, the directory that jars are copied to has none of it, not even a part; the one before stays."""
    (tmp_path / "my.jar").write_bytes(b"jar" * 10_000)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "my.jar").write_bytes(b"old")
    (tmp_path / "deployment.yaml").write_text(f"source: {{connector: datagen}}\nsinks: {{}}\nkeys: k\njars: ['file://{tmp_path}/my.jar']\n")
    with full_disk(1_000):
        done = cli("jars", tmp_path / "deployment.yaml", "--into", tmp_path / "lib")
    assert done.code == 1 and "Hint: " in done.err
    assert [(one.name, one.read_bytes()) for one in (tmp_path / "lib").iterdir()] == [("my.jar", b"old")]


def test_codes_are_those_of_shells():
    """Signals end with 128 and their number, and no code is given twice."""
    assert [int(code) for code in ExitCode] == sorted({0, 1, 2, 75, 129, 130, 141, 143})
