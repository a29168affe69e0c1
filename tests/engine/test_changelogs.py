"""A changelog that is masked change by change gives the same table as masking the table at its end."""

import os

import orjson
import pyarrow as pa
import pytest
from changelogs import POLICY, TECHNIQUES, changelog, masked_table, materialised

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

CHANGES = 4_000
BATCH = 1_000


def protect(text, ring, vault, upserts=()):
    """A step for a policy."""
    plan = compile_plan(load(PolicySource("policy.yaml", text)), ring, vault)
    return Protect(plan, os.urandom, lambda: 0, transport=Transport(record=bool(upserts), upserts=upserts))


KINDS = pytest.mark.parametrize(("kind", "wrapped", "technique"), [
    ("debezium", False, "pseudonym"), ("debezium", True, "tokenize"), ("debezium_flat", False, "encrypt_deterministic"),
    ("maxwell", False, "fpe"), ("canal", True, "encrypt_deterministic"), ("ogg", False, "fpe"),
])  # fmt: skip


@KINDS
def test_the_table_of_a_masked_changelog_is_the_masked_table(ring, kind, wrapped, technique):
    """Inserts, updates, deletes and tombstones through masks leave the same rows under the same keys as masking the final table."""
    compare(ring, kind, wrapped, technique, CHANGES)


@pytest.mark.slow
@KINDS
def test_the_table_of_a_hundred_thousand_changes(ring, kind, wrapped, technique):
    """The same holds of a changelog of 100,000 changes."""
    compare(ring, kind, wrapped, technique, 100_000)


def compare(ring, kind, wrapped, technique, changes):
    """Mask a changelog and its final table, and compare the tables."""
    from flink_masking.vault.memory import MemoryVault

    vault = MemoryVault()
    record = f"record: {{envelope: {kind}, wrapped: {str(wrapped).lower()}, key: [tenant, id]}}"
    step = protect(POLICY.format(record=record, technique=TECHNIQUES[technique]), ring, vault, ("one",))
    keys, values, table = changelog(7, kind, wrapped, changes)
    masked_keys, masked_values = [], []
    for start in range(0, len(keys), BATCH):
        part = slice(start, start + BATCH)
        (piece,) = step(pa.array(values[part], pa.binary()), Parts(key=pa.array(keys[part], pa.binary())))
        assert piece.quarantine == []
        masked_keys += piece.parts["one"].key.to_pylist()
        masked_values += piece.views["one"].to_pylist()
    assert [value is None for value in masked_values] == [value is None for value in values]
    rows = list(table.values())
    (expected,) = protect(POLICY.format(record="", technique=TECHNIQUES[technique]), ring, vault)(
        pa.array([orjson.dumps(row) for row in rows], pa.binary()))
    assert expected.quarantine == []
    found = materialised(kind, masked_keys, masked_values)
    by_key = masked_table(expected.views["one"].to_pylist())
    assert found == by_key and len(found) == len(table) > changes // 20
    assert len(set(masked_keys)) == len(set(keys))
