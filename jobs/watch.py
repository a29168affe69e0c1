"""Alerts: reads audit, quarantine and leak findings of a deployment, and sends alerts to the targets of the rules.

    flink run -py jobs/watch.py --rules alerts.yaml --deployment deployment.yaml
"""

from flink_masking.alerts.load import text_of
from flink_masking.cli.console import reporting_errors
from flink_masking.flink.alert_watch import watch_alerts
from flink_masking.flink.refusals import told_once
from jobs.beside import options_of, submit


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    options = options_of(__doc__, "--rules", "alert rules with targets (YAML)",
                         "its audit, quarantine and leaks.findings are read (YAML)", "read what is there now, and end")
    with told_once(), reporting_errors():
        text = text_of(options.rules)
        submit(options, "alerts", lambda tables, deployment: watch_alerts(tables, str(options.rules), text, deployment, options.bounded),
               checkpoints=True, sinks=["told"])


if __name__ == "__main__":
    main()
