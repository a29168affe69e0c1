"""The JSON Schema of policies."""

import pytest
from jsonschema import Draft202012Validator

from flink_masking.documents.document import Document
from flink_masking.policy.schema import json_schema
from flink_masking.techniques.registry import TECHNIQUES


@pytest.fixture(scope="module")
def validator():
    """A validator of policies, its schema checked against the dialect."""
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_reference_policy_has_the_form(validator, reference):
    """The schema takes the reference policy."""
    assert list(validator.iter_errors(Document("p", reference.text).value)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 0"), ("version: 1", "vrsion: 1"), ("class: quasi", "class: quas"), ("class: quasi", "role: quasi"),
        ("keep_first: 1", "keep_frist: 1"),
        ("timestamp: keep", "timestamp: kep"), ("timestamp: keep", "timestamp: generalize"), ("    k: 5", "    k: 1"), ("30s", "30"),
        ("    k: 5\n", ""), ("view: masked", "view: mask"), ("{tumbling: 1min}", "{}"), ("{generalize: 3}", "{generalise: 3}"),
        ("orders:    count", "orders: sum"), ("{sum: purchaseAmount}", "{sums: purchaseAmount}"), ("epsilon: 1.0", "epsilon: 0"),
        ("delta: 1e-9", "delta: 1"), ("[0, 120]", "[0]"), ("sink:", "snk:"),
    ],
)  # fmt: skip
def test_mistakes_of_form_are_refused(validator, reference, old, new):
    """What has not the form of a policy does not pass the schema."""
    assert old in reference.text
    assert not validator.is_valid(Document("p", reference.text.replace(old, new, 1)).value)


@pytest.mark.parametrize("name", TECHNIQUES)
def test_examples_of_every_technique_have_the_form(validator, reference, name):
    """Each example of each technique is a rule for the schema; with an unknown parameter it is not."""
    for example in TECHNIQUES[name].examples:
        document = Document("p", reference.text).value
        rules = document["segments"]["masked-customer-events"]["rules"]
        rules["email"] = {"technique": name, **example}
        assert list(validator.iter_errors(document)) == [], example
        rules["email"]["no_such_parameter"] = 1
        assert not validator.is_valid(document)


def test_parameters_are_described(validator):
    """Properties say what they are for, from the docstrings of the models."""
    definitions = validator.schema["$defs"]
    assert definitions["AnonymizedSegment"]["properties"]["max_buffer"]["description"] == "records that wait, at most."
    assert "description" in definitions["technique_partial"]["properties"]["keep_first"]
