"""What the tests of techniques share: values of one kind, and a mask run on them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques.base import Action, FieldFacts, RuleContext, Technique
from flink_masking.techniques.masks import Context, Values

REFUSED = "(refused)"
HIERARCHY = "Boston;MA;East;*\nSalem;MA;East;*\nAlbany;NY;East;*\nReno;NV;West;*\n"


@pytest.fixture(scope="session")
def key_ring() -> KeyRing:
    """A random key ring."""
    return KeyRing.new()


@pytest.fixture(scope="session")
def run(key_ring: KeyRing) -> Callable[..., list[Any]]:
    """Makes the mask of a technique from a rule's parameters and runs it on texts of one kind; REFUSED stands for refused values."""

    def run_mask(
        technique: Technique,
        params: dict[str, Any],
        texts: Sequence[str | None],
        kind: Kind = Kind.STRING,
        facts: FieldFacts | None = None,
    ) -> list[Any]:
        rule_context = RuleContext(facts or FieldFacts("field"), key_ring, lambda name: HIERARCHY)
        mask = technique.make(technique.params.model_validate(params), rule_context)
        assert not isinstance(mask, Action)
        kinds = np.array([Kind.NULL if text is None else kind for text in texts], np.int32)
        values = Values(pa.array(texts, pa.string()), kinds, np.arange(len(texts), dtype=np.int32))
        masked = mask(values, Context(bytes(32)))
        masked.values.validate(full=True)
        result = masked.values.to_pylist() if isinstance(masked.values, pa.Array) else [masked.values.as_py()] * len(texts)
        refused = np.zeros(len(texts), bool) if masked.refused is None else masked.refused
        return [REFUSED if no else text for text, no in zip(result, refused, strict=True)]

    return run_mask
