"""What is wrong with the members of quarantined records, over many records: by field, without a key or a value of any of them."""

import dataclasses
from collections.abc import Iterable

from flink_masking.engine.quarantine import MemberFault


@dataclasses.dataclass
class FieldFaults:
    """Members of one path that records were refused for.

    Attributes:
        reason: ``unknown_field``, ``type_mismatch``, ``contract`` or ``refused_value``.
        field: the path, undeclared keys as ``?``.
        expected: what is declared; None where nothing is.
        found: number of members by what stood there.
        records: number of records with such a member.
    """

    reason: str
    field: str
    expected: str | None
    found: dict[str, int] = dataclasses.field(default_factory=dict)
    records: int = 0

    def told(self) -> str:
        """In words, for people."""
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.found.items(), key=lambda item: -item[1]))
        return f"{self._what()} {kinds}, in {self.records:,} record{'s' * (self.records != 1)}"

    def of_one(self) -> str:
        """In words, where the members are those of one record."""
        return f"{self._what()} {', '.join(kind if count == 1 else f'{kind} {count:,} times' for kind, count in self.found.items())}"

    def _what(self) -> str:
        plain = {"unknown_field": "undeclared", "refused_value": "not taken", "contract": "not as declared"}
        what = plain.get(self.reason, "other than declared") if self.expected is None else f"{self.expected} expected"
        return f"{self.field}  {what}, found"


class MemberFaults:
    """Counts, record by record.

    Attributes:
        unlisted: members that lines count and do not list.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._fields: dict[tuple[str, str, str | None], FieldFaults] = {}
        self.unlisted = 0

    def add(self, members: Iterable[MemberFault], unlisted: int = 0) -> None:
        """Count the members of one record."""
        met = set()
        for reason, path, found, expected, _ in members:
            key = reason, path, expected
            faults = self._fields.setdefault(key, FieldFaults(*key))
            faults.found[found] = faults.found.get(found, 0) + 1
            if key not in met:
                met.add(key)
                faults.records += 1
        self.unlisted += unlisted

    @property
    def fields(self) -> list[FieldFaults]:
        """By path, those in most records first."""
        return sorted(self._fields.values(), key=lambda faults: (-faults.records, faults.reason, faults.field))
