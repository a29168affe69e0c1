"""Jobs and a PostgreSQL vault that goes away: they wait, go on, or fail; nothing is lost, and two of them make the same tokens."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import job_material as material
import processes
import psycopg
import pytest
import yaml
from postgres_server import PASSWORD, PostgresServer
from waiting import finish, stretched

from flink_masking.tools.reconcile import count_lines, lines
from flink_masking.vault.postgres import TOKENS

pytestmark = [pytest.mark.flink, pytest.mark.slow]
POLICY = material.FIELDS + """\
  analytics:
    view: masked
    rules:
      order: keep
      ssn: {technique: tokenize, domain: ssn}
      "*": drop
"""


class Watching:
    """A job that watches a directory, with its own sinks and checkpoints, and the vault that it shares with others."""

    def __init__(self, place: Path, keys: str, vault: str, patience: int) -> None:
        """Write policy and deployment."""
        self.place, self.views, self.checkpoints = place, place / "views", place / "checkpoints"
        (place / "raw").mkdir(parents=True)
        (place / "policy.yaml").write_text(POLICY)
        rolling = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "300 ms"}
        sinks = {name: {"connector": "filesystem", "path": (self.views / name).as_uri(), **rolling}
                 for name in ("analytics", "audit", "quarantine")}  # fmt: skip
        source = {"connector": "filesystem", "path": (place / "raw").as_uri(), "source.monitor-interval": "200 ms"}
        self._body = {"source": source, "sinks": sinks, "keys": keys, "vault": vault, "vault_patience": f"{patience}s"}

    def arguments(self, **settings: str) -> tuple[object, ...]:
        """What the job is started with."""
        flink = {
            "parallelism.default": 1, "io.tmp.dirs": str(self.place / "tmp"), "restart-strategy.type": "disable",
            "execution.checkpointing.interval": "500 ms", "execution.checkpointing.dir": self.checkpoints.as_uri(),
            "execution.checkpointing.storage": "filesystem",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION", **settings,
        }  # fmt: skip
        (self.place / "deployment.yaml").write_text(yaml.safe_dump({**self._body, "flink": flink}))
        return *processes.FAN_OUT, "--policy", self.place / "policy.yaml", "--deployment", self.place / "deployment.yaml", "--wait"

    def give(self, name: str, events: material.Events) -> None:
        """Put a file into the watched directory, whole from the first moment."""
        part = self.place / name
        part.write_bytes(material.text(events.lines))
        part.rename(self.place / "raw" / name)

    def masked(self) -> int:
        """Lines of the view so far."""
        return count_lines(self.views / "analytics")

    def tokens(self) -> dict[int, str]:
        """The token of each record that has one."""
        return {record["order"]: record["ssn"] for record in material.records(self.views / "analytics") if "ssn" in record}

    def latest_checkpoint(self) -> str:
        """The newest complete checkpoint."""
        return max(self.checkpoints.rglob("_metadata"), key=lambda path: path.stat().st_mtime).parent.as_uri()


@pytest.fixture(scope="module")
def story(place: Path, key_uri: str, server: PostgresServer) -> dict[str, Any]:
    """The vault away for a moment, then for good; the job again from its checkpoint, and beside it another one with the same values."""
    uri, patience = server.database(), round(stretched(6))
    bare = uri.replace(f":{PASSWORD}@", "@")
    (place / "password").write_text(PASSWORD + "\n")
    (place / "passfile").write_text(f"127.0.0.1:{server.port}:*:owner:{PASSWORD}\n")
    (place / "passfile").chmod(0o600)
    # One has its password by a reference that its workers resolve, the other from libpq's passfile.
    job = Watching(place / "job", key_uri, bare.replace("@", f":${{file:{place}/password}}@") + "?passfile=/dev/null", patience)
    other = Watching(place / "other", key_uri, f"{bare}?passfile={place}/passfile", patience)
    parts = [material.make_events(place, 2_000, 400, 20 + k, first=2_000 * k) for k in range(4)]
    seen: dict[str, Any] = {"job": job, "other": other, "parts": parts, "server": server, "uri": uri, "patience": patience}
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PGPASSWORD", raising=False)
        with processes.started(job.place, *job.arguments()) as process:
            job.give("a", parts[0])
            processes.wait_for("the first file is masked", lambda: job.masked() == 2_000, process, job.masked)
            seen["before"] = job.tokens()
            server.stop()
            job.give("b", parts[1])
            time.sleep(patience / 2)
            seen["while away"] = (process.poll(), job.masked())
            server.start()
            processes.wait_for("the job goes on", lambda: job.masked() == 4_000, process, job.masked)
            server.stop()
            job.give("c", parts[2])
            seen["out"], seen["err"] = finish(process)
            seen["code"], seen["at the end"] = process.returncode, job.masked()
        server.start()
        again = job.arguments(**{"execution.state-recovery.path": job.latest_checkpoint()})
        with processes.started(job.place, *again) as first, processes.started(other.place, *other.arguments()) as second:
            processes.wait_for("nothing is lost", lambda: job.masked() >= 6_000, first, job.masked)
            processes.wait_for("the other job looks for files", lambda: any(other.checkpoints.rglob("_metadata")), second)
            for one in (job, other):
                one.give("d", parts[3])
            processes.wait_for("the job masks the last file", lambda: job.masked() >= 8_000, first, job.masked)
            processes.wait_for("so does the other", lambda: other.masked() >= 2_000, second, other.masked)
    return seen


def test_a_job_waits_for_its_vault(story):
    """While the vault is away for less than its patience the job stays, writes nothing, and goes on when the vault is back."""
    assert story["while away"] == (None, 2_000)
    assert story["before"].items() <= story["job"].tokens().items()


def test_a_vault_that_stays_away_fails_the_job(story):
    """When patience ends the job fails with one line that says which vault could not be reached; nothing of the batch is written."""
    assert story["code"] == 1
    (line,) = [line for line in story["err"].splitlines() if line.startswith("error: ")]
    port = story["server"].port
    assert f"VaultUnavailableError: postgresql://127.0.0.1:{port}/" in line and f"could not be reached for {story['patience']} s" in line
    assert "Hint: " in story["err"] and "Traceback" not in story["err"] and PASSWORD not in story["err"]
    assert story["at the end"] == 4_000


def test_no_record_is_lost_or_doubled(story):
    """Started again from its checkpoint with the vault back, the job has masked every record of every file exactly once."""
    counts = Counter(record["order"] for record in material.records(story["job"].views / "analytics"))
    assert counts == dict.fromkeys(range(8_000), 1)
    assert list(lines(story["job"].views / "quarantine")) == []


def test_a_value_has_one_token_through_it_all(story):
    """Before, between and after the outages the same value has the same token, and different values have different ones."""
    truth = {order: event["ssn"] for part in story["parts"] for order, event in part.truth.items() if "ssn" in event}
    tokens = story["job"].tokens()
    assert tokens.keys() == truth.keys()
    pairs = {(truth[order], token) for order, token in tokens.items()}
    assert len(pairs) == len({value for value, _ in pairs}) == len({token for _, token in pairs}) > 1_000


def test_two_jobs_make_the_same_tokens_at_once(story):
    """Two jobs that met the same new values in the same moment gave them the same tokens, and the vault has one for each value."""
    last = story["parts"][3].truth
    tokens = story["job"].tokens()
    assert story["other"].tokens() == {order: tokens[order] for order, event in last.items() if "ssn" in event}
    with psycopg.connect(story["uri"]) as connection:
        (held,) = connection.execute(f"SELECT count(*) FROM {TOKENS}").fetchone() or (0,)
    assert held == len(set(tokens.values()))


def test_nothing_holds_a_clear_value(story):
    """Neither views, finished or not, nor checkpoints, logs, temporary files or messages hold a personal value or the password."""
    known = material.secrets(event for part in story["parts"] for event in part.truth.values())
    for watching in (story["job"], story["other"]):
        for directory in (watching.views, watching.checkpoints, watching.place / "log", watching.place / "tmp"):
            assert material.leaked(directory, known) == set(), directory
            files = [file for file in directory.rglob("*") if file.is_file() and file.suffix != ".jar"]
            assert not any(PASSWORD.encode() in file.read_bytes() for file in files), directory
    assert not any(value.decode() in story["out"] + story["err"] for value in known)
