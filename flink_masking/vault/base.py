"""What a token vault is: the interface, and what all vaults have in common.

A vault holds, for each domain, lookups (the first half of the HMAC-SHA-256 of each value), tokens, and the values sealed with AES-GCM.
It holds no clear value and no key; whoever has the file or the database, and not the key ring, learns how many values there are and how
long they are.
"""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

import numpy as np
import pyarrow as pa

from flink_masking.crypto.secret import Secret
from flink_masking.errors import VaultError
from flink_masking.vault.cache import TokenCache
from flink_masking.vault.key_cache import KeyCache
from flink_masking.vault.retention import Kept, RetentionStore

if TYPE_CHECKING:
    from flink_masking.vault.subjects import SubjectStore

LOOKUP_BYTES = 16
"""Bytes of a digest that are kept: among 10¹² values the chance that any two share them is below 10⁻¹⁴."""
LOOKUP = pa.binary(LOOKUP_BYTES)
"""The Arrow type of lookups."""
SEALED = pa.binary()
"""The Arrow type of sealed values."""


class Enrolment(NamedTuple):
    """How the lookups of a domain are made: fixed when the domain is first used, so that a rotation of keys changes no token.

    Attributes:
        version: the key version that lookups are made with.
        proof: 32 bytes by which another key ring is noticed: the HMAC of nothing under the key of the lookups.
    """

    version: int
    proof: bytes


class Vault(Protocol):
    """Tokens and sealed values by domain; operations on whole columns, each in one round trip and one transaction.

    Within a domain a lookup has one token, and a token one lookup, until it expires (`retention`) or is erased. What a call returned has
    been written durably before.
    Safe with any number of threads, processes and machines that write at once.
    """

    @property
    def cache(self) -> TokenCache:
        """Tokens met lately, in front of this vault; shared by all that use the vault object."""

    @property
    def keys(self) -> KeyCache:
        """Data keys of subjects met lately, likewise."""

    @property
    def clock(self) -> Callable[[], int]:
        """Gives the time, ms since 1970, by whose day (UTC) uses of tokens are noted."""

    @property
    def retention(self) -> RetentionStore:
        """How long tokens are kept."""

    @property
    def subjects(self) -> "SubjectStore":
        """What the vault keeps of subjects; its tables are made with the first use.

        Raises:
            VaultError: the vault cannot be reached, written or trusted.
        """

    def enrol(self, domain: str, enrolment: Enrolment) -> Enrolment:
        """Note how the lookups of a domain are made, unless that stands already.

        Args:
            domain: as in the policy.
            enrolment: what is noted when the domain is new.

        Returns:
            What stands.

        Raises:
            VaultError: the vault cannot be reached, written or trusted.
        """

    def tokens(self, domain: str, lookups: pa.FixedSizeBinaryArray, sealed: pa.BinaryArray, proposals: pa.StringArray,
               kept: Kept | None = None) -> pa.StringArray:
        """The tokens of values; those that have none get the one proposed.

        Args:
            domain: enrolled.
            lookups: n different lookups of type `LOOKUP`, without nulls.
            sealed: n sealed values, each bound to the token proposed for it.
            proposals: n tokens to be given to values without one.
            kept: what of the domain is kept: the use of each token is noted, and one that has expired counts as none; None: all of it.

        Returns:
            n tokens; null where the proposal is another value's token, or where another writer was at it in the same moment: ask again
            for those, with fresh proposals.

        Raises:
            VaultError: as `enrol`; nothing of the batch is written then, or all of it, and asking again is safe.
        """

    def values(self, domain: str, tokens: pa.StringArray, kept: Kept | None = None) -> pa.BinaryArray:
        """Map tokens back to values; this is no use of theirs that is noted.

        Args:
            domain: as in the policy.
            tokens: n tokens, without nulls.
            kept: as for `tokens`.

        Returns:
            n sealed values, null where the domain has no such token, or it has expired.

        Raises:
            VaultError: as `enrol`.
        """

    def unreadable_s(self) -> float:
        """The longest wait for this vault since the last call of this method, in seconds: how long it was away or busy; 0: it was not."""

    def close(self) -> None:
        """Close files and connections; the vault cannot be used afterwards."""


def wall_clock() -> int:
    """The time, ms since 1970."""
    return time.time_ns() // 1_000_000


def listed(column: pa.Array) -> list:
    """The values of a text or binary column as Python objects, None for null: what database drivers take, many times as fast as pyarrow's
    own `to_pylist`, which makes a scalar of each value first.
    """
    values: list = column.to_numpy(zero_copy_only=False).tolist()
    return values


def lookups_of(hashes: np.ndarray) -> pa.FixedSizeBinaryArray:
    """Hashes as a column of type `LOOKUP`, without a copy. hashes: uint8, shape (n, 16), contiguous."""
    return pa.Array.from_buffers(LOOKUP, len(hashes), [None, pa.py_buffer(hashes)])


def distinct(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different ones of n hashes.

    Args:
        hashes: uint8, shape (n, 16).

    Returns:
        The row in which each of m different hashes comes first, int64; and for each row which of the m it is, int32.
    """
    encoded = lookups_of(np.ascontiguousarray(hashes)).dictionary_encode()
    groups = encoded.indices.to_numpy()
    first = np.empty(len(encoded.dictionary), np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    return first, groups


class OpenVault(Secret):
    """What the vaults share: a cache, and the refusal to leave the process that opened them."""

    def __init__(self, where: str, cache: TokenCache | None) -> None:
        """Keep the cache, or make one.

        Args:
            where: the vault's name in errors, without credentials.
            cache: for another size than the default.
        """
        self.cache, self.where = TokenCache() if cache is None else cache, where
        self.keys = KeyCache(self.cache.entries)
        self.clock: Callable[[], int] = wall_clock
        self._process = os.getpid()
        self._waited = 0.0

    def unreadable_s(self) -> float:
        """See `Vault.unreadable_s`."""
        longest, self._waited = self._waited, 0.0
        return longest

    def note_wait(self, seconds: float) -> None:
        """Keep how long a call has been waiting, if no other has waited longer."""
        self._waited = max(self._waited, seconds)

    def guard(self) -> None:
        """Refuse to be used in a process that was forked off: connections cannot be shared.

        Raises:
            VaultError: another process than the one that opened the vault.
        """
        if os.getpid() != self._process:
            raise VaultError(f"{self.where}: the token vault was opened in another process. Hint: open it in open() of the worker")

    def unknown(self, domain: str) -> VaultError:
        """The error for a domain that tokens are asked for before it was enrolled."""
        return VaultError(f"{self.where}: the domain {domain!r} is not enrolled. Hint: call enrol first")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: an open vault belongs to its process."""
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied. Hint: pass its address and open it in open()")
