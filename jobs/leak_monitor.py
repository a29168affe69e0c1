"""The leak monitor: reads the views of a deployment and writes what should not be in them, never a value.

    flink run -py jobs/leak_monitor.py --policy policy.yaml --deployment deployment.yaml
"""

from flink_masking.cli.console import reporting_errors
from flink_masking.flink.leak_watch import watch
from flink_masking.flink.refusals import told_once
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from jobs.beside import options_of, submit


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    options = options_of(__doc__, "--policy", "the policy (YAML)", "its sinks are read; leaks.findings is written (YAML)",
                         "read what is there now, and end")
    with told_once(), reporting_errors():
        loaded = load(PolicySource.read(options.policy))
        submit(options, f"{loaded.policy.stream}: leaks", lambda tables, deployment: watch(tables, loaded, deployment, options.bounded),
               checkpoints=True)


if __name__ == "__main__":
    main()
