"""Writes views and verifies them."""

import json

import pytest
from release_material import source

from flink_masking.verify.files import verify


@pytest.fixture
def write(tmp_path):
    """Write records as JSON lines and return the file."""

    def to(name, records):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return to


@pytest.fixture
def measure(write):
    """Verify lines against raw records under the policy with some rules."""

    def run(raw, lines, rules="", policy=None):
        return verify(policy or source(rules), write("raw.jsonl", raw), write("partners/part-0", lines))

    return run
