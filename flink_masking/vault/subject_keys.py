"""Data keys of subjects: one for each subject and domain, wrapped by the key ring and kept in the vault, so that it can be destroyed."""

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.crypto.cmac import BlockCipher
from flink_masking.crypto.prf import Prf
from flink_masking.crypto.secret import Secret
from flink_masking.crypto.xaes import Nonces
from flink_masking.errors import DecryptionError, KeyRingError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer, version_of
from flink_masking.vault.base import LOOKUP, SEALED, Vault, distinct, listed, lookups_of
from flink_masking.vault.key_cache import KEY_BYTES
from flink_masking.vault.subjects import DESTROYED, SUBJECT_BYTES

PURPOSE = "subject-key"
"""Purpose of the ring's keys that wrap."""
SECRET_BYTES = 96
"""Of a domain: 32 bytes each for hashes, for hiding them, and for nonces."""


class Found(NamedTuple):
    """Data keys of n subjects.

    Attributes:
        hashes: uint8, shape (n, 16): the subjects' keyed hashes.
        keys: uint8, shape (n, 32), zeros where there is none.
        there: bool, n.
    """

    hashes: np.ndarray
    keys: np.ndarray
    there: np.ndarray


class SubjectHashes(Secret):
    """The keyed hashes by which a domain knows subjects; refuses to be pickled, copied or printed.

    The hash is HMAC-SHA-256 under a random secret of the domain, which the vault keeps wrapped by the ring: rotating the ring, and wrapping
    the secret anew, changes no hash.

    Attributes:
        bound: what wrapped secrets and keys of the domain are bound to.
    """

    def __init__(self, vault: Vault, ring: KeyRing, domain: str) -> None:
        """Keep what hashes are made with; the vault is first asked for the first batch.

        Args:
            vault: open.
            ring: the keys.
            domain: as in the policy.
        """
        self.vault, self.domain = vault, domain
        self.sealer = Sealer(ring, PURPOSE, domain)
        self.bound = len(domain.encode()).to_bytes(4, "big") + domain.encode()
        self._parts: tuple[Prf, BlockCipher, Nonces] | None = None

    def _secrets(self) -> tuple[Prf, BlockCipher, Nonces]:
        """The function that makes hashes, the cipher that hides them in ciphertext, and what makes nonces."""
        if self._parts is None:
            sealed = self.vault.subjects.secret(self.domain, None)
            if sealed is None:
                sealed = self.vault.subjects.secret(self.domain, self.sealer.seal(os.urandom(SECRET_BYTES), self.bound))
            try:
                secret = self.sealer.open(sealed or b"", self.bound)
            except DecryptionError:
                secret = None
            if secret is None:
                raise KeyRingError(f"the subjects of the vault's domain {self.domain!r} were hashed with another key ring. "
                                   "Hint: use the ring it began with")
            self._parts = Prf(secret[:32]), BlockCipher(secret[32:64]), Nonces(secret[64:])
        return self._parts

    def of(self, subjects: pa.StringArray) -> np.ndarray:
        """uint8, shape (n, 16): the hash of each subject; of null that of the empty text."""
        return np.ascontiguousarray(self._secrets()[0].digests(subjects)[:, :SUBJECT_BYTES])

    def nonces(self) -> Nonces:
        """What makes the nonces of values of the domain."""
        return self._secrets()[2]

    def hidden(self, hashes: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Hashes hidden in ciphertext, or shown again: each is combined with AES-256 of a sample of its ciphertext.

        This is QUIC's header protection (RFC 9001, 5.4.1) with AES-256: two values of one subject do not show that they are.

        Args:
            hashes: uint8, shape (n, 16), plain or hidden.
            samples: uint8, shape (n, 16): authentication tags, all different but for equal ciphertext.
        """
        return hashes ^ self._secrets()[1].encrypt(np.ascontiguousarray(samples).reshape(-1)).reshape(-1, SUBJECT_BYTES)


class SubjectKeys(SubjectHashes):
    """Data keys of the subjects of one domain; refuses to be pickled, copied or printed.

    A key is 32 random bytes, wrapped with AES-GCM under the ring's primary key (purpose ``subject-key``), with domain and hash as
    associated data: a wrapped key that is moved beside another subject does not open. The first that a vault has for a subject stands,
    whoever made it. Keys met lately are kept unwrapped in the vault object's cache, which is bounded.
    """

    def __init__(self, vault: Vault, ring: KeyRing, domain: str, renew: bool = False) -> None:
        """As `SubjectHashes`.

        Args:
            vault: open.
            ring: the keys.
            domain: as in the policy.
            renew: whether an erased subject who comes again gets a new key; otherwise none.
        """
        super().__init__(vault, ring, domain)
        self._renew = renew

    def made(self, subjects: pa.StringArray) -> Found:
        """The data key of every subject, made where there is none yet.

        Args:
            subjects: n texts; null and ``""`` are nobody, who has no key.

        Raises:
            VaultError: the vault failed for longer than its patience, or holds what this ring has not wrapped.
            KeyRingError: the ring lacks a version that is needed.
        """
        hashes, named = self.of(subjects), somebody(subjects)
        if named.all():
            return self._found(hashes, True)
        found = self._found(hashes[named], True)
        keys, there = np.zeros((len(hashes), KEY_BYTES), np.uint8), np.zeros(len(hashes), np.bool_)
        keys[named], there[named] = found.keys, found.there
        return Found(hashes, keys, there)

    def found(self, hashes: np.ndarray) -> Found:
        """The data keys of subjects by their hashes; none is made. Raises as `made`."""
        return self._found(hashes, False)

    def _found(self, hashes: np.ndarray, make: bool) -> Found:
        keys, missing = self.vault.keys.find(hashes)
        there = np.ones(len(hashes), np.bool_)
        if len(missing):
            first, groups = distinct(hashes[missing])
            wanted = np.ascontiguousarray(hashes[missing[first]])
            opened, known = self._asked(wanted, make)
            if known.any():
                self.vault.keys.put(np.ascontiguousarray(wanted[known]), np.ascontiguousarray(opened[known]))
            keys[missing], there[missing] = opened[groups], known[groups]
        return Found(hashes, keys, there)

    def _asked(self, wanted: np.ndarray, make: bool) -> tuple[np.ndarray, np.ndarray]:
        """The keys that the vault has for different hashes, and which of them it has."""
        column = lookups_of(wanted)
        whose = listed(column)
        store = self.vault.subjects
        found = listed(store.keys(self.domain, column, None))
        new = [k for k, wrapped in enumerate(found) if wrapped is None or (self._renew and wrapped == DESTROYED)] if make else []
        keys, known = np.zeros((len(wanted), KEY_BYTES), np.uint8), np.zeros(len(wanted), np.bool_)
        if new:
            self._secrets()  # the domain has a secret before it has keys
            fresh, seal, bound = os.urandom(KEY_BYTES * len(new)), self.sealer.seal, self.bound
            wrapped = [seal(fresh[KEY_BYTES * place : KEY_BYTES * (place + 1)], bound + whose[k]) for place, k in enumerate(new)]
            standing = listed(store.keys(self.domain, column.take(pa.array(new)), pa.array(wrapped, SEALED), self._renew))
            for k, stands in zip(new, standing, strict=True):
                found[k] = stands
            rows, own = np.array(new), np.array([stands == sealed for stands, sealed in zip(standing, wrapped, strict=True)])
            keys[rows[own]] = np.frombuffer(fresh, np.uint8).reshape(-1, KEY_BYTES)[own]  # these need not be opened
            known[rows[own]] = True
        rest = [k for k, sealed in enumerate(found) if sealed and not known[k]]
        if rest:
            opened = b"".join([self.opened(found[k], whose[k]) for k in rest])
            keys[rest], known[rest] = np.frombuffer(opened, np.uint8).reshape(-1, KEY_BYTES), True
        return keys, known

    def opened(self, wrapped: bytes, subject: bytes) -> bytes:
        """The data key of a hash, unwrapped; raises VaultError where it does not open."""
        try:
            key = self.sealer.open(wrapped, self.bound + subject)
        except DecryptionError:
            key = b""
        if len(key) != KEY_BYTES:
            raise VaultError(f"the vault's domain {self.domain!r} holds a data key that does not open. Hint: give the key ring that it "
                             "was wrapped by; a vault that somebody changed is restored from a backup")
        return key


def somebody(subjects: pa.StringArray) -> np.ndarray:
    """Which texts name somebody: bool, n."""
    _, offsets, valid = parts(subjects)
    named: np.ndarray = offsets[1:] > offsets[:-1]
    return named & (valid != 0) if len(valid) else named


def rewrap(vault: Vault, ring: KeyRing, batch: int = 10_000, told: Callable[[int, int], None] | None = None) -> dict[str, int]:
    """Wrap all secrets and data keys anew under the ring's primary version, after a rotation; no value needs to be changed for it.

    Can be stopped and begun again at any moment, while workers run: what was wrapped stays, what was destroyed meanwhile stays destroyed.

    Args:
        vault: open.
        ring: opens the versions that things are wrapped with; its primary version wraps.
        batch: keys in one transaction.
        told: called with the keys looked through so far and those of the vault, after each transaction.

    Returns:
        Keys wrapped anew, by domain.

    Raises:
        VaultError, KeyRingError: as `SubjectKeys.made`.
    """
    done, store, seen = {}, vault.subjects, 0
    secrets = sorted(store.secrets().items())
    total = 0 if told is None else sum(store.sizes(domain)[0] for domain, _ in secrets)
    for domain, sealed in secrets:
        keys = SubjectKeys(vault, ring, domain)
        keys.of(pa.array([""]))  # refuses another ring
        if version_of(sealed) != ring.primary:
            store.rewrap_secret(domain, sealed, keys.sealer.seal(keys.sealer.open(sealed, keys.bound), keys.bound))
        count, after = 0, b""
        while True:
            subjects, wrapped = store.wrapped(domain, after, batch)
            if not len(subjects):
                break
            rows = [row for row in zip(listed(subjects), listed(wrapped), strict=True) if version_of(row[1]) != ring.primary]
            new = [keys.sealer.seal(keys.opened(old, subject), keys.bound + subject) for subject, old in rows]
            if rows:
                count += store.rewrap(domain, pa.array([subject for subject, _ in rows], LOOKUP),
                                      pa.array([old for _, old in rows], SEALED), pa.array(new, SEALED))
            after, seen = subjects[-1].as_py(), seen + len(subjects)
            if told is not None:
                told(seen, total)
        done[domain] = count
    return done
