"""The public face of detection: finds personal and secret data in columns of text."""

import threading
from collections.abc import Iterable
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.detect import keys
from flink_masking.detect.automaton import Automaton
from flink_masking.detect.automaton_flags_kernels import AFTER, ATOMIC, GROUP, TOLD, WIDTH
from flink_masking.detect.catalogue import ROWS, type_named
from flink_masking.detect.findings import Findings, from_rows
from flink_masking.detect.json_kernels import decode, plain_spans, written_spans
from flink_masking.detect.keyed_kernels import HINT, RULES, keyed
from flink_masking.detect.names_kernels import find_names
from flink_masking.detect.plugins import Detector, candidates
from flink_masking.detect.reasons import Reason
from flink_masking.detect.records import Paths, Values
from flink_masking.detect.resolve_kernels import FIELDS, VALUE, merge
from flink_masking.detect.scan_kernels import P_CONTEXT, P_FLAGS, P_STRONG, P_TYPE, P_WEAK, PATTERN, S_LOWEST, TRIGGERED, scan
from flink_masking.detect.tables import number_or_none, tables
from flink_masking.detect.typography import as_ascii, as_written, typographic
from flink_masking.detect.weigh_kernels import weigh
from flink_masking.errors import PolicyError

_TRIGGERED = ("EMAIL", "URL_CREDENTIALS", "URL_SECRET", "JWT", "PASSWORD", "SECRET")
_NAMED = ("PERSON", "CITY", "COUNTRY", "NATIONALITY", "ORGANIZATION", "STREET_ADDRESS", "TITLE")
_VALUES, _ROOM = 1 << 14, 1 << 16
"""Values that are searched at a time, and candidates that there is room for at first."""
_NONE = np.zeros(0, np.int64)
_MOST_HINTS = 1 << 16
"""Paths whose hints are remembered."""


class Detectors:
    """Finds data of some types. Immutable but for the paths that it has seen; may be used from several threads.

    Attributes:
        enabled: numbers of the types that are looked for.
        minimum: lowest confidence of findings.

    Contract: deterministic; a value's findings do not depend on other values; nothing is kept of values; never raises on any bytes; time is
    linear in the bytes.
    """

    def __init__(self, types: Iterable[str] | None = None, *, minimum: int = 50, locales: Iterable[str] = (), names: bool = True,
                 extra: Iterable[Detector] = ()) -> None:  # fmt: skip
        """Choose what to look for.

        Args:
            types: names of types; None for all.
            minimum: findings of lower confidence are left out, 1 to 100.
            locales: ISO 3166 codes of countries whose types gain confidence where only their form and check speak for them.
            names: whether names of people, places and companies, and street addresses are looked for in running text.
            extra: detectors of other packages, from `flink_masking.detect.plugins.load`.

        Raises:
            PolicyError: an unknown type, or a minimum out of range.
        """
        if not 1 <= minimum <= 100:
            raise PolicyError("minimum: out of range. Hint: 1 to 100")
        chosen = frozenset(range(len(ROWS))) if types is None else frozenset(type_named(name) for name in types)
        self.enabled, self.minimum = chosen, minimum
        self._extra, self._tables = tuple(extra), tables()
        patterns = self._tables.patterns.reshape(-1, PATTERN).copy()
        off = ~np.isin(patterns[:, P_TYPE], sorted(chosen))
        for column in (P_WEAK, P_STRONG, P_CONTEXT):
            patterns[off, column] = 0
        countries = {code.upper() for code in locales}
        near = np.array([ROWS[number].country in countries for number in patterns[:, P_TYPE]], bool) & ~off
        for column in (P_WEAK, P_STRONG):
            raised = near & (patterns[:, column] >= 20)
            patterns[raised, column] = np.minimum(patterns[raised, column] + 25, patterns[raised, P_CONTEXT])
        self._raised = np.array([row.country in countries and row.country != "" for row in ROWS], bool)
        told = patterns[:, P_STRONG] < minimum
        patterns[told, P_FLAGS] |= TOLD
        self._patterns = patterns.ravel()
        patterns = patterns[:-TRIGGERED]  # the last ones are unknown to the automaton
        atomic = patterns[:, P_FLAGS] & ATOMIC != 0  # these are met in any case: nothing is looked for inside
        flags = patterns[:, P_FLAGS] & ~np.where(atomic, TOLD, 0)
        self._arranged, bounds = arranged(self._tables.automaton, (patterns[:, P_CONTEXT] < minimum) & ~atomic, flags, patterns[:, P_TYPE])
        settings = [number_or_none(name, chosen) for name in _TRIGGERED] + [minimum]
        settings += [number_or_none(name, chosen) for name in _NAMED] + [number_or_none("URL", chosen), *bounds]
        self._settings = np.array(settings, np.int64)
        self._names = names and any(number_or_none(name, chosen) >= 0 for name in _NAMED)
        self._lock, self._local = threading.Lock(), threading.local()
        self._by_paths: WeakKeyDictionary[Paths, np.ndarray] = WeakKeyDictionary()
        self._hints: dict[str, int] = {"": 0}
        self._known: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
        self._rows = np.array([-1, 0, 0], np.int64)
        self._strengths = np.zeros(len(ROWS), np.uint8)

    def hint(self, path: str) -> int:
        """A number for what a path says about its values, for `find`; 0 where it says nothing.

        Args:
            path: of a member, such as ``customer.phoneNumber``, or its key alone.
        """
        known = self._hints.get(path)
        if known is not None:
            return known
        read = keys.read(path)
        with self._lock:
            if len(self._hints) >= _MOST_HINTS:  # keys of maps: those that say nothing first
                said = {name: number for name, number in self._hints.items() if number}
                self._hints = {"": 0} | (said if len(said) < _MOST_HINTS // 2 else {})
            if path not in self._hints:
                self._hints[path] = self._add(read)
            return self._hints[path]

    def _add(self, read: keys.Hint) -> int:
        """Add a hint to the tables, which are replaced: a scan that runs keeps those that it has."""
        if not read.strengths:
            return 0
        same = (read.type, tuple(sorted(read.strengths.items())))
        if same in self._known:
            return self._known[same]
        kind = read.type if read.type in self.enabled else -1
        row = [kind, RULES.index(ROWS[kind].keyed), ROWS[kind].keyed_score] if kind >= 0 else [-1, 0, 0]
        strengths = np.zeros(len(ROWS), np.uint8)
        for number, strength in read.strengths.items():
            strengths[number] = strength
        self._strengths = np.concatenate([self._strengths, strengths])
        self._rows = np.concatenate([self._rows, np.array(row, np.int64)])
        self._known[same] = len(self._rows) // HINT - 1
        return self._known[same]

    def key_type(self, path: str) -> tuple[str, int] | None:
        """The type that values have by the name of their member alone, and the confidence of that; None where it says none."""
        number = keys.read(path).type
        return (ROWS[number].name, ROWS[number].keyed_score) if number in self.enabled else None

    def find(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, hints: np.ndarray | None = None, *,
             overlaps: bool = False) -> Findings:  # fmt: skip
        """Search decoded text values.

        Args:
            data: uint8, n bytes, any.
            starts: int64, m: value i is ``data[starts[i]:ends[i]]``.
            ends: int64, m.
            hints: int32, m numbers that `hint` has given; None for none.
            overlaps: give every candidate, overlapping ones included.

        Raises:
            ValueError: a value does not lie in the data, or the arrays' lengths differ.
        """
        starts, ends = np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(ends, np.int64)
        hints = np.zeros(len(starts), np.int32) if hints is None else np.ascontiguousarray(hints, np.int32)
        _check_bounds(data, starts, ends)
        with self._lock:
            known = len(self._rows) // HINT
        if len(hints) != len(starts) or (len(hints) and not 0 <= hints.min() <= hints.max() < known):
            raise ValueError("hints: not one for each value, or an unknown one")
        return self._found(np.ascontiguousarray(data, np.uint8), starts, ends, hints, overlaps)

    def _found(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, hints: np.ndarray, overlaps: bool) -> Findings:
        """As `find`, of values and hints that are known to be right."""
        with self._lock:
            rows, strengths = self._rows, self._strengths
        chosen = typographic(data, starts, ends)
        if len(chosen):
            found = self._as_ascii(data, starts, ends, hints, rows, strengths, overlaps, chosen)
        else:
            found = self._search(data, starts, ends, hints, rows, strengths, overlaps)
        for detector in self._extra:
            found = self._joined(found, candidates(detector, data, starts, ends, self.enabled, self.minimum), data, overlaps)
        if self._raised.any():
            found.reasons[self._raised[found.types]] |= np.uint16(Reason.LOCALE)
        return found

    def _as_ascii(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, hints: np.ndarray, rows: np.ndarray,
                  strengths: np.ndarray, overlaps: bool, chosen: np.ndarray) -> Findings:  # fmt: skip
        """As `_search`; of the chosen values, spaces and hyphens beyond ASCII are read as the ASCII ones that they stand for."""
        others = ends.copy()
        others[chosen] = starts[chosen]
        found = self._search(data, starts, others, hints, rows, strengths, overlaps)
        first, last = starts[chosen], ends[chosen]
        text, offsets = as_ascii(data, first, last)
        inside = self._search(text, offsets[:-1], offsets[1:], hints[chosen], rows, strengths, overlaps)
        inside = as_written(data, first, last, text, offsets, inside)
        return _joined_values(found, inside._replace(values=chosen[inside.values]))

    def _search(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, hints: np.ndarray, rows: np.ndarray, strengths: np.ndarray,
                overlaps: bool) -> Findings:  # fmt: skip
        """Search some thousand values at a time, so that candidates stay in the processor's caches."""
        t, a = self._tables, self._tables.automaton
        lowest, room, parts, done = int(self._settings[S_LOWEST]), _ROOM, [], np.zeros(1, np.int64)
        value = 0
        while value < len(starts):
            upto = min(len(starts), value + _VALUES)
            found = self._scratch(0, room)
            count = scan(data, starts[:upto], ends[:upto], hints, strengths, len(ROWS), t.signs, t.pairs, *self._arranged, a.extending,
                         self._patterns, t.secrets, t.placeholders, self._settings, value, found, done)
            end = int(done[0])
            if end == value:  # one value has more candidates than there is room for
                room *= 2
                continue
            count = weigh(data, starts, ends, hints, strengths, len(ROWS), self._patterns, t.context, lowest, found, count)
            by_key = self._scratch(2, end - value)
            whole = keyed(data, starts[value:end], ends[value:end], hints[value:end], rows, t.placeholders, lowest, by_key)
            by_key[: whole * FIELDS].reshape(-1, FIELDS)[:, VALUE] += value
            named, names = _NONE, 0
            if self._names:
                named = self._scratch(1, room)
                names = find_names(data, starts[:end], ends[:end], *t.names, self._settings, by_key, whole, value, named, done)
                if done[0] == value:
                    room *= 2
                    continue
                if done[0] < end:
                    end = int(done[0])
                    count, whole = (int(np.searchsorted(x[: n * FIELDS].reshape(-1, FIELDS)[:, VALUE], end)) for x, n in
                                    ((found, count), (by_key, whole)))
            if overlaps:
                parts += [from_rows(x, n) for x, n in ((found, count), (named, names), (by_key, whole))]
            else:
                total = count + names + whole
                out = self._scratch(3, 2 * total + end - value + 1)
                parts.append(from_rows(out, merge(data, found, count, named, names, by_key, whole,
                                                  self._scratch(4, total + 1), out)))
            value = end
        if not parts:
            return from_rows(_NONE, 0)
        joined = parts[0] if len(parts) == 1 else Findings(*(np.concatenate(c) for c in zip(*(p.columns() for p in parts), strict=True)))
        return joined.take(np.lexsort((joined.starts, joined.values))) if overlaps else joined

    def _joined(self, found: Findings, rows: np.ndarray, data: np.ndarray, overlaps: bool) -> Findings:
        """Findings with the candidates of another detector."""
        own = np.stack([column.astype(np.int64) for column in (found.types, found.starts, found.ends, found.values, found.confidence,
                                                               found.reasons)], axis=1).ravel()
        more, total = len(rows) // FIELDS, len(found.types) + len(rows) // FIELDS
        if overlaps:
            both = from_rows(np.concatenate([own, rows]), total)
            return both.take(np.lexsort((both.starts, both.values)))
        out = np.empty((3 * total + 1) * FIELDS, np.int64)
        data = np.ascontiguousarray(data, np.uint8)
        return from_rows(out, merge(data, own, len(found.types), rows, more, _NONE, 0, np.empty((total + 1) * FIELDS, np.int64), out))

    def _scratch(self, which: int, room: int) -> np.ndarray:
        """Memory of this thread for candidates, used again: fresh pages would cost as much as the scan."""
        held = self._local.__dict__.setdefault("arrays", {})
        if which not in held or len(held[which]) < room * FIELDS:
            held[which] = np.empty(room * FIELDS, np.int64)
        return held[which]

    @cached_property
    def _lenient(self) -> "Detectors":
        """The same types, with any confidence."""
        return Detectors([ROWS[number].name for number in self.enabled], minimum=1, names=False)

    def candidates(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Findings:
        """Every candidate by pattern or trigger, of any confidence, without key names; for statistics. Arguments as for `find`."""
        return self._lenient.find(data, starts, ends, overlaps=True)

    def find_array(self, array: pa.StringArray, path: str = "") -> Findings:
        """Search the values of a string array; null has no findings.

        Args:
            array: any number of values.
            path: of the member that they come from, "" for none.

        Returns:
            Findings whose starts and ends are bytes of ``flink_masking.arrow.parts(array).data``.
        """
        data, offsets, _ = arrow.parts(array)
        starts = offsets.astype(np.int64)
        return self.find(data, starts[:-1], starts[1:], np.full(len(array), self.hint(path), np.int32))

    def find_json(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, paths: Paths, *, overlaps: bool = False) -> tuple[Values,
        Findings]:
        """Search JSON records: their strings, numbers, and keys that are not short names of letters.

        Escapes are decoded for the search, so that ``jane\\u0040example.com`` is found; findings lie in the bytes as they are written and
        never cut an escape in two. A record that is no JSON object or array is one value.

        Args:
            data: uint8, any bytes.
            starts: int64, n: record i is ``data[starts[i]:ends[i]]``.
            ends: int64, n.
            paths: grows with the paths of these records.
            overlaps: give every candidate, overlapping ones included.

        Returns:
            The records' values, and the findings in them.
        """
        data = np.ascontiguousarray(data, np.uint8)
        starts, ends = np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(ends, np.int64)
        _check_bounds(data, starts, ends)
        values = paths.values(data, starts, ends)
        plain, hints = np.empty(len(values.starts), np.int64), np.empty(len(values.starts), np.int32)
        count = plain_spans(values.starts, values.ends, values.kinds, values.paths, values.escaped, self.hints(paths), plain, hints)
        found = self._found(data, values.starts, plain, hints, overlaps)
        if not count:
            return values, found
        escaped = np.flatnonzero(values.escaped)
        first, last = values.starts[escaped], values.ends[escaped]
        text, offsets = np.empty(int((last - first).sum()) + 64, np.uint8), np.empty(len(escaped) + 1, np.int64)
        decode(data, first, last, text, offsets)
        inside = self.find(text, offsets[:-1], offsets[1:], hints[escaped], overlaps=overlaps)
        written_spans(data, first, last, offsets, inside.values, inside.starts, inside.ends)
        return values, _joined_values(found, inside._replace(values=escaped[inside.values]))

    def hints(self, paths: Paths) -> np.ndarray:
        """The hint of each path, int32, for `find`; remembered beside the paths."""
        with self._lock:
            known = self._by_paths.get(paths)
        if known is None or len(known) < len(paths):
            before = [] if known is None else known.tolist()
            known = np.array(before + [self.hint(name) for name in paths.names[len(before):]], np.int32)
            with self._lock:
                self._by_paths[paths] = known
        return known


def _joined_values(some: Findings, others: Findings) -> Findings:
    """Findings of some values and of others, ordered by value."""
    joined = Findings(*map(np.concatenate, zip(some.columns(), others.columns(), strict=True)))
    return joined.take(np.argsort(joined.values, kind="stable"))


def arranged(built: Automaton, never: np.ndarray, flags: np.ndarray, kinds: np.ndarray) -> tuple[tuple[np.ndarray, ...], tuple[int, int]]:
    """The automaton as the scan reads it.

    States are numbered anew: first those that end no pattern, then those that end only patterns which need a word or key, then the others;
    so that the scan tells them apart by comparing numbers. Moves stand in groups of `GROUP` classes.

    Args:
        built: the automaton.
        never: bool, for each pattern whether it is never certain enough.
        flags: for each pattern its flags, with `TOLD` for one that needs a word or key.
        kinds: for each pattern the number of its type, below 128.

    Returns:
        int32, 256: where the moves on a byte begin; uint16, the moves; uint16, 256: the states after a first byte; int32, from the first
        state that ends a pattern on four numbers a state: where its list begins, where those that need a word or key begin, where it ends,
        how many need no boundary of a word at their end; int32, the lists: numbers of patterns, flags above 16 bits, types above 24. And
        the numbers of the first state that ends a pattern and of the first one that ends a pattern which needs nothing.
    """
    count, told = len(built.accepted) - 1, flags & TOLD != 0
    states = np.repeat(np.arange(count), np.diff(built.accepted))
    kept = ~never[built.patterns]
    states, listed = states[kept], built.patterns[kept]
    every, plain = np.bincount(states, minlength=count), np.bincount(states[~told[listed]], minlength=count)
    ranks = (every > 0).astype(np.int8) + (plain > 0)
    order = np.argsort(ranks, kind="stable")  # state 0 ends nothing and stays the first
    number = np.empty(count, np.uint16)
    number[order] = np.arange(count)
    listed = listed[np.lexsort((told[listed], number[states]))]
    entries = listed.astype(np.int32) | flags[listed].astype(np.int32) << 16 | kinds[listed].astype(np.int32) << 24
    first = np.concatenate([[0], np.cumsum(every[order])])
    may, sure = int(np.searchsorted(ranks[order], 1)), int(np.searchsorted(ranks[order], 2))
    free = np.bincount(states[flags[built.patterns[kept]] & AFTER == 0], minlength=count)
    lists = np.stack([first[:-1], first[:-1] + plain[order], first[1:], free[order]], axis=1)[may:]
    moves = number[built.moves.reshape(-1, WIDTH)[order]].reshape(count, -1, GROUP).transpose(1, 0, 2).ravel()
    classes = built.classes.astype(np.int32)
    offsets = classes // GROUP * (count * GROUP) + classes % GROUP
    return (offsets, moves, number[built.first], lists.astype(np.int32).ravel(), entries), (may, sure)


def _check_bounds(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
    """Raises ValueError where a value does not lie in the data."""
    if len(starts) != len(ends):
        raise ValueError("starts and ends differ in length")
    if len(starts) and (starts.min() < 0 or ends.max() > len(data) or (starts > ends).any()):
        raise ValueError("a value is outside of the data")
