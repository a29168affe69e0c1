"""redact_text at work on one field."""

import numpy as np

from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.redact_text import RedactTextParams
from flink_masking.techniques.redact_text.redactor import Redactor
from flink_masking.techniques.rewriting import refusals


def make(params: RedactTextParams, rule_context: RuleContext) -> Mask:
    """A mask that replaces the entities in texts.

    Null stays null, ``""`` stays ``""``; values of other kinds are refused. A denied text wins over an entity that it lies in, and an
    entity over an unknown name. What the name of the field says of its values counts as it does in detection. An entity that its own
    technique cannot take becomes its type, or is removed with ``on_error: drop``. Deterministic and row-local where all parts are; not
    reversible. Leaks everything that is not found, where entities stood, and of which types they were.
    """
    redactor = Redactor(params, rule_context)
    hint = redactor.detectors.hint(rule_context.facts.path)

    def redact_text(values: Values, context: Context) -> Masked:
        found = redactor.found(values.text, np.full(len(values.text), hint, np.int32))
        return Masked(redactor.replaced(values.text, values.rows, found, context), refusals(values, TEXT))

    return redact_text


def output_domain(params: RedactTextParams) -> Domain:
    """Any text: what is not found stays."""
    return Domain("a text in which entities are replaced", lambda text: True)
