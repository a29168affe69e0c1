"""Exit codes and --json: what holds for every command of the tree."""

import json
import re
from importlib import resources

import pytest
from command_tree import COMMANDS, options

from flink_masking.cli.app import app
from flink_masking.cli.exits import codes, table
from flink_masking.errors import ExitCode

MAKES = "writes files or documents, and says in a line which"
RUNS = "runs in the foreground until it is ended"
ALWAYS = "prints JSON always"
NO_JSON = {
    **dict.fromkeys(["example", "generate", "package", "sql client-setup", "keys new", "keys add", "keys promote", "keys disable",
                     "keys enable", "keys destroy", "keys export", "keys restore", "keys signer", "keys sign", "audit key", "policy new",
                     "policy publish", "identity new", "control sign", "control approve", "control publish", "control revoke",
                     "control trust new", "control trust next", "grant request", "grant approve", "grant publish", "grant revoke",
                     "alerts publish"], MAKES),
    **dict.fromkeys(["demo", "broker", "registry", "audit serve", "audit seal", "alerts watch", "studio"], RUNS),
    **dict.fromkeys(["schema", "lineage", "audit schema", "alerts schema", "identity show"], ALWAYS),
    "quarantine show": "prints a line an entry, of records as they are; summary has --json",
    "keys rewrap": "prints a count a domain",
    "preview": "shows records side by side, for people; policy test and Protector are for programs",
    "contract export": "prints contracts in the standard's own form, YAML",
    "jars": "prints a line a jar, tab between coordinates and path",
    "log-config": "prints a configuration of log4j",
    "sql functions": "prints SQL",
    "sql job": "submits a job, and says its id",
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


def test_codes_are_those_of_shells():
    """Signals end with 128 and their number, and no code is given twice."""
    assert [int(code) for code in ExitCode] == sorted({0, 1, 2, 75, 129, 130, 141, 143})
