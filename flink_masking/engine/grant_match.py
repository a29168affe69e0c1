"""Which records of a batch a grant names: by their subject, and by the values of their fields."""

import weakref
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.crypto.prf import Prf
from flink_masking.engine.view import RecordView
from flink_masking.errors import ControlError
from flink_masking.records.kinds import Kind
from flink_masking.values.decimals import EXACT, MAX_SCALE, parse_fixed
from flink_masking.vault.subjects import SUBJECT_BYTES

Where = str | int | float | bool


class Subjects:
    """The subjects of all grants in force under one key version: who of a batch may be one of them is found once for all grants."""

    def __init__(self, prf: Prf, counted: bool) -> None:
        """Nobody yet.

        Args:
            prf: the keyed hash of people under that version.
            counted: batches have this hash anyway, as people are counted by it.
        """
        self._prf, self._counted = prf, counted
        self._begins = np.zeros(1 << 16, np.bool_)
        self._view: Callable[[], RecordView | None] = lambda: None
        self._rows, self._digests = np.zeros(0, np.int64), np.zeros(0, f"S{SUBJECT_BYTES}")

    def add(self, named: np.ndarray) -> None:
        """Look for these hashes, too: S16."""
        self._begins[_words(named)] = True

    def likely(self, view: RecordView) -> tuple[np.ndarray, np.ndarray]:
        """Rows of a batch whose subject's hash begins like one that is looked for, and the hashes: int64 and S16."""
        if view is not self._view() and view.subjects is not None:
            if self._counted:
                words = view.people
                rows = np.flatnonzero(self._begins[(words >> np.uint64(56)) | ((words >> np.uint64(40)) & np.uint64(0xFF00))])
                digests = self._prf.digests(view.subjects.take(pa.array(rows)))
            else:
                digests = self._prf.digests(view.subjects)
                rows = np.flatnonzero(self._begins[digests.view("<u2")[:, 0]])
                digests = digests[rows]
            there = view.subjects.take(pa.array(rows)).is_valid().to_numpy(zero_copy_only=False)
            self._view, self._rows = weakref.ref(view), rows[there]
            self._digests = np.ascontiguousarray(digests[there, :SUBJECT_BYTES]).view(f"S{SUBJECT_BYTES}").reshape(-1)
        return self._rows, self._digests


def _words(digests: np.ndarray) -> np.ndarray:
    """The first two bytes of hashes as numbers: S16 → uint16."""
    words: np.ndarray = np.ascontiguousarray(digests).view("<u2").reshape(len(digests), -1)[:, 0]
    return words


def equal(view: RecordView, path: str, value: Where, texts: bool) -> np.ndarray:
    """Rows whose value at a path is this one: bool, n. With `texts`, numbers and booleans are written as text, as in CSV."""
    text, kinds = view.column(path)
    written = (kinds == Kind.STRING) | (kinds == Kind.ENCODED)
    if isinstance(value, bool):
        return (kinds == (Kind.TRUE if value else Kind.FALSE)) | (written & texts & _is(text, "true" if value else "false"))
    if isinstance(value, str):
        return written & _is(text, value)
    units, scale = fixed(value)
    found, status = parse_fixed(text, scale)
    return ((written & texts) | (kinds == Kind.NUMBER)) & (status == EXACT) & (found == units)


def _is(text: pa.StringArray, value: str) -> np.ndarray:
    found: np.ndarray = pc.fill_null(pc.equal(text, value), False).to_numpy(zero_copy_only=False)
    return found


def fixed(value: int | float) -> tuple[int, int]:
    """A number as units of 10^-scale, and the scale.

    Raises:
        ControlError: it has more digits than are compared.
    """
    number = Decimal(str(value))
    exponent = number.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else MAX_SCALE + 1
    if scale > MAX_SCALE or abs(units := int(number.scaleb(scale))) >= 1 << 63:
        raise ControlError("a number in 'where' has too many digits. Hint: at most 18")
    return units, scale
