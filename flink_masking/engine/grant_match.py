"""Which records of a batch a grant names: by their subject, and by the values of their fields."""

import weakref
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.crypto.prf import Prf
from flink_masking.engine import grant_kernels as kernels
from flink_masking.engine.grant_kernels import UNSURE, YES
from flink_masking.engine.strangers import Strangers
from flink_masking.engine.view import RecordView
from flink_masking.errors import ControlError
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Contents, texts_as_they_are
from flink_masking.values.decimals import EXACT, MAX_SCALE, parse_fixed
from flink_masking.vault.subjects import SUBJECT_BYTES

Where = str | int | float | bool
_NOBODY = np.zeros((0, 32), np.uint8)


class Subjects:
    """The subjects of all grants in force under one key version: who of a batch may be one of them is found once for all grants."""

    def __init__(self, prf: Prf, counted: bool) -> None:
        """Nobody yet.

        Args:
            prf: the keyed hash of people under that version.
            counted: batches have this hash anyway, as people are counted by it.
        """
        self._prf, self._counted, self._strangers = prf, counted, Strangers()
        self._begins = np.zeros(1 << 16, np.bool_)
        self._view: Callable[[], RecordView | None] = lambda: None
        self._rows, self._digests = np.zeros(0, np.int64), np.zeros(0, f"S{SUBJECT_BYTES}")

    def add(self, named: np.ndarray) -> None:
        """Look for these hashes, too: S16."""
        self._begins[_words(named)] = True
        self._strangers.forget()
        self._view = lambda: None

    def clear(self) -> None:
        """Look for nobody any more."""
        self._begins[:] = False

    def likely(self, view: RecordView) -> tuple[np.ndarray, np.ndarray]:
        """Rows of a batch whose subject's hash begins like one that is looked for, and the hashes: int64 and S16."""
        if view is not self._view() and (subjects := view.subjects) is not None:
            if self._counted:
                words = view.people
                rows = np.flatnonzero(self._begins[(words >> np.uint64(56)) | ((words >> np.uint64(40)) & np.uint64(0xFF00))])
                digests = self._prf.digests(subjects.take(pa.array(rows)))
            else:
                rows, digests = self._met(subjects)
            if subjects.null_count:
                there = subjects.take(pa.array(rows)).is_valid().to_numpy(zero_copy_only=False)
                rows, digests = rows[there], digests[there]
            self._view, self._rows = weakref.ref(view), rows
            self._digests = np.ascontiguousarray(digests[:, :SUBJECT_BYTES]).view(f"S{SUBJECT_BYTES}").reshape(-1)
        return self._rows, self._digests

    def _met(self, subjects: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
        """Rows that may be looked for, and their hashes; who was met before and is not looked for is not hashed again."""
        rows, prints = self._strangers.unknown(subjects)
        if not len(rows):
            return rows, _NOBODY
        digests = self._prf.digests(subjects if len(rows) == len(subjects) else subjects.take(pa.array(rows)))
        found = self._begins[digests.view("<u2")[:, 0]]
        if not found.all():
            self._strangers.remember(prints[~found])
        return rows[found], digests[found]


def _words(digests: np.ndarray) -> np.ndarray:
    """The first two bytes of hashes as numbers: S16 → uint16."""
    words: np.ndarray = np.ascontiguousarray(digests).view("<u2").reshape(len(digests), -1)[:, 0]
    return words


def equal(view: RecordView, path: str, value: Where, texts: bool) -> np.ndarray:
    """Rows whose value at a path is this one: bool, n. With `texts`, numbers and booleans are written as text, as in CSV."""
    contents, rows = view.table.contents(path), view.table.rows(path)
    if len(rows) > 1 and bool((rows[1:] <= rows[:-1]).any()):  # of several values, the one that counts
        return _same(*view.column(path), value, texts)
    found = _found(contents, value, texts)
    same = np.zeros(view.n, np.bool_)
    if found is not None:
        same[rows[found == YES]] = True
        if len(some := np.flatnonzero(found == UNSURE)):
            few = Contents(contents.data, contents.starts[some], contents.ends[some], contents.kinds[some])
            same[rows[some]] = _same(texts_as_they_are(few, int((few.ends - few.starts).sum())), few.kinds, value, texts)
    return same


def _found(contents: Contents, value: Where, texts: bool) -> np.ndarray | None:
    """Which values are this one, with a code for each; None where none can be."""
    data, starts, ends, kinds = contents
    out = np.empty(len(kinds), np.uint8)
    if isinstance(value, bool):
        if texts:
            return np.full(len(kinds), UNSURE, np.uint8)
        out[:] = kinds == (Kind.TRUE if value else Kind.FALSE)
        count = int(np.count_nonzero(out))
    elif isinstance(value, str):
        count = kernels.same_texts(data, starts, ends, kinds, np.frombuffer(value.encode(), np.uint8), out)
    else:
        units, scale = fixed(value)
        whole = b"" if units % 10**scale else str(units // 10**scale).encode()
        count = kernels.same_numbers(data, starts, ends, kinds, np.frombuffer(whole, np.uint8), int(texts), out)
    return out if count else None


def _same(text: pa.StringArray, kinds: np.ndarray, value: Where, texts: bool) -> np.ndarray:
    """Which values are this one: bool."""
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
