"""The command line, ``flink-masking``: nothing heavy is imported before a command needs it, and Flink only by a job."""


def main() -> None:
    """Run the command line with the process's arguments; the entry point of ``flink-masking`` and ``python -m flink_masking``."""
    from flink_masking.cli.console import reporting_errors

    with reporting_errors():
        from flink_masking.cli.entry import run

        run()
