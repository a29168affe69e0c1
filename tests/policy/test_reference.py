"""The reference of the grammar: current, complete, and with examples that the grammar takes."""

from pathlib import Path

import jsonschema
import pytest

import flink_masking
from flink_masking.policy.reference import as_markdown, example, keys
from flink_masking.policy.schema import json_schema

PAGE = Path(flink_masking.__file__).parent / "docs" / "grammar.md"
KEYS = list(keys())
DEFINITIONS = json_schema()["$defs"]


def test_the_page_is_current():
    """The page in the package is what the models say; `flink-masking schema --markdown --output` writes it."""
    assert PAGE.read_text() == as_markdown()


@pytest.mark.parametrize(("name", "key", "described"), KEYS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_has_an_example_that_fits(name, key, described):
    """Each key of each part of a policy has an example of its type, which is no default."""
    value = example(name, key, described)
    jsonschema.Draft202012Validator({**described, "$defs": DEFINITIONS}).validate(value)
    assert "const" in described or value != described.get("default")


def test_every_key_is_described():
    """Each key says what it means, but for the view, which is the segment's name."""
    views = {(name, "view") for name in ("MaskedSegment", "AnonymizedSegment", "AggregatedSegment", "GrantedSegment")}
    assert {(name, key) for name, key, described in KEYS if "description" not in described} <= views


def test_the_page_has_every_key_of_the_schema():
    """No part of the grammar that has keys is missing on the page."""
    told = {name for name, _, _ in KEYS}
    assert {name for name, found in DEFINITIONS.items() if found.get("properties")} <= told


def test_the_command_prints_the_page(capsys):
    """schema --markdown prints the page, or writes it to a file."""
    from flink_masking.cli.schema import schema

    schema(None, markdown=True)
    assert capsys.readouterr().out == as_markdown()
