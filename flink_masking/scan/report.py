"""What `scan` found, as plain data: counts and names of paths, and never a value."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from flink_masking.errors import PolicyError
from flink_masking.records.paths import Wild, parse_path
from flink_masking.scan.frames import Frame
from flink_masking.scan.selectors import Selector

KINDS = ("string", "number", "boolean", "null", "object", "array")
SHAPES = ("", "empty", "integer", "decimal", "epoch s", "epoch ms", "epoch µs", "epoch ns", "boolean", "UUID", "date", "date-time", "time",
          "IP", "MAC", "e-mail", "URL", "ARN", "URN", "hexadecimal", "code", "word", "text", "other", "month", "year")  # fmt: skip
"""Names of the shapes of `value_kernels`."""
FEW = 64
"""Different values of a field that is a list of words, at most; each comes back `OFTEN` times."""
OFTEN = 5
JOINS = 0.3
"""Part of the smaller set of two paths' values that recurs where a join is likely."""
MANY = 5
"""Elements of an array in a document on average, at least, that make it one of many records."""


_UNTOLD = ("frames",)
"""What is there for proposals only."""


@dataclass(frozen=True)
class Found:
    """A type of data found at a path.

    Attributes:
        type: name of the type.
        category: of the type.
        values: values in which it was found.
        whole: values that are nothing else.
        validated: findings that passed a check, of digits or of form.
        confidence: mean of the findings, 0 to 100.
        reasons: what spoke for it, such as ``pattern`` and ``key``.
    """

    type: str
    category: str
    values: int
    whole: int
    validated: int
    confidence: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Related:
    """A path whose values recur, or that discriminates.

    Attributes:
        path: the other path.
        common: different values in common; values of the class that the discriminator tells.
        of: how many were compared.
        of_other: how many of the other path's were compared.
        after: separator in front of the recurring part, "" where it is the whole value.
    """

    path: str
    common: int
    of: int
    after: str = ""
    of_other: int = 0

    @property
    def close(self) -> bool:
        """Whether a good part of the smaller set of values recurs, so that a join is likely."""
        return self.common >= JOINS * min(self.of, self.of_other or self.of)


@dataclass(frozen=True)
class PathReport:
    """What was found at one path.

    Attributes:
        path: as policies write it.
        values: number of values; of a map, of all its members.
        records: records that have one.
        share: of the records that can be read, 0 to 1.
        kinds: number of values by kind, `KINDS`.
        conflict: whether objects, arrays and scalars, or scalars of several kinds, stand at the path.
        always_empty: whether every container here is empty, and there is nothing else.
        keys: of the path of a map's members, how many different keys were seen; otherwise 0.
        key: the type of most of these keys, "" for none.
        key_of: the path of which most of these keys are values, "" for none.
        distinct: different scalar values.
        exact: whether `distinct` is exact.
        bytes: mean length of scalars.
        shapes: number of scalars by what they look like.
        found: types of data, the most frequent first.
        column: the type that the values are of, all together; None where none stands out.
        equals: paths whose values these values are.
        contains: paths whose values are parts of these values.
        told_by: siblings that tell what these values are.
        named: the type of data that values have by the name of the field alone, "" for none.
        health: whether the values are codes, or their names, of a system for diseases and drugs.
        frames: what stands around the part of texts that varies, where that is a word of a format; for proposals, not told.
    """

    path: str
    values: int
    records: int
    share: float
    kinds: dict[str, int]
    conflict: bool
    always_empty: bool
    keys: int
    distinct: int
    exact: bool
    bytes: float
    shapes: dict[str, int]
    found: tuple[Found, ...] = ()
    column: Found | None = None
    equals: tuple[Related, ...] = ()
    contains: tuple[Related, ...] = ()
    told_by: tuple[Related, ...] = ()
    key: str = ""
    key_of: str = ""
    named: str = ""
    health: bool = False
    frames: tuple[Frame, ...] = ()

    @property
    def scalars(self) -> int:
        """Values that are texts, numbers or booleans."""
        return sum(self.kinds.get(kind, 0) for kind in ("string", "number", "boolean"))

    @property
    def repeats(self) -> bool:
        """Whether there are few different values, which come back: a list of words or of numbers."""
        return self.distinct <= FEW and self.scalars >= OFTEN * self.distinct

    @property
    def partial(self) -> bool:
        """Whether the values are dates of which some have no day or month."""
        some = self.shapes.get("month") or (self.shapes.get("year") and self.shapes.get("date"))
        return bool(some) and self.looks("date", "date-time", "month", "year") == 1

    def looks(self, *shapes: str) -> float:
        """The part of the scalars, empty texts left out, that have one of these shapes."""
        filled = sum(self.shapes.values()) - self.shapes.get("empty", 0)
        return sum(self.shapes.get(shape, 0) for shape in shapes) / filled if filled else 0.0


class Source(NamedTuple):
    """An input that was read: its name and how many records it had."""

    name: str
    records: int


def each_of(paths: Sequence[PathReport], documents: int) -> str:
    """The path of the elements that are records, where each document has one array of many objects and no other member; "" for none."""
    try:
        top = [path for path in paths if len(parse_path(path.path)) == 1]
    except PolicyError:  # a key that no policy can name
        return ""
    if len(top) != 1 or top[0].kinds != {"array": documents} or isinstance(parse_path(top[0].path)[0], Wild):
        return ""
    element = next((path for path in paths if path.path == f"{top[0].path}[*]"), None)
    if element is None or set(element.kinds) != {"object"} or element.values < MANY * documents:
        return ""
    return element.path


@dataclass(frozen=True)
class Report:
    """What was found in a sample.

    Attributes:
        format: of the records.
        inputs: what was read.
        records: records, those that cannot be read included.
        bytes: of the records.
        broken: records that cannot be read, by reason; nothing else is known of them.
        paths: in the order of the records.
        each: path of an array's elements that are the records, where what was read are documents that hold nothing else; "" for none.
        selectors: what tells elements of arrays apart; for proposals, not told.
    """

    format: str
    inputs: tuple[Source, ...]
    records: int
    bytes: int
    broken: dict[str, int] = field(default_factory=dict)
    paths: tuple[PathReport, ...] = ()
    each: str = ""
    selectors: tuple[Selector, ...] = ()

    @property
    def readable(self) -> int:
        """Records that could be read."""
        return self.records - sum(self.broken.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        paths = [{key: value for key, value in asdict(path).items() if key not in _UNTOLD} for path in self.paths]
        return {"format": self.format, "inputs": [source._asdict() for source in self.inputs], "records": self.records,
                "bytes": self.bytes, "broken": self.broken, "each": self.each, "paths": paths}
