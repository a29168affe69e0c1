"""What keyed and reversible techniques do with values that nobody meant: each has a clear outcome, and its neighbours do not notice."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.keys.ring import KeyRing
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.vault.memory import MemoryVault

RING, VAULT, REFUSED = KeyRing.new(), MemoryVault(), "(refused)"
RULES = [
    ("fpe", {"domain": "d", "alphabet": "digits"}, 6, 64),
    ("fpe", {"domain": "d", "alphabet": "digits", "keep_first": 2, "keep_last": 2, "max_length": 1024}, 10, 1024),
    ("fpe", {"domain": "d", "format": "ssn"}, 9, 9),
    ("fpe", {"domain": "d", "format": "card"}, 12, 19),
    ("tokenize", {"domain": "d"}, 1, None),
    ("tokenize", {"domain": "d", "format": "digits"}, 6, 1_000),
    ("encrypt", {"domain": "d"}, 1, None),
    ("encrypt_deterministic", {"domain": "d"}, 1, None),
    ("pseudonym", {"domain": "d"}, 1, None),
    ("pseudonym", {"domain": "d", "algorithm": "cmac"}, 1, None),
]
CASES = pytest.mark.parametrize(("name", "params", "least", "most"), RULES, ids=[f"{name}-{k}" for k, (name, *_) in enumerate(RULES)])


def promises(name, params):
    """What a rule promises."""
    technique = registry.get(name)
    return technique.promises(technique.params.model_validate(params))


def run(name, params, texts, back=False, kind=Kind.STRING):
    """What becomes of each text."""
    technique = registry.get(name)
    make = technique.unmake if back else technique.make
    mask = make(technique.params.model_validate(params), RuleContext(FieldFacts("field"), RING, lambda file: "", vault=VAULT))
    assert not isinstance(mask, Action)
    kinds = np.array([Kind.NULL if text is None else kind for text in texts], np.int32)
    done = mask(Values(pa.array(texts, pa.string()), kinds, np.arange(len(texts), dtype=np.int32)), Context(bytes(range(32))))
    refused = np.zeros(len(texts), bool) if done.refused is None else done.refused
    values = done.values.to_pylist()
    return [REFUSED if no else value.decode() if isinstance(value, bytes) else value for no, value in zip(refused, values, strict=True)]


def digits(length):
    """Digits of any length, no two lengths alike."""
    return ("7294618350" * 101)[length % 7 :][:length]


@CASES
def test_every_length_up_to_a_thousand(name, params, least, most):
    """From 0 to 1,000 characters: the empty text stays empty, what is too short or too long is refused, all else comes back."""
    texts = [digits(length) for length in range(1_001)]
    made = run(name, params, texts)
    taken = [least <= length and (most is None or length <= most) for length in range(1, 1_001)]
    assert made[0] == ""
    assert [value != REFUSED for value in made[1:]] == taken
    for text, value in zip(texts[1:], made[1:], strict=True):
        assert value != text
        assert name != "fpe" or value == REFUSED or len(value) == len(text)
    if promises(name, params).reversible:
        back = run(name, params, [value if value != REFUSED else None for value in made], back=True)
        assert back == ["", *(text if ok else None for text, ok in zip(texts[1:], taken, strict=True))]


HOSTILE = ["\0", "0" * 9 + "\0", "\u202e123456789", "\ufeff123456789", "１２３４５６７８９", "١٢٣٤٥٦٧٨٩", "12345678\u0301 9",
           "\U0001d7d8" * 9, "1,234,567.89", "-123456789", "1e123456789", "'; DROP TABLE--", "\ud7ff\ue000", " ",
           "\n123456789"]  # fmt: skip
"""Controls, invisible characters, digits of other scripts, combining marks, signs, exponents: nine digits to some reader or other."""


@CASES
def test_hostile_values_leave_their_neighbours(name, params, least, most):
    """Each is refused or taken whole, never passed on and never half changed; good values among them come out as they do alone."""
    good = [digits(k) for k in (9, 12, 16)]
    mixed = [text for hostile in HOSTILE for text in (hostile, None, *good)]
    made = run(name, params, mixed)
    rows = [made[k : k + 5] for k in range(0, len(made), 5)]
    assert all(row[1] is None and row[0] != hostile for row, hostile in zip(rows, HOSTILE, strict=True))
    if promises(name, params).deterministic:
        alone = run(name, params, good)
        assert all(row[2:] == alone for row in rows)
    if promises(name, params).reversible:
        back = run(name, params, [None if value == REFUSED else value for value in made], back=True)
        for before, value, after in zip(mixed, made, back, strict=True):
            whole = unicodedata.normalize("NFC", before) if before and name == "fpe" else before
            assert after == (None if value == REFUSED else whole)
    if name == "fpe":
        foreign = [row[0] for row, hostile in zip(rows, HOSTILE, strict=True) if not any(c in "0123456789" for c in hostile)]
        assert set(foreign) == {REFUSED}


TWINS = ["Žofie Nováková", "é", "한국어 이름", "Ångström"]


@pytest.mark.parametrize(("name", "params"), [(name, params) for name, params, _, most in RULES if most is None])
def test_composed_and_decomposed_twins_are_two_values(name, params):
    """But for fpe, values count by their bytes: twins that look alike have two results, and each comes back in its own spelling."""
    texts = [unicodedata.normalize(form, text) for text in TWINS for form in ("NFC", "NFD")]
    made = run(name, params, texts)
    assert len(set(made)) == len(texts)
    if promises(name, params).reversible:
        assert run(name, params, made, back=True) == texts


@CASES
def test_numbers_where_text_is_expected(name, params, least, most):
    """A JSON number is refused by what writes texts of the same form; what takes it gives the number itself back."""
    made = run(name, params, ["1234567890123456", "12.50"], kind=Kind.NUMBER)
    if name == "fpe":
        assert made == [REFUSED, REFUSED]
    else:
        assert not {"1234567890123456", "12.50"} & set(made)
