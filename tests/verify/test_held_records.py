"""Records in memory are measured as the same records in files."""

import pytest
from released_run import Released, released_run

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.source import PolicySource
from flink_masking.verify.aggregated import verify_aggregated
from flink_masking.verify.files import read_policy, verify
from flink_masking.verify.joint import join_views, verify_joint
from flink_masking.verify.records import Held


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """1,000 events of 250 people."""
    return released_run(tmp_path_factory.mktemp("held"), CUSTOMER_EVENTS, 1000, 250)


def held(path):
    """What a directory of one file, or a file, holds."""
    return Held((path / "part-0" if path.is_dir() else path).read_bytes().splitlines())


def test_joins_in_memory_are_those_of_files(run):
    """Views and raw records in memory give the same joins as an output directory."""
    source = PolicySource.read(run.policy)
    views = {folder.name: held(folder) for folder in run.output.iterdir()}
    found = join_views(read_policy(source), source, held(run.raw), views)
    assert found == verify_joint(source, run.raw, run.output) != []


def test_an_aggregated_view_in_memory_is_measured_like_files(run):
    """Rows in memory keep the promises that rows of a file keep, with the same counts and figures."""
    source, name = PolicySource.read(run.policy), "aggregated-customer-metrics"
    policy = read_policy(source)
    report = verify_aggregated(name, policy.segments[name], policy, held(run.raw), held(run.output / name))
    assert report.as_dict() == verify(source, run.raw, run.output / name).as_dict()
