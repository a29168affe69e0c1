"""A policy applied to the sample: views, released lines and quarantine of all segments."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from flink_masking.engine.quarantine import Entry
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import MaskedSegment
from flink_masking.protector import Protector
from flink_masking.records.codec import FORMATS
from flink_masking.studio.sample import Cut, Sample
from flink_masking.vault.memory import MemoryVault
from flink_masking.verify.records import Held


@dataclass(frozen=True)
class Outcome:
    """What a policy makes of the sample.

    Attributes:
        loaded: the policy, as it is for the files of the sample.
        protector: that it was applied with.
        sample: the raw records.
        views: by masked segment a binary array of n records, in the order of the sample, null where a record is quarantined.
        lines: by anonymized or aggregated segment its lines.
        quarantine: by row, why the record is refused.
    """

    loaded: LoadedPolicy
    protector: Protector = field(repr=False)
    sample: Cut = field(repr=False)
    views: dict[str, pa.BinaryArray] = field(repr=False)
    lines: dict[str, list[bytes]] = field(repr=False)
    quarantine: dict[int, Entry] = field(repr=False)

    @classmethod
    def of(cls, loaded: LoadedPolicy, sample: Sample, ring: KeyRing) -> "Outcome":
        """Apply a policy to the sample, with tokens that are thrown away.

        Args:
            loaded: the policy.
            sample: the records.
            ring: the key ring.

        Raises:
            InputError: the sample is of another format.
            KeyRingError: the ring lacks a key.
        """
        cut = sample.of(loaded)
        fitting = loaded.of_files(None) if cut.columns is None else loaded.for_header(cut.columns, sample.name)
        protector = Protector(fitting.in_order(), ring, MemoryVault())
        result = protector.protect(cut.records)
        final = protector.finish()
        lines = {name: [*released, *final[name]] for name, released in result.released.items()}
        return cls(fitting, protector, cut, result.views, lines, {row: Entry.decode(line) for row, line in result.quarantine})

    @property
    def accepted(self) -> int:
        """Records that are not quarantined."""
        return len(self.sample.records) - len(self.quarantine)

    @cached_property
    def held(self) -> dict[str, Held]:
        """All views as readers receive them, for the verifier: in another order where the policy says so, without quarantined records."""
        found = {}
        for name, view in self.views.items():
            lines = [line for line in view.to_pylist() if line is not None]
            segment = self.loaded.policy.segments[name]
            if isinstance(segment, MaskedSegment) and segment.order == "shuffled":
                lines = [lines[at] for at in np.random.default_rng().permutation(len(lines)).tolist()]
            found[name] = Held(lines, self._columns(name))
        return found | {name: Held(lines, self._columns(name)) for name, lines in self.lines.items()}

    @cached_property
    def raw(self) -> Held:
        """The raw records, for the verifier."""
        return Held(self.sample.records.to_pylist(), self.sample.columns)

    def _columns(self, name: str) -> tuple[str, ...] | None:
        known = FORMATS[self.loaded.policy.format]
        return self.protector.plan.columns(name) if known.header and not known.schemas else None
