"""From one key version to another: reversible fields are opened with the one and protected with the other, all else stays."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from flink_masking.engine.masking import FieldRule, accepted_kinds, apply
from flink_masking.engine.plan import key_versions
from flink_masking.errors import DecryptionError, InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import KEY_VERSIONS, MaskedSegment
from flink_masking.records.codec import rows_for
from flink_masking.records.edits import DROP, KEEP, KEEP_VALUE, USE, USE_LITERAL, Edit, Replace
from flink_masking.records.spans import Values
from flink_masking.registry.source import SchemaSource
from flink_masking.techniques.base import Action
from flink_masking.techniques.masks import Context
from flink_masking.tools.reversible import MaskedRecords
from flink_masking.tools.unmask import Unmask


class Rekey:
    """Protects the values of a masked segment with another key version, batch by batch. Clear values are in memory only.

    FPE values are opened with the version that their record tells, or else with the one given; encrypted values carry theirs inside.
    What was deterministic stays so: values that were equal are equal again, and join with all that the new version protects.

    Attributes:
        fields: for each field the counts ``values`` and ``redacted``, of all batches.
        techniques: of each field.
        records: number of records so far.
    """

    def __init__(
        self, loaded: LoadedPolicy, segment: str, ring: KeyRing, source: int, target: int, entropy: Callable[[int], bytes],
        schemas: SchemaSource | None = None,
    ) -> None:
        """Find out what can be changed.

        Args:
            loaded: the policy that the records were masked with.
            segment: a masked segment.
            ring: holds both versions.
            source: the key version of values so far.
            target: the key version from now on.
            entropy: n → n random bytes.
            schemas: gives the schemas that records name by identifiers.

        Raises:
            InputError: nothing in the segment depends on a key version, or the versions are the same.
            KeyRingError: a version is missing, disabled or destroyed, or the ring lacks a domain.
        """
        if source == target:
            raise InputError("the two key versions are the same. Hint: 'flink-masking keys list' shows which there are")
        ring.at(source)
        after = ring.at(target)
        rules = MaskedRecords(loaded, segment, ring, schemas=schemas).rules
        fields = [rule.path for rule in rules if rule.promises.rekeyed]
        if not fields:
            raise InputError(f"{segment}: nothing in the segment depends on a key version. Hint: tokens do not change")
        self._open = Unmask(loaded, segment, ring, None, fields, source, allowed=(source, target), schemas=schemas)
        self._clear = MaskedRecords(loaded, segment, ring, fields, schemas)
        self._entropy = entropy
        self._rules = []
        for rule in self._clear.rules:
            mask = rule.technique.make(rule.params, loaded.rule_context(rule.path, after))
            assert not isinstance(mask, Action)  # keep and drop are not reversible
            self._rules.append(FieldRule(rule.path, rule.technique.name, mask, accepted_kinds(rule.technique.inputs), rule.params.on_error))
        found = loaded.policy.segments[segment]
        versioned = [rule.path for rule in self._clear.rules if rule.promises.version_beside]
        wanted = isinstance(found, MaskedSegment) and found.key_versions and versioned
        self._added = key_versions(versioned, target, rows_for(loaded.policy.format)) if wanted else b""

    @property
    def fields(self) -> dict[str, Counter[str]]:
        """See the class."""
        return self._open.fields

    @property
    def techniques(self) -> dict[str, str]:
        """See the class."""
        return self._open.techniques

    @property
    def records(self) -> int:
        """See the class."""
        return self._open.records

    @property
    def header(self) -> bytes:
        """See `Unmask`."""
        return self._open.header

    def __call__(self, records: pa.Array) -> pa.BinaryArray:
        """Change a batch.

        Args:
            records: n records of the segment.

        Returns:
            n records.

        Raises:
            InputError: a record cannot be read, or tells a key version that is neither of the two.
            DecryptionError: a value cannot be opened; without detail.
        """
        first = self._open.records + 1
        if self._clear.schemas:  # clear values of another type than the view's have no place in its schema
            return self._in_place(records, first)
        opened = self._open(records)
        table = self._clear.scan(opened.records, first)
        context = Context(self._entropy(32))
        edits: dict[str, Edit] = {KEY_VERSIONS: DROP} if self._clear.versions else {}
        for rule in self._rules:
            edits[rule.path] = _protected(rule, table.values(rule.path), opened.as_they_were[rule.path], context)
        return table.splice(edits, added=self._added)

    def _in_place(self, records: pa.Array, first: int) -> pa.BinaryArray:
        """The same for records with a schema, without clear records between."""
        table, opened = self._open.open(records)
        context = Context(self._entropy(32))
        edits = {rule.path: _protected(rule, opened[rule.path].values(), opened[rule.path].kept, context) for rule in self._rules}
        return self._clear.written(table, edits, first)


def _protected(rule: FieldRule, values: Values, kept: np.ndarray, context: Context) -> Edit:
    masked, refused = apply(rule, values, context, ~kept)
    if refused is not None:
        raise DecryptionError("a value cannot be opened. Hint: give the key ring that the records were masked with")
    use = USE if masked.literal is None else np.where(masked.literal, USE_LITERAL, USE)
    how = None if masked.literal is None and not kept.any() else np.where(kept, KEEP_VALUE, use).astype(np.uint8)
    return Replace(masked.values, how) if len(values.rows) else KEEP
