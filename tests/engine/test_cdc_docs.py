"""The page on change data capture: its policy and every sample hold, and what it says of MongoDB."""

import json
import os
import re

import pyarrow as pa
import pytest

import flink_masking
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

PAGE = (next(iter(flink_masking.__path__)) + "/docs/cdc.md")
PSEUDONYM = "3GZh…"


def page():
    """The policy of the page, and its samples by kind: key and record, then those of the view."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    policy = re.search(r"```yaml\n(version: 1.*?)```", text, re.DOTALL)[1]
    samples = re.findall(r"^### [^\n]*: `(\w+)`\n.*?```json\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return policy, {kind: lines.strip().splitlines() for kind, lines in samples}


def step_of(ring, kind, unknown="quarantine"):
    """A Protect for the policy of the page with another envelope."""
    text = page()[0].replace("envelope: debezium", f"envelope: {kind}") + f"unknown_fields: {unknown}\n"
    plan = compile_plan(load(PolicySource("policy.yaml", text)), ring)
    return Protect(plan, os.urandom, lambda: 0, transport=Transport(record=True, upserts=("support",)))


@pytest.mark.parametrize("kind", ["debezium", "debezium_flat", "maxwell", "canal", "ogg"])
def test_a_sample_of_the_page(ring, kind):
    """Key and record of the view are those of the page, but for the pseudonym."""
    key, record, shown_key, shown = page()[1][kind]
    (piece,) = step_of(ring, kind)(pa.array([record], pa.binary()), Parts(key=pa.array([key], pa.binary())))
    assert piece.quarantine == []
    made = json.loads(piece.parts["support"].key[0].as_py())
    assert {"id": PSEUDONYM} == json.loads(shown_key) and set(made) == {"id"} and len(made["id"]) > 16
    assert piece.views["support"][0].as_py().decode().replace(made["id"], PSEUDONYM) == shown


@pytest.mark.parametrize("unknown", ["quarantine", "drop", "redact", "scan"])
def test_changes_of_mongodb_are_refused(ring, unknown):
    """A document that is a text in an envelope is never shown, whatever becomes of unknown members."""
    records = [{"op": "c", "before": None, "after": json.dumps({"_id": 7, "email": "ann@example.com"})},
               {"op": "u", "after": None, "updateDescription": {"updatedFields": '{"email":"ann@example.com"}'}}]
    (piece,) = step_of(ring, "debezium", unknown)(pa.array([json.dumps(one) for one in records], pa.binary()),
                                                  Parts(key=pa.array([b'{"id":7}'] * 2, pa.binary())))
    entries = {row: (entry.reason, entry.path) for row, line in piece.quarantine for entry in [Entry.decode(line)]}
    assert entries[0] == ("type_mismatch", "after") and b"ann@" not in b"".join(view or b"" for view in piece.views["support"].to_pylist())
