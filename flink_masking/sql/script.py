"""SQL as text: the declarations of the functions, and a whole job for the masked segments of a policy."""

import re
from collections.abc import Iterable, Mapping

from flink_masking.deployment import Deployment, quoted
from flink_masking.engine.plan import Plan
from flink_masking.errors import InputError
from flink_masking.policy.durations import written
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import GLOBAL, setting
from flink_masking.sql.views import view_columns

SOURCE, PROTECTED, PROTECT = "flink_masking_source", "flink_masking_protected", "flink_masking_protect"
RUN = "sql-client.sh -pyexec .venv/bin/python -pyclientexec .venv/bin/python -f job.sql"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def declaration(name: str, entry: str) -> str:
    """The statement that declares a function of ``udfs``.

    Args:
        name: in SQL.
        entry: in the module.
    """
    return f"CREATE TEMPORARY SYSTEM FUNCTION {name} AS 'udfs.{entry}' LANGUAGE PYTHON;"


def declarations() -> str:
    """All functions: a comment with signature and summary, and the statement, for each."""
    return "\n".join(f"-- {function.signature}: {function.title}\n{declaration(name, name)}\n" for name, function in FUNCTIONS.items())


def job(plan: Plan, policy: str, deployment: Deployment, settings: Mapping[str, str], wait: bool) -> str:
    """A script that does what the main job does for the masked segments: every record, audit and quarantine among it.

    Stateful segments are left out; records that break their contract go to the quarantine all the same.

    Args:
        plan: the compiled policy.
        policy: where the workers find the policy's file.
        deployment: source, sinks, keys and settings; it names a sink for every segment of the policy.
        settings: Flink settings below those of the deployment.
        wait: the client stays until the job ends, for a source that ends.

    Raises:
        InputError: the policy has no masked segment, the deployment sets the job parameters itself or gives options by reference, or a text
            cannot stand in a script.
        JobError: the deployment has no sink for a segment, the audit or the quarantine, or one for nothing.
    """
    masked = [segment.name for segment in plan.masked]
    if not masked:
        raise InputError("the policy has no masked segment. Hint: SQL runs masked segments; the others need jobs/fan_out.py")
    deployment.require([*masked, *(segment.name for segment in plan.stateful), "audit", "quarantine"])
    if deployment.has_secrets:
        raise InputError("the deployment gives options by reference, and a script would hold them in clear. Hint: let the Kafka clients "
                         "resolve them: properties.config.providers")
    given = deployment.settings()
    if GLOBAL in given:
        raise InputError(f"the deployment sets {GLOBAL}, which the script needs for itself. Hint: leave it away under flink:")
    named = {"keys": deployment.keys, "policy": policy, "key_refresh": written(deployment.key_refresh)}
    if deployment.vault:
        named |= {"vault": deployment.vault, "vault_patience": written(deployment.vault_patience)}
    everything = {**settings, **given, **({"table.dml-sync": "true"} if wait else {}), GLOBAL: setting(**named)}
    sinks = [*masked, "audit", "quarantine"]
    columns = view_columns(len(masked))
    fields = ", ".join(f"r.{column} AS {column}" for column in columns)
    lines = [
        f"-- Masked segments: {', '.join(masked)}. Run it with: {RUN}",
        *_left_out(segment.name for segment in plan.stateful),
        *(f"SET {literal(name)} = {literal(value)};" for name, value in everything.items()),
        "",
        f"CREATE TEMPORARY TABLE {SOURCE} (payload BYTES) WITH ({deployment.source_options()});",
        *(f"CREATE TEMPORARY TABLE {quoted('sink ' + name)} (line BYTES) WITH ({deployment.sink_options(name)});" for name in sinks),
        declaration(PROTECT, f"views_{len(masked)}"),
        f"CREATE TEMPORARY VIEW {PROTECTED} AS SELECT {fields} FROM (SELECT {PROTECT}(payload) AS r FROM {SOURCE});",
        "",
        "EXECUTE STATEMENT SET",
        "BEGIN",
        *(f"INSERT INTO {quoted('sink ' + name)} SELECT {column} FROM {PROTECTED} WHERE {column} IS NOT NULL;"
          for name, column in zip(sinks, columns, strict=True)),
        "END;",
        "",
    ]  # fmt: skip
    if any(re.search(r"[\r\n]", line) for line in lines):
        raise InputError("the deployment holds a text of several lines, which cannot stand in a script. Hint: write it on one line")
    return "\n".join(lines)


def _left_out(names: Iterable[str]) -> list[str]:
    found = list(names)
    return [f"-- Left out, because they keep state: {', '.join(found)}. They run with jobs/fan_out.py."] if found else []
