"""Runs the main job for several directories with policy.yaml and deployment.yaml, to the end of their sources, in one Java process."""

import sys
from pathlib import Path

from flink_masking.cli.console import reporting_errors
from flink_masking.flink.refusals import told_once
from jobs.fan_out import submit

if __name__ == "__main__":
    with told_once(), reporting_errors():
        for place in map(Path, sys.argv[1:]):
            submit(place / "policy.yaml", place / "deployment.yaml", bounded=True, wait=True)
