"""What redact_text does to columns of texts: it finds what is replaced, and replaces it."""

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
from flink_masking.detect.plugins import Detector
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Mask, Values
from flink_masking.techniques.redact_text import OTHERS, Part, RedactTextParams
from flink_masking.techniques.redact_text.escaped import escaped
from flink_masking.techniques.redact_text.others import other_detectors
from flink_masking.techniques.redact_text.spans import NONE, STAYS, Spans, between, denial, joined, merged, unknown_names
from flink_masking.techniques.redact_text.splice import splice

_PLACEHOLDERS = strings([*(f"<{row.name}>" for row in TYPES), "", "***", "<NAME>"])
"""What stands in the place of an entity of each type; of one that is removed, a denied text, an unknown name."""
_REMOVED = len(TYPES)
_WORDS = (_REMOVED + 2, _REMOVED + 1)
"""The same of the kinds NAME and DENIED, which follow upon STAYS, below the numbers of types."""


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
def _detectors(types: tuple[str, ...] | None, minimum: int, others: tuple[Detector, ...]) -> Detectors:
    return Detectors(types, minimum=minimum, extra=others)


class Redactor:
    """A compiled rule; see `flink_masking.techniques.redact_text.mask.make` for what it promises.

    Attributes:
        detectors: what finds the entities.
    """

    def __init__(self, params: RedactTextParams, rule_context: RuleContext) -> None:
        """Make the techniques of the parts."""
        self.detectors = _detectors(params.types, params.minimum, other_detectors(params))
        fate, self._own = _parts(params, rule_context)
        self._keeps, self._becomes = bool((fate == STAYS).any()), np.concatenate([[STAYS, *_WORDS], fate])
        self._allowed = pc.utf8_lower(strings(params.allow)) if params.allow else None
        self._denied: Callable[[pa.StringArray], Spans] | None = denial(params.deny) if params.deny else None
        self._names = params.unknown_names == "mask"

    def found(self, text: pa.StringArray, hints: np.ndarray) -> Spans:
        """What is replaced in n texts.

        Args:
            text: n texts; null has nothing in it.
            hints: int32, n, of `Detectors.hint`: what the name of each text's member says.
        """
        data, offsets, _ = parts(text)
        edges = offsets.astype(np.int64)
        found = self.detectors.find(data, edges[:-1], edges[1:], hints)
        own = Spans(found.types.astype(np.int64), found.starts, found.ends)
        spans = joined(self._kept(own), self._kept(escaped(self.detectors, text, hints)))
        if self._allowed is not None and len(spans.starts):
            spans.kinds[self._stays(text, spans)] = STAYS
        spans = joined(spans, self._denied(text) if self._denied is not None else NONE)
        if self._names:
            more = unknown_names(text, spans)
            if self._allowed is not None and len(more.starts):
                more = more.take(~self._stays(text, more))
            spans = merged(spans, more)
        return spans.take(spans.kinds != STAYS) if self._keeps or self._allowed is not None else spans

    def _kept(self, spans: Spans) -> Spans:
        """The spans, those of types that are kept as STAYS: before others are joined with them, or these would stay, too."""
        if self._keeps:
            spans.kinds[self._becomes[spans.kinds - STAYS] == STAYS] = STAYS
        return spans

    def _stays(self, text: pa.StringArray, spans: Spans) -> np.ndarray:
        texts = pc.utf8_lower(between(text, spans.starts, spans.ends))
        stays: np.ndarray = pc.is_in(texts, self._allowed).to_numpy(zero_copy_only=False)
        return stays

    def replaced(self, text: pa.StringArray, rows: np.ndarray, spans: Spans, context: Context,
                 chosen: np.ndarray | None = None) -> pa.StringArray:  # fmt: skip
        """The texts with the spans replaced.

        Args:
            text: n texts; null stays null.
            rows: int: the batch row of each text that is wanted.
            spans: in these texts, from `found`.
            context: of the batch.
            chosen: int64, ascending: the numbers of the texts that are wanted, in which all spans lie; None: all texts.
        """
        if not len(spans.starts) and chosen is None:
            return text
        instead, which = self._replacements(text, rows, context, spans, chosen)
        return splice(text, spans.starts, spans.ends, instead, which, chosen)

    def _replacements(self, text: pa.StringArray, rows: np.ndarray, context: Context, spans: Spans,
                      wanted: np.ndarray | None) -> tuple[pa.StringArray, np.ndarray]:  # fmt: skip
        """Replacements, and for each span which of them it gets."""
        which = self._becomes[spans.kinds - STAYS]
        made, count = [_PLACEHOLDERS], len(_PLACEHOLDERS)
        of = which
        if self._own:
            number = np.searchsorted(parts(text).offsets[1:], spans.starts, side="right")
            of = rows[number if wanted is None else np.searchsorted(wanted, number)]
        for part in self._own:
            chosen = np.flatnonzero(np.isin(spans.kinds, part.types))
            if not len(chosen):
                continue
            some = spans.take(chosen)
            entities = Values(between(text, some.starts, some.ends), np.full(len(chosen), Kind.STRING, np.int32), of[chosen])
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


def _texts(made: pa.Array | pa.Scalar, count: int) -> pa.StringArray:
    array = made if isinstance(made, pa.Array) else pa.repeat(made, count)
    return array if array.type == pa.string() else array.cast(pa.string())
