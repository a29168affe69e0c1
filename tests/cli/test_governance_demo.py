"""The governance demonstration's parts: it fails where a step does not show what it must; its webhook takes signed alerts only."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from waiting import until

from flink_masking.alerts.webhook import signature
from flink_masking.cli.governance.receiver import Receiver
from flink_masking.cli.governance.stage import Stage
from flink_masking.cli.governance.world import RULES
from flink_masking.errors import JobError
from flink_masking.examples import GOVERNANCE
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

SECRET = bytes(32)


def test_what_is_not_shown_fails_the_demonstration(tmp_path):
    """A false statement, a command that ends otherwise than it must, and one that is refused for another reason."""
    with Stage(tmp_path) as stage:
        stage.must(True, "one")
        with pytest.raises(JobError, match="has not shown: two"):
            stage.must(False, "two")
        stage.command("schema", shown=False)
        with pytest.raises(JobError, match="ended with 2"):
            stage.command("no-such-command")
        with pytest.raises(JobError, match="ended with 0"):
            stage.command("schema", refused="error", shown=False)
        with pytest.raises(JobError, match="another than 0 and 'signature'"):
            stage.command("no-such-command", refused="signature")
    assert stage.checks == 1


def test_a_job_that_has_ended_is_not_waited_for(tmp_path):
    """The wait fails at once and names the job's log."""
    with Stage(tmp_path) as stage:
        stage.job("main", "no_such_module")
        with pytest.raises(JobError, match=r"job main has ended while waiting: a record.*main\.log"):
            stage.until("a record", lambda: False)


def test_jobs_end_with_the_demonstration(tmp_path):
    """A job ends when the demonstration does, and when that is killed."""
    (tmp_path / "sleeper.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")
    program = ("import sys, time, pathlib\nfrom flink_masking.cli.governance.stage import Stage\n"
               "with Stage(pathlib.Path(sys.argv[1])) as stage:\n    stage.job('main', 'sleeper')\n"
               "    while not (stage.place / 'main.log').read_text(): time.sleep(0.05)\n    time.sleep(float(sys.argv[2]))\n")

    def alive(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    for seconds in (600, 0):
        log = tmp_path / "main.log"
        log.unlink(missing_ok=True)
        running = subprocess.Popen([sys.executable, "-P", "-c", program, str(tmp_path), str(seconds)], stdout=subprocess.DEVNULL,
                                   env={**os.environ, "PYTHONPATH": str(tmp_path)})
        until("the job runs", lambda log=log: log.exists() and log.read_text().endswith("\n"))
        if seconds == 600:
            running.kill()
        assert running.wait() == (-9 if seconds == 600 else 0)
        job = int(log.read_text())
        until("the job has ended", lambda job=job: not alive(job))


def test_the_webhook_takes_signed_alerts_only():
    """A valid signature is taken once for each id; one under another secret, of another body and of an old time is refused with 401."""
    def send(identifier, secret=SECRET, body=b'{"data":{"rule":"r"}}', at=None, signed=None):
        stamp = int(time.time()) if at is None else at
        headers = {"Webhook-Id": identifier, "Webhook-Timestamp": str(stamp),
                   "Webhook-Signature": signature(secret, identifier, stamp, signed or body)}
        try:
            with urllib.request.urlopen(urllib.request.Request(receiver.address, body, headers, method="POST")) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    with Receiver(SECRET) as receiver:
        assert [send("a"), send("a"), send("b")] == [204, 204, 204]
        assert [send("c", bytes([1]) * 32), send("d", signed=b"{}"), send("e", at=int(time.time()) - 3_600)] == [401, 401, 401]
        assert (receiver.alerts, receiver.refused) == ([{"rule": "r"}] * 2, 3)
        assert json.loads(receiver.requests[0].body) == {"data": {"rule": "r"}}


def test_the_demonstrations_policy_and_rules_have_no_fault(cli, tmp_path):
    """The policy loads without a warning, in both versions that are published, and the rules pass their check."""
    assert load(PolicySource.read(GOVERNANCE)).warnings == []
    (tmp_path / "alerts.yaml").write_text(json.dumps({**RULES, "targets": {"kept": {"file": str(tmp_path / "kept")}}}))
    assert cli("alerts", "check", tmp_path / "alerts.yaml").code == 0


def test_a_directory_of_others_is_not_emptied(cli, tmp_path):
    """--directory with files that no demonstration has made is refused, and they stay."""
    (tmp_path / "governance").mkdir()
    (tmp_path / "governance" / "thesis.txt").write_text("mine")
    done = cli("demo", "--governance", "--directory", tmp_path)
    assert done.code != 0 and "not empty" in done.err and (tmp_path / "governance" / "thesis.txt").read_text() == "mine"
