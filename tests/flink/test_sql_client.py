"""Flink's real SQL client runs scripts: a job for a policy, joins across masked streams, the way back for who may."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import job_material as material
import processes
import pytest
import sql_client
import yaml
from site_of_fan_out import Site
from waiting import run

from flink_masking import Protector
from flink_masking.java import java_home
from flink_masking.sql.script import declarations
from flink_masking.sql.session import GLOBAL, setting
from flink_masking.tools.reconcile import lines

pytestmark = [pytest.mark.flink, pytest.mark.slow]
PEOPLE, ORDERS, TICKETS = 40, 300, 120


class Finished(NamedTuple):
    """What the script left."""

    said: str
    place: Path
    site: Site
    orders: list[dict[str, object]]
    tickets: list[dict[str, object]]


def _deployment(place: Path, site: Site) -> Path:
    sinks = {name: {"connector": "filesystem", "path": (place / "views" / name).as_uri()} for name in material.SINKS}
    (place / "deployment.yaml").write_text(yaml.safe_dump({**site.body, "sinks": sinks}))
    return place / "deployment.yaml"


def _table(place: Path, name: str, columns: str) -> str:
    return f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'filesystem', 'path' = '{(place / name).as_uri()}', 'format' = 'json');\n"


def _written(place: Path, name: str, rows: list[dict[str, object]]) -> None:
    (place / name).mkdir()
    (place / name / "part.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _script(place: Path, key_uri: str) -> str:
    """Two raw streams are masked; what follows sees the masked ones alone, but for the sessions that ask for tokens' values."""
    def parameters(**more: str) -> str:
        text = setting(keys=key_uri, vault=f"sqlite://{place}/vault.db", **more).replace("'", "''")
        return f"SET '{GLOBAL}' = '{text}';\n"

    return "".join([
        parameters(),
        "SET 'execution.runtime-mode' = 'batch';\n",
        declarations(),
        _table(place, "orders", "email STRING, ssn STRING, age INT, amount INT"),
        _table(place, "tickets", "mail STRING, topic STRING"),
        _table(place, "masked_orders", "customer STRING, ssn STRING, age STRING, amount INT"),
        _table(place, "masked_tickets", "customer STRING, topic STRING"),
        _table(place, "joined", "customer STRING, amount INT, topic STRING"),
        _table(place, "by_age", "age STRING, orders BIGINT, spend BIGINT"),
        _table(place, "reopened", "ssn STRING, amount INT"),
        "EXECUTE STATEMENT SET BEGIN\n",
        "INSERT INTO masked_orders SELECT pseudonym(email, 'customer'), tokenize(ssn, 'ssn'), generalize(age, 'width', 10), amount ",
        "FROM orders;\n",
        "INSERT INTO masked_tickets SELECT pseudonym(mail, 'customer'), topic FROM tickets;\n",
        "END;\n",
        "INSERT INTO joined SELECT o.customer, o.amount, t.topic FROM masked_orders AS o JOIN masked_tickets AS t ",
        "ON o.customer = t.customer;\n",
        "INSERT INTO by_age SELECT age, COUNT(*), SUM(amount) FROM masked_orders GROUP BY age;\n",
        parameters(actor="jane.doe", purpose="chargeback 4711"),
        "INSERT INTO reopened SELECT detokenize(ssn, 'ssn'), amount FROM masked_orders WHERE amount < 10;\n",
        parameters(actor="john.doe"),
        "INSERT INTO reopened SELECT detokenize(ssn, 'ssn'), amount FROM masked_orders;\n",
    ])  # fmt: skip


@pytest.fixture(scope="module")
def finished(place: Path, key_uri: str, fanned_out: Site) -> Finished:
    """One run of the client on one script: the job of a policy first, then everything else."""
    try:
        home = sql_client.flink_home(place)
    except sql_client.Unavailable as reason:
        pytest.skip(str(reason))
    orders = [{"email": f"user{i % PEOPLE}@example.com", "ssn": f"123-45-{i % PEOPLE:04d}", "age": 20 + i % PEOPLE, "amount": i}
              for i in range(ORDERS)]  # fmt: skip
    tickets = [{"mail": f"user{i % (2 * PEOPLE)}@example.com", "topic": f"topic {i % 3}"} for i in range(TICKETS)]
    _written(place, "orders", orders)
    _written(place, "tickets", tickets)
    made = processes.run(place, *processes.CLI, "sql", "job", fanned_out.policy, _deployment(place, fanned_out), "--wait")
    assert made.code == 0, made.err
    (place / "job.sql").write_text(made.out + _script(place, key_uri))
    said = _run(place, home)
    return Finished(said, place, fanned_out, orders, tickets)


def _run(place: Path, home: Path) -> str:
    python, logs = sys.executable, place / "log"
    logs.mkdir(exist_ok=True)
    options = ["-pyexec", python, "-pyclientexec", python, "-Dexecution.target=local", "-f", place / "job.sql"]
    command = [home / "bin" / "sql-client.sh", *options]
    # LIB and OPT, too: PyFlink has set its own where an earlier test ran a job in this process.
    environment = {**os.environ, "JAVA_HOME": str(java_home()), "FLINK_HOME": str(home), "FLINK_CONF_DIR": str(home / "conf"),
                   "FLINK_LIB_DIR": str(home / "lib"), "FLINK_OPT_DIR": str(home / "opt"),
                   "FLINK_LOG_DIR": str(logs), "TMPDIR": str(place)}  # fmt: skip
    return run(command, cwd=place, env=environment, stderr=subprocess.STDOUT).out


def _rows(place: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(place / name)]


def _logs(finished: Finished) -> str:
    """What Flink and the client have said."""
    return finished.said + "".join(file.read_text(errors="replace") for file in (finished.place / "log").rglob("*") if file.is_file())


def _contents(view: Path) -> bytes:
    """The lines of a view, in order, one file behind the other."""
    return b"".join(line + b"\n" for line in lines(view))


def test_the_job_of_a_policy_makes_the_same_views(finished, key_uri):
    """The script of ``sql job`` writes each masked segment byte for byte as ``jobs/fan_out.py`` does, and as the engine without Flink."""
    site = finished.site
    result = Protector(site.policy, key_uri).protect(site.raw.read_bytes().splitlines())
    for segment in ("analytics", "development"):
        written = _contents(finished.place / "views" / segment)
        assert written == _contents(site.views / segment), finished.said[-3000:]
        assert written == material.text(result.views[segment].drop_null().to_pylist())
        assert written.count(b"\n") == len(site.events.lines)


def test_the_job_of_a_policy_rejects_the_same(finished):
    """Both quarantines hold the same entries, but for the time and the sealing of the records; both audits count every record once."""
    facts = []
    for views in (finished.place / "views", finished.site.views):
        entries = [json.loads(line) for line in lines(views / "quarantine")]
        events = [json.loads(line) for line in lines(views / "audit")]
        seen = sum(event["records"] for event in events if event["event"] == "protect")
        facts.append((Counter((e["stream"], e["reason"], e["path"], e["position"]) for e in entries), seen))
    assert facts[0] == facts[1]
    assert facts[0][0].total() == len(material.BROKEN)


def test_masked_streams_join(finished):
    """Two streams masked with one domain join on the pseudonym exactly as the raw ones would on the address."""
    topics = [(ticket["mail"], ticket["topic"]) for ticket in finished.tickets]
    expected = Counter((order["amount"], topic) for order in finished.orders for mail, topic in topics if mail == order["email"])
    joined = _rows(finished.place, "joined")
    assert Counter((row["amount"], row["topic"]) for row in joined) == expected, finished.said[-3000:]
    assert len({row["customer"] for row in joined}) == PEOPLE
    assert not any("@" in row["customer"] for row in joined)


def test_masked_values_are_aggregated(finished):
    """Counts and sums by a generalised value are those of the raw ones."""
    groups = {f"{low}-{low + 9}": [o["amount"] for o in finished.orders if low <= o["age"] < low + 10] for low in (20, 30, 40, 50)}
    expected = {name: (len(amounts), sum(amounts)) for name, amounts in groups.items()}
    assert {row["age"]: (row["orders"], row["spend"]) for row in _rows(finished.place, "by_age")} == expected


def test_an_authorised_session_has_the_values_back(finished):
    """Who says who they are and what for gets the values of tokens; the vault and the masked stream hold none in clear."""
    expected = {order["amount"]: order["ssn"] for order in finished.orders if order["amount"] < 10}
    assert {row["amount"]: row["ssn"] for row in _rows(finished.place, "reopened")} == expected, finished.said[-3000:]
    held = b"".join(file.read_bytes() for file in [*finished.place.glob("vault.db*"), *(finished.place / "masked_orders").rglob("*part*")])
    assert held
    assert not any(order["ssn"].encode() in held for order in finished.orders)


def test_a_session_without_a_purpose_has_nothing(finished):
    """A session that does not say what for fails; Flink's log has the reason in words."""
    assert "detokenize gives clear values back, and the session does not say flink-masking.purpose" in _logs(finished)
    assert finished.said.count("[ERROR]") == 1


def test_the_way_back_is_logged(finished):
    """Flink's log says who had clear values back, why, by which function and how many; it holds none of them."""
    said = _logs(finished)
    events = [json.loads(event) for event in re.findall(r'\{"event": "unprotect".*?\}', said)]
    facts = {(e["actor"], e["purpose"], e["function"], e["domain"]) for e in events}
    assert facts == {("jane.doe", "chargeback 4711", "detokenize", "ssn")}
    assert sum(e["count"] for e in events) == sum(e["opened"] for e in events) == 10  # Flink decides how many batches those are
    assert not any(order["ssn"] in said for order in finished.orders)
