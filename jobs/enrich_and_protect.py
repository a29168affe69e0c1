"""An example of one's own job: `protect_table` is one step between a filter and an aggregation with a join.

    flink run -py jobs/enrich_and_protect.py --policy policy.yaml --deployment deployment.yaml --regions regions.csv

It reads raw customer events, keeps purchases of at least `--least`, protects them, writes every view of the policy, and adds up the masked
view by region: events and sales of each minute, joined with a table of regions by the first digit of the zip code. What stands before
Protect must not lose what it cannot read, and keeps no state: state of the filter or join of somebody else is clear.

The policy has a masked segment ``analytics`` that shows timestamp, purchaseAmount and at least one digit of zip; the deployment has a
sink for each segment, for ``audit`` and ``quarantine``, and one called ``regions``, whose table has the columns of `REGIONS`.
"""

import argparse
from pathlib import Path

from pyflink.table import DataTypes, Schema, StatementSet, StreamTableEnvironment, Table

from flink_masking import JobError, Views, launch, protect_table, stream_environment
from flink_masking.cli.console import reporting_errors
from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.deployment.sql_text import literal, quoted
from flink_masking.flink.jars import job_jars
from flink_masking.flink.refusals import told_once

REGIONS = "window_start TIMESTAMP(3), region STRING, events BIGINT, sales DECIMAL(20, 2)"
"""Columns of the sink ``regions``."""
AT = "TO_TIMESTAMP(REPLACE(REPLACE(JSON_VALUE(DECODE(line, 'UTF-8'), '$.timestamp'), 'T', ' '), 'Z', ''))"


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True, type=Path, help="the policy (YAML)")
    parser.add_argument("--deployment", required=True, type=Path, help="source, sinks, keys and Flink settings (YAML)")
    parser.add_argument("--regions", required=True, type=Path, help="CSV without a header: first digit of the zip code, region")
    parser.add_argument("--least", type=float, default=10.0, help="smallest purchase amount")
    parser.add_argument("--bounded", action="store_true", help="the source ends")
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    options = parser.parse_args()
    with told_once(), reporting_errors():
        deployment = Deployment.read(options.deployment)
        environment = stream_environment(deployment.settings(), job_jars(deployment))
        t_env = StreamTableEnvironment.create(environment)
        raw = purchases(t_env, deployment, options.least)
        views = protect_table(t_env, raw, options.policy, deployment.keys, vault=deployment.vault, bounded=options.bounded,
                              idle_after_s=deployment.idle_after / 1000)
        totals = by_region(t_env, views["analytics"], options.regions)
        statements, sinks = inserts(t_env, deployment, views, totals)
        client = launch(environment, statements, sinks, "enrich-and-protect")
        if options.wait:
            client.get_job_execution_result().result()


def purchases(t_env: StreamTableEnvironment, deployment: Deployment, least: float) -> Table:
    """Raw events of at least that amount. What has no readable amount passes: a filter would lose it, Protect puts it into quarantine."""
    t_env.execute_sql(f"CREATE TEMPORARY TABLE events (payload BYTES) WITH ({with_clause(deployment.source)})")
    amount = "JSON_VALUE(DECODE(payload, 'UTF-8'), '$.purchaseAmount' RETURNING DOUBLE)"
    return t_env.sql_query(f"SELECT payload FROM events WHERE COALESCE({amount} >= {least!r}, TRUE)")


def by_region(t_env: StreamTableEnvironment, masked: Table, regions: Path) -> Table:
    """Events and sales of each minute and region, from a masked view: neither the windows nor the join hold a clear value.

    The windows come first: a join of every record with a table would keep every record in its state.
    """
    t_env.create_temporary_view("masked_lines", masked)
    readable = t_env.to_data_stream(t_env.sql_query(f"SELECT line FROM masked_lines WHERE {AT} IS NOT NULL"))
    schema = (Schema.new_builder().column("line", DataTypes.BYTES()).column_by_expression("at", AT)
              .watermark("at", "`at` - INTERVAL '60' SECOND").build())
    t_env.create_temporary_view("masked_events", t_env.from_data_stream(readable, schema))
    place = literal(regions.resolve().as_uri())
    t_env.execute_sql("CREATE TEMPORARY TABLE regions (zone STRING, region STRING) "
                      f"WITH ('connector' = 'filesystem', 'path' = {place}, 'format' = 'csv')")
    return t_env.sql_query("""
        SELECT t.window_start, r.region, t.events, t.sales
        FROM (
            SELECT window_start, zone, COUNT(*) AS events, CAST(SUM(amount) AS DECIMAL(20, 2)) AS sales
            FROM (
                SELECT window_start, window_end,
                       COALESCE(SUBSTRING(JSON_VALUE(DECODE(line, 'UTF-8'), '$.zip'), 1, 1), '?') AS zone,
                       CAST(JSON_VALUE(DECODE(line, 'UTF-8'), '$.purchaseAmount') AS DECIMAL(12, 2)) AS amount
                FROM TABLE(TUMBLE(TABLE masked_events, DESCRIPTOR(`at`), INTERVAL '1' MINUTE))
            )
            GROUP BY window_start, window_end, zone
        ) AS t JOIN regions AS r ON t.zone = r.zone""")


def inserts(t_env: StreamTableEnvironment, deployment: Deployment, views: Views[Table], totals: Table) -> tuple[StatementSet, list[str]]:
    """All that the job writes, and the names of its sinks in that order."""
    statements, tables = t_env.create_statement_set(), {**views, "audit": views.audit, "quarantine": views.quarantine, "regions": totals}
    for name, table in tables.items():
        if name not in deployment.sinks:
            raise JobError(f"the deployment has no sink for {name}. Hint: add sinks.{name}: {{connector: …}}")
        sink, columns = f"sink {name}", REGIONS if name == "regions" else "line BYTES"
        t_env.execute_sql(f"CREATE TEMPORARY TABLE {quoted(sink)} ({columns}) WITH ({with_clause(deployment.sinks[name])})")
        statements.add_insert(quoted(sink), table)
    return statements, [*tables]


if __name__ == "__main__":
    main()
