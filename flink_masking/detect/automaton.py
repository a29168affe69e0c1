"""Many patterns as one deterministic automaton over classes of bytes (Thompson 1968; Rabin and Scott 1959; minimised after Moore)."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from flink_masking.detect.automaton_flags_kernels import AFTER, WIDTH
from flink_masking.detect.regex import Regex, closure, read
from flink_masking.errors import PolicyError

MOST_STATES = 60_000
_FREQUENT = b"0123456789 -.:/(abcdefABCDEF"
"""Bytes that numbers are written with: their classes are the first ones, so that few cache lines hold them."""


class Automaton(NamedTuple):
    """Tables for `scan_kernels`.

    Attributes:
        classes: uint8, 256: the class of each byte.
        moves: uint16, states times `WIDTH`: the next state by the class of the next byte; 0 is none.
        first: uint16, 256: the state after the first byte of a match.
        accepted: int32, for each state where its list in `patterns` begins, and one more.
        patterns: int32, numbers of the patterns that end in a state.
        flags: uint8, for each pattern.
        tails: int16, for each pattern the row of `extending` that goes on a match, or -1.
        extending: uint8, tails times 256: 1 where a byte goes on a match.
    """

    classes: np.ndarray
    moves: np.ndarray
    first: np.ndarray
    accepted: np.ndarray
    patterns: np.ndarray
    flags: np.ndarray
    tails: np.ndarray
    extending: np.ndarray


def digest(patterns: Sequence[str]) -> str:
    """The name under which the tables of some patterns are kept: 16 hexadecimal digits."""
    text = "\0".join(("5", *patterns))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build(patterns: Sequence[str]) -> Automaton:
    """Build the automaton of some patterns.

    Args:
        patterns: of the subset that `regex` reads; their numbers are their indices.

    Raises:
        PolicyError: one is refused, with its number; or together they need too many states.
    """
    read_ = []
    for number, pattern in enumerate(patterns):
        try:
            read_.append(read(pattern))
        except PolicyError as error:
            raise PolicyError(f"pattern {number + 1}: {str(error).removeprefix('pattern: ')}") from None
    classes, members = _classes(read_)
    table, accepting = _determined(read_, members)
    table, accepting = _minimised(table, accepting)
    if table.shape[1] > WIDTH:
        raise PolicyError(f"patterns: together they tell more than {WIDTH} classes of characters apart. Hint: use fewer")
    moves = np.pad(table, ((0, 0), (0, WIDTH - table.shape[1]))).astype(np.uint16).ravel()
    tails, extending = _tails(read_)
    return Automaton(
        classes, moves, moves[WIDTH : 2 * WIDTH][classes],
        np.cumsum([0, *map(len, accepting)]).astype(np.int32), np.array([p for a in accepting for p in a], np.int32),
        np.array([AFTER * regex.after for regex in read_], np.uint8), tails, extending,
    )  # fmt: skip


def _classes(patterns: list[Regex]) -> tuple[np.ndarray, list[int]]:
    """The class of each byte, and a member of each class: bytes that no pattern tells apart are of one class; `_FREQUENT` come first."""
    sets = sorted({move[0] for regex in patterns for move in regex.moves if move}, key=sorted)
    same: defaultdict[tuple[bool, ...], list[int]] = defaultdict(list)
    for byte in (*_FREQUENT, *(byte for byte in range(256) if byte not in _FREQUENT)):
        same[tuple(byte in one for one in sets)].append(byte)
    classes = np.zeros(256, np.uint8)
    for number, bytes_ in enumerate(same.values()):
        classes[bytes_] = number
    return classes, [bytes_[0] for bytes_ in same.values()]


def _determined(patterns: list[Regex], members: list[int]) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """The subset construction: state 0 is none, state 1 the start. Subsets are bits of integers over the states that have moves."""
    columns: list[list[int]] = []  # classes on which a state moves
    targets: list[int] = []  # bits of the states after it
    accepts = 0
    bits_of: list[dict[int, int]] = []
    for regex in patterns:
        base = len(columns)
        useful = [s for s, move in enumerate(regex.moves) if move or s == regex.end]
        bits_of.append({s: base + k for k, s in enumerate(useful)})
        columns += [[] for _ in useful]
        targets += [0] * len(useful)
    owner = {}
    start = 0
    kept: dict[frozenset[int], list[int]] = {}
    for number, (regex, bits) in enumerate(zip(patterns, bits_of, strict=True)):
        accepts |= 1 << bits[regex.end]
        owner[bits[regex.end]] = number
        after: dict[int, int] = {}

        def closed(state: int, regex: Regex = regex, bits: dict[int, int] = bits, after: dict[int, int] = after) -> int:
            if state not in after:
                after[state] = sum(1 << bits[s] for s in closure(regex, [state]) if s in bits)
            return after[state]

        start |= closed(regex.start)
        for state, bit in bits.items():
            move = regex.moves[state]
            if move:
                if move[0] not in kept:
                    kept[move[0]] = [j for j, byte in enumerate(members) if byte in move[0]]
                columns[bit], targets[bit] = kept[move[0]], closed(move[1])
    numbers, order = {0: 0, start: 1}, [0, start]
    rows: list[list[int]] = []
    while len(rows) < len(order):
        subset, row = order[len(rows)], [0] * len(members)
        while subset:
            low = subset & -subset
            bit = low.bit_length() - 1
            subset ^= low
            for j in columns[bit]:
                row[j] |= targets[bit]
        for j, reached in enumerate(row):
            if reached not in numbers:
                numbers[reached] = len(order)
                order.append(reached)
            row[j] = numbers[reached]
        rows.append(row)
        if len(order) > MOST_STATES:
            raise PolicyError(f"patterns: together they need more than {MOST_STATES} states. Hint: use smaller bounds of repeats, or fewer")
    accepting = [tuple(owner[bit] for bit in _set_bits(subset & accepts)) for subset in order]
    return np.array(rows, np.int32), accepting


def _set_bits(x: int) -> list[int]:
    out = []
    while x:
        low = x & -x
        out.append(low.bit_length() - 1)
        x ^= low
    return out


def _minimised(table: np.ndarray, accepting: list[tuple[int, ...]]) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Equivalent states made one; state 0 stays none and state 1 the start."""
    kinds: dict[tuple[int, ...], int] = {}
    labels = np.array([kinds.setdefault(accepted, len(kinds)) for accepted in accepting])
    labels[0] = len(kinds)  # no state is only itself: its row leads nowhere, and it accepts nothing
    count = len(set(labels.tolist()))
    random = np.random.default_rng(5).integers(1, 1 << 62, (table.shape[1] + 1,), np.uint64)
    while True:
        # A sum of products modulo 2^64 stands for a row; equal sums are compared in full below.
        sums = labels.astype(np.uint64) * random[-1]
        for j in range(table.shape[1]):
            sums += (labels[table[:, j]].astype(np.uint64) + np.uint64(1)) * random[j]
        _, labels = np.unique(sums, return_inverse=True)
        if labels.max() + 1 == count:
            break
        count = int(labels.max()) + 1
    _, chosen = np.unique(labels, return_index=True)
    order = _by_depth(labels[table[chosen]], int(labels[0]), int(labels[1]))
    renumbered = np.empty(count, np.int32)
    renumbered[order] = np.arange(count, dtype=np.int32)
    labels = renumbered[labels]
    _, chosen = np.unique(labels, return_index=True)
    smaller = labels[table[chosen]]
    if not (labels[table] == smaller[labels]).all() or any(accepting[k] != accepting[chosen[label]] for k, label in enumerate(labels)):
        raise AssertionError("minimisation joined different states")
    return smaller, [accepting[k] for k in chosen]


def _by_depth(table: np.ndarray, none: int, start: int) -> list[int]:
    """The states in the order in which a search in depth from the start meets them: a state and the one after it lie side by side."""
    order, seen, pending = [none], {none}, [start]
    while pending:
        state = pending.pop()
        if state not in seen:
            seen.add(state)
            order.append(state)
            pending += [after for after in dict.fromkeys(table[state].tolist()) if after not in seen][::-1]
    return order


def _tails(patterns: list[Regex]) -> tuple[np.ndarray, np.ndarray]:
    """The classes of open repeats, each once."""
    distinct = sorted({regex.tail for regex in patterns if regex.tail}, key=sorted)
    extending = np.zeros((max(len(distinct), 1), 256), np.uint8)
    for row, bytes_ in enumerate(distinct):
        extending[row, list(bytes_)] = 1
    return np.array([distinct.index(regex.tail) if regex.tail else -1 for regex in patterns], np.int16), extending.ravel()
