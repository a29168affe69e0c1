"""The sealer as a job, on files."""

import processes
import pytest
import yaml
from sealed_logs import POLICY, RING, batches

from flink_masking.audit.entries import read_entries
from flink_masking.audit.events import is_leaves
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.sealer import Sealer
from flink_masking.audit.stores import Directory
from flink_masking.audit.trace import trace
from flink_masking.audit.verify import verify

pytestmark = [pytest.mark.flink, pytest.mark.slow]


def test_the_job_seals_what_is_there_and_nothing_twice(tmp_path):
    """The job, and the command over the same files after it, leave every event in the log once, with its leaf hashes."""
    released, lines = batches(40, 2)
    signer = NoteSigner.create(tmp_path / "log.key", "audit.example.com/orders")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "part-0").write_bytes(b"".join(line + b"\n" for line in lines))
    (tmp_path / "policy.yaml").write_text(POLICY.text)
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {"connector": "filesystem", "path": (tmp_path / "raw").as_uri()}, "keys": "env://NOTHING",
        "sinks": {"audit": {"connector": "filesystem", "path": (tmp_path / "audit").as_uri()}}, "flink": {"parallelism.default": 2},
        "audit": {"log": str(tmp_path / "log"), "key": str(tmp_path / "log.key"), "seal_every": "1s"}}))
    done = processes.run(tmp_path, "-m", "jobs.audit_log", "--policy", tmp_path / "policy.yaml", "--deployment",
                         tmp_path / "deployment.yaml", "--bounded", "--wait")
    assert done.code == 0, done.err[-3000:]
    store = Directory(tmp_path / "log")
    with Sealer(store, signer, tmp_path / "log" / ".sealer") as sealer:
        sealer.seal(lines, {})
    found = verify(store, [signer.verifier], ring=RING)
    assert (found.faults, found.untraced) == ([], 0)
    assert sorted(read_entries(store, found.checkpoint.size)) == sorted(line for line in lines if not is_leaves(line))
    assert trace(store, "support", released[5])
