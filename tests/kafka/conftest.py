"""Makes the broker of this folder importable, whatever the import mode, and starts one for all tests that ask."""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from broker import Broker
from registries import apicurio
from secured import Secured

from flink_masking.kafka.local_registry import LocalRegistry

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def broker(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker without security, the same for the whole run; its log stays in the run's temporary directory."""
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def topic(broker: Broker) -> Callable[..., str]:
    """Makes a topic on `broker` under a name that no other test has."""
    return lambda name="topic", partitions=1, config=None: broker.topic(f"{name}-{next(_NUMBERS)}", partitions, config)


@pytest.fixture(scope="session")
def registry() -> Iterator[LocalRegistry]:
    """Apicurio Registry, the same for the whole run."""
    yield from apicurio()


@pytest.fixture(scope="session")
def secured(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with users, certificates and access control, the same for the whole run; nobody is granted anything yet."""
    found = Secured(tmp_path_factory.mktemp("secured"))
    with found.broker:
        found.begin()
        yield found
