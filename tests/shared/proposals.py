"""Proposals for samples made by a test."""

import json
from typing import Any

import pyarrow as pa
import yaml

from flink_masking import KeyRing, Protector
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.scan import Proposal, Scanner, propose_policy


class Proposed:
    """A proposal for records, read back.

    Attributes:
        report: of the scan.
        proposal: as `propose_policy` gives it.
        policy: the YAML.
        fields: declarations by path.
        rules: of the masked segment, by path.
    """

    def __init__(self, records: list[Any], **options: Any) -> None:
        """Scan records and propose a policy."""
        self.lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
        batches = [pa.array(self.lines[k : k + 500], pa.binary()) for k in range(0, len(self.lines), 500)]
        scanner = Scanner()
        for batch in batches:
            scanner.add(batch)
        self.report = scanner.report()
        self.proposal: Proposal = propose_policy(self.report, "s", lambda: iter(batches), **options)
        self.policy = yaml.safe_load(self.proposal.text)
        self.fields = self.policy["fields"]
        self.rules = self.policy["segments"]["masked-s"]["rules"]

    def comment(self, path: str) -> str:
        """What stands behind the declaration of a field."""
        names = (f"{path}:", f'"{path}":')
        return next(line.partition("  # ")[2] for line in self.proposal.text.splitlines() if line.strip().startswith(names))

    def loaded(self) -> LoadedPolicy:
        """The policy as `check` reads it."""
        return load(PolicySource("proposal", self.proposal.text))

    def view(self) -> list[Any]:
        """What the masked view shows, in the order of the records."""
        text = self.proposal.text.replace("order: shuffled", "order: as_read")
        result = Protector(load(PolicySource("proposal", text)), KeyRing.ephemeral()).protect(self.lines)
        assert result.quarantine == []
        return [json.loads(line) for line in next(iter(result.views.values())).to_pylist()]
