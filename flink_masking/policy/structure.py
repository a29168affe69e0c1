"""From the plain values of a document to the models; every refusal of pydantic becomes a fault with its place."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flink_masking.documents import structure
from flink_masking.documents.document import Document, Mark, cut
from flink_masking.documents.faults import Fault, PolicyFaults, did_you_mean
from flink_masking.policy.envelope import Envelope
from flink_masking.policy.examples import EXAMPLES, inline
from flink_masking.policy.fields import Derive, EventTime, Field, Model
from flink_masking.policy.model import Audit, Policy, QuarantinePolicy, ReversePolicy, StreamPrivacy
from flink_masking.policy.privacy_models import Alpha, Closeness, Diversity
from flink_masking.policy.segments import VIEWS, Hopping, MaxReleases, Privacy, RecordParts, Window
from flink_masking.policy.tags import TaggedClass, Tags
from flink_masking.techniques.registry import OWN

_PARTS: dict[str, type[Model]] = {
    "event_time": EventTime, "audit": Audit, "quarantine": QuarantinePolicy, "reverse": ReversePolicy,
    "privacy": Privacy, "window": Window, "hopping": Hopping,
    "l_diversity": Diversity,
    "t_closeness": Closeness, "alpha_k": Alpha, "record": RecordParts, "max_releases": MaxReleases,
    "derive": Derive, "tags": Tags,
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
    return structure.faults_of(error, document, prefix, PolicyFaults.what, lambda path: _known_keys(path, document, params),
                               lambda details, loc: _special(details, loc, document), lambda path: _example(path, document, params))


def _example(path: Sequence[str | int], document: Document, params: type[BaseModel] | None) -> str:
    """How the key at a path is written; empty where there is no example."""
    place = next((place for place in reversed(range(len(path))) if isinstance(path[place], str)), None)
    model = None if place is None else _model(path[:place], document, params)
    if place is None or (params is None and model is None):
        return ""
    key = str(path[place])
    written = [EXAMPLES.get((model.__name__, key))] if model is not None else []
    for technique in OWN.values() if params is not None else ():
        if technique.params is params:
            written += [EXAMPLES.get((f"technique_{technique.name}", key)), *(given.get(key) for given in technique.examples)]
    found = next((one for one in [*written, EXAMPLES.get(("*", key))] if one is not None), None)
    return "" if found is None else f"such as {key}: {inline(found)}"


def _special(details: ErrorDetails, loc: tuple[str | int, ...], document: Document) -> tuple[Mark, str, str] | None:
    """Place, message and hint of what is told in words of the policy's grammar."""
    if details["type"] == "extra_forbidden" and (told := _understood(document.resolve(loc))) is not None:
        return document.key_mark(loc), *told
    if details["type"] == "union_tag_not_found":
        name = next((cut(step) for step in reversed(document.resolve(loc)) if isinstance(step, str)), PolicyFaults.what)
        return document.key_mark(loc), f"'view' is missing in '{name}'", f"known views: {', '.join(VIEWS)}"
    if details["type"] == "union_tag_invalid":
        tag = str(details.get("ctx", {}).get("tag"))
        return document.mark((*loc, "view")), "'view' is not a known view", did_you_mean(tag, VIEWS, "views")
    return None


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


def _known_keys(path: Sequence[str | int], document: Document, params: type[BaseModel] | None) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    model = _model(path, document, params)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model(path: Sequence[str | int], document: Document, params: type[BaseModel] | None) -> type[BaseModel] | None:
    """The model of the mapping at `path`."""
    model: type[BaseModel] | None = params
    if model is None:
        match list(path):
            case []:
                model = Policy
            case ["fields", _]:
                model = Field
            case ["tags", "map", _]:
                model = TaggedClass
            case ["record"]:
                model = Envelope
            case ["privacy"]:
                model = StreamPrivacy
            case ["segments", name]:
                model = VIEWS.get(document.value["segments"][name].get("view"))
            case [*_, str(part)] | [*_, str(part), int()]:
                model = _PARTS.get(part)
    return model
