"""redact_text at work: what detectors find in a column of texts is replaced by one splice of the column."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import parts, strings
from flink_masking.detect import TYPES, Detectors, type_named
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.techniques.base import Action, Domain, FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.redact_text import OTHERS, Part, RedactTextParams
from flink_masking.techniques.redact_text.spans import DENIED, NAME, NONE, STAYS, Spans, between, denial, joined, merged, unknown_names
from flink_masking.techniques.redact_text.splice import splice
from flink_masking.techniques.rewriting import refusals

_PLACEHOLDERS = strings([*(f"<{row.name}>" for row in TYPES), "", "***", "<NAME>"])
"""What stands in the place of an entity of each type; of one that is removed, a denied text, an unknown name."""
_REMOVED = len(TYPES)
_WORDS = {DENIED: _REMOVED + 1, NAME: _REMOVED + 2}


class _Own(NamedTuple):
    """A technique of its own for some types.

    Attributes:
        types: numbers of types.
        mask: the technique's.
        label: tells its random numbers from those of other parts.
        dropped: entities that it cannot take are removed, instead of replaced by their type.
    """

    types: np.ndarray
    mask: Mask
    label: bytes
    dropped: bool


@cache
def _detectors(types: tuple[str, ...] | None, minimum: int) -> Detectors:
    return Detectors(types, minimum=minimum)


def make(params: RedactTextParams, rule_context: RuleContext) -> Mask:
    """A mask that replaces the entities in texts.

    Null stays null, ``""`` stays ``""``; values of other kinds are refused. A denied text wins over an entity that it lies in, and an
    entity over an unknown name. What the name of the field says of its values counts as it does in detection. An entity that its own
    technique cannot take becomes its type, or is removed with ``on_error: drop``. Deterministic and row-local where all parts are; not
    reversible. Leaks everything that is not found, where entities stood, and of which types they were.
    """
    detectors, path = _detectors(params.types, params.minimum), rule_context.facts.path
    fate, own = _parts(params, rule_context)
    allowed = pc.utf8_lower(strings(params.allow)) if params.allow else None
    denied: Callable[[pa.StringArray], Spans] | None = denial(params.deny) if params.deny else None
    names = params.unknown_names == "mask"

    def redact_text(values: Values, context: Context) -> Masked:
        text, refused = values.text, refusals(values, TEXT)
        found = detectors.find_array(text, path)
        spans = Spans(np.where(fate[found.types] == STAYS, STAYS, found.types).astype(np.int64), found.starts, found.ends)
        if allowed is not None and len(spans.starts):
            stays = pc.is_in(pc.utf8_lower(between(text, spans.starts, spans.ends)), allowed).to_numpy(zero_copy_only=False)
            spans.kinds[stays] = STAYS
        spans = joined(spans, denied(text) if denied is not None else NONE)
        if names:
            more = unknown_names(text, spans)
            if allowed is not None and len(more.starts):
                more = more.take(~pc.is_in(pc.utf8_lower(between(text, more.starts, more.ends)), allowed).to_numpy(zero_copy_only=False))
            spans = merged(spans, more)
        spans = spans.take(spans.kinds != STAYS)
        if not len(spans.starts):
            return Masked(text, refused)
        instead, which = _replacements(values, context, spans, fate, own)
        return Masked(splice(text, spans.starts, spans.ends, instead, which), refused)

    return redact_text


def _parts(params: RedactTextParams, rule_context: RuleContext) -> tuple[np.ndarray, list[_Own]]:
    """What becomes of each type, int64: the number of a placeholder, or STAYS; and techniques of some types."""
    fate, own = np.arange(len(TYPES)), []
    context = replace(rule_context, facts=FieldFacts(rule_context.facts.path))
    named = {type_named(name) for name in params.parts if name != OTHERS}
    for name, part in params.parts.items():
        types = np.array([type_named(name)] if name != OTHERS else sorted(set(range(len(TYPES))) - named))
        mask = part.technique.make(part.params, context)
        if isinstance(mask, Action):
            fate[types] = STAYS if mask is Action.KEEP else _REMOVED
        else:
            own.append(_Own(types, mask, name.encode(), _dropped(part)))
    return fate, own


def _dropped(part: Part) -> bool:
    return part.params.on_error == "drop"


def _replacements(values: Values, context: Context, spans: Spans, fate: np.ndarray, own: list[_Own]) -> tuple[pa.StringArray, np.ndarray]:
    """Replacements, and for each span which of them it gets."""
    which = np.where(spans.kinds >= 0, fate[np.maximum(spans.kinds, 0)], 0)
    for kind, word in _WORDS.items():
        which[spans.kinds == kind] = word
    made, count = [_PLACEHOLDERS], len(_PLACEHOLDERS)
    rows = values.rows[np.searchsorted(parts(values.text).offsets[1:], spans.starts, side="right")] if own else which
    for part in own:
        chosen = np.flatnonzero(np.isin(spans.kinds, part.types))
        if not len(chosen):
            continue
        some = spans.take(chosen)
        entities = Values(between(values.text, some.starts, some.ends), np.full(len(chosen), Kind.STRING, np.int32), rows[chosen])
        seed = hashlib.blake2b(context.seed + part.label, digest_size=32).digest()
        masked = part.mask(entities, replace(context, seed=seed))
        texts = _texts(masked.values, len(chosen))
        good = texts.is_valid().to_numpy(zero_copy_only=False)
        if masked.refused is not None:
            good &= ~masked.refused
        made.append(texts.fill_null(""))
        which[chosen] = np.where(good, count + np.arange(len(chosen)), _REMOVED if part.dropped else some.kinds)
        count += len(chosen)
    return pa.concat_arrays(made), which


def _texts(made: pa.Array | pa.Scalar, count: int) -> pa.StringArray:
    array = made if isinstance(made, pa.Array) else pa.repeat(made, count)
    return array if array.type == pa.string() else array.cast(pa.string())


def output_domain(params: RedactTextParams) -> Domain:
    """Any text: what is not found stays."""
    return Domain("a text in which entities are replaced", lambda text: True)
