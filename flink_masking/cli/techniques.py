"""``flink-masking techniques``: what techniques there are, with their parameters and promises."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flink_masking.cli.completion import techniques as names

if TYPE_CHECKING:
    from flink_masking.techniques.base import Technique
    from flink_masking.techniques.promises import Promises


def techniques(
    name: Annotated[str | None, typer.Argument(help="One technique, in detail.", show_default="all of them", autocompletion=names)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the techniques that a policy can name, those of other installed packages among them.

    What a technique promises depends on its parameters: the details of one show it for each of its examples.
    """
    from flink_masking.cli.console import print_json
    from flink_masking.techniques.registry import TECHNIQUES, get

    chosen = [get(name)] if name is not None else list(TECHNIQUES.values())
    if as_json:
        print_json([_document(technique) for technique in chosen])
    elif name is not None:
        _show(chosen[0])
    else:
        _list(chosen)


def _list(chosen: "list[Technique]") -> None:
    from rich.table import Table

    from flink_masking.cli.console import out
    from flink_masking.techniques.registry import answer, examples, parameters

    table = Table("technique", "effect on a value", "parameters (default)", "shows", "same again", "reversible")
    for technique in chosen:
        kept = examples(technique)
        written = ", ".join(one if default == "–" else f"{one} ({default})" for one, default in parameters(technique))
        shown = " or ".join(dict.fromkeys(promises.shows.value for promises in kept))
        again, back = (answer({getattr(promises, promise) for promises in kept}) for promise in ("deterministic", "reversible"))
        table.add_row(technique.name, technique.summary, written, shown, again, back)
    out.print(table)
    out.print("flink-masking techniques NAME shows one in detail")


def _show(technique: "Technique") -> None:
    import yaml
    from rich.table import Table

    from flink_masking.cli.console import out

    document = _document(technique)
    out.print(f"{technique.name}: {technique.summary}", markup=False, highlight=False, soft_wrap=True)
    package = f"; of the package {document['package']}" if document["package"] else ""
    out.print(f"takes {', '.join(document['inputs'])}{package}", markup=False, highlight=False, soft_wrap=True)
    table = Table("parameter", "type and range", "default", "meaning")
    for one, said in document["parameters"].items():
        default = "required" if one in document["required"] else yaml.safe_dump(said.get("default")).splitlines()[0]
        table.add_row(one, _type(said), default, said.get("description", ""))
    out.print(table)
    for example in document["examples"]:
        written = {"technique": technique.name, **example["parameters"]}
        rule = yaml.safe_dump(written, default_flow_style=True, allow_unicode=True, sort_keys=False, width=999)
        told = {one: value for one, value in example["promises"].items() if one != "parts"}
        said = ", ".join(one if value is True else f"{one} {value}" for one, value in told.items())
        out.print(f"{rule.strip()}\n    {said}", markup=False, highlight=False, soft_wrap=True)


def _type(said: dict[str, Any]) -> str:
    """A parameter's type and range from its JSON Schema."""
    if "anyOf" in said:
        return " or ".join(_type(one) for one in said["anyOf"] if one.get("type") != "null")
    if "enum" in said or "const" in said:
        return ", ".join(map(str, said.get("enum", [said.get("const")])))
    words = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below",
             "minLength": "characters: at least", "maxLength": "characters: at most"}  # fmt: skip
    limits = [f"{word} {said[key]:g}" for key, word in words.items() if key in said]
    return ", ".join([said.get("type", "anything"), *limits])


def _document(technique: "Technique") -> dict[str, Any]:
    """All that is known of a technique, as JSON."""
    from dataclasses import asdict, replace
    from enum import Enum
    from math import isinf

    from flink_masking.policy.schema import parameters_schema
    from flink_masking.techniques.registry import OWN, TECHNIQUES, examples

    def plain(value: Any) -> Any:
        return value.value if isinstance(value, Enum) else "always" if isinstance(value, float) and isinf(value) else value

    def shown(promises: "Promises") -> dict[str, Any]:
        told = {name: plain(value) for name, value in asdict(replace(promises, parts=())).items() if value not in (False, None, (), 0)}
        return told | ({"parts": [{"technique": name, **shown(part)} for name, part in promises.parts]} if promises.parts else {})

    kept = []
    for example, promises in zip(technique.examples, examples(technique), strict=True):
        told = shown(promises)
        kept.append({"parameters": example, "promises": told})
    schema = parameters_schema(technique)
    return {
        "name": technique.name,
        "summary": technique.summary,
        "package": None if technique.name in OWN else TECHNIQUES.packages[technique.name],
        "inputs": [kind.name.lower() for kind in sorted(technique.inputs)],
        "parameters": schema["properties"],
        "required": schema.get("required", []),
        "examples": kept,
    }
