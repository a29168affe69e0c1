"""The governance demonstration as a whole: broker, webhook, two Flink jobs, and the steps in their order."""

import os
import secrets
import shutil
import time
from contextlib import closing
from pathlib import Path

from flink_masking.errors import InputError
from flink_masking.java import java_home

_OURS = "policy-2.yaml"
"""A file by which the directory of an earlier run is known."""


def demonstrate(directory: Path) -> None:
    """Show live policies, grants, alerts, the sealed audit and erasure on a broker and jobs of its own.

    Args:
        directory: for everything that is written; that of an earlier run is emptied.

    Raises:
        JobError: a step has not shown what it must; Java or a jar is missing, or a process does not start.
        InputError: the directory holds something else.
    """
    place = directory.resolve()
    if place.is_dir() and any(place.iterdir()):
        if not (place / _OURS).is_file():
            raise InputError(f"{directory}: the directory is not empty. Hint: choose another one with --directory")
        shutil.rmtree(place)
    place.mkdir(parents=True, exist_ok=True)
    os.environ["JAVA_HOME"] = str(java_home())
    os.environ["FLINK_LOG_DIR"] = str(place)
    from flink_masking.cli.governance import access, evidence  # after the environment that Java starts in
    from flink_masking.cli.governance.receiver import Receiver
    from flink_masking.cli.governance.stage import Stage
    from flink_masking.cli.governance.world import World
    from flink_masking.kafka.local_broker import LocalBroker

    begin, secret = time.monotonic(), secrets.token_bytes(32)
    with LocalBroker() as broker, Receiver(secret) as receiver, Stage(place) as stage:
        with closing(World(stage, broker.bootstrap, receiver, secret)) as world:
            access.people(world)
            access.start(world)
            access.change_policy(world)
            access.grant(world)
            access.alert(world)
            evidence.seal(world)
            evidence.erase(world)
        stage.chapter(f"All {stage.checks} checks have passed, in {time.monotonic() - begin:.0f} s. Everything is in {directory}.")
