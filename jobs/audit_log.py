"""The sealer as a job: reads the audit of a deployment and seals it into a log that others can verify.

    flink run -py jobs/audit_log.py --policy policy.yaml --deployment deployment.yaml
"""

from flink_masking.cli.console import reporting_errors
from flink_masking.flink.audit_log import seal
from flink_masking.flink.refusals import told_once
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from jobs.beside import options_of, submit


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    options = options_of(__doc__, "--policy", "the policy (YAML), which names the stream",
                         "its sink audit is read, its section audit names the log (YAML)", "seal what is there now, and end")
    with told_once(), reporting_errors():
        stream = load(PolicySource.read(options.policy)).policy.stream
        submit(options, f"{stream}: audit log", lambda tables, deployment: seal(tables, deployment, stream, options.bounded),
               checkpoints=True)


if __name__ == "__main__":
    main()
