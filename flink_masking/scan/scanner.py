"""From batches of records to a report."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.detect import TYPES, Detectors, Reason, type_named
from flink_masking.records.kinds import Kind
from flink_masking.scan import names
from flink_masking.scan import value_kernels as kernels
from flink_masking.scan.framed import Framed
from flink_masking.scan.keys import hashes_of, key_type
from flink_masking.scan.maps import join_maps
from flink_masking.scan.members import Members, Reader
from flink_masking.scan.relations import LEAST, recurrences
from flink_masking.scan.report import SHAPES, Found, PathReport, Related, Report, Source, each_of
from flink_masking.scan.selectors import Selecting, Selector, selectors
from flink_masking.scan.statistics import Evidence, Statistics
from flink_masking.scan.vocabulary import Vocabulary
from flink_masking.scan.weight import weighty

_KIND = {Kind.STRING: "string", Kind.ENCODED: "string", Kind.NUMBER: "number", Kind.TRUE: "boolean", Kind.FALSE: "boolean",
         Kind.NULL: "null", Kind.OBJECT: "object", Kind.ARRAY: "array"}  # fmt: skip


class Scanner:
    """Reads batches of records, and keeps counts of what they hold.

    Attributes:
        paths: numbers of the paths.
        targets: from `report` on, for each path the number of the one that it belongs to, see `join_maps`.
        maps: from `report` on, by number of the path of a map's members how many different keys there were.
        vocabulary: from `report` on, tells words of a format from data.

    Example:
        >>> import pyarrow as pa
        >>> scanner = Scanner()
        >>> scanner.add(pa.array([b'{"email":"jane@example.com"}', b"broken"], pa.binary()))
        >>> report = scanner.report()
        >>> [(path.path, path.values, [found.type for found in path.found]) for path in report.paths], report.broken
        ([('email', 1, ['EMAIL'])], {'malformed': 1})
    """

    def __init__(self, format: str = "json", columns: tuple[str, ...] | None = None, detectors: Detectors | None = None,
                 selectors: tuple[Selector, ...] = (), watch: Callable[[Members, np.ndarray, np.ndarray], None] | None = None,
                 framed: Framed | None = None) -> None:
        """Begin a scan.

        Args:
            format: of the records, a key of `flink_masking.records.codec.FORMATS`.
            columns: of a format with a header, the names of a record's cells.
            detectors: what to look for; all types by default.
            selectors: elements of arrays whose values are to have paths of their own, from an earlier scan of the same records.
            watch: called with the members of each batch and what `Statistics.add` returns of them; then what is an array in one record
                and none in another keeps a path for each.
            framed: of records that name their schema in front.

        Raises:
            InputError: the columns are no header.
        """
        self._format, self._watch = format, watch
        self._reader = Reader(format, columns, framed)
        self._detectors = detectors or Detectors()
        self.paths = self._reader.paths
        self._statistics = Statistics(self.paths, self._detectors)
        self._selecting = Selecting(self.paths, selectors) if selectors else None
        self._inputs: dict[str, int] = {}
        self._broken: dict[str, int] = {}
        self._records = self._bytes = 0

    def add(self, batch: pa.BinaryArray, source: str = "") -> None:
        """Add a batch of n records; `source` is the name of the input that they come from."""
        found, broken = self._reader.read(batch)
        if self._selecting is not None:
            self._selecting.apply(found)
        told = self._statistics.add(found, self._records)
        if self._watch is not None and len(found.starts):
            self._watch(found, *told)
        _, offsets, _ = arrow.parts(batch)
        self._records += len(batch)
        self._bytes += int(offsets[-1] - offsets[0])
        self._inputs[source] = self._inputs.get(source, 0) + len(batch)
        for reason, count in broken.items():
            self._broken[reason] = self._broken.get(reason, 0) + count

    @property
    def readable(self) -> int:
        """Records that could be read so far."""
        return self._records - sum(self._broken.values())

    def report(self) -> Report:
        """What was found. The scan ends with it: members of maps have one path from now on."""
        paths, statistics = self._reader.paths, self._statistics
        self.targets, maps = join_maps(paths, statistics, either=self._watch is None)
        targets, self.maps = self.targets, {number: len(keys) for number, keys in maps.items()}
        others = set() if self._selecting is None else self._selecting.others
        counted = statistics.counts.any(axis=1)
        kept = [number for number in _in_order(paths.parents, targets) if number and (number in others or counted[number])]
        readable = self._records - sum(self._broken.values())
        equals: dict[int, list[Related]] = {}
        contains: dict[int, list[Related]] = {}
        for one in recurrences(statistics, kept):
            related = Related(paths.name(one.source), one.common, one.of_path, one.mark, one.of_source)
            (equals if one.whole else contains).setdefault(one.path, []).append(related)
        told: dict[int, list[Related]] = {}
        discriminators = statistics.siblings.found(targets)
        coded = {one.sibling for one in discriminators if any(names.HEALTH.search(value) for value in one.classes)}
        for other in discriminators:
            if not other.tells:
                continue
            told.setdefault(other.sibling, []).append(Related(paths.name(other.path), other.explained, other.values))
        reports = [self._of(number, readable, maps.get(number, []), equals, contains, told) for number in kept]
        personal = [number for number, one in zip(kept, reports, strict=True) if weighty(one, light=False)]
        vocabulary = self.vocabulary = Vocabulary(self._detectors, statistics.values, personal)
        reports = [self._framed(number, replace(one, health=number in coded), vocabulary)
                   for number, one in zip(kept, reports, strict=True)]  # fmt: skip
        chosen = selectors(discriminators, paths, self._detectors, vocabulary) if self._selecting is None else ()
        inputs = tuple(Source(name, count) for name, count in self._inputs.items())
        return Report(self._format, inputs, self._records, self._bytes, dict(sorted(self._broken.items())), tuple(reports),
                      each_of(reports, self._records), chosen)

    def _recurring(self, keys: list[str]) -> str:
        """The path of which most keys are values; "" for none."""
        if not keys:
            return ""
        paths, values = self._reader.paths, self._statistics.values
        hashes = hashes_of(keys)
        common = {number: int(np.isin(hashes, values.of(number)).sum()) for number in values.hashes if len(values.of(number)) >= LEAST}
        most = max(common, key=lambda number: common[number], default=0)
        return paths.name(most) if most and common[most] >= max(LEAST, 0.3 * len(keys)) else ""

    def _framed(self, number: int, report: PathReport, vocabulary: Vocabulary) -> PathReport:
        """The report with what stands around the part of its texts that varies."""
        texts = report.kinds.get("string", 0) - report.shapes.get("empty", 0)
        frames = self._statistics.frames.of(number, texts) if texts else ()
        if not frames or not all(vocabulary.holds(frame.before) and vocabulary.holds(frame.after) for frame in frames):
            return report
        return replace(report, frames=frames)

    def _named(self, number: int) -> str:
        """The type that a path has by its name alone."""
        known = self._detectors.key_type(self._statistics.names.names[number])
        return "" if known is None else known[0]

    def _column(self, number: int) -> Found | None:
        """The type that the values of a path are of, all together."""
        column = self._statistics.column(number)
        if column is None or column.type is None:
            return None
        return Found(column.type, TYPES[type_named(column.type)].category, column.values, column.matched, column.checked, column.confidence,
                     _reasons(column.reasons))  # fmt: skip

    def _of(self, number: int, readable: int, keys: list[str], *related: Mapping[int, list[Related]]) -> PathReport:
        counts, shapes = self._statistics.counts[number].tolist(), self._statistics.shapes[number].tolist()
        if not shapes[kernels.MONTH] and not shapes[kernels.DATE]:  # four digits among dates are a year, elsewhere a number
            shapes[kernels.INTEGER], shapes[kernels.YEAR] = shapes[kernels.INTEGER] + shapes[kernels.YEAR], 0
        kinds: dict[str, int] = {}
        for kind, name in _KIND.items():
            if count := counts[kernels.KINDS + kind]:
                kinds[name] = kinds.get(name, 0) + count
        values, scalars = counts[kernels.VALUES], sum(kinds.get(kind, 0) for kind in ("string", "number", "boolean"))
        containers = kinds.get("object", 0) + kinds.get("array", 0)
        records = min(counts[kernels.RECORDS], readable)
        distinct, exact = self._statistics.values.distinct(number)
        return PathReport(
            path=self._reader.paths.name(number), named=self._named(number), values=values, records=records,
            share=records / readable if readable else 0.0, kinds=kinds, conflict=len(kinds.keys() - {"null"}) > 1,
            always_empty=containers > 0 and containers == counts[kernels.EMPTIES] and not scalars, keys=len(keys),
            key=key_type(keys, self._detectors) if keys else "", key_of=self._recurring(keys),
            distinct=min(distinct, scalars), exact=exact, bytes=round(counts[kernels.BYTES] / scalars, 1) if scalars else 0.0,
            shapes={SHAPES[k]: shapes[k] for k in sorted(range(1, len(SHAPES)), key=lambda k: -shapes[k]) if shapes[k]},
            found=_found(self._statistics.evidence.get(number, {})), column=self._column(number),
            equals=tuple(related[0].get(number, ())), contains=tuple(related[1].get(number, ())), told_by=tuple(related[2].get(number, ())))


def _found(evidence: Mapping[int, Evidence]) -> tuple[Found, ...]:
    """The types found at a path, the most frequent first."""
    listed = [Found(TYPES[number].name, TYPES[number].category, one.values, one.whole, one.validated, one.mean,
                    _reasons(one.reasons))
              for number, one in evidence.items()]
    return tuple(sorted(listed, key=lambda one: (-one.values, one.type)))


def _reasons(bits: int) -> tuple[str, ...]:
    return tuple(reason.name.lower() for reason in Reason if reason.name and bits & reason)


def _in_order(parents: list[int], targets: np.ndarray) -> list[int]:
    """Path numbers as a tree is printed: parents first, members in the order in which they appeared."""
    children: dict[int, list[int]] = {}
    for number in range(1, len(parents)):
        if targets[number] == number:
            children.setdefault(parents[number], []).append(number)
    order, stack = [], [0]
    while stack:
        number = stack.pop()
        order.append(number)
        stack += reversed(children.get(number, []))
    return order
