"""The contract of one field, compiled from its declaration, and the check of a batch of its values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import strings
from flink_masking.contract import check_kernels as kernels
from flink_masking.contract import number_kernels
from flink_masking.contract.forms import DECLARATIVE, FORMS, SHORT, UNTYPED, Form
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC, TEXT
from flink_masking.records.spans import Contents
from flink_masking.values.decimals import MAX_SCALE

_LARGEST = (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Contract:
    """What every shown value of a field keeps.

    Attributes:
        numbers: the kernel's numbers, int64, `kernels.CONTRACT`.
        values: the only texts that fit, or None.
        pattern: a regular expression (RE2) that a text must match as a whole, or None.
    """

    numbers: np.ndarray
    values: pa.StringArray | None = None
    pattern: str | None = None

    @property
    def reads_text(self) -> bool:
        """Whether the check needs the values as an Arrow column, not only where they lie."""
        return self.values is not None or self.pattern is not None

    def unfit(self, contents: Contents, text: pa.StringArray | None = None) -> np.ndarray | None:
        """Check a batch of values; null and ``""`` always fit.

        Args:
            contents: where n values lie.
            text: the same values as a column; needed where `reads_text`.

        Returns:
            bool, n: True where a value does not keep the contract; None when all do.
        """
        unfit = np.empty(len(contents.kinds), np.uint8)
        count = kernels.check_rows(contents.data, contents.starts, contents.ends, contents.kinds, self.numbers, unfit)
        if self.reads_text:
            assert text is not None
            good = pa.scalar(True)
            if self.values is not None:
                good = pc.is_in(text, value_set=self.values)
            if self.pattern is not None:
                good = pc.and_(good, pc.match_substring_regex(text, self.pattern))
            wrong = ~pc.fill_null(good, True).to_numpy(zero_copy_only=False) & (contents.starts != contents.ends)
            if wrong.any():
                unfit |= wrong.view(np.uint8)
                count += 1
        return unfit.view(np.bool_) if count else None


def contract_of(kind: str | None, known: bool, bounds: tuple[Any, Any] | None = None, domain: tuple[Any, Any] | None = None,
                scale: int | None = None, prefix: int | None = None, values: Sequence[str] | None = None,
                pattern: str | None = None) -> Contract | None:
    """Compile a declaration.

    Args:
        kind: the declared type, or None.
        known: whether it is a type that policies know; any other changes nothing.
        bounds: of a measure, used where there is no domain.
        domain: lowest and highest value: numbers, or ISO 8601 texts.
        scale: most decimals of a number.
        prefix: most characters of a text; of a place those of its geohash, which says nothing of the value.
        values: the only texts that fit.
        pattern: regular expression for the whole text.

    Returns:
        The contract; None where nothing is declared that could be checked.

    Raises:
        PolicyError: the pattern is no regular expression; a bound cannot be used; the declaration contradicts itself.
    """
    form = UNTYPED if kind in (None, "json") or not known else FORMS.get(str(kind), DECLARATIVE)
    limits = domain if domain is not None else bounds
    dated = limits is not None and isinstance(limits[0], str)
    listed = values is not None or pattern is not None
    prefix = None if kind == "geo" else prefix  # of its geohash, which anonymized segments make
    textual = DECLARATIVE if listed else SHORT if prefix is not None else None
    form = _implied(form, (limits is not None and not dated) or scale is not None, dated, textual)
    if form is UNTYPED:
        return None
    numbers = np.zeros(kernels.CONTRACT, np.int64)
    numbers[[kernels.FORM, kernels.KINDS]] = form.code, sum(1 << int(kind) for kind in form.kinds)
    numbers[kernels.BITS], numbers[kernels.MOST] = form.bits, prefix or 0
    if form.code == kernels.NUMBER:
        numbers[[kernels.BITS, kernels.SCALE, kernels.LOW, kernels.HIGH]] = _number(form.bits, limits, scale)
    elif dated and limits is not None:
        numbers[[kernels.BITS, kernels.LOW, kernels.HIGH]] = number_kernels.BOUNDED, *instants(*limits)
    return Contract(numbers, None if values is None else strings(values), None if pattern is None else whole(pattern))


def whole(pattern: str) -> str:
    """A regular expression that matches a text as a whole.

    Raises:
        PolicyError: it is none.
    """
    broken = False
    for text in (pattern, anchored := rf"\A(?:{pattern})\z"):
        try:
            pc.match_substring_regex(strings([""]), text)
        except pa.ArrowInvalid:
            broken = True
    if broken:
        raise PolicyError("pattern: not a regular expression of RE2. Hint: such as '[A-Z][0-9]{2}'; look-around and back-references "
                          "are not available")
    return anchored


def _implied(form: Form, numeric: bool, dated: bool, textual: Form | None) -> Form:
    """The form that the other keys ask for where no type is declared.

    Args:
        form: of the type.
        numeric: there are numeric bounds or a scale.
        dated: there is a domain of dates.
        textual: what prefix, values or pattern ask for; None where there is none of them.

    Raises:
        PolicyError: they contradict the type.
    """
    if form is UNTYPED:
        return FORMS["number"] if numeric else FORMS["datetime"] if dated else textual or form
    name = next((name for name, known in FORMS.items() if known is form), "text")
    if numeric and form.kinds != NUMERIC:
        raise PolicyError(f"type: '{name}' is not a number, and the field has numeric bounds, domain or scale. Hint: type: number")
    if dated and form.code not in (kernels.DATE, kernels.MOMENT, kernels.PARTIAL):
        raise PolicyError(f"type: '{name}' is not a date, and the domain is one of dates. Hint: type: date, datetime or partial_date")
    if textual and form.kinds != TEXT:
        raise PolicyError(f"type: '{name}' is not text, and the field has prefix, values or pattern. Hint: omit the type or these keys")
    return form


def _number(bits: int, limits: tuple[Any, Any] | None, scale: int | None) -> tuple[int, int, int, int]:
    """Bits, scale, low and high of the kernel."""
    bounds = [] if limits is None else [Decimal(repr(limit)) for limit in limits]
    decimals = max([0, *(-int(bound.normalize().as_tuple().exponent) for bound in bounds)])
    at = max(decimals, scale or 0) if bounds or scale is not None else 0
    if at > MAX_SCALE or any(abs(bound.scaleb(at)) > _LARGEST for bound in bounds):
        raise PolicyError(f"domain: more than {MAX_SCALE} digits. Hint: round the bounds")
    if scale is not None:
        bits |= number_kernels.SCALED
        if at > scale:  # bounds finer than values can be: compare with the values between them
            bounds, at = [bounds[0].quantize(Decimal(1).scaleb(-scale), "ROUND_CEILING"),
                          bounds[1].quantize(Decimal(1).scaleb(-scale), "ROUND_FLOOR")], scale
    if not bounds:
        return bits, at, 0, 0
    low, high = (int(bound.scaleb(at)) for bound in bounds)
    return bits | number_kernels.BOUNDED, at, low, high


def instants(low: str, high: str) -> tuple[int, int]:
    """Milliseconds of two bounds; a date as the upper one takes the whole day in.

    Raises:
        PolicyError: a bound is no date.
    """
    first, last = (_instant(text) for text in (low, high))
    if len(high) == 10:
        last += timedelta(days=1) - timedelta(milliseconds=1)
    return (first - _EPOCH) // timedelta(milliseconds=1), (last - _EPOCH) // timedelta(milliseconds=1)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.combine(date.fromisoformat(text), datetime.min.time()) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None:
        raise PolicyError("domain: a bound is neither a number nor a date. Hint: two numbers, or two dates: ['1920-01-01', '2024-12-31']")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

