"""Whole policies in SQL: protect(payload, segment), the row of views, and the script of a job."""

import pickle
import re

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import udfs
from flink_masking import Protector
from flink_masking.cli.app import app
from flink_masking.deployment.model import Deployment
from flink_masking.engine.plan import compile_plan
from flink_masking.errors import InputError, JobError, KeyRingError
from flink_masking.flink.settings import DEFAULTS
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.sql.script import job
from flink_masking.sql.session import GLOBAL, KEYS, POLICY, Session, setting

POLICY_TEXT = """\
version: 1
stream: events
subject: customer
fields:
  customer: {class: identifier, optional: false}
  email: {class: direct, type: email}
  age: {class: quasi, domain: [0, 120]}
segments:
  analytics:
    view: masked
    rules: {customer: {technique: pseudonym, domain: customer}, email: {technique: partial, keep_first: 1, keep_after: "@"}, age: keep}
  support:
    view: masked
    rules: {email: {technique: partial, keep_first: 1, keep_after: "@", on_error: quarantine}, age: {technique: generalize, width: 10}}
  partners: {view: anonymized, k: 5, quasi_identifiers: [age]}
"""
RECORDS = [
    b'{"customer":"c1","email":"jane@example.com","age":41}',
    b'{"customer":"c2","email":"joe@example.com","age":"forty"}',
    b'{"customer":"c3","email":7,"age":41}',
    b'{"email":"joe@example.com"}',
    b"not JSON",
    b'{"customer":"c1","email":null}',
]


@pytest.fixture
def policy(tmp_path):
    """A policy with two masked segments and one that keeps state."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY_TEXT)
    return path


def opened(name, policy, key_uri):
    """A function as a worker has it after open()."""
    function = pickle.loads(cloudpickle.dumps(getattr(udfs, name)._func))

    class Context:
        """Job parameters as Flink gives them."""

        def get_job_parameter(self, key, default):
            """One of them."""
            return {POLICY: str(policy), KEYS: key_uri}.get(key, default)

    function.open(Context())
    return function


@pytest.mark.parametrize("records", [[*RECORDS, None], [None], []])
def test_protect_gives_what_the_engine_gives(policy, key_uri, records):
    """protect(payload, segment) is the segment's view; NULL for a record that is rejected, whichever segment rejects it, and for NULL."""
    result = Protector(policy, key_uri).protect(records)
    payload = pd.Series([record and record.decode() for record in records], dtype=object)
    for segment in ("analytics", "support"):
        expected = [None if view is None else view.decode() for view in result.views[segment].to_pylist()]
        assert opened("protect", policy, key_uri).eval(payload, segment).tolist() == expected
    assert expected[:1] == ['{"email":"j***@example.com","age":"40-49"}'] or len(records) < 2


def test_the_columns_of_a_job_have_audit_and_quarantine(policy, key_uri):
    """The functions of a job give all views, one audit event a batch and a line for each rejected record."""
    batch, names = pd.Series(RECORDS, dtype=object), ["view0", "view1", "audit", "quarantine"]
    functions = [opened(f"views_2_{name}", policy, key_uri) for name in names]
    frame = pd.DataFrame({name: function.eval(batch).to_pylist() for name, function in zip(names, functions, strict=True)})
    result = Protector(policy, key_uri).protect(RECORDS)
    assert frame["view0"].tolist() == result.views["analytics"].to_pylist()
    assert frame["view1"].tolist() == result.views["support"].to_pylist()
    assert frame["quarantine"].notna().to_numpy().nonzero()[0].tolist() == [row for row, _ in result.quarantine]
    assert frame["audit"].notna().tolist() == [True, *[False] * 5]
    assert np.array_equal(frame["view0"].isna(), frame["quarantine"].notna())


def test_wrong_segments_and_sessions_are_told(policy, key_uri):
    """A segment that is not there or keeps state, a script for another policy, and missing parameters are errors with a hint."""
    function, payload = opened("protect", policy, key_uri), pd.Series(RECORDS, dtype=object)
    with pytest.raises(InputError, match=r"no such masked segment. Hint: did you mean 'analytics'"):
        function.eval(payload, "analitics")
    with pytest.raises(InputError, match=r"no such masked segment. Hint: known masked segments: analytics, support"):
        function.eval(payload, "elsewhere")
    with pytest.raises(InputError, match=r"Hint: write protect"):
        function.eval(payload, pd.Series(["analytics"]))
    with pytest.raises(InputError, match=r"2 masked segments, the job was written for 3. Hint: print the script again"):
        opened("views_3_view0", policy, key_uri)
    with pytest.raises(KeyRingError, match=r"Hint: SET"):
        opened("protect", policy, "")
    with pytest.raises(InputError, match=r"names no policy. Hint: SET"):
        opened("protect", "", key_uri)


def deployment(**changed):
    """A deployment with a sink for everything."""
    names = ("analytics", "support", "partners", "audit", "quarantine")
    sinks = {name: {"connector": "blackhole", "path": f"it's {name}"} for name in names}
    source = {"connector": "kafka", "topic": "raw"}
    return {"source": source, "sinks": sinks, "keys": "file:///k's.json", "flink": {"parallelism.default": 3}, **changed}


def script(policy, wait=False, **changed):
    """The script for a deployment."""
    plan = compile_plan(load(PolicySource.read(policy)), KeyRing.ephemeral())
    return job(plan, str(policy), Deployment.model_validate(deployment(**changed)), DEFAULTS, wait)


def test_the_script_of_a_job(policy):
    """Settings, tables with escaped options, the function, and one statement set with an insert for each masked segment."""
    text = script(policy)
    inserts = re.findall(r"^INSERT INTO `sink (\w+)` SELECT (\w+) FROM flink_masking_protected WHERE \2 IS NOT NULL;$", text, re.MULTILINE)
    assert inserts == [("analytics", "view0"), ("support", "view1"), ("audit", "audit"), ("quarantine", "quarantine")]
    assert re.search(r"^EXECUTE STATEMENT SET\nBEGIN\n(INSERT .*\n){4}END;$", text, re.MULTILINE)
    assert "'path' = 'it''s analytics'" in text
    assert re.findall(r"AS 'udfs.views_2_(\w+)' LANGUAGE PYTHON;", text) == ["view0", "view1", "audit", "quarantine"]
    assert "SET 'parallelism.default' = '3';" in text and "SET 'python.fn-execution.bundle.time' = '50';" in text
    assert "partners" not in re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    assert "-- Left out, because they keep state: partners." in text
    assert ("table.dml-sync" in text, "table.dml-sync" in script(policy, wait=True)) == (False, True)
    assert f"flink-masking.policy: ''{policy}''" in text


def test_job_parameters_survive_sql_and_yaml(policy):
    """Quotes in an address come through both SQL's and YAML's quoting."""
    (value,) = re.findall(rf"^SET '{GLOBAL}' = '(.*)';$", script(policy), re.MULTILINE)
    known = {"flink-masking.keys": "file:///k's.json", "flink-masking.policy": str(policy)}
    assert yaml.safe_load(value.replace("''", "'")) == {**known, "flink-masking.key_refresh": "30s"}
    assert yaml.safe_load(setting(actor="o'neil: #1")) == {"flink-masking.actor": "o'neil: #1"}


def test_jobs_that_cannot_be_written_are_told(policy, tmp_path):
    """A missing sink, job parameters of the deployment's own, texts of several lines, and policies without masked segments are refused."""
    sinks = deployment()["sinks"]
    with pytest.raises(JobError, match=r"no sink for support"):
        script(policy, sinks={name: options for name, options in sinks.items() if name != "support"})
    with pytest.raises(InputError, match=r"global-job-parameters, which the script needs"):
        script(policy, flink={GLOBAL: "{}"})
    with pytest.raises(InputError, match=r"several lines"):
        script(policy, source={"connector": "a\n; DROP"})
    stateful = tmp_path / "stateful.yaml"
    stateful.write_text(re.sub(r"  (analytics|support):\n.*\n.*\n", "", POLICY_TEXT))
    with pytest.raises(InputError, match=r"no masked segment. Hint"):
        script(stateful)


def test_the_commands_print_sql(policy, tmp_path):
    """``sql functions`` and ``sql job`` print what can be handed to the SQL client as it is."""
    jar = tmp_path / "flink-sql-connector-kafka-it's.jar"
    jar.touch()
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(deployment(jars=[jar.as_uri()])))
    runner = CliRunner()
    functions = runner.invoke(app, ["sql", "functions"])
    assert functions.exit_code == 0
    assert functions.output.count("CREATE TEMPORARY SYSTEM FUNCTION") >= 15
    assert [line for line in functions.output.splitlines() if line and not line.startswith(("-- ", "CREATE "))] == []
    written = runner.invoke(app, ["sql", "job", str(policy), str(tmp_path / "deployment.yaml"), "--wait"])
    added = f"ADD JAR '{tmp_path}/flink-sql-connector-kafka-it''s.jar';\n"
    assert written.exit_code == 0
    assert (written.output.count(added), written.output.replace(added, "")) == (1, script(policy, wait=True))


def test_a_script_never_holds_what_was_given_by_reference(policy, tmp_path, monkeypatch):
    """A deployment with options by reference is refused, since a script would hold them in clear."""
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2-hunter2")
    path = tmp_path / "deployment.yaml"
    body = deployment(source={"connector": "datagen", "p": "${env:BROKER_PASSWORD}"})
    path.write_text(yaml.safe_dump(body))
    shown = CliRunner().invoke(app, ["sql", "job", str(policy), str(path)])
    assert isinstance(shown.exception, InputError) and "by reference" in str(shown.exception)
    assert "hunter2" not in shown.output + str(shown.exception)


def test_a_script_waits_as_its_deployment_says(policy, key_uri):
    """Intervals of the deployment come to the workers of a script: how often keys are looked at, how long a vault is waited for."""
    text = script(policy, key_refresh="40d", vault="sqlite:///v.db", vault_patience="90s")
    (value,) = re.findall(rf"^SET '{GLOBAL}' = '(.*)';$", text, re.MULTILINE)
    given = yaml.safe_load(value.replace("''", "'"))
    assert (given["flink-masking.key_refresh"], given["flink-masking.vault_patience"]) == ("40d", "90s")
    session = Session(lambda name, default: {**given, KEYS: key_uri}.get(name, default))
    session.ring()
    assert session._watcher._interval == 40 * 86_400
    with pytest.raises(InputError, match=r"flink-masking.key_refresh is not a duration. Hint"):
        Session(lambda name, default: "soon")


def test_a_session_takes_no_control_documents():
    """Functions that would follow policies each by itself are refused, with what takes them."""
    with pytest.raises(InputError, match=r"Hint: jobs/fan_out\.py and protect_table do"):
        Session(lambda name, default: {"flink-masking.control": "/etc/deployment.yaml"}.get(name, default))
