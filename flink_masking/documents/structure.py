"""From the plain values of a document to a model: every refusal of pydantic becomes a fault with its place."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flink_masking.documents.document import Document, Mark, cut
from flink_masking.documents.faults import Fault, did_you_mean, split_hint

_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("greater than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_TYPES = {
    "int_type": "a whole number", "int_from_float": "a whole number", "int_parsing": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false", "string_type": "text", "finite_number": "a number",
    "dict_type": "keys with values", "model_type": "keys with values", "model_attributes_type": "keys with values",
    "tuple_type": "a list", "list_type": "a list",
}  # fmt: skip
Known = Callable[[Sequence[str | int]], list[str]]
"""The keys that may stand in the mapping at a place."""
Example = Callable[[Sequence[str | int]], str]
"""How the key at a place is written; empty where no example is known."""
Special = Callable[[ErrorDetails, tuple[str | int, ...]], tuple[Mark, str, str] | None]
"""Place, message and hint of an error that a kind of document tells in words of its own; None for any other."""


def faults_of(error: ValidationError, document: Document, prefix: Sequence[str | int], what: str, known: Known,
              special: Special = lambda details, loc: None, example: Example = lambda path: "") -> list[Fault]:
    """The faults of a validation error.

    Args:
        error: of pydantic.
        document: for the places.
        prefix: where in the document the validated value stands.
        what: the kind of document, such as ``the policy``.
        known: for hints on unknown keys.
        special: goes before the words here.
        example: for hints on keys that are missing or have a wrong value.
    """
    found: list[Fault] = []
    for details in error.errors(include_url=False):
        loc = (*prefix, *details["loc"])
        fault = _fault(details, document, loc, what, known, special)
        missing = details["type"] == "missing"
        told = fault.hint or not (missing or details["type"] in {*_LIMITS, *_TYPES, "value_error"})
        place = (*document.resolve(loc[:-1]), loc[-1]) if missing else document.resolve(loc)
        fault = fault if told else replace(fault, hint=example(place))
        if not any((one.line, one.message) == (fault.line, fault.message) for one in found):  # once for a line, whichever part is wrong
            found.append(fault)
    return found


def _fault(details: ErrorDetails, document: Document, loc: tuple[str | int, ...], what: str, known: Known, special: Special) -> Fault:
    if (told := special(details, loc)) is not None:
        return Fault(*told[0], *told[1:])
    kind, context = details["type"], details.get("ctx", {})
    name = next((cut(step) for step in reversed(document.resolve(loc)) if isinstance(step, str)), what)
    mark, hint = document.mark(loc), ""
    if kind == "missing":
        mark = document.key_mark(loc[:-1])
        message = f"'{loc[-1]}' is missing" + ("" if name == what else f" in '{name}'")
    elif kind == "extra_forbidden":
        mark = document.key_mark(loc)
        message, hint = f"unknown key '{name}'", did_you_mean(name, known(document.resolve(loc)[:-1]), "keys")
    elif kind == "literal_error":
        choices = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        message, hint = f"'{name}' has no such choice", did_you_mean(str(details["input"]), choices, "choices")
    elif kind in _LIMITS:
        words, key = _LIMITS[kind]
        message = f"'{name}' must be {words} {context[key]:g}"
    elif kind in _TYPES:
        message = f"'{name}' must be {_TYPES[kind]}, not {kind_of(details['input'])}"
    elif kind in ("too_short", "string_too_short"):
        message = f"'{name}' must not be empty"
    elif kind == "string_pattern_mismatch":
        message, hint = f"'{name}' cannot name a topic or a directory", "letters, digits, '.', '_' and '-', not first '.' or '_'"
    elif kind == "value_error":
        text, hint = split_hint(str(context.get("error", details["msg"])))
        message = f"'{name}' {text}" if text.startswith(("must ", "is ", "has ", "needs ")) else f"'{name}': {text}"
    else:
        message = f"'{name}': {details['msg'][:1].lower()}{details['msg'][1:]}"
    return Fault(*mark, message, hint)


def kind_of(value: Any) -> str:
    """What a value of a document is, in words; never the value."""
    if value is None:
        return "nothing"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dict: "keys with values", list: "a list"}
    return words.get(type(value), type(value).__name__)
