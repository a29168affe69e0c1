"""From the plain values of a document to the models; every refusal of pydantic becomes a fault with its place."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flink_masking.policy.document import Document, cut
from flink_masking.policy.faults import Fault, did_you_mean, split_hint
from flink_masking.policy.fields import EventTime, Field, Model
from flink_masking.policy.model import Audit, Policy, StreamPrivacy
from flink_masking.policy.privacy_models import Alpha, Closeness, Diversity
from flink_masking.policy.segments import VIEWS, Hopping, MaxReleases, Privacy, RecordParts, Window

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
_PARTS: dict[str, type[Model]] = {
    "event_time": EventTime, "audit": Audit, "privacy": Privacy, "window": Window, "hopping": Hopping, "l_diversity": Diversity,
    "t_closeness": Closeness, "alpha_k": Alpha, "record": RecordParts, "max_releases": MaxReleases,
}  # fmt: skip


def build(document: Document) -> tuple[Policy | None, list[Fault]]:
    """The policy, or all faults of its structure."""
    try:
        return Policy.model_validate(document.value), []
    except ValidationError as error:
        return None, faults_of(error, document, (), None)


def faults_of(error: ValidationError, document: Document, prefix: Sequence[str | int], params: type[BaseModel] | None) -> list[Fault]:
    """The faults of a validation error.

    Args:
        error: of pydantic.
        document: for the places.
        prefix: where in the document the validated value stands.
        params: the model it was validated by, when that is none of the policy's own (parameters of a technique).
    """
    return [_fault(details, document, (*prefix, *details["loc"]), params) for details in error.errors(include_url=False)]


def _fault(details: ErrorDetails, document: Document, loc: tuple[str | int, ...], params: type[BaseModel] | None) -> Fault:
    kind, context = details["type"], details.get("ctx", {})
    name = next((cut(step) for step in reversed(document.resolve(loc)) if isinstance(step, str)), "the policy")
    mark, hint = document.mark(loc), ""
    if kind == "missing":
        mark = document.key_mark(loc[:-1])
        message = f"'{loc[-1]}' is missing" + ("" if name == "the policy" else f" in '{name}'")
    elif kind == "extra_forbidden":
        mark = document.key_mark(loc)
        found = document.resolve(loc)
        message, hint = _understood(found) or (
            f"unknown key '{name}'", did_you_mean(name, _known_keys(found[:-1], document, params), "keys"))
    elif kind == "union_tag_not_found":
        mark = document.key_mark(loc)
        message, hint = f"'view' is missing in '{name}'", f"known views: {', '.join(VIEWS)}"
    elif kind == "union_tag_invalid":
        mark = document.mark((*loc, "view"))
        message, hint = "'view' is not a known view", did_you_mean(str(context.get("tag")), VIEWS, "views")
    elif kind == "literal_error":
        known = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        message, hint = f"'{name}' has no such choice", did_you_mean(str(details["input"]), known, "choices")
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


def _understood(path: Sequence[str | int]) -> tuple[str, str] | None:
    """Message and hint for a key that is understood and not allowed in its place; None for any other unknown key."""
    match list(path):
        case ["segments", _, "record"]:
            return ("'record' is for masked segments", "a row of an anonymized or aggregated segment stands for several people: it never "
                    "carries the key, the headers or the timestamp of a record")
        case ["segments", _, "window", "session"]:
            return ("session windows cannot be private: where a session begins and ends is told by one person's own events, so its bounds "
                    "alone would give them away", "use {tumbling: 1min}, or {hopping: {size: 1h, every: 10min}}")
        case ["event_time", "record"]:
            return "Kafka's own timestamp as the event time is not available yet", "name a field of the records: {field: timestamp}"
    return None


def kind_of(value: Any) -> str:
    """The kind of a value of a document, never the value."""
    if value is None:
        return "nothing"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dict: "keys with values", list: "a list"}
    return words.get(type(value), type(value).__name__)


def _known_keys(path: Sequence[str | int], document: Document, params: type[BaseModel] | None) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    model: type[BaseModel] | None = params
    if model is None:
        match list(path):
            case []:
                model = Policy
            case ["fields", _]:
                model = Field
            case ["privacy"]:
                model = StreamPrivacy
            case ["segments", name]:
                model = VIEWS.get(document.value["segments"][name].get("view"))
            case [*_, str(part)] | [*_, str(part), int()]:
                model = _PARTS.get(part)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []
