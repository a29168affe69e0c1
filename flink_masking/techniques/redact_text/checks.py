"""Checks of redact_text that need the types of data and the techniques of parts."""

from flink_masking.detect import type_named
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import RuleContext
from flink_masking.techniques.redact_text import OTHERS, Part, RedactTextParams
from flink_masking.techniques.redact_text.others import other_detectors


def check(params: RedactTextParams, rule_context: RuleContext) -> None:
    """Check that each type exists, and that each technique can stand in a text.

    Raises:
        PolicyError: with the type and a hint.
    """
    for name in params.types or ():
        type_named(name)
    try:
        other_detectors(params)
    except PolicyError as error:
        raise PolicyError(f"detectors: {error}") from None
    for name, part in params.parts.items():
        if name != OTHERS:
            type_named(name)
        _check_part(name, part)
        try:
            part.technique.check(part.params, rule_context)
        except PolicyError as error:
            raise PolicyError(f"entities: {name}: {error}") from None


def _check_part(name: str, part: Part) -> None:
    technique, params = part
    promises = technique.promises(params)
    wrong = ""
    if isinstance(params, RedactTextParams):
        wrong = "contains itself. Hint: name a technique for whole values, or omit the type: its entities become its name"
    elif promises.needs_vault:
        wrong = "needs a vault. Hint: pseudonym gives equal values one result without a vault"
    elif not promises.row_local or promises.moves_with:
        wrong = "depends on other records. Hint: use a technique that works row by row, such as pseudonym or substitute"
    elif promises.always_null:
        wrong = "gives null, which cannot stand in a text. Hint: drop removes the entity"
    elif not technique.inputs & TEXT:
        wrong = "takes no text. Hint: use a technique that takes text, such as pseudonym, partial or redact"
    elif params.on_error not in ("redact", "drop"):
        wrong = f"has on_error: {params.on_error}, which is for whole values. Hint: redact puts <{name}>, drop removes the entity"
    if wrong:
        raise PolicyError(f"entities: {name}: technique {technique.name} {wrong}")
