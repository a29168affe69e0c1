"""SQL as text: the declarations of the functions, and a whole job for the masked segments of a policy."""

import re
from collections.abc import Iterable, Mapping

from flink_masking.deployment.model import Deployment
from flink_masking.deployment.sql_text import literal
from flink_masking.deployment.tables import CHECKPOINT_INTERVAL, Tables, needs_checkpoints
from flink_masking.engine.plan import Plan
from flink_masking.engine.record import part_columns
from flink_masking.errors import InputError
from flink_masking.policy.durations import written
from flink_masking.sql.functions import FUNCTIONS
from flink_masking.sql.session import GLOBAL, setting
from flink_masking.sql.views import view_columns

RUN = "sql-client.sh -pyexec .venv/bin/python -pyclientexec .venv/bin/python -f job.sql"
SETUP = "PyFlink's own client lacks a jar (flink-sql-gateway): flink-masking sql client-setup fetches it once and prints the client's path"


SHARED = {"table.optimizer.reuse-optimize-block-with-digest-enabled": "true"}
"""Lets the planner see that all sinks read one view; without it each sink has a Protect of its own, and nonces differ."""


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


def job(plan: Plan, policy: str, deployment: Deployment, settings: Mapping[str, str], wait: bool,
        jars: Iterable[str] = ()) -> str:
    """A script that does what the main job does for the masked segments: every record, audit and quarantine among it.

    Stateful segments are left out; records that break their contract go to the quarantine all the same.

    Args:
        plan: the compiled policy.
        policy: where the workers find the policy's file.
        deployment: source, sinks, keys and settings; it names a sink for every segment of the policy.
        settings: Flink settings below those of the deployment.
        wait: the client stays until the job ends, for a source that ends.
        jars: paths of the connectors' jars, which the SQL client takes along.

    Raises:
        InputError: the policy has no masked segment, the deployment sets the job parameters itself or gives options by reference, or a text
            cannot stand in a script.
        JobError: the deployment has no sink for a segment, the audit or the quarantine, or one for nothing.
    """
    masked = [segment.name for segment in plan.masked]
    if not masked:
        raise InputError("the policy has no masked segment. Hint: SQL runs masked segments; the others need jobs/fan_out.py")
    if deployment.control is not None:
        raise InputError("the deployment names control documents, and a SQL script takes none. Hint: jobs/fan_out.py takes them; or omit "
                         "control: in the deployment")
    tables = Tables(plan, deployment, clocked=False)
    parts = part_columns([segment.record for segment in plan.masked], tables.transport) if tables.transport.record else None
    if deployment.columns:
        raise InputError("the deployment has sinks of columns, which the main job fills. Hint: run jobs/fan_out.py, or omit "
                         "columns and insert from the script's views yourself")
    if deployment.has_secrets:
        raise InputError("the deployment gives options by reference, and a script would hold them in clear. Hint: let the Kafka clients "
                         "resolve them: properties.config.providers")
    given = deployment.settings()
    if GLOBAL in given:
        raise InputError(f"the deployment sets {GLOBAL}, which the script needs for itself. Hint: omit it under flink:")
    named = {"keys": deployment.keys, "policy": policy, "key_refresh": written(deployment.key_refresh)}
    if deployment.vault:
        named |= {"vault": deployment.vault, "vault_patience": written(deployment.vault_patience)}
    if (registry := deployment.registry_options) is not None:
        named["registry"] = registry.encode()
    if deployment.transport.require_tls:
        named["require_tls"] = "true"
    if parts is not None:
        named["transport"] = tables.transport.encode()
    checkpoints = {"execution.checkpointing.interval": f"{CHECKPOINT_INTERVAL}ms"} if needs_checkpoints(deployment) else {}
    syncing = {"table.dml-sync": "true"} if wait else {}
    everything = {**SHARED, **settings, **checkpoints, **tables.settings, **given, **syncing, GLOBAL: setting(**named)}
    fields = view_columns(len(masked), None if parts is None else len(parts))
    names = [*fields[: len(masked) + 2], *([] if parts is None else [*parts, fields[-1]])]
    entry = f"views_{len(masked)}" + ("" if parts is None else f"_{len(parts)}")
    called = tables.queries.names
    functions = [declaration(f"{called.function}_{name}", f"{entry}_{field}") for name, field in zip(names, fields, strict=True)]
    sinks = [*masked, "audit", "quarantine"]
    lines = [
        f"-- Masked segments: {', '.join(masked)}. Run it with: {RUN}",
        f"-- {SETUP}",
        *_left_out(segment.name for segment in plan.stateful),
        *(f"ADD JAR {literal(jar)};" for jar in jars),
        *(f"SET {literal(name)} = {literal(value)};" for name, value in everything.items()),
        "",
        f"{tables.source()};",
        *(f"{tables.sink(name)};" for name in sinks),
        *functions,
        f"CREATE TEMPORARY VIEW {called.protected} AS {tables.queries.protected(names)};",
        "",
        "EXECUTE STATEMENT SET",
        "BEGIN",
        *(f"{tables.insert(name)};" for name in sinks),
        "END;",
        "",
    ]  # fmt: skip
    if any(re.search(r"[\r\n]", line) for line in lines):
        raise InputError("the deployment holds a text of several lines, which cannot stand in a script. Hint: write it on one line")
    return "\n".join(lines)


def _left_out(names: Iterable[str]) -> list[str]:
    found = list(names)
    return [f"-- Left out, because they keep state: {', '.join(found)}. They run with jobs/fan_out.py."] if found else []
