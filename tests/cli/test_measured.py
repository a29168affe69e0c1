"""report and compliance over a run of which something is missing: it is told, and never taken for a run that keeps its promises."""

import io
import json
import os
import shutil

import pytest
from released_run import released_run
from rich.console import Console

from flink_masking.cli.report import _sample
from flink_masking.compliance.measured import measured, planned
from flink_masking.deployment.model import Deployment
from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.files.opened import data_files
from flink_masking.files.position import followed
from flink_masking.policy.source import PolicySource
from flink_masking.report import figures

ANONYMIZED, AGGREGATED = "anonymized-customer-events", "aggregated-customer-metrics"
LAST = "dev-customer-events"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """600 events of 200 people."""
    return released_run(tmp_path_factory.mktemp("missing"), CUSTOMER_EVENTS, 600, 200)


@pytest.fixture
def run(whole, tmp_path):
    """A copy of its views."""
    shutil.copytree(whole.output, tmp_path / "out")
    return whole._replace(output=tmp_path / "out")


def asked(run, command, **changed):
    """The command on a run, printing JSON."""
    given = {"--raw": run.raw, "--released": run.output, **{f"--{name}": value for name, value in changed.items()}}
    return [command, CUSTOMER_EVENTS, *(part for pair in given.items() for part in pair), "--json"]


@pytest.mark.parametrize("command", ["report", "compliance"])
@pytest.mark.parametrize("what", ["empty", "no files", "masked only", "no raw", "empty raw"])
def test_where_nothing_can_be_measured_the_input_is_refused(cli, run, tmp_path, command, what):
    """Without any anonymized or aggregated view, or without raw records, the command ends with 2 and says what it looked for."""
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing.jsonl").write_text("\n")
    for name in (ANONYMIZED, AGGREGATED):
        if what in ("no files", "masked only"):
            shutil.rmtree(run.output / name)
        if what == "no files":
            (run.output / name).mkdir()
            (run.output / name / ".part-0.inprogress").write_text("{}\n")
    changed = {"empty": {"released": tmp_path / "nothing"}, "no raw": {"raw": tmp_path / "nowhere.jsonl"},
               "empty raw": {"raw": tmp_path / "nothing.jsonl"}}.get(what, {})
    done = cli(*asked(run, command, **changed))
    assert done.code == 2 and list(json.loads(done.out)) == ["error"] and "Hint: " in done.err
    if "raw" not in what:
        assert ANONYMIZED in done.err and AGGREGATED in done.err


@pytest.mark.parametrize("command", ["report", "compliance"])
def test_a_view_without_files_is_told_and_ends_with_1(cli, run, command):
    """Views that were not measured, and masked views that joins lack, are in the JSON with the reason; the exit code is 1."""
    shutil.rmtree(run.output / AGGREGATED)
    shutil.rmtree(run.output / LAST)
    done = cli(*asked(run, command))
    (told, *_) = found if isinstance(found := json.loads(done.out), list) else [found]
    assert done.code == 1 and told["not_measured"] == [LAST, AGGREGATED]
    assert told["why_not_measured"] == {LAST: "there are no files of it, so it is in no join", AGGREGATED: "there are no files of it"}


@pytest.mark.parametrize("command", ["report", "compliance"])
def test_joins_that_could_not_be_read_are_told(cli, run, command):
    """A masked view with a member twice in a line leaves joins untried: that is told, and the exit code is 1."""
    part = run.output / LAST / "part-0"
    part.write_text(part.read_text().rstrip("\n")[:-1] + ',"country":"XX","country":"YY"}\n')
    done = cli(*asked(run, command))
    (told, *_) = found if isinstance(found := json.loads(done.out), list) else [found]
    assert done.code == 1 and told["not_measured"] == ["views together"] and str(run.output) not in json.dumps(told["why_not_measured"])


def test_compliance_prints_what_it_did_not_measure(cli, run):
    """Without --json, a line each says what is missing and why, and ends with 1 without open points; with --segment, only its own count."""
    shutil.rmtree(run.output / AGGREGATED)
    given = asked(run, "compliance")[:-1]
    done = cli(*given, "--framework", "pci-dss", "--segment", AGGREGATED)
    assert done.code == 1 and f"not measured  {AGGREGATED}: there are no files of it" in done.out
    assert "not measured" not in cli(*given, "--framework", "pci-dss", "--segment", ANONYMIZED).out


def test_the_page_tells_what_is_missing_before_anything_else(cli, run, tmp_path):
    """What was not measured stands at the top, before the figures, with the reason."""
    shutil.rmtree(run.output / AGGREGATED)
    done = cli(*asked(run, "report")[:-1], "--output", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert done.code == 1 and "not measured" in done.err
    assert f"<b>{AGGREGATED}</b>: there are no files of it" in page[: page.index('<ul class="tiles">')]


def test_a_whole_run_has_nothing_missing(cli, run):
    """Where all is there, nothing is told as missing, and the exit code is that of promises, joins and points."""
    told = json.loads(cli(*asked(run, "report")).out)
    assert told["not_measured"] == [] and told["why_not_measured"] == {}
    (one, *_) = json.loads(cli(*asked(run, "compliance")).out)
    assert one["not_measured"] == []
    assert "not_measured" not in json.loads(cli("compliance", CUSTOMER_EVENTS, "--json").out)[0]


@pytest.mark.parametrize(("command", "words"), [("report", "something was not measured"), ("compliance", "a view was not measured")])
def test_help_tells_the_exit_code(cli, command, words):
    """The help says that what was not measured ends with 1."""
    assert words in " ".join(cli(command, "--help").out.replace("│", " ").split())


@pytest.mark.parametrize(("twice", "measure"), [(True, figures), (False, measured)])
def test_progress_knows_all_that_is_read(run, twice, measure):
    """The bytes that are read of raw records and views, each as often as it is, are the total, but for a look at their first block."""
    source = PolicySource.read(run.policy)
    paths = planned(source, run.raw, run.output, twice)
    with followed([file for path in paths for file in (data_files(path) if path.is_dir() else [path])]) as position:
        measure(source, run.raw, run.output)
    assert position.total and 0 <= position.read - position.total <= 1 << 17 < run.raw.stat().st_size


def test_a_pipe_of_raw_records_is_refused(cli, run, tmp_path):
    """Raw records are read for each view, which a pipe gives only once: the command says so instead of waiting for it."""
    os.mkfifo(tmp_path / "pipe")
    for raw in (tmp_path / "pipe", "-"):
        done = cli(*asked(run, "compliance", raw=raw))
        assert done.code == 2 and "a pipe can be read once" in done.err


class Topics:
    """Topics in memory, in place of those of a cluster."""

    def __init__(self, deployment, command_config=None, timeout=0, sink=None):
        """Keep the table's name."""
        self.names, self._table = ("a", "b"), sink

    def values(self, topic):
        """300 records of each."""
        return (b'{"id":"%d","zip":"11111"}' % number for number in range(300))


def test_sampling_topics_shows_progress(monkeypatch, tmp_path):
    """Connecting and each table's records are shown on a terminal; the limit is the total, and the sample is what was asked for."""
    (tmp_path / "policy.yaml").write_text(
        "version: 1\nstream: s\nsubject: id\nfields: {id: {class: identifier}, zip: {class: quasi, prefix: 5}}\n"
        "segments: {groups: {view: anonymized, k: 2, quasi_identifiers: [zip], max_delay: 1h}}\n")
    table = {"connector": "kafka", "topic": "t", "properties.bootstrap.servers": "localhost:1"}
    (tmp_path / "deployment.yaml").write_text(json.dumps({"source": table, "sinks": {"groups": table}, "keys": "file:///k"}))
    shown = io.StringIO()
    monkeypatch.setitem(os.environ, "JAVA_HOME", os.environ.get("JAVA_HOME", ""))  # the command sets it
    monkeypatch.setattr("flink_masking.kafka.source.SourceTopics", Topics)
    monkeypatch.setattr("flink_masking.cli.console.err", Console(file=shown, force_terminal=True, width=120))
    sample = _sample(PolicySource.read(tmp_path / "policy.yaml"), Deployment.read(tmp_path / "deployment.yaml"), None, 500)
    assert len(sample.raw.records) == len(sample.released["groups"].records) == 500 and sample.cut == ("source", "groups")
    for words in ("Connecting to Kafka", "Sampling the source", "Sampling groups", "500 records"):
        assert words in shown.getvalue()
