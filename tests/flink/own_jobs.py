"""Jobs of one's own in one Java virtual machine: python own_jobs.py POLICY KEYS PLACE; prints a JSON object.

First the page on embedding, snippet by snippet, with ``/data`` in PLACE; then the example job, and what must go wrong.
"""

import json
import re
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import DataTypes, StreamTableEnvironment, Table
from pyflink.table.udf import udf

from flink_masking import Columns, FlinkMaskingError, Views, protect_stream, protect_table, stream_environment
from flink_masking.deployment.queries import Names
from flink_masking.flink.compat.java_objects import java_environment
from flink_masking.flink.local import cause
from jobs import enrich_and_protect

KEYED = """\
version: 1
stream: keyed
fields: {id: {class: identifier}, at: {class: plain}}
segments:
  one:
    view: masked
    rules: {at: keep}
    record: {key: {technique: pseudonym, domain: d}, headers: {trace: keep}}
"""


def page(place: Path) -> dict[str, Any]:
    """Run the snippets of the page; what its views hold."""
    text = (files("flink_masking") / "docs" / "embed.md").read_text().replace("/data", str(place))
    (place / "policy.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    names: dict[str, Any] = {}
    for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(snippet, "embed.md", "exec"), names)
    held = {name: [line for file in sorted((place / name).iterdir()) if file.is_file() for line in file.read_text().splitlines()]
            for name in ("analytics", "audit", "quarantine")}
    return {**held, "typed": [bytes(line).decode() for line in names["lines"]], "stream": names["collected"]}


def example(place: Path, policy: Path, keys: str) -> None:
    """The example job over a file that ends."""
    views = {name: {"connector": "filesystem", "path": (place / "example" / name).as_uri()}
             for name in ("analytics", "development", "partners", "dashboard", "audit", "quarantine", "regions")}
    views["regions"]["format"] = "json"
    body = {"source": {"connector": "filesystem", "path": (place / "events").as_uri()}, "sinks": views, "keys": keys}
    (place / "deployment.json").write_text(json.dumps(body))
    (place / "regions.csv").write_text("".join(f"{digit},{'west' if digit == 9 else 'east'}\n" for digit in range(10)) + "?,unknown\n")
    sys.argv = ["enrich_and_protect.py", "--policy", str(policy), "--deployment", str(place / "deployment.json"),
                "--regions", str(place / "regions.csv"), "--bounded", "--wait"]
    enrich_and_protect.main()


def told(job: Callable[[], Any]) -> str:
    """The error of a job, as a person would be told; empty where there is none."""
    try:
        job()
    except FlinkMaskingError as error:
        return str(error)
    except Exception as error:
        return cause(error)
    return ""


def fresh() -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """Environments of one more job."""
    environment = stream_environment({"parallelism.default": "1"})
    return environment, StreamTableEnvironment.create(environment)


def protected(t_env: StreamTableEnvironment, query: str, policy: Path, keys: str, **options: Any) -> Views[Table]:
    """Views of the records of a query."""
    return protect_table(t_env, t_env.sql_query(query), policy, keys, bounded=True, **options)


def collected(table: Table) -> list[list[Any]]:
    """The rows of a table."""
    with table.execute().collect() as rows:
        return [list(row) for row in rows]


def wrong(place: Path, keys: str) -> dict[str, Any]:
    """What is refused, and what a job without a quarantine says."""
    policy = place / "policy.yaml"
    good = "SELECT ENCODE(v, 'UTF-8') AS payload FROM (VALUES ('{\"customer\":\"C1\"}'), ('{\"customer\":\"C2\"}')) AS t(v)"
    bad = "SELECT v AS payload FROM (VALUES ('{\"customer\":\"C1\"}'), ('broken')) AS t(v)"
    (place / "keyed.yaml").write_text(KEYED)
    _, t_env = fresh()
    found = {"forgotten": told(lambda: collected(protected(t_env, bad, policy, keys, name="f")["analytics"]))}
    views = protected(t_env, good, policy, keys)
    found["good"] = [bytes(line).decode() for [line] in collected(views["analytics"])]
    found["twice"] = told(lambda: protected(t_env, good, policy, keys))
    found["named"] = told(lambda: protected(t_env, good, policy, keys, name="No Name"))
    found["no column"] = told(lambda: protected(t_env, "SELECT 'x' AS line", policy, keys, name="a"))
    found["type"] = told(lambda: protected(t_env, "SELECT 1 AS payload", policy, keys, name="b"))
    changing = "SELECT CAST(n AS STRING) AS payload FROM (SELECT v, COUNT(*) AS n FROM (VALUES 'x', 'y') AS t(v) GROUP BY v)"
    found["changelog"] = told(lambda: protected(t_env, changing, policy, keys, name="c"))
    corrected = protected(t_env, good, policy, keys, name="c")["analytics"]
    found["corrected"] = [bytes(line).decode() for [line] in collected(corrected)]
    found["no key"] = told(lambda: protected(t_env, good, place / "keyed.yaml", keys, name="d"))
    raw = ("SELECT v AS payload, k, MAP['trace', ENCODE(k, 'UTF-8')] AS h "
           "FROM (VALUES ('{\"id\":\"i\",\"at\":1}', 'k1'), ('{\"id\":\"j\",\"at\":1}', 'k1')) AS t(v, k)")
    keyed = protected(t_env, raw, place / "keyed.yaml", keys, name="e", columns=Columns(key="k", headers="h"))
    found["columns"] = keyed["one"].get_resolved_schema().get_column_names()
    [[line, key, headers], [_, same, _]] = collected(keyed["one"])
    found["same key"] = bytes(key) == bytes(same)
    found["record"] = [bytes(line).decode(), len(bytes(key)), sorted(headers)]
    kind = udf(lambda column: pd.Series([type(column.array).__name__] * len(column)), result_type=DataTypes.STRING(), func_type="pandas")
    t_env.create_temporary_system_function("kind", kind)
    t_env.create_temporary_view("seen", views["analytics"])
    found["kind"] = collected(t_env.sql_query("SELECT kind(line) FROM seen"))[0][0]
    found |= left_over(place / "example.yaml", keys)
    environment, _ = fresh()
    objects = environment.from_collection(["x"]).map(lambda value: value)
    found["objects"] = told(lambda: protect_stream(environment, objects, policy, keys))
    rows = environment.from_collection([('{"id":"i","at":1}', "k1")], Types.ROW_NAMED(["payload", "k"], [Types.STRING(), Types.STRING()]))
    kept = KEYED.replace("headers: {trace: keep}", "headers: {}")
    (place / "kept.yaml").write_text(kept)
    streams = protect_stream(environment, rows, place / "kept.yaml", keys, columns=Columns(key="k"), bounded=True)
    found["rows"] = [len(bytes(row[1])) for row in streams["one"].execute_and_collect()]
    return found


def live(place: Path, keys: str) -> dict[str, Any]:
    """A job that takes control documents: two records, and the event of their batch."""
    _, t_env = fresh()
    raw = "SELECT ENCODE(v, 'UTF-8') AS payload, k FROM (VALUES ('{\"id\":\"i\",\"ssn\":\"1\"}', 'k1')) AS t(v, k)"
    deployment = place / "live-deployment.yaml"
    views = protected(t_env, raw, place / "live.yaml", keys, control=deployment)
    found: dict[str, Any] = {"view": [bytes(line).decode() for [line] in collected(views["masked"])]}
    with_key = place / "live-keyed.yaml"
    keyed = protected(t_env, raw, with_key, keys, name="k", columns=Columns(key="k"), control=str(deployment))
    [[_, _, headers]] = collected(keyed["masked"])
    found["headers"] = {name: bytes(value).decode() for name, value in headers.items()}
    found["audit"] = [json.loads(bytes(line)) for [line] in collected(keyed.audit)]
    found["none"] = told(lambda: protected(t_env, raw, with_key, keys, name="n", control=place / "no-control.yaml"))
    return found


def left_over(policy: Path, keys: str) -> dict[str, Any]:
    """What a call leaves that is refused late, when a name of its last view is somebody else's."""
    environment, t_env = fresh()
    steps = java_environment(environment).getTransformations()
    good, taken = "SELECT 'x' AS payload", Names("s").stage("dashboard", "final")
    t_env.create_temporary_view(taken, t_env.sql_query(good))
    found = {"taken": told(lambda: protected(t_env, good, policy, keys, name="s")),
             "left": [t_env.list_temporary_views(), t_env.list_user_defined_functions(), len(steps)]}
    t_env.drop_temporary_view(taken)
    return {**found, "free": told(lambda: protected(t_env, good, policy, keys, name="s"))}


def main() -> None:
    """Run them all."""
    policy, keys, place = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    answers: dict[str, Any] = {"page": page(place)}
    answers["wrong"] = wrong(place, keys)
    answers["live"] = live(place, keys)
    uids: list[str] = []
    sys.argv = [sys.argv[0]]
    before = StreamExecutionEnvironment.execute_async

    def noting(environment: StreamExecutionEnvironment, name: str) -> Any:
        seen = environment._j_stream_execution_environment.getTransformations()
        uids.extend(str(node.getUid()) for step in seen for node in step.getTransitivePredecessors() if node.getUid() is not None)
        return before(environment, name)

    StreamExecutionEnvironment.execute_async = noting
    example(place, policy, keys)
    answers["uids"] = sorted(set(uids))
    answers["class path"] = str(get_gateway().jvm.java.lang.System.getProperty("java.class.path")).split(":")[0]
    print(json.dumps(answers, default=list))  # some hold a list of Java


if __name__ == "__main__":
    main()
