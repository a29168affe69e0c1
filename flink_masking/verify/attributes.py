"""What the labels of a quasi-identifier say: which values each covers, and what it loses."""

import datetime
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import numpy as np

from flink_masking.errors import PolicyError
from flink_masking.policy.fields import Derive, Field
from flink_masking.verify.lines import ABSENT
from flink_masking.verify.tree import ROOT, Tree

LAST = (1 << 63) - 1
MISSING, UNKNOWN, OUTSIDE = LAST - 1, LAST - 2, -1
"""Positions of no value, of a value outside the domain where that is a category, and where it is not."""
GEOHASH = 6
"""Characters of a place's cell where the policy does not say."""
BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
EPOCH = datetime.datetime(1970, 1, 1)
_PART = re.compile(r"[0-9]{4}(-[0-9]{2})?")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_RANGES = (re.compile(rf"{_NUMBER}-{_NUMBER}"), re.compile(rf"\[{_NUMBER}, {_NUMBER}\]"))


class Box(NamedTuple):
    """What a label says: positions from low to high, and the share of the domain that it leaves open (0 to 1)."""

    low: int
    high: int
    loss: float


class Attribute(ABC):
    """A quasi-identifier whose values have positions, such that every label covers a range of them."""

    def __init__(self, unknown: bool) -> None:
        """Take whether a value outside the domain is a category of its own."""
        self._beyond = UNKNOWN if unknown else OUTSIDE

    def positions(self, values: Sequence[Any]) -> np.ndarray:
        """First and last position of each value, int64 (values, 2); these differ for sets only."""
        found = [(MISSING, MISSING) if value is None or value is ABSENT or value == [] else self.place(value) for value in values]
        return np.array([(self._beyond, self._beyond) if place is None else place for place in found], np.int64).reshape(-1, 2)

    def box(self, label: Any) -> Box | None:
        """What a released label says; None where it says nothing that this attribute can have."""
        if label is None:
            return Box(MISSING, MISSING, 0.0)
        if label == ROOT:
            return Box(0, LAST, 1.0)
        if label == "unknown" and self._beyond == UNKNOWN:
            return Box(UNKNOWN, UNKNOWN, 0.0)
        return self.span(label) if isinstance(label, str) else None

    @abstractmethod
    def place(self, value: Any) -> tuple[int, int] | None:
        """First and last position of a value; None outside the domain."""

    @abstractmethod
    def span(self, label: str) -> Box | None:
        """What a label says that is neither the whole domain nor a category."""


class Numbers(Attribute):
    """Numbers of a domain: ``25``, ``20-30``, ``[-5, 10]``."""

    def __init__(self, low: Any, high: Any, scale: int, unknown: bool) -> None:
        """Take the domain."""
        super().__init__(unknown)
        self._scale = scale
        self.low, self.high = self._units(Decimal(str(low))) or 0, self._units(Decimal(str(high))) or 0

    def _units(self, number: Decimal) -> int | None:
        units = number.scaleb(self._scale)
        return int(units) if units == units.to_integral_value() else None

    def at(self, number: float, rounded: Callable[[float], int]) -> int:
        """The position of a number, which may lie outside the domain; between two positions by `rounded`."""
        return rounded(number * 10**self._scale) - self.low

    def place(self, value: Any) -> tuple[int, int] | None:
        """Numbers only: one in quotes is text."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        units = self._units(Decimal(repr(value)))
        return (units - self.low,) * 2 if units is not None and self.low <= units <= self.high else None

    def span(self, label: str) -> Box | None:
        """One number or a range, within the domain."""
        found = next((match for form in _RANGES if (match := form.fullmatch(label))), None)
        try:
            ends = [self._units(Decimal(text)) for text in (found.groups() if found else (label, label))]
        except InvalidOperation:
            return None
        low, high = ends
        if low is None or high is None or not self.low <= low <= high <= self.high:
            return None
        return Box(low - self.low, high - self.low, (high - low) / max(1, self.high - self.low))


class Derived(Attribute):
    """Numbers that dates are generalised by: ages on a day, hours of the day, days of the week."""

    def __init__(self, derive: Derive, unknown: bool, field: Field) -> None:
        """Take how they are made."""
        super().__init__(unknown)
        self._derive, self._numbers, self._field = derive, Numbers(*derive.range, 0, unknown), field

    def place(self, value: Any) -> tuple[int, int] | None:
        """Dates and date-times, as they are written; numbers in UTC."""
        moment = moment_of(value, self._field)
        if moment is None:
            return None
        if self._derive.date is not None:
            timed = self._field.unit is not None or len(value) > len("2024-12-31")
            hour = moment.hour if timed else None
            return self._numbers.place(hour if self._derive.date == "hour_of_day" else moment.isoweekday())
        day = datetime.date.fromisoformat(self._derive.age_on or "")
        age = day.year - moment.year - ((day.month, day.day) < (moment.month, moment.day))
        return self._numbers.place(age) if age >= 0 else None

    def span(self, label: str) -> Box | None:
        """One number or a range, within the domain."""
        return self._numbers.span(label)


class Dates(Attribute):
    """Days of a domain: ``2024-03-01``, ``2024-03-01/2024-03-31``."""

    def __init__(self, low: str, high: str, unknown: bool, field: Field) -> None:
        """Take the domain."""
        super().__init__(unknown)
        self._field = field
        self.low, self.high = (datetime.date.fromisoformat(bound[:10]).toordinal() for bound in (low, high))

    def place(self, value: Any) -> tuple[int, int] | None:
        """Dates and date-times, by the date as it is written; numbers by that of UTC."""
        moment = moment_of(value, self._field)
        day = None if moment is None else moment.toordinal()
        return (day - self.low,) * 2 if day is not None and self.low <= day <= self.high else None

    def span(self, label: str) -> Box | None:
        """One day or an interval, within the domain."""
        first, _, last = label.partition("/")
        low, high = _day(first), _day(last or first)
        if low is None or high is None or not self.low <= low <= high <= self.high:
            return None
        return Box(low - self.low, high - self.low, (high - low) / max(1, self.high - self.low))


def moment_of(value: Any, field: Field) -> datetime.datetime | None:
    """When a value of a date field is; of a month or a year, its middle."""
    try:
        if field.unit is not None:
            ticks = Decimal(str(value)) if type(value) in (int, float, str) else None
            second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[field.unit]
            return None if ticks is None else EPOCH + datetime.timedelta(seconds=int(ticks // second))
        if field.type == "partial_date" and isinstance(value, str) and (part := _PART.fullmatch(value)):
            value = f"{value}-15" if part[1] else f"{value}-07-02"
        return datetime.datetime.fromisoformat(value)
    except (ValueError, TypeError, ArithmeticError):
        return None


def _day(value: Any) -> int | None:
    try:
        datetime.datetime.fromisoformat(value)
        return datetime.date.fromisoformat(value[:10]).toordinal()
    except (ValueError, TypeError):
        return None


class Labels(Attribute):
    """Values, or sets of values, of a tree."""

    def __init__(self, tree: Tree, unknown: bool) -> None:
        """Take the tree."""
        super().__init__(unknown)
        self.tree = tree

    def place(self, value: Any) -> tuple[int, int] | None:
        """A value by its text; a set from its first to its last value."""
        found = [self.tree.leaves.get(_text(item)) for item in (value if isinstance(value, list) else [value])]
        leaves = [leaf for leaf in found if leaf is not None]
        return (min(leaves), max(leaves)) if len(leaves) == len(found) else None

    def span(self, label: str) -> Box | None:
        """The values below a node."""
        ends = self.tree.ranges.get(label)
        return None if ends is None else Box(*ends, (ends[1] - ends[0]) / max(1, len(self.tree.leaves) - 1))


class Booleans(Labels):
    """``true`` and ``false``."""

    def __init__(self, unknown: bool) -> None:
        """The two values."""
        super().__init__(Tree("false;*\ntrue;*", "boolean"), unknown)

    def place(self, value: Any) -> tuple[int, int] | None:
        """Booleans only."""
        return super().place(value) if isinstance(value, bool) else None


class Prefixes(Attribute):
    """Texts of at most `length` characters, cut from the right: ``941**``."""

    def __init__(self, length: int, symbols: int, unknown: bool) -> None:
        """Take the characters at most, and the symbols that each is reckoned to have."""
        super().__init__(unknown)
        self.length, self._symbols = length, symbols

    def place(self, value: Any) -> tuple[int, int] | None:
        """Texts and numbers, as printable ASCII."""
        return self._word(_text(value))

    def _word(self, text: str | None) -> tuple[int, int] | None:
        if text is None or len(text) > self.length or ROOT in text or not all(" " <= c <= "~" for c in text):
            return None
        return (self._position(text, "\0"),) * 2

    def _position(self, text: str, fill: str) -> int:
        return int.from_bytes(text.ljust(self.length, fill).encode("latin-1"))

    def span(self, label: str) -> Box | None:
        """What begins like the label, up to its stars."""
        kept = label.rstrip(ROOT)
        cut = len(label) - len(kept)
        if self._word(kept) is None or (cut and len(label) != self.length):
            return None
        loss = (self._symbols**cut - 1) / (self._symbols**self.length - 1)
        return Box(self._position(kept, "\0"), self._position(kept, "\x7f" if cut else "\0"), loss)


class Places(Prefixes):
    """Points as geohash cells: ``9q8***``."""

    def place(self, value: Any) -> tuple[int, int] | None:
        """Objects with one latitude and one longitude in degrees."""
        if not isinstance(value, dict):
            return None
        lat, lon = ([value[name] for name in names if name in value] for names in (("lat", "latitude"), ("lon", "lng", "longitude")))
        if len(lat) != 1 or len(lon) != 1 or not all(type(n) in (int, float) for n in lat + lon):
            return None
        return self._word(geohash(lat[0], lon[0], self.length)) if abs(lat[0]) <= 90 and abs(lon[0]) <= 180 else None

    def span(self, label: str) -> Box | None:
        """A cell."""
        return super().span(label) if set(label.rstrip(ROOT)) <= set(BASE32) else None


def geohash(lat: float, lon: float, length: int) -> str:
    """The cell of a point: bits of longitude and latitude in turns, five a character.

    >>> geohash(57.64911, 10.40744, 8)
    'u4pruydq'
    """
    bits = 5 * length
    x = min(math.floor((lon + 180) / 360 * (1 << (bits + 1) // 2)), (1 << (bits + 1) // 2) - 1)
    y = min(math.floor((lat + 90) / 180 * (1 << bits // 2)), (1 << bits // 2) - 1)
    word = 0
    for bit in range(bits):
        source, width = (x, (bits + 1) // 2) if bit % 2 == 0 else (y, bits // 2)
        word = word << 1 | source >> (width - 1 - bit // 2) & 1
    return "".join(BASE32[word >> 5 * at & 31] for at in reversed(range(length)))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value) if isinstance(value, int | float) else None


def attribute(path: str, field: Field, trees: Mapping[str, Tree], unknown: bool) -> Attribute:
    """The attribute of a quasi-identifier.

    Raises:
        PolicyError: the policy does not say how it is generalised.
    """
    if field.derive is not None:
        return Derived(field.derive, unknown, field)
    if field.hierarchy is not None:
        return Labels(trees[field.hierarchy], unknown)
    if field.type == "geo":
        return Places(field.prefix or GEOHASH, len(BASE32), unknown)
    if field.prefix is not None:
        return Prefixes(field.prefix, 10, unknown)
    if field.domain is None:
        if field.type == "boolean":
            return Booleans(unknown)
        raise PolicyError(f"{path}: the policy does not say how it is generalised. Hint: flink-masking check")
    return over(field, unknown)


def over(field: Field, unknown: bool) -> "Numbers | Dates":
    """The numbers or dates of a field's domain.

    Raises:
        PolicyError: it has none that can be read.
    """
    low, high = field.domain or (None, None)
    try:
        if isinstance(low, str) and isinstance(high, str):
            return Dates(low, high, unknown, field)
        return Numbers(low, high, field.scale or 0, unknown)
    except (ValueError, ArithmeticError):
        raise PolicyError("a domain that is needed is not there, or is none. Hint: flink-masking check says where") from None
