"""Dates as a dimension: days over a public domain."""

import datetime

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.dimensions.base import of_kind
from flink_masking.anonymity.dimensions.grid import Grid
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC, TEXT
from flink_masking.values.days import days
from flink_masking.values.units import Unit

EPOCH = datetime.date(1970, 1, 1)


class DateDimension(Grid):
    """Days from low to high.

    Values are texts, ISO 8601 dates or date-times (months and years, too, on request), or numbers since 1970 where they have a unit; see
    `flink_masking.values.days`. Labels are closed ranges in ISO 8601 form: ``2024-01-01/2024-03-31``, one day ``2024-01-05``, the whole
    domain ``*``.

    >>> DateDimension("2024-01-01", "2024-12-31").label(0, 30)
    '2024-01-01/2024-01-31'
    """

    def __init__(self, low: str, high: str, categories: bool = False, partial: bool = False, unit: Unit | None = None) -> None:
        """Take the domain.

        Args:
            low: first day, ``YYYY-MM-DD``.
            high: last day.
            categories: see `Grid`.
            partial: a month or a year is a value, too, and counts as its middle.
            unit: of values that are numbers.

        Raises:
            PolicyError: a bound is not a date, or low is after high.
        """
        try:
            first, last = (datetime.date.fromisoformat(bound) for bound in (low, high))
        except (ValueError, TypeError):
            raise PolicyError("domain: a bound is not a date. Hint: domain: ['1920-01-01', '2024-12-31']") from None
        self._partial, self._unit = partial, unit
        super().__init__((first - EPOCH).days, (last - EPOCH).days, f"date {first} {last}", categories)

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Dimension.encode`."""
        units, read = days(text, self._partial, self._unit)
        return self.cells(units, read & of_kind(kinds, TEXT if self._unit is None else TEXT | NUMERIC))

    def unit(self, unit: int) -> str:
        """The day as ``YYYY-MM-DD``."""
        return (EPOCH + datetime.timedelta(unit)).isoformat()

    def range(self, first: str, last: str) -> str:
        """An ISO 8601 interval."""
        return f"{first}/{last}"
