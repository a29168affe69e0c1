"""A mask for a part of each text: cut out in whole columns, masked, and put back between what stays."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import strings
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import Kind
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty
from flink_masking.techniques.within import Part
from flink_masking.techniques.within_pattern import HINT


class _Pieces(NamedTuple):
    """Texts in pieces.

    Attributes:
        fits: bool, n: which of n texts have the form.
        head: what stays in front, of those that have it; or a scalar for all.
        part: the part.
        tail: what stays behind it, or a scalar.
    """

    fits: np.ndarray
    head: pa.StringArray | pa.StringScalar
    part: pa.StringArray
    tail: pa.StringArray | pa.StringScalar


_NOTHING = pa.scalar("", pa.string())


def of_part(parts: tuple[Part, ...], mask: Mask) -> Mask:
    """A mask of the part of a text, made of the mask for texts; what has none of the forms is refused. Null and ``""`` stay."""

    def mask_part(values: Values, context: Context) -> Masked:
        text, n = values.text, len(values.text)
        left = ~is_empty(text)
        if text.null_count:
            left &= text.is_valid().to_numpy(zero_copy_only=False)
        other = left & (values.kinds != Kind.STRING) & (values.kinds != Kind.ENCODED)
        left &= ~other
        places, head, part, tail = _cut(parts, text, left)
        if not len(places):
            left |= other
            return Masked(text, left if left.any() else None)
        seen = Values(part, np.full(len(part), Kind.STRING, np.int32), values.rows[places])
        made = mask(seen, context)
        inner = made.values if made.values.type == pa.string() else made.values.cast(pa.string())
        joined = pc.binary_join_element_wise(head, inner, tail, _NOTHING)
        refused = left | other
        if made.refused is not None:
            refused[places[made.refused]] = True
        if len(places) == n and bool((np.diff(places) == 1).all()):
            return Masked(joined, refused if refused.any() else None)
        index = np.full(n, -1, np.int64)
        index[places] = np.arange(len(places))
        whole = joined.take(pa.array(index, mask=index < 0))
        kept = pc.and_(pc.equal(text, ""), pc.invert(pa.array(refused)))
        return Masked(pc.if_else(pc.fill_null(kept, False), "", whole), refused if refused.any() else None)

    return mask_part


def _cut(parts: tuple[Part, ...], text: pa.StringArray, left: np.ndarray) -> tuple[np.ndarray, pa.Array, pa.StringArray, pa.Array]:
    """Cut texts by the first form that each has.

    Args:
        parts: the forms.
        text: n texts.
        left: bool, n: those to cut; in place, those that have none of the forms.

    Returns:
        Places of those that were cut, and their pieces.
    """
    found = []
    for part in parts:
        places = np.flatnonzero(left)
        some = text if len(places) == len(text) else text.take(pa.array(places))
        pieces = _split(part, some)
        left[places] = ~pieces.fits
        if len(parts) == 1:
            return places[pieces.fits], *pieces[1:]
        found.append((places[pieces.fits], *(_spread(piece, len(pieces.part)) for piece in pieces[1:])))
    where, *columns = zip(*found, strict=True)
    places = np.concatenate(where)
    order = np.argsort(places, kind="stable")
    head, part_, tail = (pa.concat_arrays(column).take(pa.array(order)) for column in columns)
    return places[order], head, part_, tail


def _spread(piece: pa.Array | pa.Scalar, n: int) -> pa.Array:
    return pa.repeat(piece, n) if isinstance(piece, pa.Scalar) else piece


def _split(part: Part, text: pa.StringArray) -> _Pieces:
    if part.prefix is not None:
        fits = _bools(pc.starts_with(text, part.prefix))
        return _Pieces(fits, pa.scalar(part.prefix), pc.utf8_slice_codeunits(_some(text, fits), len(part.prefix)), _NOTHING)
    if part.pattern is not None:
        found = pc.extract_regex(text, _pattern(part))
        fits = _bools(found.is_valid())
        some = _some(found, fits)
        return _Pieces(fits, some.field("h"), some.field("p"), some.field("t"))
    mark = part.after if part.after is not None else part.before
    assert mark is not None
    lists = pc.split_pattern(text, mark, max_splits=1, reverse=part.before is not None)
    fits = _bools(pc.equal(pc.list_value_length(lists), 2))
    flat = _some(lists, fits).flatten()
    first, second = flat.take(pa.array(np.arange(0, len(flat), 2))), flat.take(pa.array(np.arange(1, len(flat), 2)))
    if part.after is not None:
        return _Pieces(fits, pc.binary_join_element_wise(first, mark, _NOTHING), second, _NOTHING)
    return _Pieces(fits, _NOTHING, first, pc.binary_join_element_wise(mark, second, _NOTHING))


def _bools(array: pa.BooleanArray) -> np.ndarray:
    found: np.ndarray = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return found


def _some(array: pa.Array, fits: np.ndarray) -> pa.Array:
    return array if fits.all() else array.filter(pa.array(fits))


def _pattern(part: Part) -> str:
    """The pattern with the pieces as named groups; for whole texts."""
    cut = part.group
    assert cut is not None
    flags, head = "", cut.head
    if head.startswith("(?") and not head.startswith("(?:"):
        flags, _, head = head.partition(")")
        flags += ")"
    return rf"{flags}\A(?P<h>{head})(?P<p>{cut.group})(?P<t>{cut.tail})\z"


def check(parts: tuple[Part, ...]) -> None:
    """That every pattern is one that RE2 takes.

    Raises:
        PolicyError: one is not.
    """
    for part in parts:
        if part.pattern is None:
            continue
        try:
            for pattern in (part.pattern, _pattern(part)):
                pc.match_substring_regex(strings([""]), pattern)
        except pa.ArrowInvalid:
            raise PolicyError(f"within: the pattern is not a regular expression of RE2. {HINT}; look-around and back-references are "
                              "not available") from None


def pieces(parts: tuple[Part, ...], text: str) -> list[str]:
    """For each form that a text has, the part by that form."""
    found = [_split(part, strings([text])) for part in parts]
    return [one.part[0].as_py() for one in found if one.fits[0]]
