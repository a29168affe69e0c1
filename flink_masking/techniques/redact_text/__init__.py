"""redact_text: personal and secret data that is found in a text is replaced; the rest of the text stays."""

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, WithJsonSchema

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import Params, RuleContext, Technique
from flink_masking.techniques.promises import Promises, Shows

OTHERS = "*"
"""Stands for every type that has no technique of its own."""
SHORT = {"CARD": "CARD_NUMBER", "IP": "IP_ADDRESS", "MAC": "MAC_ADDRESS", "SSN": "US_SSN"}
"""Short names of types."""
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_HINT = "Hint: [EMAIL, PHONE], or {EMAIL: {technique: pseudonym, domain: email}, IP_ADDRESS: keep}"
_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "object", "minProperties": 1,
         "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["technique"]}]}},
        {"type": "null"},
    ],
    "default": None,
}


_DETECTORS_HINT = "Hint: [badges], or {ner: {model: en_core_web_sm}}"
_DETECTORS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        {"type": "object", "additionalProperties": {"type": "object",
                                                    "additionalProperties": {"type": ["string", "number", "boolean"]}}},
    ],
    "default": [],
}


class Part(NamedTuple):
    """What becomes of the entities of a type.

    Attributes:
        technique: from the registry.
        params: checked.
    """

    technique: Technique
    params: Params


def _type(name: Any, others: bool) -> str:
    if not isinstance(name, str) or not (_TYPE.fullmatch(name) or (others and name == OTHERS)):
        raise ValueError(f"must name types of data in capitals. {_HINT}")
    return SHORT.get(name, name)


def _part(kind: str, value: Any) -> dict[str, Any]:
    """A rule as written, ``keep`` or ``{technique: partial, keep_last: 4}``, its parameters checked."""
    written = {"technique": value} if isinstance(value, str) else value
    if not isinstance(written, Mapping) or not isinstance(written.get("technique"), str):
        raise ValueError(f"must be techniques by type, and {kind} has none. {_HINT}")
    try:
        part(written)
    except PolicyError as error:
        raise ValueError(f"{kind}: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])[:80]
        raise ValueError(f"{kind}: {where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}") from None
    return dict(written)


def _entities(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, list | tuple | Mapping) or not value:
        raise ValueError(f"must be a list of types, or techniques by type. {_HINT}")
    names = [_type(name, isinstance(value, Mapping)) for name in value]
    if len(set(names)) < len(names):
        raise ValueError("names a type twice. Hint: name each type once")
    if isinstance(value, Mapping):
        return {name: _part(name, rule) for name, rule in zip(names, value.values(), strict=True)}
    return tuple(names)


def _named_detectors(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if len({*map(str, value)}) < len(value):
            raise ValueError("names a detector twice. Hint: name each detector once")
        value = {name: {} for name in value} if all(isinstance(name, str) for name in value) else None
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and isinstance(options, Mapping) for name, options in value.items()):
        raise ValueError(f"must be a list of detectors, or their options by name. {_DETECTORS_HINT}")
    if not all(isinstance(option, str | int | float | bool) for options in value.values() for option in options.values()):
        raise ValueError(f"must have texts, numbers, true or false as options. {_DETECTORS_HINT}")
    return {name: dict(options) for name, options in value.items()}


def part(written: Mapping[str, Any]) -> Part:
    """The technique of a rule and its parameters.

    Raises:
        PolicyError: there is no such technique.
        ValidationError: it does not take the parameters.
    """
    technique: Technique = import_module("flink_masking.techniques.registry").get(written["technique"])
    return Part(technique, technique.params.model_validate({key: value for key, value in written.items() if key != "technique"}))


Entities = Annotated[tuple[str, ...] | dict[str, dict[str, Any]] | None, BeforeValidator(_entities), WithJsonSchema(_SCHEMA)]
NamedDetectors = Annotated[dict[str, dict[str, Any]], BeforeValidator(_named_detectors), WithJsonSchema(_DETECTORS_SCHEMA)]
Texts = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=1_000)], ...], Field(max_length=1_000)]


class RedactTextParams(Params):
    """Parameters of redact_text.

    Attributes:
        entities: a list: only these types are looked for. Techniques by type: all types are looked for, and those named are protected by
            their own technique; ``"*"`` stands for all others, whose entities become ``<EMAIL>``, ``<PERSON>`` … without it.
        allow: texts that stay although they are found, whole entities without regard to case.
        deny: texts that become ``***`` wherever they stand, without regard to case, in an entity as well, which is then hidden whole.
        minimum: lowest confidence, 1 to 100, of what is found.
        detectors: of other packages, or ``ner``, that look for entities, too: a list of names of the entry point group
            ``flink_masking.detectors``, or their options by name. They see all texts, so they are as trusted as the job.
        unknown_names: mask replaces runs of capitalised words by ``<NAME>``, too, unless all their words are common ones.
    """

    entities: Entities = None
    allow: Texts = ()
    deny: Texts = ()
    detectors: NamedDetectors = Field(default_factory=dict)
    minimum: int = Field(50, ge=1, le=100, strict=True)
    unknown_names: Literal["keep", "mask"] = "keep"

    @property
    def types(self) -> tuple[str, ...] | None:
        """The types that are looked for; None: all."""
        return self.entities if isinstance(self.entities, tuple) else None

    @property
    def parts(self) -> dict[str, Part]:
        """Techniques by type, and by ``"*"``."""
        return {name: part(written) for name, written in self.entities.items()} if isinstance(self.entities, dict) else {}


def promises(params: RedactTextParams) -> Promises:
    """The rest of a text, as it came, and of entities what their techniques promise."""
    parts = tuple((one.technique.name, one.technique.promises(one.params)) for one in params.parts.values())
    kept = [promised for _, promised in parts]
    deterministic = all(one.deterministic for one in kept)
    return Promises(
        shows=Shows.PART,
        deterministic=deterministic,
        lasting=deterministic,  # what stays of a text can tell people apart
        row_local=all(one.row_local for one in kept),
        needs_subject=any(one.needs_subject for one in kept),
        needs_vault=any(one.needs_vault for one in kept),
        purposes=tuple(sorted({purpose for one in kept for purpose in one.purposes})),
        domain=next((one.domain for one in kept if one.domain is not None), None),
        bound_to_field=any(one.bound_to_field for one in kept),
        parts=parts,
    )


def _check(params: RedactTextParams, rule_context: RuleContext) -> None:
    import_module("flink_masking.techniques.redact_text.checks").check(params, rule_context)


def _warnings(params: RedactTextParams) -> list[str]:
    found = {name: one.technique.warnings(one.params) for name, one in params.parts.items()}
    return [f"{name}: {text}" for name, texts in found.items() for text in texts]


TECHNIQUE = Technique(
    name="redact_text",
    summary="Personal and secret data in a text is replaced by its type, or protected by a technique of its own; the rest stays.",
    params=RedactTextParams,
    promises=promises,
    inputs=TEXT,
    implementation="flink_masking.techniques.redact_text.mask",
    check=_check,
    warnings=_warnings,
    examples=(
        {},
        {"entities": {"EMAIL": {"technique": "pseudonym", "domain": "email"},
                      "CARD_NUMBER": {"technique": "partial", "keep_last": 4}, "IP_ADDRESS": "keep"}},
        {"entities": ["EMAIL", "IBAN"], "allow": ["john.doe@example.com"], "deny": ["Boston"], "minimum": 60},
        {"entities": {"EMAIL": {"technique": "encrypt", "domain": "email"}}, "unknown_names": "mask"},
        {"entities": {"EMAIL": {"technique": "encrypt_deterministic", "domain": "email"}, "*": "keep"}},
        {"entities": {"EMAIL": {"technique": "pseudonym", "domain": "email"}, "DATE": {"technique": "date_shift", "max_days": 30}},
         "minimum": 20},
    ),
)  # fmt: skip
