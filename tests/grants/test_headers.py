"""The header that tells the grants of a record, in the queries of a job."""

import pytest
from granted_jobs import policy_of, record

from flink_masking.deployment.queries import Queries
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.record import Transport
from flink_masking.flink.protect import ProtectColumns, columns
from flink_masking.keys.ring import KeyRing


@pytest.mark.parametrize("live", [False, True])
def test_a_granted_view_has_the_header(live):
    """Where control documents can open records, the granted view's query has the header grants, and no other view's has."""
    plan, transport = compile_plan(policy_of(), KeyRing.new()), Transport(record=True, live=live)
    queries = Queries(plan, transport, ["support", "debug"])
    assert ("grants1" in columns(plan, transport)) is live
    assert ("'grants', grants1" in queries.view("debug")) is live and "grants" not in queries.view("support")


def test_as_many_cells_as_columns(job):
    """A batch gives one cell for each column, the last one the ids of grants."""
    transport = Transport(record=True, live=True)
    made = job(transport=transport)
    name = made.grant(["p0"])
    worker = ProtectColumns(None, transport, 0)
    worker._protect, worker._timed = made.protect, []
    cells = worker._cells(made([record(0), record(1)]), b"")
    assert len(cells) == len(columns(made.protect.plan, transport)) and cells[-1].to_pylist() == [name.encode(), None]


def test_a_header_of_that_name_is_refused():
    """The masked segment cannot have a header of the same name."""
    from flink_masking.documents.faults import PolicyFaults

    with pytest.raises(PolicyFaults, match="which tells the grants of each record"):
        policy_of(change=("    view: masked\n", "    view: masked\n    record: {headers: {grants: keep}}\n"))


def test_an_upsert_topic_is_refused():
    """A topic that keeps the newest record of each key for good is no place for what a grant shows for a time."""
    from flink_masking.deployment.model import Deployment
    from flink_masking.deployment.tables import Tables
    from flink_masking.errors import JobError

    policy = policy_of(change=("    view: masked\n", "    view: masked\n    record: {key: {technique: pseudonym, domain: d}}\n"))
    table = {"connector": "kafka", "properties.bootstrap.servers": "localhost:9092"}
    sinks = {name: {**table, "topic": name} for name in ("support", "debug", "audit", "quarantine")}
    for connector in ("kafka", "upsert-kafka"):
        sinks["debug"]["connector"] = connector
        written = Deployment(source={**table, "topic": "raw"}, sinks=sinks, keys="k")
        if connector == "kafka":
            assert Tables(compile_plan(policy, KeyRing.new()), written, clocked=True).transport.upserts == ()
        else:
            with pytest.raises(JobError, match=r"sinks\.debug: .* also after the grant"):
                Tables(compile_plan(policy, KeyRing.new()), written, clocked=True)
