"""Everything that is undeclared, or object where a value is declared, in refused rows: not the first member alone.

The rows are scanned once more with paths that take everything: each declared path and parent as it comes, and beside them the members that
no path leads to. Only rows that go to quarantine are looked at.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Wild, format_path, parse_path
from flink_masking.records.span_kernels import DENY, DESCEND_OBJECT, MAY_SCALAR, MS, N_COLUMNS, N_FLAGS, N_WILD, SPAN
from flink_masking.records.spans import REASONS, Flag, Limits, SpanTable
from flink_masking.records.trie import Paths

LISTED = 100
"""Members of one record that are listed; of the others, the number."""
NAMED = 4_096
"""Different undeclared keys of a batch, at one place, that are compared with declared names."""
WORDS = {Kind.STRING: "text", Kind.ENCODED: "text", Kind.NUMBER: "number", Kind.TRUE: "boolean", Kind.FALSE: "boolean", Kind.NULL: "null",
         Kind.OBJECT: "object", Kind.ARRAY: "array"}
"""Kinds of values as they are told; `value` stands for any that is neither object nor array."""
_EXPECTED = ((1, "value"), (2, "object"), (4, "array"))


class Member(NamedTuple):
    """What is wrong with members of a record.

    Attributes:
        reason: ``unknown_field`` or ``type_mismatch``; ``contract`` or ``refused_value`` for a value.
        path: see `flink_masking.records.spans.Refusal`.
        found: what stands there, one of `WORDS`.
        expected: what is declared; None where nothing is.
    """

    reason: str
    path: str
    found: str
    expected: str | None


class Members(NamedTuple):
    """What is wrong with the members of n rows, in the order of rows and, within a row, of the record.

    Attributes:
        kinds: what can be wrong.
        rows: int64, m: the row of each member, ascending.
        codes: int32, m: index into `kinds`.
        positions: int64, m: byte in the record.
        unlisted: for rows with more than `LISTED` members, the number of the others.
    """

    kinds: list[Member]
    rows: np.ndarray
    codes: np.ndarray
    positions: np.ndarray
    unlisted: dict[int, int]


NONE = Members([], np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64), {})


def survey(table: SpanTable, payloads: pa.Array, rows: np.ndarray, limits: Limits, others: "Iterable[Part]" = ()) -> Members:
    """All undeclared and mistyped members of rows.

    Args:
        table: of the batch.
        payloads: the records that it was made of.
        rows: int, ascending: rows that could be read to their end, see `Flag`.
        limits: of the scan.
        others: what is wrong with other members, of any rows.
    """
    found = [part for part in others if len(part.rows)]
    if len(rows):
        found += _columns(table, rows) if table.codec.columns else _nested(table, payloads, rows, limits)
    if not found:
        return NONE
    kinds: dict[Member, int] = {}
    codes = np.concatenate([np.array([kinds.setdefault(kind, len(kinds)) for kind in part.kinds], np.int32)[part.codes] for part in found])
    where, at = np.concatenate([part.rows for part in found]), np.concatenate([part.positions for part in found])
    order = np.lexsort((at, where))
    where, codes, at = where[order], codes[order], at[order]
    starts = np.flatnonzero(np.diff(where, prepend=-1))
    rank = np.arange(len(where)) - np.repeat(starts, np.diff(starts, append=len(where)))
    over, counts = np.unique(where[rank >= LISTED], return_counts=True)
    listed = rank < LISTED
    return Members([*kinds], where[listed], codes[listed], at[listed], dict(zip(over.tolist(), counts.tolist(), strict=True)))


class Part(NamedTuple):
    """As `Members`, of one field."""

    kinds: list[Member]
    rows: np.ndarray
    codes: np.ndarray
    positions: np.ndarray


def of_values(table: SpanTable, path: str, wrong: np.ndarray, reason: str, expected: str | None) -> Part:
    """Values of an emitted path that are refused for what they hold.

    Args:
        table: of the batch.
        path: of the field.
        wrong: bool, one for each of its values.
        reason: a stable word.
        expected: what is declared, in a word.
    """
    found = [Member(reason, path, WORDS[Kind(kind)], expected) for kind in range(len(Kind))]
    rows = table.rows(path)[wrong]
    positions = table.spans.reshape(-1, SPAN)[table.spans_of(path)[wrong], MS].astype(np.int64) - table.offsets[rows]
    return Part(found, rows, table.kinds(path)[wrong], positions)


class _Open(NamedTuple):
    """What a survey scans with.

    Attributes:
        paths: take everything.
        members: path of the undeclared members of an object → its trie node in the declared paths.
        places: declared path or parent → its trie node.
    """

    paths: Paths
    members: dict[str, int]
    places: dict[str, int]


@lru_cache(16)
def _open(paths: Paths) -> _Open:
    nodes = paths.nodes.reshape(-1, N_COLUMNS)
    places = {label: node for node, label in enumerate(paths.labels) if node > 1}
    members = {format_path((*(parse_path(label) if label else ()), Wild.KEY)): node for node, label in enumerate(paths.labels)
               if node != 1 and nodes[node, N_FLAGS] & DESCEND_OBJECT and nodes[node, N_FLAGS] & DENY and nodes[node, N_WILD] < 0}
    every = [*places, *members]
    return _Open(Paths(every, opaque=every, deny=False), members, places)


def _nested(table: SpanTable, payloads: pa.Array, rows: np.ndarray, limits: Limits) -> Iterator[Part]:
    wide = _open(table.paths)
    again = table.codec.scan(payloads.take(pa.array(rows)), wide.paths, limits)
    for path, node in wide.members.items():
        if again.count(path):
            keys = again.keys(path).dictionary_encode()
            public = again.public_keys(path)
            names = [_named(table, node, key if number < NAMED or public else None, public)
                     for number, key in enumerate(keys.dictionary.to_pylist())]
            yield _part(again, path, rows, [(REASONS[Flag.UNKNOWN], name, None) for name in names], keys.indices.to_numpy())
    for path, node in wide.places.items():
        flags = int(table.paths.nodes[node * N_COLUMNS + N_FLAGS])
        kinds = again.kinds(path)
        may = np.where(kinds < Kind.OBJECT, MAY_SCALAR, MAY_SCALAR << (kinds - Kind.OBJECT + 1))
        wrong = (flags & may == 0) & (kinds != Kind.NULL)
        if wrong.any():
            expected = " or ".join(word for bit, word in _EXPECTED if flags & bit)
            yield _part(again, path, rows, [(REASONS[Flag.MISMATCH], path, expected)], np.zeros(len(kinds), np.int32), wrong)


def _named(table: SpanTable, node: int, key: str | None, public: bool = False) -> str:
    path = table.paths.labels[node]
    if public and key is not None:
        return f"{path}.{key}" if path else key
    near = None if key is None else table.paths.near(node, key)
    return path + ("." if path else "") + (f"?~{near}" if near else "?")


def _part(again: SpanTable, path: str, rows: np.ndarray, names: list[tuple[str, str, str | None]], which: np.ndarray,
          wrong: np.ndarray | None = None) -> Part:
    """The members at a path of the second scan, of several names and kinds of values."""
    found = [Member(reason, name, WORDS[Kind(kind)], expected) for reason, name, expected in names for kind in range(len(Kind))]
    codes = which.astype(np.int32) * len(Kind) + again.kinds(path)
    own = again.rows(path)
    positions = again.spans.reshape(-1, SPAN)[again.spans_of(path), MS].astype(np.int64) - again.offsets[own]
    chosen = slice(None) if wrong is None else wrong
    return Part(found, rows[own][chosen], codes[chosen], positions[chosen])


def _columns(table: SpanTable, rows: np.ndarray) -> Iterator[Part]:
    """The undeclared columns of records whose fields are named once for all."""
    unknown = rows[(table.flags[rows] & int(Flag.UNKNOWN)) != 0]
    for number, positions in table.codec.undeclared(table, unknown):
        member = Member(REASONS[Flag.UNKNOWN], table.named(-1 - number, b""), "text", None)
        yield Part([member], unknown, np.zeros(len(unknown), np.int32), positions)
