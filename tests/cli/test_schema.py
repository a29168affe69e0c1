"""flink-masking schema."""

import json

from jsonschema import Draft202012Validator

from flink_masking.techniques import registry


def test_the_schema_is_printed_as_json(cli):
    """schema prints a JSON Schema that is one by the standard's own schema, with every technique in it."""
    done = cli("schema")
    assert (done.code, done.err) == (0, "")
    Draft202012Validator.check_schema(json.loads(done.out))
    assert [name for name in registry.TECHNIQUES if f'"{name}"' not in done.out] == []


def test_the_schema_can_be_written_to_a_file(cli, tmp_path):
    """--output writes the same text to a file and prints nothing."""
    printed = cli("schema").out
    path = tmp_path / "policy.schema.json"
    assert cli("schema", "--output", path) == (0, "", "")
    assert path.read_text() == printed
