"""PyFlink, Beam and pyarrow as they were, after each test that changes them."""

from typing import Any

import pyarrow as pa
import pytest
from apache_beam.runners.worker.statesampler import StateSampler
from pyflink.fn_execution import coders
from pyflink.table import utils

from flink_masking.flink.compat import patch
from flink_masking.flink.compat.arrow_streams import Opening


@pytest.fixture
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries without any patch, and no patch asked for yet; what a test changes is undone."""
    own: list[tuple[Any, str, Any]] = [
        (coders.coder_impl, "arrow_to_pandas", utils.arrow_to_pandas), (coders.coder_impl, "pandas_to_arrow", utils.pandas_to_arrow),
        (pa.ipc, "open_stream", pa.ipc.open_stream._before if isinstance(pa.ipc.open_stream, Opening) else pa.ipc.open_stream),
    ]  # fmt: skip
    for place, name, function in own:
        monkeypatch.setattr(place, name, function)
    for name in ("start", "stop"):  # no other test of this process patches the class
        monkeypatch.setattr(StateSampler, name, getattr(StateSampler, name))
    monkeypatch.setattr(patch, "_outcomes", {})
