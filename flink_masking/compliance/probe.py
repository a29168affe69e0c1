"""Tries a rule on values made for it, so that a point about results ("to the year", "three digits") rests on results.

Any technique can be tried, those of other packages, too: the question is which values share a result, not what the rule is called.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.compliance.subject import Showing
from flink_masking.errors import FlinkMaskingError
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Contents
from flink_masking.techniques.base import Action
from flink_masking.techniques.masks import Context, Values


def results(showing: Showing, texts: Sequence[str], kind: Kind = Kind.STRING) -> list[str | None] | None:
    """What a rule makes of each of n values.

    Args:
        showing: with a rule.
        texts: contents of strings, or the text of numbers.
        kind: string or number.

    Returns:
        The result of each, "" for null, None for one that is refused: by the rule, or because it does not keep the field's contract. None
        where the rule cannot be tried, or all are refused.
    """
    unfit = _unfit(showing, texts, kind)
    found = _made(showing, texts, kind)
    if found is not None and unfit is not None:
        found = [None if no else one for no, one in zip(unfit.tolist(), found, strict=True)]
    return None if found is None or all(one is None for one in found) else found


def _made(showing: Showing, texts: Sequence[str], kind: Kind) -> list[str | None] | None:
    if showing.rule is None or showing.context is None:
        return list(texts) if showing.exact else None
    if kind not in showing.rule.technique.inputs:
        return None
    n = len(texts)
    try:
        mask = showing.rule.technique.make(showing.rule.params, showing.context)
        if isinstance(mask, Action):
            return list(texts) if mask is Action.KEEP else ["" for _ in texts]
        values = Values(pa.array(texts, pa.string()), np.full(n, int(kind), np.int32), np.arange(n, dtype=np.int32))
        made = mask(values, Context(bytes(32), pa.array(["somebody"] * n, pa.string()), lambda path: np.arange(n, dtype=np.int32)))
    except FlinkMaskingError:
        return None
    column = made.values if isinstance(made.values, pa.Array) else pa.array([made.values.as_py()] * n, made.values.type)
    refused = [False] * n if made.refused is None else made.refused.tolist()
    return [None if no else _text(value) for no, value in zip(refused, column.to_pylist(), strict=True)]


def _unfit(showing: Showing, texts: Sequence[str], kind: Kind) -> np.ndarray | None:
    """Bool, n: values that break the field's contract, of which nothing is shown; None where all keep it."""
    if showing.contract is None:
        return None
    column = pa.array(texts, pa.string())
    data, offsets, _ = parts(column)
    return showing.contract.unfit(Contents(data, offsets[:-1], offsets[1:], np.full(len(texts), int(kind), np.int32)), column)


def _text(value: str | bytes | None) -> str:
    return "" if value is None else value.decode() if isinstance(value, bytes) else value
