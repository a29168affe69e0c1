"""The JSON Schema of policies, for editors; derived from the models and the registry."""

import re
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from flink_masking.policy.check_sweep import SWEEPING
from flink_masking.policy.model import Policy
from flink_masking.policy.tags import NO_CLASS
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action, Technique
from flink_masking.techniques.within import Part

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
PART: TypeAdapter[Part] = TypeAdapter(Part)
_WITHIN: Schema = {
    "description": "The part of the text that the technique is for; the rest stays, and a text without the form is refused. Of a list, "
                   "the first form that a text has.",
    "anyOf": [{"$ref": "#/$defs/Part"}, {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1}],
}


class Described(GenerateJsonSchema):
    """Generates JSON Schema that takes descriptions from the ``Attributes:`` of docstrings, and leaves titles made of names out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        """The schema of a model, its properties described."""
        result = super().model_schema(schema)
        model = schema["cls"]
        described: dict[str, str] = {}
        for one in reversed([one for one in model.__mro__ if issubclass(one, BaseModel)]):
            summary, own = docstring_of(one)
            described |= own
        result["description"] = summary
        for name, field in model.model_fields.items():
            if name in described:
                result["properties"][field.alias or name]["description"] = described[name]
        return result


def json_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a policy.

    It says what has the form of a policy; contradictions between parts, and what is not available yet, are found by `load`.
    """
    result: Schema = {"$schema": DIALECT, **Policy.model_json_schema(by_alias=True, schema_generator=Described)}
    definitions: Schema = result["$defs"]
    techniques = registry.TECHNIQUES.values()
    for technique in techniques:
        definitions[_name(technique)] = _technique(technique, definitions)
    short = [technique.name for technique in techniques if _stands_alone(technique)]
    definitions["RuleSpec"] = {
        "description": "A technique by its name alone, or with its parameters.",
        "oneOf": [{"enum": short}, *({"$ref": f"#/$defs/{_name(technique)}"} for technique in techniques)],
    }
    part = PART.json_schema(schema_generator=Described)
    definitions["Part"] = part
    definitions["MaskedSegment"]["properties"]["keys"]["additionalProperties"] = {
        "description": "A rule for keys, or plain: no key says anything of a person.",
        "anyOf": [{"const": "plain"}, {"$ref": "#/$defs/RuleSpec"}],
    }
    definitions["MaskedSegment"]["properties"]["unknown_fields"]["anyOf"] = [
        {"enum": [*(technique.name for technique in techniques if technique.action is Action.DROP), SWEEPING]},
        {"$ref": f"#/$defs/{_name(registry.get(SWEEPING))}"}, {"type": "null"}]
    definitions["GroupKey"] = _group_key(registry.get("generalize"), definitions)
    definitions["Metric"] = _metric()
    meaning = definitions["Tags"]["properties"]["map"]
    meaning["additionalProperties"] = {"anyOf": [definitions["TaggedClass"]["properties"]["class"], {"const": NO_CLASS},
                                                 {"$ref": "#/$defs/TaggedClass"}]}
    return result


def _name(technique: Technique) -> str:
    return f"technique_{technique.name}"


def _params(technique: Technique, definitions: Schema) -> Schema:
    """The schema of a technique's parameters; what it defines besides goes to `definitions`."""
    schema = technique.params.model_json_schema(by_alias=True, schema_generator=Described, ref_template="#/$defs/{model}")
    definitions |= schema.pop("$defs", {})
    return schema


def parameters_schema(technique: Technique) -> Schema:
    """The JSON Schema of a technique's parameters by itself."""
    return _params(technique, {})


def _technique(technique: Technique, definitions: Schema) -> Schema:
    schema = _params(technique, definitions)
    within = {} if technique.action is not None or Kind.STRING not in technique.inputs else {"within": _WITHIN}
    return {
        "description": technique.summary,
        "type": "object",
        "properties": {"technique": {"const": technique.name, "description": technique.summary}, **schema["properties"], **within},
        "required": ["technique", *schema.get("required", [])],
        "additionalProperties": False,
    }


def _stands_alone(technique: Technique) -> bool:
    try:
        technique.params()
    except ValidationError:
        return False
    return True


def _group_key(generalize: Technique, definitions: Schema) -> Schema:
    schema = _params(generalize, definitions)
    properties = {name: value for name, value in schema["properties"].items() if name != "on_error"}
    properties["generalize"] = {"type": "integer", "minimum": 1, "description": "prefix on text, width on numbers"}
    properties["groups"] = {
        "type": "array",
        "items": {"type": ["string", "number", "boolean", "null"]},
        "minItems": 1,
        "description": "public list of the values that rows show; all of them are published, zeros too",
    }
    parameters = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "description": "A field, or a field with how it is generalised.",
        "oneOf": [
            {"type": "string", "minLength": 1},
            {"type": "object", "additionalProperties": parameters, "minProperties": 1, "maxProperties": 1},
        ],
    }


def _metric() -> Schema:
    field = {"type": "string", "minLength": 1}
    bins = {"type": "array", "items": {"type": "number"}, "minItems": 2, "description": "public edges, ascending"}
    shares = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 1, "description": "0.5 is the median"}
    binned = {"histogram": {"field": field, "bins": bins}, "quantiles": {"field": field, "bins": bins, "of": shares}}
    kinds: Schema = {kind: field for kind in ("sum", "mean", "variance")}
    for kind, keys in binned.items():
        kinds[kind] = {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}
    return {
        "description": "One figure of a row.",
        "oneOf": [
            {"enum": ["count", "count_distinct_subjects"]},
            {"type": "object", "properties": kinds, "additionalProperties": False, "minProperties": 1, "maxProperties": 1},
        ],
    }


def docstring_of(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """The summary of a model's docstring, and what it says of each attribute."""
    text = model.__doc__ or ""
    summary, _, rest = text.partition("\n")
    attributes = rest.partition("Attributes:\n")[2]
    entries = re.findall(r"^ {8}(\w+): (.*(?:\n {9,}\S.*)*)", attributes, re.MULTILINE)
    return summary.strip(), {name: " ".join(words.split()) for name, words in entries}
