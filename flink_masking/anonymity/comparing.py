"""Normal forms of sensitive values: numbers compare by value, text optionally without case and surrounding blanks.

Diversity that counts ``1`` and ``1.0``, or ``flu`` and ``Flu ``, as two values promises what nobody gets.
"""

import unicodedata
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, DecimalException

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.kinds import NUMERIC, TEXT, Kind

_NUMBER = np.array([kind in NUMERIC for kind in Kind])
_TEXT = np.array([kind in TEXT for kind in Kind])
_COMMON = r"^(0|-?[1-9][0-9]{0,30})$"
"""Numbers that are written in the one form already."""
WRITTEN_OUT = 64
"""Decimal places, in front of the point and behind it, up to which a number is written without an exponent."""


def number_text(text: str) -> str:
    """The one form of a number: ``1``, ``1.0`` and ``10e-1`` are ``1``; text that is no number, or beyond any, stays as it is.

    >>> [number_text(text) for text in ("1.50", "-0.0", "1E+2", "12", "x")]
    ['1.5', '0', '100', '12', 'x']
    """
    try:
        value = Decimal(text).normalize(Context(prec=len(text) + 1, Emax=MAX_EMAX, Emin=MIN_EMIN))
    except DecimalException:
        return text
    if not value.is_finite():
        return text
    if not value:
        return "0"
    return format(value, "f") if abs(value.adjusted()) <= WRITTEN_OUT else str(value)


def folded_text(text: str) -> str:
    """The one form of a text that is compared without case and blanks: NFKC, case-folded; of a text that is a number, the number's."""
    return number_text(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip())


def comparable(text: pa.StringArray, kinds: np.ndarray, folded: bool) -> pa.StringArray:
    """Values in the normal form by which they are compared.

    Args:
        text: n values as text; null for none.
        kinds: n `Kind` codes.
        folded: whether text counts without case and the blanks around it; numbers always count by value.
    """
    there = text.is_valid().to_numpy(zero_copy_only=False)
    for of, form in ((_NUMBER, _numbers), *(((_TEXT, _folded),) if folded else ())):
        these = of[kinds] & there
        if these.any():
            text = form(text) if these.all() else pc.replace_with_mask(text, pa.array(these), form(text.filter(pa.array(these))))
    return text


def _numbers(text: pa.StringArray) -> pa.StringArray:
    return text if pc.all(pc.match_substring_regex(text, _COMMON)).as_py() else _each(text, number_text)


def _folded(text: pa.StringArray) -> pa.StringArray:
    return _each(text, folded_text)


def _each(text: pa.StringArray, form: Callable[[str], str]) -> pa.StringArray:
    """Every different value in its form; sensitive values are few."""
    encoded = text.dictionary_encode()
    return pa.array([form(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)
