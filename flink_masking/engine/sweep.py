"""Sweeps: everything that is detected in members without a rule is replaced, at any depth; the rest of them stays."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import empty_int32, parts, strings
from flink_masking.detect import Paths, ValueKind
from flink_masking.records.edits import Swept
from flink_masking.records.span_kernels import ENCODED, MS, ROW, SPAN, STRING, VE, VS
from flink_masking.records.spans import Contents, SpanTable
from flink_masking.records.sweep_kernels import inside, owners
from flink_masking.records.trie import UNDECLARED
from flink_masking.techniques.masks import Context
from flink_masking.techniques.redact_text.redactor import Redactor

_NOTHING = Swept(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64), strings([]))
_LONGEST = 40
"""Characters of a number that could be an identifier, and its power of ten."""
_MOST_PATHS, _MOST_CHILDREN = 8_192, 4_096
"""Paths of records that are remembered from one batch to the next, and different members of an object in a batch whose names count."""


class Sweep:
    """What a masked segment does to members that no rule of its own names.

    Attributes:
        fields: declared fields that are swept.
        undeclared: whether undeclared members are swept and stay; otherwise they are no concern of it.
    """

    def __init__(self, redactor: Redactor, fields: tuple[str, ...], undeclared: bool) -> None:
        """Get ready.

        Args:
            redactor: the compiled `redact_text`.
            fields: see the class.
            undeclared: see the class.
        """
        self.fields, self.undeclared, self._redactor, self._paths = fields, undeclared, redactor, Paths(_MOST_CHILDREN)

    def __call__(self, table: SpanTable, context: Context) -> Swept:
        """What is replaced in a batch: keys and values, whole, in which something was found."""
        starts, ends, rows = self._regions(table)
        if not len(starts):
            return _NOTHING
        paths = self._fresh_paths()
        values = paths.values(table.data, table.offsets[rows].astype(np.int64), table.offsets[rows + 1].astype(np.int64))
        total = len(values.starts)
        numbers, size, out = np.empty(total, np.int64), np.zeros(1, np.int64), [empty_int32(total) for _ in range(4)]
        count = inside(values.starts, values.ends, values.kinds, values.escaped, values.paths, self._redactor.detectors.hints(paths),
                       ValueKind.KEY, ValueKind.WORD, starts, ends, numbers, *out, size)
        firsts, lasts, coded, hints = (column[:count] for column in out)
        text = table.codec.text(Contents(table.data, firsts, lasts, coded), int(size[0]))
        text = _written_out(text, np.flatnonzero(values.kinds[numbers[:count]] == ValueKind.NUMBER))
        found = self._redactor.found(text, hints)
        if not len(found.starts):
            return _NOTHING
        touched = np.empty(len(found.starts), np.int64)
        touched = touched[: owners(parts(text).offsets, found.starts, touched)]
        which = numbers[touched]
        row, kinds = rows[values.rows[which]].astype(np.int32), values.kinds[which]
        made = self._redactor.replaced(text, row, found, context, touched)
        keys = kinds == ValueKind.KEY
        if keys.any():
            chosen, own = pa.array(keys), which[keys]
            all_keys = np.flatnonzero(values.kinds == ValueKind.KEY)
            objects = rows[values.rows[all_keys]].astype(np.int64) << 32 | paths.parents(values.paths[all_keys])
            own_objects = objects[np.searchsorted(all_keys, own)]
            beside = np.isin(objects, own_objects) & ~np.isin(all_keys, own)
            first, last = values.starts[all_keys[beside]], values.ends[all_keys[beside]]
            escapes = np.where(values.escaped[all_keys[beside]], ENCODED, STRING).astype(np.int32)
            others = table.codec.text(Contents(table.data, first.astype(np.int32), last.astype(np.int32), escapes),
                                      int((last - first).sum()))
            told = _told_apart(made.filter(chosen), text.take(pa.array(touched[keys])), own_objects, others, objects[beside])
            made = pc.replace_with_mask(made, chosen, told)
        quoted = keys | (kinds == ValueKind.STRING)
        return Swept(row, values.starts[which] - quoted, values.ends[which] + quoted, made)

    def _regions(self, table: SpanTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the swept members begin and end, undeclared ones with their keys, in the order of the bytes; and their rows, each once.

        None lies in another.
        """
        spans = table.spans.reshape(-1, SPAN)
        found = [(path, VS) for path in self.fields if table.count(path)]
        found += [(UNDECLARED, MS)] if self.undeclared and table.count(UNDECLARED) else []
        if not found:
            return (np.zeros(0, np.int64),) * 3
        which = [table.spans_of(path) for path, _ in found]
        starts = np.concatenate([spans[of, column] for of, (_, column) in zip(which, found, strict=True)]).astype(np.int64)
        ends, rows = (np.concatenate([spans[of, column] for of in which]).astype(np.int64) for column in (VE, ROW))
        if len(found) > 1:
            order = np.argsort(starts, kind="stable")
            starts, ends, rows = starts[order], ends[order], rows[order]
        return starts, ends, rows[np.flatnonzero(np.diff(rows, prepend=-1))]

    def _fresh_paths(self) -> Paths:
        """The paths met so far; from the beginning where they are many, or an object of the last batch was a map.

        What is not remembered costs time, and paths beyond what `Paths` holds would lose what their names say.
        """
        if len(self._paths) > _MOST_PATHS or any(name.endswith("*") for name in self._paths.names):
            self._paths = Paths(_MOST_CHILDREN)
        return self._paths


def _written_out(text: pa.StringArray, numbers: np.ndarray) -> pa.StringArray:
    """The texts, numbers with an exponent without it: `4.111111111111111E15`, as Java writes it, is a card's number.

    Args:
        text: n texts.
        numbers: int64, ascending: which of them are numbers.
    """
    some = text.take(pa.array(numbers))
    powers = pc.or_(pc.match_substring(some, "e"), pc.match_substring(some, "E")).to_numpy(zero_copy_only=False)
    if not powers.any():
        return text
    chosen = np.zeros(len(text), np.bool_)
    chosen[numbers[powers]] = True
    plain = [_plain(number) for number in some.filter(pa.array(powers)).to_pylist()]
    return pc.replace_with_mask(text, pa.array(chosen), pa.array(plain, pa.string()))


def _plain(number: str) -> str:
    if len(number) > _LONGEST or abs(int(number.lower().partition("e")[2])) > _LONGEST:
        return number
    return format(Decimal(number), "f")


def _told_apart(made: pa.StringArray, written: pa.StringArray, objects: np.ndarray, others: pa.StringArray,
                other_objects: np.ndarray) -> pa.StringArray:  # fmt: skip
    """New keys, with a number where different keys of one object have become equal: ``<EMAIL>``, ``<EMAIL> 2``.

    Args:
        made: n new keys.
        written: n keys as they were.
        objects: int64, n: keys of one object have one number; others may have it, too.
        others: m keys that stay.
        other_objects: int64, m: likewise.
    """
    stay, of = len(others), np.concatenate([other_objects, objects])
    old = pa.concat_arrays([others, written]).dictionary_encode()  # keys that stay come first, and get no number
    size = len(old.dictionary)
    while True:
        new = pa.concat_arrays([others, made]).dictionary_encode()
        group = np.unique(of, return_inverse=True)[1] * len(new.dictionary) + new.indices.to_numpy()
        pairs, which = np.unique(group * size + old.indices.to_numpy(), return_inverse=True)
        first = np.flatnonzero(np.diff(pairs // size, prepend=-1))
        number = np.arange(1, len(pairs) + 1) - np.repeat(first, np.diff(first, append=len(pairs)))
        number = number[which[stay:]]
        if not len(number) or number.max() == 1:
            return made
        told = pc.binary_join_element_wise(made, pa.array(number).cast(pa.string()), " ")
        made = pc.if_else(pa.array(number > 1), told, made)  # once more: "<EMAIL> 2" may be a key that stays
