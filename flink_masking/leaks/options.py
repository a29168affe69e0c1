"""What a deployment says of canaries: plain data, which becomes part of the job graph."""

from dataclasses import dataclass

DAY = 24 * 3_600_000


@dataclass(frozen=True)
class LeakOptions:
    """Which values Protect keeps fingerprints of, and where.

    Attributes:
        directory: every worker writes files of its own there; the leak monitor reads them.
        sample: share of records whose values are kept, above 0 and at most 1.
        keep: milliseconds after which a fingerprint is forgotten.
    """

    directory: str
    sample: float = 0.01
    keep: int = DAY
