"""Which values of a sample keep the contract of a policy, by path."""

import numpy as np
import pyarrow as pa

from flink_masking.engine.masking import absences
from flink_masking.engine.plan import placeholders
from flink_masking.policy.layout import layout
from flink_masking.policy.load import LoadedPolicy
from flink_masking.records.codec import codec_for
from flink_masking.records.spans import FATAL, Flag
from flink_masking.records.trie import UNDECLARED, Paths
from flink_masking.registry.source import SchemaSource


class Fits:
    """Counts values of declared fields that break their declaration.

    Attributes:
        unfit: by path how many values break it.
        values: by path how many values there were.
        undeclared: members that no path declares, each with all it holds, and values where the policy has members.
    """

    def __init__(self, loaded: LoadedPolicy, schemas: SchemaSource | None = None) -> None:
        """Compile the paths of a policy; `schemas` are those that records name by identifiers."""
        policy = loaded.policy
        self._contracts = dict(loaded.contracts)
        self._codec = codec_for(policy.format, layout(policy, schemas, read=loaded.source.file))
        # Containers where values are declared shall not keep the rest of a record from being looked at: every field may hold one here.
        self._paths = Paths(self._contracts, known=policy.fields, opaque=policy.fields)
        self._placeholders = placeholders(loaded)
        self.unfit: dict[str, int] = {}
        self.values: dict[str, int] = {}
        self.undeclared = 0

    def add(self, batch: pa.BinaryArray) -> None:
        """Check a batch of records; those that cannot be read are passed over, those with a mismatch are checked as far as they go."""
        table = self._codec.scan(batch, self._paths)
        self.undeclared += table.count(UNDECLARED) + int(np.count_nonzero(table.flags & int(Flag.MISMATCH)))
        broken = np.flatnonzero(table.flags & int(FATAL))
        for path, contract in self._contracts.items():
            if not table.count(path):
                continue
            contents = table.contents(path)
            self.values[path] = self.values.get(path, 0) + len(contents.kinds)
            unfit = contract.unfit(contents, table.values(path).text if contract.reads_text else None)
            if unfit is None:
                continue
            if self._placeholders is not None:
                absent = absences(table.values(path).text, contents.kinds, self._placeholders)
                unfit = unfit if absent is None else unfit & ~absent
            if len(broken):
                unfit = unfit & ~np.isin(table.rows(path), broken)
            if count := int(np.count_nonzero(unfit)):
                self.unfit[path] = self.unfit.get(path, 0) + count
