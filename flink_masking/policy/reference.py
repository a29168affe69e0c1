"""The reference of the grammar: one page with every key of a policy, its type, its default and an example, made from the JSON Schema."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from flink_masking.policy.examples import EXAMPLES, inline
from flink_masking.policy.schema import DIALECT, Schema, json_schema
from flink_masking.techniques.registry import OWN

SECTIONS = (
    ("Policy", "A policy"),
    ("Field", "A field"),
    ("Derive", "A derived quasi-identifier"),
    ("Tags", "Tags"),
    ("TaggedClass", "What a tag means"),
    ("Envelope", "The envelope of change data capture"),
    ("ErasurePolicy", "Erasure"),
    ("EventTime", "Event time"),
    ("Audit", "Audit"),
    ("QuarantinePolicy", "Quarantine"),
    ("VaultPolicy", "Vault"),
    ("ReversePolicy", "From masked to clear"),
    ("StreamPrivacy", "Budget of the stream"),
    ("MaskedSegment", "A masked segment"),
    ("RecordParts", "Key, headers and timestamp in Kafka"),
    ("Part", "A part of a value: within"),
    ("AnonymizedSegment", "An anonymized segment"),
    ("Diversity", "l-diversity"),
    ("Closeness", "t-closeness"),
    ("Alpha", "(α, k)-anonymity"),
    ("MaxReleases", "Records of a person"),
    ("GrantedSegment", "A granted segment"),
    ("AggregatedSegment", "An aggregated segment"),
    ("Window", "Windows"),
    ("Hopping", "Hopping windows"),
    ("Privacy", "Differential privacy"),
)
"""Definitions of the schema that have keys, with their headings, in the order of the page."""
WRITTEN: Mapping[str, tuple[str, str]] = MappingProxyType({
    "RuleSpec": ("a rule", "#a-rule"), "GroupKey": ("a group field", "#group-fields-and-metrics"),
    "Metric": ("a metric", "#group-fields-and-metrics"),
})  # fmt: skip
"""Definitions that stand on the page in words."""
_HEAD = """\
# Reference of the policy grammar

Every key with its type, default and an example. Made by `flink-masking schema --markdown` from the models that `check` uses: do not edit.
What paths mean (`contacts[*].phone`, selectors, `[*]?`): [paths](paths.md). What types and the other keys of a field check:
[contract](contract.md). `flink-masking schema` prints the same as JSON Schema, for editors. An empty default: the key must be given.
"""
_RULE = """\
## A rule

A technique by its name, `keep`, or with parameters: `{technique: partial, keep_last: 4}`. Every technique takes `on_error`, and those that
take text `within` ([a part of a value](#a-part-of-a-value-within), or a list of them).

A rule's key is a path, `"*"`, `class:direct` (every field of that class) or `tag:PII.email` (every field with that tag). The rule of the
field or of a parent goes first, then the tag with the most dots, then the class, then `"*"`. `check` shows the fields of each:
[contracts](contracts.md).
"""
_GROUPS = """\
## Group fields and metrics

A group field is the name of a field, `zip`, or a field with parameters of [generalize](#generalize): `{zip: {prefix: 3}}`,
`{age: {width: 10}}`. `generalize: 3` is a prefix on text and a width on numbers; `groups: [021**, 100**]` is the public list of all values
that rows show.

| Metric | Written |
|---|---|
| number of records, of distinct people | `count`, `count_distinct_subjects` |
| sum, mean, variance of a measure | `{sum: amount}`, `{mean: amount}`, `{variance: amount}` |
| records by bin | `{histogram: {field: amount, bins: [0, 10, 50, 100]}}` |
| quantiles | `{quantiles: {field: amount, bins: [0, 10, 50, 100], of: [0.5, 0.9]}}` |
"""


def as_markdown() -> str:
    """The page, line break at the end included."""
    schema = json_schema()
    definitions: Schema = {**schema["$defs"], "Policy": schema}
    parts = [_HEAD]
    for name, heading in SECTIONS:
        parts.append(f"## {heading}\n\n{_sentence(definitions[name]['description'])}\n\n{_table(name, definitions[name])}")
        if name == "MaskedSegment":
            parts.append(_RULE)
        if name == "AggregatedSegment":
            parts.append(_GROUPS)
    parts.append("## Techniques\n")
    for technique in OWN.values():
        definition = definitions[f"technique_{technique.name}"]
        parts.append(f"### {technique.name}\n\n{_sentence(technique.summary)}\n\n{_table(f'technique_{technique.name}', definition)}")
    return "\n".join(parts)


def keys() -> Iterator[tuple[str, str, Schema]]:
    """Definition, key and schema of every key on the page."""
    schema = json_schema()
    definitions: Schema = {**schema["$defs"], "Policy": schema}
    for name in (*(name for name, _ in SECTIONS), *(f"technique_{name}" for name in OWN)):
        for key, described in definitions[name]["properties"].items():
            yield name, key, described


def example(name: str, key: str, described: Schema) -> Any:
    """An example of a key's value.

    Raises:
        KeyError: there is none.
    """
    if (name, key) in EXAMPLES:
        return EXAMPLES[name, key]
    if "const" in described:
        return described["const"]
    if name.startswith("technique_"):
        for written in OWN[name.removeprefix("technique_")].examples:
            if key in written:
                return written[key]
    if ("*", key) in EXAMPLES:
        return EXAMPLES["*", key]
    for choice in (described, *described.get("anyOf", ())):
        if "enum" in choice:
            return next(word for word in reversed(choice["enum"]) if word != described.get("default"))
    raise KeyError(f"{name}.{key}")


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _table(name: str, definition: Schema) -> str:
    required = definition.get("required", ())
    rows = ["| Key | Type | Default | Example | Meaning |", "|---|---|---|---|---|"]
    for key, described in definition["properties"].items():
        default = "" if key in required else _default(described)
        meaning = described.get("description", "")
        if _type(described) == "duration":
            meaning = "length." if meaning == "milliseconds." else meaning.replace("milliseconds", "time", 1)
        rows.append("| " + " | ".join(_cell(text) for text in (
            f"`{key}`", _type(described), default, f"`{inline(example(name, key, described))}`", meaning)) + " |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _default(described: Schema) -> str:
    value = described.get("default")
    return "–" if value is None or value in ([], {}) else f"`{inline(value)}`"


def _type(schema: Schema) -> str:
    """The type of a key in a few words."""
    if "$ref" in schema:
        return _reference(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"`{inline(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{inline(word)}`" for word in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(choice) for choice in schema[several] if choice.get("type") != "null"))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(_type({"type": one}) for one in kind)
    if kind == "array":
        if "prefixItems" in schema:
            return "a low and a high value"
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"by name: {_type(inner)}" if isinstance(inner, dict) and inner else "keys with values"
    if kind in ("integer", "number"):
        return {"integer": "whole number", "number": "number"}[kind] + _range(schema)
    if kind == "string" and schema.get("pattern", "").endswith(("(ms|s|min|h|d)$", "(d)$")):
        return "duration"
    return {"string": "text", "boolean": "true or false", None: "any"}.get(kind, str(kind))


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum", schema.get("gt")), schema.get("exclusiveMaximum")
    high = None if high is not None and high >= 10**15 else high
    words = [f"from {low:,}" if low is not None else f"above {above:,}" if above is not None else "",
             f"to {high:,}" if high is not None else f"below {below:,}" if below is not None else ""]
    return "".join(f" {word}" for word in words if word)


def _reference(name: str) -> str:
    if name in WRITTEN:
        text, anchor = WRITTEN[name]
        return f"[{text}]({anchor})"
    if name.startswith("technique_"):
        technique = name.removeprefix("technique_")
        return f"[{technique}](#{technique})"
    heading = dict(SECTIONS)[name]
    return f"[{heading[0].lower() + heading[1:]}](#{_anchor(heading)})"


def _anchor(heading: str) -> str:
    """The anchor that readers of Markdown make of a heading."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c == "-")


__all__ = ["DIALECT", "as_markdown", "example", "keys"]
