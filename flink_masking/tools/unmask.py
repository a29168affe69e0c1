"""Decrypts the reversible fields of a masked segment for a key holder, everything else byte for byte as it was."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled
from flink_masking.engine.masking import FieldRule, accepted_kinds, apply
from flink_masking.errors import DecryptionError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import KEY_VERSIONS
from flink_masking.records.edits import DROP, KEEP, KEEP_VALUE, USE, USE_LITERAL, Edit, Replace
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.records.spans import SpanTable, Values
from flink_masking.registry.source import SchemaSource
from flink_masking.techniques.masks import Context, Masked
from flink_masking.tools.reversible import MaskedRecords, absent, redacted, versions_beside
from flink_masking.vault.base import Vault


@dataclass(frozen=True)
class Unmasked:
    """A batch of n decrypted records.

    Attributes:
        records: n records, values of the chosen fields in clear.
        as_they_were: for each field, bool, a value: True where it was not opened and is not null: redacted by its rule's ``on_error``,
            or a placeholder of the envelope.
    """

    records: pa.BinaryArray
    as_they_were: dict[str, np.ndarray]


class Opened(NamedTuple):
    """The values of a field in a batch, opened.

    Attributes:
        masked: n values as they are in the records.
        clear: n values in clear; None where there are none at all.
        how: uint8, n, as in `Replace`; None: all are texts to use.
        kept: bool, n: those that were not opened.
    """

    masked: Values
    clear: pa.StringArray | None
    how: np.ndarray | None
    kept: np.ndarray

    def values(self) -> Values:
        """The clear values with their kinds, as a scan of raw records would hand them out."""
        kinds = self.masked.kinds.copy()
        if self.clear is not None and self.how is not None and (literal := self.how == USE_LITERAL).any():
            first = pc.utf8_slice_codeunits(self.clear, 0, 1).fill_null("n").to_numpy(zero_copy_only=False)
            numbers = np.array([_LITERALS.get(character, Kind.NUMBER) for character in first[literal]], np.int32)
            kinds[literal] = numbers
        return Values(self.masked.text if self.clear is None else self.clear, kinds, self.masked.rows)


_LITERALS = {"{": Kind.OBJECT, "[": Kind.ARRAY, "t": Kind.TRUE, "f": Kind.FALSE, "n": Kind.NULL}
"""Kinds of literals by their first character; all others are numbers."""


class Unmask:
    """Opens the values of a masked segment, batch by batch.

    FPE has no integrity: under another key, or another version than a value was made with, it gives another value of the same form, and
    nothing tells. Authenticated encryption and tokens tell.

    Attributes:
        fields: for each field the counts ``values``, ``redacted`` and ``unreadable``, of all batches.
        techniques: the name of each field's technique.
        records: number of records so far.
    """

    def __init__(
        self,
        loaded: LoadedPolicy,
        segment: str,
        ring: KeyRing,
        vault: Vault | None = None,
        fields: Iterable[str] | None = None,
        version: int | None = None,
        skip_unreadable: bool = False,
        allowed: Collection[int] | None = None,
        schemas: SchemaSource | None = None,
    ) -> None:
        """Find out what can be opened.

        Args:
            loaded: the policy that the records were masked with.
            segment: a masked segment.
            ring: the keys.
            vault: where tokens are kept; may be None where none are asked for.
            fields: paths of rules; None: every reversible one.
            version: the key version of FPE values in records without ``_key_versions``; the primary when None.
            skip_unreadable: values that cannot be opened become null and are counted.
            allowed: key versions that ``_key_versions`` may tell; None: any that opens.
            schemas: gives the schemas that records name by identifiers.

        Raises:
            InputError: the segment or a field cannot be opened by anybody.
            KeyRingError: the ring lacks a version or a domain.
            VaultError: tokens are asked for, and there is no vault.
        """
        self._loaded, self._ring, self._vault, self._skip, self._allowed = loaded, ring, vault, skip_unreadable, allowed
        self._masked = MaskedRecords(loaded, segment, ring, fields, schemas)
        self._default = ring.primary if version is None else version
        self._drop_versions = self._masked.all_unversioned(loaded, segment)
        self._rules: dict[tuple[str, int], FieldRule] = {}
        self.fields = {rule.path: Counter({"values": 0, "redacted": 0, "unreadable": 0}) for rule in self._masked.rules}
        self.techniques = {rule.path: rule.technique.name for rule in self._masked.rules}
        self.records = 0
        for rule in self._masked.rules:
            if rule.promises.needs_vault and vault is None:
                raise VaultError(f"{segment}: {rule.path}: tokens can be reversed only with their vault. Hint: --vault sqlite:///path/to/vault.db")
            self._opener(rule, self._default)

    @property
    def header(self) -> bytes:
        """What a file of the records begins with."""
        return self._masked.header

    def __call__(self, records: pa.Array) -> Unmasked:
        """Open a batch.

        Args:
            records: n records of the segment.

        Raises:
            InputError: a record cannot be read.
            DecryptionError: a value cannot be opened, without detail; never with `skip_unreadable`.
            KeyRingError: a record's key version is missing, disabled or destroyed.
            VaultError: the vault failed.
        """
        table, opened = self.open(records)
        edits: dict[str, Edit] = {path: KEEP if found.clear is None else Replace(found.clear, found.how) for path, found in opened.items()}
        if self._masked.versions:
            edits[KEY_VERSIONS] = DROP if self._drop_versions else KEEP
        made = self._masked.written(table, edits, self.records - table.n + 1)
        left = {path: found.kept for path, found in opened.items()}
        return Unmasked(made if self._masked.schemas else table.codec.one_line(made), left)

    def open(self, records: pa.Array) -> tuple[SpanTable, dict[str, Opened]]:
        """The clear values of a batch by path, and where they lie; arguments and errors as for a call."""
        table = self._masked.scan(records, self.records + 1)
        opened = {rule.path: self._opened(rule, table) for rule in self._masked.rules}
        self.records += table.n
        return table, opened

    def _opened(self, rule: Rule, table: SpanTable) -> Opened:
        values = table.values(rule.path)
        hidden = redacted(rule, values)
        kept = hidden | absent(values, self._masked.placeholders)
        (clear, _, literal), refused = self._values(rule, table, values, ~kept)
        count = self.fields[rule.path]
        count["values"] += len(values.rows) - values.text.null_count
        count["redacted"] += int(np.count_nonzero(hidden))
        if refused is not None:
            if not self._skip:
                raise DecryptionError("a value cannot be opened. Hint: give the key ring and the vault that the records were masked with; "
                                      "values of erased subjects and expired tokens open no more, --skip-unreadable makes them null")
            count["unreadable"] += int(np.count_nonzero(refused))
            clear = nulled(clear, refused)
        if not len(values.rows):
            return Opened(values, None, None, kept)
        use = USE if literal is None else np.where(literal, USE_LITERAL, USE)
        how = None if literal is None and not kept.any() else np.where(kept, KEEP_VALUE, use).astype(np.uint8)
        return Opened(values, clear, how, kept)

    def _values(self, rule: Rule, table: SpanTable, values: Values, live: np.ndarray) -> tuple[Masked, np.ndarray | None]:
        """The clear values, null where not live, and which were refused."""
        context = Context(bytes(32))
        if not (rule.promises.version_beside and self._masked.versions):
            return apply(self._opener(rule, self._default), values, context, live)
        versions = versions_beside(table, rule.path, self._default, self.records + 1, self._allowed)[values.rows]
        clear: pa.Array | None = None
        wrong = np.zeros(len(values.rows), bool)
        for version in np.unique(versions).tolist():
            these = live & (versions == version)
            masked, refused = apply(self._opener(rule, version), values, context, these)
            if refused is not None:
                wrong |= refused
            if masked.values.type != pa.string() or len(masked.values) != len(values.rows):
                continue  # nothing of this version was live
            clear = masked.values if clear is None else pc.if_else(pa.array(these), masked.values, clear)
        if clear is None:
            clear = pa.nulls(len(values.rows), pa.string())
        return Masked(clear), wrong if wrong.any() else None

    def _opener(self, rule: Rule, version: int) -> FieldRule:
        """The inverse of a rule for values of a key version."""
        found = self._rules.get((rule.path, version))
        if found is None:
            mask = rule.technique.unmake(rule.params, self._loaded.rule_context(rule.path, self._ring.at(version), self._vault))
            found = FieldRule(rule.path, rule.technique.name, mask, accepted_kinds(TEXT), "nullify")
            self._rules[rule.path, version] = found
        return found
