"""A real schema registry for tests."""

import os
from collections.abc import Iterator

import pytest

from flink_masking.errors import JobError
from flink_masking.jars import JarCache
from flink_masking.kafka.local_registry import APICURIO, LocalRegistry


def apicurio() -> Iterator[LocalRegistry]:
    """Apicurio Registry; where it cannot be had tests are skipped, unless FLINK_MASKING_REGISTRY=1 insists."""
    try:
        JarCache().resolve(APICURIO)
    except JobError as error:
        if os.environ.get("FLINK_MASKING_REGISTRY") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with LocalRegistry() as registry:
        yield registry
