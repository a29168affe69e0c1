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

ROUNDS = 100
"""How often fresh tokens are proposed for values whose proposals were taken: enough while a tenth of all tokens is free."""

Propose = Callable[[pa.StringArray], pa.StringArray]
"""Random tokens for values: n texts → n texts, drawn anew with every call."""


class Tokenizer(Secret):
    """Tokens of one domain and form; refuses to be pickled, copied or printed.

    The same value has the same token wherever domain, form, key ring and vault are the same. A lookup is the HMAC-SHA-256 of the value
    under the key of purpose ``tokenize-lookup`` and the domain, keyed once more with the form, so that two forms of one domain have
    tokens of their own. It is made with the key version of the domain's first use: rotating the ring changes no token. Values are
    sealed (AES-GCM, purpose ``tokenize-value``) with domain and token as associated data: a sealed value that is moved beside another
    token does not open.
    """

    def __init__(self, vault: Vault, ring: KeyRing, domain: str, form: str, propose: Propose) -> None:
        """Keep what tokens are made with; the vault is first asked for the first batch.

        Args:
            vault: open.
            ring: the keys.
            domain: as in the policy.
            form: what tokens look like, in words of the caller's.
            propose: makes random tokens of that form.
        """
        self._vault, self._ring, self._domain, self._form, self._propose = vault, ring, domain, form, propose
        self._sealer = Sealer(ring, "tokenize-value", domain)
        self._bound = len(domain.encode()).to_bytes(4, "big") + domain.encode()
        self._prf: Prf | None = None

    def tokens(self, text: pa.StringArray) -> pa.StringArray:
        """The token of every value, made where there is none yet.

        Args:
            text: n values; null stays null and ``""`` stays ``""``.

        Raises:
            VaultError: the vault failed for longer than its patience, or tokens of this form run out.
            KeyRingError: the ring lacks the key that the domain's lookups are made with.
        """
        prf = self._prf if self._prf is not None else self._enrolled()
        lookups = prf.digests(text)
        found, missing = self._vault.cache.find(lookups, text)
        if not len(missing):
            return found
        wanted = np.ascontiguousarray(lookups[missing, :LOOKUP_BYTES])
        first, groups = distinct(wanted)
        made = self._stand(np.ascontiguousarray(wanted[first]), text.take(pa.array(missing[first])))
        where = np.arange(len(text))
        where[missing] = len(text) + groups
        return pa.concat_arrays([found, made]).take(pa.array(where))

    def values(self, tokens: pa.StringArray) -> pa.StringArray:
        """The values that tokens were given for.

        Args:
            tokens: n tokens; null stays null and ``""`` stays ``""``.

        Returns:
            n values, null also where a token is unknown or its value cannot be opened with this ring; which of these is not told.

        Raises:
            VaultError: the vault failed for longer than its patience.
        """
        encoded = tokens.dictionary_encode()
        known = encoded.dictionary
        sealed = self._vault.values(self._domain, known) if len(known) else pa.array([], SEALED)
        opened = [self._opened(*pair) for pair in zip(listed(sealed), listed(known), strict=True)]
        return pa.array(opened, pa.string()).take(encoded.indices)

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

    def _stand(self, lookups: np.ndarray, values: pa.StringArray) -> pa.StringArray:
        """The tokens that stand in the vault for different lookups after proposing new ones, kept in the cache as well."""
        made: list[str | None] = [None] * len(values)
        rows = np.arange(len(values))
        for _ in range(ROUNDS):
            these = values.take(pa.array(rows))
            proposals = self._propose(these)
            seal, bound = self._sealer.seal, self._bound
            pairs = zip(*(listed(pc.cast(texts, pa.binary())) for texts in (these, proposals)), strict=True)
            sealed = pa.array([seal(value, bound + token) for value, token in pairs], SEALED)
            column = lookups_of(np.ascontiguousarray(lookups[rows]))
            standing = self._vault.tokens(self._domain, column, sealed, proposals)
            for row, token in zip(rows.tolist(), listed(standing), strict=True):
                made[row] = token
            rows = rows[standing.is_null().to_numpy(zero_copy_only=False)]
            if not len(rows):
                tokens = pa.array(made, pa.string())
                self._vault.cache.put(lookups, tokens)
                return tokens
        raise VaultError(f"tokens of the form {self._form} run out in the domain {self._domain!r}. Hint: use a longer form")

    def _opened(self, sealed: bytes | None, token: str) -> str | None:
        if not token:
            return token
        try:
            return None if sealed is None else self._sealer.open(sealed, self._bound + token.encode()).decode()
        except DecryptionError:
            return None
