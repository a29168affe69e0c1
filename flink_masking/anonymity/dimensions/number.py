"""Numbers as a dimension: fixed-point units over a public domain."""

from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.dimensions.base import of_kind
from flink_masking.anonymity.dimensions.grid import Grid
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC
from flink_masking.values.decimals import EXACT, MAX_SCALE, parse_fixed


class NumberDimension(Grid):
    """Numbers from low to high with at most `scale` decimals.

    A value that is not a number, lies outside the domain or is finer than the scale is not in the domain. Labels are closed ranges
    with `scale` decimals: ``20-30``, one value ``25``, ``[-5, 10]`` where the domain has negative numbers, the whole domain ``*``.

    >>> NumberDimension(0, 120).label(20, 30)
    '20-30'
    """

    def __init__(self, low: int | float | str | Decimal, high: int | float | str | Decimal, scale: int = 0,
                 categories: bool = False) -> None:
        """Take the domain.

        Args:
            low: smallest number; float is taken as it is written (0.1 is 0.1).
            high: largest number.
            scale: decimals, 0 to 18.
            categories: see `Grid`.

        Raises:
            PolicyError: a bound is not a number, is finer than the scale or too large; low is above high; scale is out of range.
        """
        if not 0 <= scale <= MAX_SCALE:
            raise PolicyError("scale: not between 0 and 18. Hint: the number of decimals that values have")
        self.scale = scale
        super().__init__(self._units(low), self._units(high), f"number {self._units(low)} {self._units(high)} {scale}", categories)

    def _units(self, bound: int | float | str | Decimal) -> int:
        try:
            units = Decimal(str(bound)).scaleb(self.scale)
            whole = int(units)
        except (InvalidOperation, ValueError, OverflowError):
            raise PolicyError("domain: a bound is not a number. Hint: domain: [0, 120]") from None
        if whole != units:
            raise PolicyError("domain: a bound has more decimals than scale. Hint: raise scale or round the bound")
        return whole

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Dimension.encode`; a number in quotes is text, and not in the domain."""
        units, status = parse_fixed(text, self.scale)
        return self.cells(units, (status == EXACT) & of_kind(kinds, NUMERIC))

    def unit(self, unit: int) -> str:
        """The number in plain decimal notation, with `scale` decimals."""
        whole, part = divmod(abs(unit), 10**self.scale)
        return ("-" if unit < 0 else "") + (f"{whole}.{part:0{self.scale}d}" if self.scale else str(whole))

    def range(self, first: str, last: str) -> str:
        """``20-30``, or ``[-5, 10]`` where a minus sign could be taken for the dash."""
        return f"[{first}, {last}]" if self.low < 0 else f"{first}-{last}"
