"""Masked records read again: which fields lead back, where their values lie, and with which key version they were made."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.engine.masking import REDACTED, absences
from flink_masking.engine.plan import placeholders
from flink_masking.errors import InputError, KeyRingError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.layout import layout
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import KEY_VERSIONS, MaskedSegment
from flink_masking.records.codec import FORMATS, Outcome, Result, View, codec_for
from flink_masking.records.edits import Edit
from flink_masking.records.kinds import TEXT
from flink_masking.records.paths import format_path, labels, parse_path, selects
from flink_masking.records.spans import FATAL, Limits, SpanTable, Values
from flink_masking.records.trie import Paths
from flink_masking.registry.source import SchemaSource
from flink_masking.tools.selectable import check_selectable

_LIMITS = Limits(max_bytes=64 << 20)
"""Masked records may be longer than the raw ones were: ciphertext is."""


class MaskedRecords:
    """The records of a masked segment, as somebody who wants values back sees them.

    Attributes:
        rules: those of the chosen fields, every one reversible.
        placeholders: texts that stand for a value that was not in the record; None: there are none.
        versions: whether records are looked at for ``_key_versions`` (not where the policy declares a field of that name).
        paths: what the scanner looks for.
        codec: of the records.
        schemas: whether records have a schema, which stays as it is.
        view: for the codec, where records have one.
        header: what a file of the records begins with.
    """

    def __init__(self, loaded: LoadedPolicy, segment: str, ring: KeyRing, fields: Iterable[str] | None = None,
                 schemas: SchemaSource | None = None) -> None:
        """Choose fields.

        Args:
            loaded: the policy that the records were masked with.
            segment: a masked segment.
            ring: the keys; an exported ring must hold the domain of every chosen field.
            fields: paths of rules; None: every reversible one.
            schemas: gives the schemas that records name by identifiers.

        Raises:
            InputError: no such masked segment; records without framing and schema; a field without a reversible rule, or without a
                column; nothing reversible at all; a field with selectors whose values the view does not tell apart.
            KeyRingError: the ring was exported without a domain that is needed.
        """
        masked = [name for name, found in loaded.policy.segments.items() if isinstance(found, MaskedSegment)]
        if segment not in masked:
            raise InputError(f"{loaded.source.name}: no masked segment has that name. Hint: masked segments are {', '.join(masked)}")
        rules = loaded.rules(segment)
        back = {path: rule for path, rule in rules.items() if rule.promises.reversible}
        if not back:
            raise InputError(f"{segment}: no rule of the segment is reversible. Hint: only the raw records hold the values")
        wanted = list(back) if fields is None else list(dict.fromkeys(fields))
        if unknown := [path for path in wanted if path not in back]:
            raise InputError(f"{segment}: {unknown[0]} has no reversible rule. Hint: fields with one are {', '.join(back)}")
        check_selectable(loaded, segment, wanted)
        self.rules: tuple[Rule, ...] = tuple(back[path] for path in wanted)
        for rule in self.rules:
            domain = rule.promises.domain
            if ring.domains is not None and domain not in ring.domains:
                raise KeyRingError(f"{segment}: {rule.path}: the key ring does not hold the keys of {domain}. "
                                   f"Hint: ask its owner to export --domain {domain}, or choose other fields with --field")
        self.codec = codec_for(loaded.policy.format, layout(loaded.policy, schemas, read=loaded.source.file))
        self.placeholders = placeholders(loaded)
        there = {label for name in self.codec.columns for label in labels(name)}
        if self.codec.columns and (missing := [path for path in wanted if format_path(parse_path(path)) not in there]):
            raise InputError(f"{segment}: no column is named '{missing[0]}'. Hint: the file's header is to be that of the view")
        self.schemas = FORMATS[loaded.policy.format].schemas
        self.view = View(segment, {path: Outcome(Result.SAME) for path in wanted}) if self.schemas else None
        self.header = self.codec.header(loaded.policy.columns or () if self.schemas else self.codec.columns)
        taken = any(parse_path(path)[0] == KEY_VERSIONS for path in loaded.policy.fields)
        self.versions = self.codec.nested and not self.schemas and not taken
        emit = [*wanted, *([KEY_VERSIONS] if self.versions else [])]
        known = [path for path in rules if path not in wanted]
        # Masked values may be of another type than the policy declares, and what a rule does not lead to is of no interest here.
        self.paths = Paths(emit, known, opaque=[*emit, *known], deny=False,
                           selected=[path for path in loaded.policy.fields if selects(parse_path(path))])

    def all_unversioned(self, loaded: LoadedPolicy, segment: str) -> bool:
        """Whether every field whose values have a version beside them is among the chosen ones, so that no such value is left."""
        chosen = {rule.path for rule in self.rules}
        return all(path in chosen for path, rule in loaded.rules(segment).items() if rule.promises.version_beside)

    def scan(self, records: pa.Array, first: int) -> SpanTable:
        """The spans of a batch.

        Args:
            records: n records.
            first: number of the first of them, for errors.

        Raises:
            InputError: a record that cannot be read.
        """
        table = self.codec.scan(records, self.paths, _LIMITS)
        bad = np.flatnonzero(table.flags & int(FATAL))
        if len(bad):
            fault = table.fault(int(bad[0]))
            reason = fault.reason if fault is not None else "malformed"
            raise InputError(f"record {first + int(bad[0]):,}: {reason}. Hint: give the records of the masked segment, unchanged")
        return table


    def written(self, table: SpanTable, edits: Mapping[str, Edit], first: int, added: bytes = b"") -> pa.BinaryArray:
        """The records of a batch with other values.

        Args:
            table: of n records.
            edits: by path.
            first: number of the first record, for errors.
            added: see `SpanTable.splice`.

        Raises:
            InputError: the schema of a record cannot hold a value.
        """
        made = table.splice(edits, added=added, view=self.view)
        if made.null_count:
            row = int(np.flatnonzero(made.is_null().to_numpy(zero_copy_only=False))[0])
            raise InputError(f"record {first + row:,}: its schema has no null for a value that cannot be opened. Hint: omit "
                             "--skip-unreadable, and give the records of the masked segment, unchanged")
        return made


def absent(values: Values, placeholders: pa.StringArray | None) -> np.ndarray:
    """bool, n: texts of the envelope that stand for a value that was not in the record, and were never masked."""
    found = None if placeholders is None else absences(values.text, values.kinds, placeholders)
    return np.zeros(len(values.rows), bool) if found is None else found


def redacted(rule: Rule, values: Values) -> np.ndarray:
    """bool, n: what stands in for a value that the rule could not take, and cannot be reversed."""
    if rule.params.on_error != "redact":
        return np.zeros(len(values.rows), bool)
    same = np.asarray(pc.equal(values.text, REDACTED).fill_null(False))
    text: np.ndarray = np.isin(values.kinds, list(TEXT))
    return same & text


def versions_beside(table: SpanTable, path: str, default: int, first: int, allowed: Collection[int] | None = None) -> np.ndarray:
    """The key version of each record's values at `path`, from ``_key_versions``.

    Args:
        table: of n records, scanned for it.
        path: of a rule.
        default: for records that do not tell.
        first: number of the first record, for errors.
        allowed: versions that may occur; None: any.

    Returns:
        int64, n.

    Raises:
        InputError: a record tells no version number, or one that is not allowed.
    """
    found = np.full(table.n, default, np.int64)
    rows = table.rows(KEY_VERSIONS)
    if not len(rows):
        return found
    encoded = table.raw(KEY_VERSIONS).dictionary_encode()
    numbers = [_version(orjson.loads(text), path, default) for text in encoded.dictionary.to_pylist()]
    found[rows] = np.array(numbers, np.int64)[encoded.indices.to_numpy()]
    if (wrong := np.flatnonzero(found < 0)).size:
        raise InputError(f"record {first + int(wrong[0]):,}: {KEY_VERSIONS} tells no key version. Hint: give the records unchanged")
    if allowed is not None and (wrong := np.flatnonzero(~np.isin(found, list(allowed)))).size:
        raise InputError(f"record {first + int(wrong[0]):,}: its values are of key version {found[wrong[0]]}. "
                         f"Hint: only versions {' and '.join(map(str, allowed))} are asked for; process one version at a time")
    return found


def _version(told: Any, path: str, default: int) -> int:
    number = told.get(path, default) if isinstance(told, dict) else -1
    return number if type(number) is int and 0 < number < 1 << 32 else -1
