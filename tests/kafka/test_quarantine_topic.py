"""A quarantine in Kafka: shown, counted, and sent through the job again, each record once, whatever is killed or runs twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from waiting import finish, run
from waiting import until as wait_until

from flink_masking.audit.events import broken_links
from flink_masking.engine.quarantine import QuarantineWriter, RecordParts
from flink_masking.java import java_home
from flink_masking.keys.providers import open_ring
from flink_masking.tools.replay import HEADER

pytestmark = pytest.mark.flink
ENTRIES, BATCH = 560, 500
"""More than one transaction (kafka/quarantine.py)."""
BLOCKED = 520
"""The record, in the second transaction, at which a program waits."""
WHO = ["--actor", "ann", "--purpose", "case 7"]
COMMANDS = str(Path(__file__).with_name("several_commands.py"))
MAIN = "from flink_masking.cli import main; main()"


class Site:
    """A quarantine topic of sealed entries and the deployment that it belongs to."""

    def __init__(self, broker, topic, key_uri, folder):
        """Fill the topic: every record has a key, every second one is malformed."""
        self.broker, self.folder = broker, folder
        self.raw, self.quarantine = topic("replay-raw", 2), topic("replay-quarantine")
        writer = QuarantineWriter(open_ring(key_uri), "orders")
        self.records = [b'{"customer":"SECRET-%d"%s}' % (i, b', "surprise"' if i % 2 else b"") for i in range(ENTRIES)]
        broker.produce(self.quarantine, [
            writer.entry(record, "malformed" if i % 2 else "refused_value", None if i % 2 else "customer", None, 1_710_498_600_000,
                         RecordParts(b"KEY-%d" % i, (("trace", b"t%d" % i),))) for i, record in enumerate(self.records)])  # fmt: skip
        table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
        self.deployment = folder / "deployment.yaml"
        self.deployment.write_text(yaml.safe_dump({
            "source": {**table, "topic": self.raw}, "sinks": {"quarantine": {**table, "topic": self.quarantine}}, "keys": key_uri}))

    def environment(self):
        """Of the commands."""
        return {**os.environ, "JAVA_HOME": str(java_home()), "FLINK_LOG_DIR": str(self.folder)}

    def run(self, *commands):
        """Exit code, stdout and stderr of each command, in one process, which starts Java once."""
        whole = json.dumps([["quarantine", verb, str(self.deployment), *map(str, more)] for verb, *more in commands])
        done = run([sys.executable, "-P", COMMANDS, whole], env=self.environment())
        assert done.code == 0, done.err
        return json.loads(done.out)

    def begin(self, *more):
        """A replay under way, in a process group of its own."""
        return subprocess.Popen([sys.executable, "-P", "-c", MAIN, "quarantine", "replay", str(self.deployment), *WHO, *map(str, more)],
                                env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def sent(self, ended=False):
        """What the raw topic holds for the job; `ended`: no replay is under way any more."""
        return self.broker.consume(self.raw, closed=ended)

    def blocking(self, mark):
        """A program that passes records on, and waits at one of them until a file of this name is gone."""
        script = f'r=$(cat); case "$r" in *SECRET-{BLOCKED}*) touch {mark}; while [ -e {mark} ]; do sleep 0.05; done;; esac; printf %s "$r"'
        return ["--mend", f"sh -c '{script}'"]


@pytest.fixture
def site(broker, topic, key_uri, tmp_path):
    """A quarantine of its own."""
    return Site(broker, topic, key_uri, tmp_path)


def until(running, mark):
    """Wait until a program waits."""
    def alive():
        assert running.poll() is None, running.communicate()

    wait_until("a program waits", mark.exists, groups=lambda: [running.pid], alive=alive, pause=0.05)


def test_a_topic_is_shown_counted_and_replayed(site):
    """show and summary tell of a topic what they tell of files; replay sends each record once, with key, headers and an id, and says so."""
    shown, revealed, counted, first, second = site.run(
        ["show", "--limit", 3], ["show", "--reveal", "--limit", 2, *WHO], ["summary"],
        ["replay", "--as-is", "--reason", "refused_value", *WHO], ["replay", "--as-is", *WHO])
    assert [done[0] for done in (shown, revealed, counted, first, second)] == [0] * 5, (shown, revealed, counted, first, second)
    assert f"{ENTRIES} records: " in shown[1] and "SECRET" not in shown[1] and len(shown[1].splitlines()) == 4
    assert revealed[1].count("SECRET-") == 2
    rows = [line.split()[:3] for line in counted[1].splitlines()]
    assert sorted(rows[1:3]) == [["280", "malformed", "-"], ["280", "refused_value", "customer"]] and f"{ENTRIES} records in" in counted[1]
    assert "280 records sent again" in first[1] and "280 records not chosen" in first[2]
    assert "280 records sent again" in second[1] and "280 records sent by an earlier replay" in second[2]
    sent = site.sent(ended=True)
    assert sorted(record.value for record in sent) == sorted(site.records)
    by_value = {value: i for i, value in enumerate(site.records)}
    assert all((record.key, dict(record.headers)["trace"]) == (b"KEY-%d" % by_value[record.value], b"t%d" % by_value[record.value])
               for record in sent)
    assert len({dict(record.headers)[HEADER] for record in sent}) == ENTRIES
    lines = (site.folder / "deployment.yaml.audit.jsonl").read_bytes().splitlines()
    events = [json.loads(line) for line in lines]
    assert [(e["event"], e["outcome"], e.get("replayed")) for e in events] == [
        ("reveal", "begun", None), ("reveal", "done", None), ("replay", "begun", None), ("replay", "done", 280), ("replay", "begun", None),
        ("replay", "done", 280)]
    assert broken_links(lines) == [] and b"SECRET" not in b"".join(lines) and b"KEY-" not in b"".join(lines)


def test_killed_or_twice_at_once_each_record_is_sent_once(site):
    """A replay that is killed has sent whole transactions; the next sends the rest, and one that it has overtaken sends nothing more."""
    mark = site.folder / "mark"
    running = site.begin(*site.blocking(mark))
    until(running, mark)
    os.killpg(running.pid, signal.SIGKILL)
    finish(running)
    mark.unlink()
    assert len(site.sent()) == BATCH
    overtaken = site.begin(*site.blocking(mark))
    until(overtaken, mark)
    assert len(site.sent()) == BATCH
    [done] = site.run(["replay", "--as-is", *WHO])
    assert done[0] == 0 and f"{ENTRIES - BATCH} records sent again" in done[1]
    mark.unlink()
    out, err = finish(overtaken)
    assert overtaken.returncode == 1 and "another replay of this quarantine has begun" in err and "SECRET" not in out + err
    assert sorted(record.value for record in site.sent(ended=True)) == sorted(site.records)


def test_what_cannot_be_reached_is_told(site):
    """A topic that is not there, and brokers that do not answer, are one sentence with a hint and no Java trace."""
    body = yaml.safe_load(site.deployment.read_text())
    body["sinks"]["quarantine"]["topic"] = "no-such-topic"
    site.deployment.write_text(yaml.safe_dump(body))
    missing, elsewhere = site.run(["summary"], ["replay", "--as-is", "--output", site.folder / "x", *WHO])
    assert missing[0] == 1 and "topic no-such-topic does not exist" in missing[2] and "Hint: " in missing[2]
    assert elsewhere[0] == 2 and "--output" in elsewhere[2]
    assert not any("Traceback" in done[2] or "at org." in done[2] for done in (missing, elsewhere))
