"""Estimates the cost of an anonymized segment's settings: memory by records held, information loss by shards."""

from flink_masking.anonymity.space import Space

RELEASED = 200
"""Assumed bytes of the released members of a record."""
LIMIT = 512 << 20
"""Bytes that the records of one shard may take."""
ROOM, COPIES = 4, 3
"""The buffer's arrays have room for up to four times the records held; the records also exist in the state, before and after sealing."""
EXPONENT = 0.3
"""Loss falls with the power -0.3 of the records that a group is chosen from (census data, k = 10, 200 to 5,000 records)."""


def record_bytes(space: Space, sensitive: int) -> int:
    """Memory that one record held takes, in bytes.

    Args:
        space: the quasi-identifiers.
        sensitive: number of sensitive fields that the models are about.
    """
    row = 2 * len(space.cells) + 8 * len(space.words) + 8 * sensitive + 24  # codes, sensitive values; person, number, arrival
    scratch = 32 + 32 + 48 * sensitive  # costs, members; what leaves; hash tables
    return ROOM * (row + scratch) + COPIES * (row + RELEASED)


def value_bytes(z: int) -> int:
    """Memory that one value takes which zero-delay mode remembers, in bytes; z people each."""
    return (1 + COPIES) * (8 + 16 * z) + 32


def loss_factor(shards: int) -> float:
    """How many times the loss of one buffer is to be expected when the traffic is divided over shards and delays stay as they are."""
    return float(shards**EXPONENT)
