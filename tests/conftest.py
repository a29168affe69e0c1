"""What all tests share: hypothesis without time limits, a key ring, a PostgreSQL server, and the switch for the long forms."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from flink_masking.errors import JobError
from flink_masking.keys.files import create

if TYPE_CHECKING:
    from postgres_server import PostgresServer

    from flink_masking.engine.plan import Plan
    from flink_masking.keys.ring import KeyRing

sys.path.append(str(Path(__file__).resolve().parent / "shared"))
LONG = os.environ.get("FLINK_MASKING_LONG") == "1"
SLOW = os.environ.get("FLINK_MASKING_SLOW") == "1"

# A first call may compile, which no deadline expects. Continuous integration draws the same examples every time, so that a change is judged
# by what it changed; everybody else's runs go on looking for new ones.
for _number in (signal.SIGHUP, signal.SIGINT):  # a shell lets what it starts in the background ignore them, and so all that tests start
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

hypothesis.settings.register_profile("short", deadline=None, print_blob=True, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.register_profile("long", deadline=None, print_blob=True, max_examples=2_000)
hypothesis.settings.load_profile("long" if LONG else "short")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers (pytest-xdist), the tests of a file stay together, and all that use the Kafka broker: one is enough.

    Tests that start Java go first, as their groups are long: short ones even out the workers at the end.
    """
    if not SLOW and (slow := [item for item in items if item.get_closest_marker("slow")]):
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
    for item in items:
        together = "kafka" if item.path.parent.name == "kafka" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(together))
    items.sort(key=lambda item: item.get_closest_marker("flink") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to go on where pytest-xdist took no notice of the groups: every worker would start every cluster."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist has not grouped the tests; its release and pytest's do not fit each other")


@pytest.fixture(scope="session")
def long_form() -> bool:
    """Whether FLINK_MASKING_LONG=1 asks for the forms of the tests that take minutes."""
    return LONG


@pytest.fixture(scope="session")
def key_ring_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh key ring file, the same for the whole run."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    create(path)
    return path


@pytest.fixture(scope="session")
def key_uri(key_ring_file: Path) -> str:
    """The address of `key_ring_file`."""
    return f"file://{key_ring_file}"


@pytest.fixture(scope="session")
def server() -> Iterator["PostgresServer"]:
    """A PostgreSQL server of this run's own; without the programs tests are skipped, unless FLINK_MASKING_SERVICES=1 insists.

    Whoever stops it starts it again.
    """
    from postgres_server import PostgresServer, binaries

    if binaries() is None:
        reason = "no PostgreSQL server is installed (apt-get install postgresql)"
        if os.environ.get("FLINK_MASKING_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="session")
def kafka_jars() -> str:
    """The Kafka broker's class path; where it, or the connector of Flink, cannot be had tests are skipped, unless FLINK_MASKING_KAFKA=1
    insists."""
    from flink_masking.jars import CONNECTORS, JarCache
    from flink_masking.kafka.local_broker import class_path

    try:
        JarCache().resolve(CONNECTORS["kafka"])
        return class_path()
    except JobError as error:
        if os.environ.get("FLINK_MASKING_KAFKA") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def ring() -> "KeyRing":
    """The key ring of the tests."""
    from flink_masking.keys.ring import KeyRing

    return KeyRing.new()


@pytest.fixture(scope="session")
def other_ring() -> "KeyRing":
    """A key ring of somebody else."""
    from flink_masking.keys.ring import KeyRing

    return KeyRing.new()


@pytest.fixture(scope="session")
def planned(ring: "KeyRing") -> "Callable[..., Plan]":
    """Compile a policy text, once for each text and ring."""
    from flink_masking.engine.plan import compile_plan
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    loaded = lru_cache(lambda text: load(PolicySource("policy.yaml", text)))
    compiled = lru_cache(lambda text, keys: compile_plan(loaded(text), keys))
    return lambda text, keys=ring: compiled(text, keys)


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a package of somebody else's with the technique `initials` is installed; for PYTHONPATH."""
    folder, source = tmp_path_factory.mktemp("third-party"), tmp_path_factory.mktemp("source") / "initials"
    shutil.copytree(Path(__file__).with_name("third_party") / "flink_masking_initials", source)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder, source]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder
