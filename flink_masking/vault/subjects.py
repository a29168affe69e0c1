"""What a vault keeps of subjects: their wrapped data keys, which tokens are theirs, and who was erased.

A subject is known here by a keyed hash under a secret of the domain, which the vault holds wrapped by the key ring: no clear subject is
kept, and two domains do not show that a subject is the same. What is destroyed leaves a tombstone: the hash without a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa

from flink_masking.vault.base import LOOKUP_BYTES

SUBJECT_BYTES = LOOKUP_BYTES
"""Bytes of a subject's keyed hash."""
DESTROYED = b""
"""Stands in the place of a wrapped key that was destroyed."""


class Mark(NamedTuple):
    """A subject of a stream that was erased.

    Attributes:
        version: the key version that the hash is made with.
        subject: the first 16 bytes of HMAC-SHA-256 under the ring's key of purpose ``subject`` and the stream.
    """

    version: int
    subject: bytes


@dataclass(frozen=True)
class Erasure:
    """What is to be erased, in one transaction.

    Attributes:
        stream: whose records later erased subjects are looked for in.
        marks: the subjects, as workers recognise them.
        subjects: for each domain the hashes of the same subjects under the domain's secret.
        at: ms since 1970.
    """

    stream: str
    marks: tuple[Mark, ...]
    subjects: Mapping[str, tuple[bytes, ...]]
    at: int


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Attributes:
        keys: data keys destroyed.
        tombstones: subjects that had no key, for whom none will be made.
        tokens: tokens deleted.
        shared: tokens that stay, because other subjects have them, too.
    """

    keys: int = 0
    tombstones: int = 0
    tokens: int = 0
    shared: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(self.keys + other.keys, self.tombstones + other.tombstones, self.tokens + other.tokens, self.shared + other.shared)


class SubjectStore(Protocol):
    """Operations on whole columns, each in one transaction; what a call returned has been written durably before.

    Safe with any number of threads, processes and machines that write at once. All raise VaultError as `flink_masking.vault.base.Vault`.
    """

    def secret(self, domain: str, proposal: bytes | None) -> bytes | None:
        """The wrapped secret of a domain: the one that stands, or the proposal, which stands from now on.

        Args:
            domain: as in the policy.
            proposal: a fresh one, wrapped; None: only look.
        """
        ...

    def secrets(self) -> dict[str, bytes]:
        """The wrapped secrets of all domains."""
        ...

    def keys(self, domain: str, subjects: pa.FixedSizeBinaryArray, proposals: pa.BinaryArray | None, renew: bool = False) -> pa.BinaryArray:
        """The wrapped data keys of subjects. Where two writers make a key for one subject, the first one's stands for both.

        Args:
            domain: one that has a secret.
            subjects: n different hashes, without nulls.
            proposals: n fresh keys, wrapped, for those who have none; None: only look.
            renew: whether those whose key was destroyed get the one proposed; otherwise they get none again.

        Returns:
            n wrapped keys, `DESTROYED` where there was one; null where there is none and none is proposed.
        """
        ...

    def link(self, domain: str, lookups: pa.FixedSizeBinaryArray, subjects: pa.FixedSizeBinaryArray) -> pa.BooleanArray:
        """Note whose tokens are whose.

        Args:
            domain: an enrolled one.
            lookups: n lookups of tokens.
            subjects: n hashes; pairs may come again.

        Returns:
            n times whether the token stands; where it was deleted meanwhile, it is to be made again.
        """
        ...

    def erase(self, erasure: Erasure) -> Erased:
        """Destroy the keys of subjects, delete the tokens that are theirs alone, and keep tombstones; all of it or nothing.

        Asking again changes nothing.
        """
        ...

    def erased(self, stream: str, after: int) -> tuple[list[Mark], int]:
        """Subjects of a stream that were erased since a point, and the point up to which this holds; 0: since the beginning."""
        ...

    def counts(self, domain: str, subjects: pa.FixedSizeBinaryArray) -> tuple[int, int]:
        """How many keys and how many tokens of these subjects there still are."""
        ...

    def sizes(self, domain: str) -> tuple[int, int]:
        """How many keys a domain has, and how many tombstones."""
        ...

    def wrapped(self, domain: str, after: bytes, most: int) -> tuple[pa.FixedSizeBinaryArray, pa.BinaryArray]:
        """Hashes and wrapped keys of a domain in the order of the hashes, `most` at a time, those behind a hash."""
        ...

    def rewrap(self, domain: str, subjects: pa.FixedSizeBinaryArray, old: pa.BinaryArray, new: pa.BinaryArray) -> int:
        """Put newly wrapped keys in the place of those that still stand as they were read; how many did."""
        ...

    def rewrap_secret(self, domain: str, old: bytes, new: bytes) -> bool:
        """Put a newly wrapped secret in the place of the one that was read, if it still stands; whether it did."""
        ...
