"""Records made of an outline: the members that occur together, and their values."""

import csv
import io
import json
import os
import pathlib
import random
from collections import Counter
from collections.abc import Callable, Iterator

from flink_masking.files.opened import created
from flink_masking.generate.like.model import Model
from flink_masking.generate.like.outline import Outline
from flink_masking.generate.like.pools import Pools
from flink_masking.records.kinds import Kind
from flink_masking.scan import Report

DEEPEST = 100
_AGAIN, _STEP = 8, 500


class Likeness:
    """Makes records of the types and shapes of a sample.

    Attributes:
        report: of the sample.
        kept: by path how many values of the sample are used as they are: those of members that say what stands beside them, such as
            ``system``, each in five records or more, in words that hold no data.
    """

    def __init__(self, outline: Outline, seed: int = 0) -> None:
        """Prepare.

        Args:
            outline: of the sample, complete.
            seed: 0 or more; the same seed makes the same records of the same outline.

        Raises:
            InputError: values that are to be kept are not there, or too many.
        """
        self._model = Model(outline)
        self._pools = Pools(self._model, random.Random(seed), seed)
        self._pick = self._pools.pick
        self.report: Report = self._model.report
        self.kept = self._model.kept

    def lines(self, count: int) -> Iterator[bytes]:
        """The lines of so many records; for a format with a header, the header first."""
        if self._model.outline.format == "csv":
            yield from self._rows(count)
            return
        for _ in range(count):
            out: list[str] = []
            self._pools.next_record()
            self._object(0, 0, out, 0)
            yield "".join(out).encode("utf-8", "replace")

    def _rows(self, count: int) -> Iterator[bytes]:
        columns = list(self._model.outline.columns or ())
        buffer = io.StringIO()
        rows = csv.writer(buffer, lineterminator="\n")
        numbers = [self._model.numbers.get(name) for name in columns]
        for row in range(count + 1):
            rows.writerow(columns if not row else ["" if number is None else self._cell(number) for number in numbers])
            yield buffer.getvalue().rstrip("\n").encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()

    def _cell(self, path: int) -> str:
        kind, class_ = self._pick(self._model.classes[path, 0]) if (path, 0) in self._model.classes else (int(Kind.NULL), 0)
        return "" if kind == Kind.NULL else self._pools.scalar(path, class_, kind == Kind.NUMBER)

    def _object(self, path: int, context: int, out: list[str], depth: int, beside: set[tuple[int, ...]] | None = None) -> None:
        """Write an object."""
        if path in self._model.maps:
            self._map(path, context, out, depth)
            return
        sets = self._model.sets.get((path, context)) or self._model.sets.get((path, 0))
        members = [one for one in self._pick(sets) if one.path != path] if sets and depth < DEEPEST else []
        told = tuple(one.word for one in members if one.word)
        for _ in range(_AGAIN if sets and beside is not None and told in beside else 0):  # elements of an array tell different things
            members = [one for one in self._pick(sets or Counter()) if one.path != path]
            if (told := tuple(one.word for one in members if one.word)) not in (beside or ()):
                break
        if beside is not None and told:
            beside.add(told)
        own = sum(one.word for one in members) * 0x9E3779B97F4A7C15 & (1 << 64) - 1
        out.append("{")
        for number, one in enumerate(members):
            name = self._pools.key(one.path) if one.path in self._model.stars else self._model.steps[one.path]
            out.append(f"{',' * (number > 0)}{json.dumps(name, ensure_ascii=False)}:")
            if one.word:
                out.append(json.dumps(self._pools.word(one.path, one.word), ensure_ascii=False))
            else:
                self._value(one.path, one.kind, own or context, out, depth + 1)
        out.append("}")

    def _map(self, path: int, context: int, out: list[str], depth: int) -> None:
        star = self._model.maps[path]
        length = self._pick(self._model.lengths[path]) if path in self._model.lengths else 0
        keys = dict.fromkeys(self._pools.key(star) for _ in range(length if depth < DEEPEST else 0))
        out.append("{")
        for number, key in enumerate(keys):
            out.append(f"{',' * (number > 0)}{json.dumps(key, ensure_ascii=False)}:")
            self._element(star, context, out, depth)
        out.append("}")

    def _element(self, path: int, context: int, out: list[str], depth: int, beside: set[tuple[int, ...]] | None = None) -> None:
        """Write a value of any kind that the path has; `beside` is what the elements before it tell."""
        counts = self._model.classes.get((path, context)) or self._model.classes.get((path, 0))
        kind = self._pick(counts)[0] if counts else int(Kind.NULL)
        if kind == Kind.OBJECT:
            self._object(path, context, out, depth + 1, beside)
        else:
            self._value(path, kind, context, out, depth + 1)

    def _value(self, path: int, kind: int, context: int, out: list[str], depth: int) -> None:
        if kind == Kind.OBJECT:
            self._object(path, context, out, depth)
        elif kind == Kind.ARRAY:
            element = self._model.element(path)
            length = self._pick(self._model.lengths[path]) if path in self._model.lengths else 0
            beside: set[tuple[int, ...]] = set()
            out.append("[")
            for number in range(length if element is not None and depth < DEEPEST else 0):
                out.append("," * (number > 0))
                self._element(element or 0, context, out, depth, beside)
            out.append("]")
        elif kind in (Kind.TRUE, Kind.FALSE, Kind.NULL):
            out.append({Kind.TRUE: "true", Kind.FALSE: "false"}.get(Kind(kind), "null"))
        else:
            counts = self._model.classes.get((path, context)) or self._model.classes[path, 0]
            class_ = self._pick(self._pools.of_kind(counts, kind) or self._pools.of_kind(self._model.classes[path, 0], kind))
            text = self._pools.scalar(path, class_, kind == Kind.NUMBER, context if (path, context) in self._model.classes else 0)
            out.append(text if kind == Kind.NUMBER else json.dumps(text, ensure_ascii=False))


def write_like(path: str | os.PathLike[str], likeness: Likeness, count: int, progress: Callable[[int], None] | None = None) -> int:
    """Write records, one a line; .gz and .zst are compressed.

    Args:
        path: written whole or not at all; what is there is replaced.
        likeness: makes them.
        count: how many.
        progress: called with the number of records written, from time to time.

    Returns:
        The bytes written.

    Raises:
        OSError: the file cannot be written.
    """
    target = pathlib.Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        with created(part, target) as stream:
            for number, line in enumerate(likeness.lines(count)):
                stream.write(line + b"\n")
                if progress is not None and number % _STEP == 0:
                    progress(min(number, count))
        size = part.stat().st_size
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size
