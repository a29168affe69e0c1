"""The section control of a deployment."""

import pytest

from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import Tables
from flink_masking.documents.faults import DeploymentFaults
from flink_masking.engine.plan import compile_plan
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

from control_documents import policy_text  # isort: skip

BASE = """\
source: {connector: kafka, topic: in, properties.bootstrap.servers: 'localhost:1'}
sinks:
  masked: {connector: kafka, topic: out, properties.bootstrap.servers: 'localhost:1'}
  audit: {connector: blackhole}
  quarantine: {connector: blackhole}
keys: file:///keys.json
"""


@pytest.fixture
def read(tmp_path, signers):
    """Reads a deployment with a section control."""
    (tmp_path / "trust.json").write_bytes(signers.trust())

    def reading(section):
        (tmp_path / "deployment.yaml").write_text(f"{BASE}control:\n{section}")
        return Deployment.read(tmp_path / "deployment.yaml")
    return reading


def test_the_trust_file_becomes_part_of_the_job(read, signers):
    """The options hold what the section says, with the trust file read; without state there is a warning."""
    found = read("  source: file:///control\n  trust: trust.json\n  refresh: 1s\n  max_staleness: 1min\n")
    options = found.control_options
    assert (options.source, options.refresh, options.max_staleness, options.state) == ("file:///control", 1000, 60_000, None)
    assert options.trust == signers.trust().decode() and "without state" in found.warnings[-1] and found.in_clear == found.warnings[:-1]


@pytest.mark.parametrize(("section", "line", "said"), [
    ("  source: ftp://x\n  trust: trust.json\n", 8, "no address"),
    ("  source: file:///control\n  trust: no.json\n", 9, "there is no such file"),
    ("  source: file:///control\n  trust: deployment.yaml\n", 9, "not a DSSE envelope"),
    ("  source: file:///control\n  trust: trust.json\n  refresh: 1min\n  max_staleness: 1min\n", 11, "shorter than two looks"),
    ("  source: {connector: kafka, topic: c, properties.bootstrap.servers: h, properties.sasl.password: p}\n  trust: trust.json\n", 8,
     "in clear"),
    ("  source: file:///control\n  trust: trust.json\n  interval: 1s\n", 10, "refresh"),
])
def test_faults_have_their_place(read, section, line, said):
    """Each fault of the section is told with its line."""
    with pytest.raises(DeploymentFaults) as refused:
        read(section)
    (fault,) = refused.value.faults
    assert fault.line == line and said in fault.message + (fault.hint or "")


def test_headers_tell_the_version_of_each_record(read):
    """With control the headers of masked records are made of columns, without of constants."""
    plan = compile_plan(load(PolicySource("policy.yaml", policy_text(7))), KeyRing.ephemeral())
    found = read("  source: file:///control\n  trust: trust.json\n")
    live, fixed = (Tables(plan, one, clocked=True).insert("masked") for one in (found, found.model_copy(update={"control": None})))
    assert "CAST(policy_version AS STRING)" in live and "'policy_digest', policy_digest" in live
    assert "CAST(policy_version" not in fixed and "37" in fixed
