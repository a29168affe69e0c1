"""The door between the library and the formats of records.

A format is a package in this folder. Its module ``codec`` has a function ``make(layout) -> Codec``, its module ``rows``, which imports
no kernels, an object ``ROWS`` of protocol `Rows`. `FORMATS` lists the packages; nobody else names them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from flink_masking.registry.outputs import OutputSchemas
from flink_masking.registry.source import Schema, SchemaSource

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from flink_masking.records.edits import Edit, Keys, Swept
    from flink_masking.records.spans import Contents, Limits, SpanTable
    from flink_masking.records.trie import Paths


class Format(NamedTuple):
    """What is known of a format without importing it.

    Attributes:
        package: where it is.
        nested: whether records can hold objects and arrays.
        header: whether what the fields of a record are stands once for all records, at the beginning of a file.
        swept: whether values inside of undeclared members can be replaced: records are text that names its members.
        schemas: whether records are written by schemas, so that a record has only what its schema says.
        framings: what can stand in front of a record and name its schema; empty where records never have a schema.
        single: whether a record is the value of one field, and nothing else.
        endings: of the names of its files, besides its own name.
        lengths: whether the records of a file stand behind their lengths.
        messages: whether a schema has several kinds of records, so that a policy may have to name one.
        rows: the package whose way of writing a view's own rows it uses; its own where it is empty.
    """

    package: str
    nested: bool = True
    header: bool = False
    swept: bool = False
    schemas: bool = False
    framings: tuple[str, ...] = ()
    lengths: bool = False
    messages: bool = False
    rows: str = ""
    single: bool = False
    endings: tuple[str, ...] = ()


FORMATS: Mapping[str, Format] = MappingProxyType({
    "json": Format("flink_masking.records.json", swept=True, framings=("confluent", "apicurio4", "apicurio8", "none")),
    "csv": Format("flink_masking.records.csv", nested=False, header=True),
    "avro": Format("flink_masking.records.avro", header=True, schemas=True, rows="flink_masking.records.json",
                   framings=("confluent", "apicurio4", "apicurio8", "single_object", "none")),
    "protobuf": Format("flink_masking.records.protobuf", schemas=True, rows="flink_masking.records.json", messages=True, lengths=True,
                       framings=("confluent", "apicurio4", "apicurio8", "none")),
    "text": Format("flink_masking.records.text", nested=False, single=True, rows="flink_masking.records.json", endings=("log", "txt")),
})  # fmt: skip
"""By the name in a policy."""


TEXT = "text"
"""The field of records that are one text, where no policy names it."""


@dataclass(frozen=True)
class Layout:
    """What a codec has to know of records that do not tell it themselves.

    Attributes:
        columns: names of the cells of a record, in their order.
        kinds: for paths of fields whose values are no text what they are.
        framing: what stands in front of each record and tells its schema; ``none`` of formats without schemas, too.
        schema: of records without framing.
        schemas: gives the others.
        outputs: gives identifiers to schemas of views.
        folded: the records of views get no line breaks, see `folded`.
        message: of Protobuf, the full name of the records' message where the framing does not tell it.
        required: canonical paths of fields that every record must have.
    """

    columns: tuple[str, ...] = ()
    kinds: Mapping[str, Literal["number", "boolean"]] = field(default_factory=dict)
    framing: str = "none"
    schema: Schema | None = None
    schemas: SchemaSource | None = None
    outputs: OutputSchemas | None = None
    folded: bool = False
    message: str = ""
    required: frozenset[str] = frozenset()


KEYS_OF = ".key"
"""Behind a segment's name: the keys of its records."""


class Result(Enum):
    """What a rule makes of values, as far as the type of a field is concerned."""

    KEEP = "keep"
    DROP = "drop"
    SAME = "same"
    """Values that the field could have held as well."""
    KIND = "kind"
    """Numbers of numbers, text of text."""
    TEXT = "text"
    NULL = "null"


class Outcome(NamedTuple):
    """What becomes of the values at a path.

    Attributes:
        result: of the rule.
        nullable: whether values can become null that were not.
        absent: whether some values can be removed with their member; ``DROP`` removes all.
    """

    result: Result
    nullable: bool = False
    absent: bool = False


@dataclass(frozen=True)
class View:
    """A view whose records a codec writes; a format with schemas derives one for it.

    Attributes:
        name: of the segment.
        outcomes: by path.
        renamed: paths ending in ``*`` whose keys get other names.
        key: what is written are the keys of its records in Kafka.
    """

    name: str
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    renamed: frozenset[str] = frozenset()
    key: bool = False

    @property
    def subject(self) -> str:
        """What its schemas are registered for: the segment, or the keys of the segment."""
        return f"{self.name}{KEYS_OF}" if self.key else self.name


class Rows(Protocol):
    """How a format writes rows of a view's own: labels of groups, sums, and released values beside them.

    A row is ``front``, a first member, further ones with ``between`` in front, ``end``. A list of members that is kept for a row to come
    (a group, what a record releases) is its members with ``between`` between; ``lead`` stands between the row's front and the list, where
    the list is not empty.

    Attributes:
        front: text in front of a row.
        end: text behind it.
        separator: between the rows of a chunk; a character that no row holds.
        between: in front of every further member.
        lead: in front of a list of members.
        null: the value that stands for none.
        missing: the value of a member that is not there; None: the member is left out.
        rewrites: whether `literal` changes anything.
    """

    front: str
    end: str
    separator: str
    between: str
    lead: str
    null: str
    missing: str | None
    rewrites: bool

    def first(self, name: str) -> str:
        """What stands in front of the value of a row's first member."""

    def member(self, name: str) -> str:
        """What stands in front of the value of a member in a list."""

    def value(self, value: str | float | bool | None) -> str:
        """A value as the format writes it."""

    def literal(self, text: str) -> str:
        """A number, boolean, null, object or array, given as JSON text, as the format writes it."""


class Codec(Protocol):
    """A record format: how to find spans, read them and write them.

    Attributes:
        quote: bytes at each end of a text's span that are not its contents.
        headers: names of the Kafka headers that `scan` needs.
        nested: whether records can hold objects and arrays.
        rows: how rows of a view's own are written.
        columns: names of a record's cells, where the format has a header; otherwise empty.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """See the class."""

    @property
    def quote(self) -> int:
        """See the class."""

    @property
    def headers(self) -> tuple[str, ...]:
        """See the class."""

    @property
    def nested(self) -> bool:
        """See the class."""

    @property
    def rows(self) -> Rows:
        """See the class."""

    def scan(self, column: Any, paths: "Paths", limits: "Limits" = ..., headers: "Mapping[str, pa.BinaryArray]" = ...) -> "SpanTable":
        """The spans of a column of records; what is wrong with a record is told by its flags, never raised."""

    def text(self, contents: "Contents", size: int) -> "pa.StringArray":
        """The decoded values whose contents lie there; with what encloses them they have `size` bytes at most."""

    def raw(self, table: "SpanTable", path: str) -> "pa.BinaryArray":
        """The values at an emitted path as the format writes them."""

    def write(self, values: "pa.Array", literal: "np.ndarray | None" = None) -> "pa.BinaryArray":
        """Values as the format writes them; null stays null.

        Args:
            values: n, type string: texts; binary: literals, see `flink_masking.records.edits.Replace`.
            literal: bool, n: which of n strings are literals; None: none of them.
        """

    def one_line(self, records: "pa.BinaryArray") -> "pa.BinaryArray":
        """Records without line breaks, as far as the format can say the same without; null stays null."""

    def members(self, record: bytes, columns: Sequence[str]) -> dict[str, str]:
        """The members of a valid record by path, for people to read.

        Args:
            record: a record.
            columns: names of its cells, where the format has a header.
        """

    def shown(self, paths: "Paths", edits: Mapping[str, "Edit"], unknown: "Edit", view: View | None = None) -> tuple[str, ...]:
        """What the header of records names after a splice with these edits, where the format has a header; otherwise empty."""

    def derived(self, paths: "Paths", view: View) -> tuple[str, bool] | None:
        """The text of a view's schema, and whether it differs from the schema that is given; None where none is.

        Raises:
            InputError: no schema can hold what the rules make.
        """

    def differences(self, paths: "Paths") -> Iterable[tuple[str, str]]:
        """Where the schema that is given and the paths differ: ``unknown_field``, ``type_mismatch`` or ``missing_field``, and a path."""

    def leaves(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The paths of all values that the schema has, and those of them that are objects or arrays as a whole.

        Of the schema that is given, and of those that scanned records named so far.
        """

    def header(self, columns: Sequence[str]) -> bytes:
        """What stands at the beginning of a file of records with these cells, line break included; empty for a format without a header."""

    def key(self, raw: bytes) -> str:
        """The key of an undeclared member, decoded."""

    def keys(self, table: "SpanTable", order: "np.ndarray") -> "pa.StringArray":
        """The decoded keys of the members whose spans are in `order`."""

    def undeclared(self, table: "SpanTable", rows: "np.ndarray") -> Iterable[tuple[int, "np.ndarray"]]:
        """Where the format has a header: each column that no path leads to, and the byte where its cell begins in these rows' records."""

    def splice(self, table: "SpanTable", edits: list["Edit"], dead: "np.ndarray", added: bytes = b"",
               keys: Mapping[int, "Keys"] = ..., swept: "Swept | None" = None, view: View | None = None) -> "pa.BinaryArray":
        """The records with edits[path number], new keys by path number and `swept` carried out, and the members `added` at their end.

        Null where dead (uint8, n) is not 0. A format with schemas writes records of the view's schema, without one of the schema that
        follows from the edits; records that it cannot hold come out null, too, and are noted in the table.
        """


def united(leaves: Iterable[tuple[tuple[str, ...], tuple[str, ...]]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `Codec.leaves` gives for several schemas; what is a whole in one of them is one in all."""
    every = list(leaves)
    whole = tuple(dict.fromkeys(path for _, wholes in every for path in wholes))
    return tuple(dict.fromkeys(path for names, _ in every for path in names)), whole


def format_of(path: "Path") -> str:
    """The format that a file's name ends in, before .gz or .zst; JSON where it names none."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in (".gz", ".zst")]
    ending = suffixes[-1].removeprefix(".") if suffixes else ""
    return next((name for name, known in FORMATS.items() if ending in (name, *known.endings)), "json")


def codec_for(name: str = "json", layout: Layout = Layout()) -> Codec:
    """The codec of a format.

    Args:
        name: one of `FORMATS`.
        layout: of the records.

    Raises:
        InputError: the layout is no layout of the format.
    """
    codec: Codec = import_module(FORMATS[name].package + ".codec").make(layout)
    return codec


def rows_for(name: str = "json") -> Rows:
    """How a format writes rows of a view's own; imports no kernels."""
    rows: Rows = import_module((FORMATS[name].rows or FORMATS[name].package) + ".rows").ROWS
    return rows


def joined(rows: Rows, names: Sequence[str], columns: Sequence["pa.BinaryArray"], n: int) -> "pa.BinaryArray":
    """Members as a list for each of n rows.

    Args:
        rows: of the format.
        names: of the members.
        columns: for each member n values as the format writes them, null where the member is missing.
        n: rows.
    """
    import functools

    import pyarrow as pa
    import pyarrow.compute as pc

    if not names:
        return pa.array([b""] * n, pa.binary())
    if rows.missing is not None:
        columns = [pc.fill_null(column, rows.missing.encode()) for column in columns]
    members = [pc.binary_join_element_wise(pa.scalar(rows.member(name).encode()), column, pa.scalar(b""))
               for name, column in zip(names, columns, strict=True)]
    if any(member.null_count for member in members):
        nothing = functools.reduce(pc.and_, [member.is_null() for member in members])
        members[0] = pc.if_else(nothing, b"", members[0])  # Arrow omits a row in which everything is skipped
    return pc.binary_join_element_wise(*members, pa.scalar(rows.between.encode()), null_handling="skip")


def folded(record: bytes) -> bytes:
    """A record on one line, for whoever reads it line by line: a byte that UTF-8 never has, and a letter, for each line break."""
    if b"\n" not in record and b"\r" not in record and b"\xff" not in record:
        return record
    return record.replace(b"\xff", b"\xfff").replace(b"\n", b"\xffn").replace(b"\r", b"\xffr")


def plain(record: bytes) -> bytes:
    """A record as it was before `folded`."""
    if b"\xff" not in record:
        return record
    return record.replace(b"\xffn", b"\n").replace(b"\xffr", b"\r").replace(b"\xfff", b"\xff")


def fold(records: "pa.BinaryArray") -> "pa.BinaryArray":
    """Records on one line each, as `folded` makes one; null stays null."""
    import pyarrow.compute as pc

    for byte, code in ((b"\xff", b"\xfff"), (b"\n", b"\xffn"), (b"\r", b"\xffr")):
        records = pc.replace_substring(records, byte, code)
    return records


def unfolded(records: "pa.BinaryArray") -> "pa.BinaryArray":
    """Records as they were before `folded`; null stays null.

    >>> import pyarrow as pa
    >>> unfolded(pa.array([folded(b'"a\\nb"'), None])).to_pylist()
    [b'"a\\nb"', None]
    """
    import pyarrow.compute as pc

    from flink_masking.arrow import parts

    data, offsets, _ = parts(records)
    if not (data[offsets[0] : offsets[-1]] == 0xFF).any():
        return records
    for code, byte in ((b"\xffn", b"\n"), (b"\xffr", b"\r"), (b"\xfff", b"\xff")):
        records = pc.replace_substring(records, code, byte)
    return records

