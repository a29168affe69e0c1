"""From values to tokens and back: a cache, a vault behind it, and sealed values inside."""

import hmac
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.crypto.prf import Prf
from flink_masking.crypto.secret import Secret
from flink_masking.errors import DecryptionError, KeyRingError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.vault.base import LOOKUP_BYTES, SEALED, Enrolment, Vault, distinct, listed, lookups_of
from flink_masking.vault.retention import DAY_MS, Kept
from flink_masking.vault.subject_keys import SubjectHashes, somebody

ROUNDS = 100
"""How often fresh tokens are proposed for values whose proposals were taken: enough while a tenth of all tokens is free."""

Propose = Callable[[pa.StringArray], pa.StringArray]
"""Random tokens for values: n texts → n texts, drawn anew with every call."""


class Tokenizer(Secret):
    """Tokens of one domain and form; refuses to be pickled, copied or printed.

    The same value has the same token wherever domain, form, key ring and vault are the same, until the token expires. A lookup is the
    HMAC-SHA-256 of the value under the key of purpose ``tokenize-lookup`` and the domain, keyed once more with the form, so that two forms
    of one domain have tokens of their own. It is made with the key version of the domain's first use: rotating the ring changes no token.
    Values are sealed (AES-GCM, purpose ``tokenize-value``) with domain and token as associated data: a sealed value that is moved beside
    another token does not open.
    """

    def __init__(self, vault: Vault, ring: KeyRing, domain: str, form: str, propose: Propose, linked: bool = False, stream: str = "",
                 keep: int | None = None) -> None:
        """Keep what tokens are made with; the vault is first asked for the first batch.

        Args:
            vault: open.
            ring: the keys.
            domain: as in the policy.
            form: what tokens look like, in words of the caller's.
            propose: makes random tokens of that form.
            linked: whether the vault notes whose tokens are whose, so that they can be deleted with their subject.
            stream: the policy's, which says how long tokens are kept; empty: nothing is said.
            keep: days after the day of its last use for which a token is kept; None: for ever, unless another stream says otherwise.
        """
        self._stream, self._keep, self._day = stream, keep, -1
        self._kept: Kept | None = None
        self._swept = True
        self._subjects = SubjectHashes(vault, ring, domain) if linked else None
        self._vault, self._ring, self._domain, self._form, self._propose = vault, ring, domain, form, propose
        self._sealer = Sealer(ring, "tokenize-value", domain)
        self._bound = len(domain.encode()).to_bytes(4, "big") + domain.encode()
        self._prf: Prf | None = None

    def tokens(self, text: pa.StringArray, whose: pa.StringArray | None = None) -> pa.StringArray:
        """The token of every value, made where there is none yet.

        Args:
            text: n values; null stays null and ``""`` stays ``""``.
            whose: their subjects, null where there is none; they count only where tokens are linked.

        Raises:
            VaultError: the vault failed for longer than its patience, or tokens of this form run out.
            KeyRingError: the ring lacks the key that the domain's lookups are made with.
        """
        prf = self._prf if self._prf is not None else self._enrolled()
        kept = self._today(True)
        day = 0 if kept is None else kept.today
        lookups, known, hashes = prf.digests(text), None, None
        if self._subjects is not None and whose is not None:
            hashes = np.where(somebody(whose)[:, None], self._subjects.of(whose), np.uint8(0))
            known = lookups[:, :LOOKUP_BYTES] ^ hashes  # of two keyed hashes: a pair is found in the cache as a value is
        by = lookups if known is None else known
        found, missing, stale = self._vault.cache.find(by, text, day)
        if kept is not None and len(stale):
            missing = np.sort(np.concatenate([missing, self._gone(by, lookups, found, stale, kept)]))
        if not len(missing):
            return found
        wanted = np.ascontiguousarray(lookups[missing, :LOOKUP_BYTES])
        first, groups = distinct(wanted)
        different, values = np.ascontiguousarray(wanted[first]), text.take(pa.array(missing[first]))
        made = self._stand(different, values)
        if known is None or hashes is None:
            self._vault.cache.put(different, made, day)
        else:
            while not self._link(wanted, hashes[missing]):  # deleted with another subject in the same moment
                made = self._stand(different, values)
            self._vault.cache.put(np.ascontiguousarray(known[missing]), made.take(pa.array(groups)), day)
        where = np.arange(len(text))
        where[missing] = len(text) + groups
        return pa.concat_arrays([found, made]).take(pa.array(where))

    def values(self, tokens: pa.StringArray) -> pa.StringArray:
        """The values that tokens were given for.

        Args:
            tokens: n tokens; null stays null and ``""`` stays ``""``.

        Returns:
            n values, null also where a token is unknown or has expired, or its value cannot be opened with this ring; which of these is not
            told.

        Raises:
            VaultError: the vault failed for longer than its patience.
        """
        encoded = tokens.dictionary_encode()
        known = encoded.dictionary
        sealed = self._vault.values(self._domain, known, self._today(False)) if len(known) else pa.array([], SEALED)
        opened = [self._opened(*pair) for pair in zip(listed(sealed), listed(known), strict=True)]
        return pa.array(opened, pa.string()).take(encoded.indices)

    def _today(self, uses: bool) -> Kept | None:
        """What the vault keeps of the domain today; None: all of it. Asked once a day; `uses`: because values are tokenized.

        Tokens that have expired are destroyed on the way, a piece with each batch, so that no batch waits for all of them.
        """
        today, retention = self._vault.clock() // DAY_MS, self._vault.retention
        if today != self._day:
            if uses and self._stream:
                retention.retain(self._domain, self._stream, self._keep, today)
            self._kept = retention.kept(self._domain, today)
            self._swept = self._kept is None
            self._day = today if uses else -1  # a reader asks each time
        if uses and not self._swept:
            self._swept = retention.sweep(today).done
        return self._kept

    def _gone(self, by: np.ndarray, lookups: np.ndarray, found: pa.StringArray, stale: np.ndarray, kept: Kept) -> np.ndarray:
        """Note the uses of tokens that were noted on another day; the rows of those that do not stand any more.

        Args:
            by: uint8, shape (n, 16) or more: under which the cache has tokens.
            lookups: uint8, shape (n, 32).
            found: n tokens.
            stale: rows of the tokens in question.
            kept: of the domain.
        """
        wanted = np.ascontiguousarray(lookups[stale, :LOOKUP_BYTES])
        first, groups = distinct(wanted)
        column = lookups_of(np.ascontiguousarray(wanted[first]))
        stands = self._vault.retention.seen(self._domain, column, kept).to_numpy(zero_copy_only=False)[groups]
        rows = stale[stands]
        self._vault.cache.put(np.ascontiguousarray(by[rows]), found.take(pa.array(rows)), kept.today)
        return stale[~stands]

    def _enrolled(self) -> Prf:
        """The function that makes lookups, with the key version that the vault names for the domain."""
        primary = self._ring.primary
        standing = self._vault.enrol(self._domain, Enrolment(primary, self._proof(primary)))
        if not hmac.compare_digest(standing.proof, self._proof(standing.version)):
            raise KeyRingError(f"the vault's domain {self._domain!r} was filled with another key ring. Hint: use the ring it began with")
        key = self._ring.derive("tokenize-lookup", self._domain, standing.version).secret()
        self._prf = Prf(hmac.digest(key, self._form.encode(), "sha256"))
        return self._prf

    def _proof(self, version: int) -> bytes:
        return hmac.digest(self._ring.derive("tokenize-lookup", self._domain, version).secret(), b"", "sha256")

    def _link(self, lookups: np.ndarray, hashes: np.ndarray) -> bool:
        """Note whose tokens are whose; False where one of them does not stand any more. lookups, hashes: uint8, shape (n, 16)."""
        rows = np.flatnonzero(hashes.any(axis=1))
        if not len(rows):
            return True
        rows = rows[distinct(lookups[rows] ^ hashes[rows])[0]]
        pairs = (lookups_of(np.ascontiguousarray(column[rows])) for column in (lookups, hashes))
        return bool(pc.all(self._vault.subjects.link(self._domain, *pairs)).as_py())

    def _stand(self, lookups: np.ndarray, values: pa.StringArray) -> pa.StringArray:
        """The tokens that stand in the vault for different lookups after proposing new ones."""
        made: list[str | None] = [None] * len(values)
        rows = np.arange(len(values))
        for _ in range(ROUNDS):
            these = values.take(pa.array(rows))
            proposals = self._propose(these)
            seal, bound = self._sealer.seal, self._bound
            pairs = zip(*(listed(pc.cast(texts, pa.binary())) for texts in (these, proposals)), strict=True)
            sealed = pa.array([seal(value, bound + token) for value, token in pairs], SEALED)
            column = lookups_of(np.ascontiguousarray(lookups[rows]))
            standing = self._vault.tokens(self._domain, column, sealed, proposals, self._kept)
            for row, token in zip(rows.tolist(), listed(standing), strict=True):
                made[row] = token
            rows = rows[standing.is_null().to_numpy(zero_copy_only=False)]
            if not len(rows):
                return pa.array(made, pa.string())
        raise VaultError(f"tokens of the form {self._form} run out in the domain {self._domain!r}. Hint: use a longer form")

    def _opened(self, sealed: bytes | None, token: str) -> str | None:
        if not token:
            return token
        try:
            return None if sealed is None else self._sealer.open(sealed, self._bound + token.encode()).decode()
        except DecryptionError:
            return None
