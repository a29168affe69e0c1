"""Protect as a step in somebody else's job: the page on embedding, the example job, and what is refused."""

import collections
import decimal
import json
import time
from pathlib import Path
from typing import Any

import job_material as material
import processes
import pytest
from control_documents import Signers, policy_text

from flink_masking.control.sources.local import DirectorySource
from flink_masking.keys.files import create

pytestmark = pytest.mark.flink
POLICY = material.POLICY.replace("      purchaseAmount: keep\n      timestamp: keep\n",
                                 "      zip: {technique: generalize, prefix: 1}\n      purchaseAmount: keep\n      timestamp: keep\n", 1)
LEAST = 10
ORDERS = ['{"customer":"C1","email":"ada@example.org","zip":"94110","amount":12.50}',
          '{"customer":"C2","email":"bob@example.org","zip":"10001","amount":9.99}', '{"customer":"C3","amount":99', '{"amount":100.00}']


@pytest.fixture(scope="module")
def given(place: Path) -> material.Events:
    """Events of the example job, with lines that nobody can read."""
    events = material.make_events(place, 1_500, 300, 9)
    (place / "events").write_bytes(material.text([*events.lines[:700], *material.BROKEN, *events.lines[700:]]))
    return events


@pytest.fixture(scope="module")
def answers(place: Path, given: material.Events) -> dict[str, Any]:
    """What all jobs of ``own_jobs.py`` left, run once in one process."""
    (place / "orders.jsonl").write_text("\n".join(ORDERS) + "\n")
    (place / "typed.csv").write_text("C1,ada@example.org,94110,12.50\n")
    (place / "example.yaml").write_text(POLICY)
    create(place / "keys.json")
    publish(place)
    program = Path(__file__).with_name("own_jobs.py")
    finished = processes.run(place, program, place / "example.yaml", f"file://{place / 'keys.json'}", place)
    assert finished.code == 0, finished.err[-4000:]
    return dict(json.loads(finished.out.splitlines()[-1]))


def publish(place: Path) -> None:
    """The policy of a job that takes control documents, and a higher version of it at their source."""
    signers, keyed = Signers(), "    record: {key: {technique: pseudonym, domain: d}}\n"
    (place / "control").mkdir()
    (place / "trust.json").write_bytes(signers.trust())
    (place / "live.yaml").write_text(policy_text(1))
    (place / "live-keyed.yaml").write_text(policy_text(1).replace("stream: s", "stream: k") + keyed)
    now = time.time_ns() // 1_000_000
    for stream, text in (("s", policy_text(2, "redact")), ("k", policy_text(2, "redact").replace("stream: s", "stream: k") + keyed)):
        document = signers.policy(2, text, stream=stream, issued_at=now)
        DirectorySource(place / "control").publish(stream, document)
    head = f"source: {{connector: datagen}}\nsinks: {{}}\nkeys: file://{place}/keys.json\n"
    (place / "no-control.yaml").write_text(head)
    (place / "live-deployment.yaml").write_text(head + f"control: {{source: 'file://{place}/control', trust: trust.json}}\n")


def test_a_job_of_ones_own_takes_live_policies(answers):
    """With `control` the policy at the source is in force, in the view, the headers and the audit; a deployment without one is refused."""
    live = answers["live"]
    assert [json.loads(line)["id"] for line in live["view"]] == ["***"]
    assert live["headers"]["policy_version"] == "2" and len(live["headers"]["policy_digest"]) == 64
    assert [(event["policy_version"], [one["outcome"] for one in event["control"]]) for event in live["audit"]] == [
        (2, ["taken", "in_force"])]
    assert "names no control documents" in live["none"]


def test_the_table_snippets_protect_what_passes_the_filter(answers):
    """A filter before, three tables behind: masked records, one line for the unreadable record, counts that add up."""
    page = answers["page"]
    shown = [json.loads(line) for line in page["analytics"]]
    assert [(record.get("email"), record.get("zip"), record["amount"]) for record in shown] == [("a***@example.org", "941**", 12.5),
                                                                                              (None, None, 100.0)]
    assert [json.loads(line)["reason"] for line in page["quarantine"]] == ["malformed"]
    assert sum(event["records"] for event in map(json.loads, page["audit"])) == 3


def test_a_table_of_columns_becomes_records(answers):
    """JSON_OBJECT makes records of typed columns, in a column of another name and of text."""
    [line] = answers["page"]["typed"]
    assert json.loads(line)["email"] == "a***@example.org" and json.loads(line)["amount"] == 12.5


def test_the_same_customer_has_the_same_pseudonym_in_every_way(answers):
    """Table, typed table and stream give one pseudonym for one customer."""
    page = answers["page"]
    views = [page["analytics"][0], page["typed"][0], page["stream"][1].removeprefix("view ")]
    assert len({json.loads(line)["customer"] for line in views}) == 1


def test_a_stream_gives_views_and_quarantine(answers):
    """Of two texts one is in the view, as bytes, and the other in the quarantine."""
    refused, shown = answers["page"]["stream"]
    assert shown.startswith('view {"customer":') and "ada@" not in shown
    assert refused.startswith("quarantine {") and "broken" not in refused


def test_a_job_that_forgets_the_quarantine_fails(answers):
    """At the first record that belongs there, with a hint; a job whose records are all good runs."""
    forgotten = answers["wrong"]["forgotten"]
    assert "this job does nothing with the quarantine. Hint: insert views.quarantine" in forgotten
    assert [list(json.loads(line)) for line in answers["wrong"]["good"]] == [["customer"]] * 2


def test_what_cannot_be_protected_is_refused_with_a_hint(answers):
    """Tables without the column, of another type, with updates, or under a name that is taken, and streams of objects."""
    wrong = answers["wrong"]
    assert "protects a table under that name already. Hint: name='…'" in wrong["twice"]
    assert "name: not a name. Hint: " in wrong["named"]
    assert "no column payload for the payload of records; it has line. Hint: columns=Columns(payload='…')" in wrong["no column"]
    assert "a record is BYTES or STRING. Hint: JSON_OBJECT" in wrong["type"]
    assert "emits a changelog" in wrong["changelog"] and "Hint: use an append-only source" in wrong["changelog"]
    assert "a rule for the headers of records, and no column is named for it. Hint: columns=Columns(headers='…')" in wrong["no key"]
    assert "Python objects. Hint: give the step before an output_type" in wrong["objects"]


def test_a_call_that_is_refused_leaves_nothing(answers):
    """The corrected call may have the same name, however late the first was refused; views of somebody else stay."""
    wrong = answers["wrong"]
    assert [list(json.loads(line)) for line in wrong["corrected"]] == [["customer"]] * 2
    assert "`flink_masking_s_dashboard_final`' already exists" in wrong["taken"]
    assert wrong["left"] == [["flink_masking_s_dashboard_final"], [], 0]
    assert wrong["free"] == ""


def test_parts_of_kafka_records_go_along(answers):
    """A view whose segment has rules for them has key and headers; the key is protected."""
    wrong = answers["wrong"]
    assert wrong["columns"] == ["line", "key", "headers"]
    assert wrong["record"] == ['{"at":1}', 22, ["key_version", "policy_digest", "policy_version", "trace"]]
    assert wrong["same key"] and wrong["rows"] == [22]


def test_functions_of_somebody_else_get_what_pyflink_gives_them(answers):
    """A vectorised function behind a view sees objects, not this library's arrays."""
    assert answers["wrong"]["kind"] in ("PandasArray", "NumpyExtensionArray")


def test_the_example_job_loses_nothing(answers, given, place):
    """Every event that passes the filter is in the masked views once, and in the windows of its region; the rest is refused."""
    kept = {order: event for order, event in given.truth.items() if event["purchaseAmount"] >= LEAST}
    assert 0 < len(kept) < len(given.truth)
    views = place / "example"
    for view in ("analytics", "development"):
        assert collections.Counter(record["order"] for record in material.records(views / view)) == dict.fromkeys(kept, 1)
    assert len(material.records(views / "quarantine")) == len(material.BROKEN)
    assert material.small_classes(material.records(views / "partners"), given.truth) == []
    expected: dict[tuple[str, str], list[decimal.Decimal]] = collections.defaultdict(list)
    for event in kept.values():
        minute = event["timestamp"][:16].replace("T", " ") + ":00"
        expected[minute, "west" if event["zip"][0] == "9" else "east"].append(decimal.Decimal(str(event["purchaseAmount"])))
    rows = material.records(views / "regions")
    found: dict[tuple[str, str], list[decimal.Decimal]] = collections.defaultdict(lambda: [decimal.Decimal(0)] * 2)
    for row in rows:  # one for each minute and first digit of the zip code
        events, sales = found[row["window_start"], row["region"]]
        found[row["window_start"], row["region"]] = [events + row["events"], sales + decimal.Decimal(str(row["sales"]))]
    assert {place: [len(sales), sum(sales)] for place, sales in expected.items()} == found


def test_all_that_may_hold_state_has_a_uid(answers):
    """Sources are called by their tables, sinks by their names, and the stateful segments as in the main job."""
    uids = set(answers["uids"])
    assert {"partners-anonymize", "dashboard-partial", "dashboard-final", "source: events", "source: regions"} <= uids
    assert {f"{sink}: StreamingFileWriter" for sink in (*material.SINKS, "regions")} <= uids
    assert any(uid.startswith("regions: Join") for uid in uids)


def test_workers_are_reached_from_this_host_only(answers):
    """`stream_environment` puts the services that listen on loopback before PyFlink's own."""
    assert answers["class path"].endswith("flink-masking-beam-services.jar")
