"""encrypt and encrypt_deterministic with per_subject: values under the data key of their record's subject, and back."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble
from flink_masking.crypto import envelope, many_keys
from flink_masking.crypto.many_keys import TAG_BYTES
from flink_masking.crypto.prf import Prf
from flink_masking.errors import PolicyError
from flink_masking.techniques.base import RuleContext
from flink_masking.techniques.encrypt import EncryptParams
from flink_masking.techniques.encrypt.values import are_texts, bindings, plaintexts, restored
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.vault.base import listed
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.subject_keys import SubjectKeys
from flink_masking.vault.subjects import SUBJECT_BYTES

VERSION = 1
"""Stands for the key version of all values."""


class Scheme(NamedTuple):
    """A way to encrypt under the keys of subjects.

    Attributes:
        forms: without and with a stream among the associated data.
        labels: of the keys that are taken from a data key, 32 bytes each.
        nonce_bytes: of each value.
        seal: keys, nonces, values, associated data → ciphertexts with their tags.
        seal_rows: the same for a scheme without nonces, a column in one call, as `many_keys.seal_siv_rows`; None: there is none.
        open: keys, nonces, ciphertexts, associated data → values, or None.
        tag_first: whether a tag stands in front of its ciphertext.
    """

    forms: tuple[int, int]
    labels: tuple[bytes, ...]
    nonce_bytes: int
    seal: Callable[[Sequence[bytes], Sequence[bytes], Sequence[bytes], bytes], list[bytes]]
    seal_rows: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bytes], np.ndarray] | None
    open: Callable[[Sequence[bytes], Sequence[bytes], Sequence[bytes], bytes], list[bytes | None]]
    tag_first: bool

    @property
    def least(self) -> int:
        """Fewest bytes behind the key version."""
        return SUBJECT_BYTES + self.nonce_bytes + TAG_BYTES + 2

    def keys(self, data_keys: np.ndarray) -> list[bytes]:
        """`taken` as a list."""
        taken = self.taken(data_keys)
        return listed(pa.Array.from_buffers(pa.binary(taken.shape[1]), len(taken), [None, pa.py_buffer(taken)]))

    def taken(self, data_keys: np.ndarray) -> np.ndarray:
        """The keys that this scheme takes from data keys: HKDF-Extract (RFC 5869) with each label as the salt.

        Args:
            data_keys: uint8, shape (n, 32).

        Returns:
            uint8, shape (n, 32 times the number of labels), contiguous.
        """
        n = len(data_keys)
        offsets = np.arange(0, 32 * n + 1, 32, dtype=np.int32)
        column = assemble(pa.binary(), pa.py_buffer(np.ascontiguousarray(data_keys).reshape(-1)), offsets, None)
        return np.ascontiguousarray(np.concatenate([Prf(label).digests(column) for label in self.labels], axis=1))


GCM = Scheme((envelope.SUBJECT_GCM, envelope.SUBJECT_GCM_OF_STREAM), (b"flink-masking subject AES-256-GCM",),
             many_keys.GCM_NONCE_BYTES, many_keys.seal_gcm, None, many_keys.open_gcm, False)
SIV = Scheme((envelope.SUBJECT_SIV, envelope.SUBJECT_SIV_OF_STREAM),
             (b"flink-masking subject AES-SIV authentication", b"flink-masking subject AES-SIV encryption"), 0,
             lambda keys, _, values, bound: many_keys.seal_siv(keys, values, bound), many_keys.seal_siv_rows,
             lambda keys, _, sealed, bound: many_keys.open_siv(keys, sealed, bound), True)


def make(params: EncryptParams, rule_context: RuleContext, scheme: Scheme) -> Mask:
    """A mask that puts each value's ciphertext under its subject's data key in its place, as text.

    The text is ``fm1.`` and the base64url of one byte of form, four that are always 1, the subject's keyed hash, hidden by a cipher of the
    domain so that it does not show whose value it is (`flink_masking.vault.subject_keys.SubjectHashes.hidden`), the nonce, and ciphertext
    and tag. What values are bound to, and what becomes of null and ``""``, is as for the technique without subjects. A value whose record
    names no subject is refused, and so is one of a subject who was erased, unless the policy lets erased subjects come again.

    Without a vault (as when a policy is checked) keys are kept in memory and lost with the mask.
    """
    keys_of = SubjectKeys(MemoryVault() if rule_context.vault is None else rule_context.vault, rule_context.keys, params.domain,
                          rule_context.erasure == "pass")
    form, bound = bindings(params, rule_context, *scheme.forms)[0]
    nonce_bytes = scheme.nonce_bytes

    def encrypt(values: Values, context: Context) -> Masked:
        data, offsets, valid = plaintexts(values)
        n = len(values.text)
        rows = np.flatnonzero(np.diff(offsets))
        hashes, keys, there = keys_of.made(context.subjects_of(values.rows[rows]))
        refused = None
        if not there.all():
            refused = np.zeros(n, np.bool_)
            refused[rows[~there]] = True
            rows, hashes, keys = rows[there], hashes[there], keys[there]
        own = np.zeros((len(rows), nonce_bytes), np.uint8)
        if scheme.seal_rows is not None:
            body = scheme.seal_rows(scheme.taken(keys), data, offsets[rows], offsets[rows + 1], bound)
        else:
            plain, ends = data[: offsets[-1]].tobytes(), offsets.tolist()
            drawn = keys_of.nonces().draw(nonce_bytes * len(rows), context.seed, bound, offsets, plain, hashes)
            own = np.frombuffer(drawn, np.uint8).reshape(len(rows), nonce_bytes)
            texts = [plain[ends[row] : ends[row + 1]] for row in rows.tolist()]
            nonces = [drawn[k : k + nonce_bytes] for k in range(0, len(drawn), nonce_bytes)]
            body = np.frombuffer(b"".join(scheme.seal(scheme.keys(keys), nonces, texts, bound)), np.uint8)
        lengths = np.zeros(n, np.int64)
        lengths[rows] = np.diff(offsets)[rows] + TAG_BYTES
        stops = np.cumsum(lengths).astype(np.int32)
        starts = (stops - lengths).astype(np.int32)
        fixed = np.zeros((n, SUBJECT_BYTES + nonce_bytes), np.uint8)
        first = starts[rows] if scheme.tag_first else stops[rows] - TAG_BYTES
        fixed[rows, :SUBJECT_BYTES] = keys_of.hidden(hashes, _at(body, first))
        fixed[rows, SUBJECT_BYTES:] = own
        return Masked(envelope.wrap(form, VERSION, b"", fixed.reshape(-1), body, starts, stops, valid), refused)

    return encrypt


def unmake(params: EncryptParams, rule_context: RuleContext, scheme: Scheme) -> Mask:
    """Decrypt with the data keys that the vault has: what does not open, because its subject was erased, too, is refused; why is not told.

    Raises:
        PolicyError: there is no vault.
    """
    if rule_context.vault is None:
        raise PolicyError("values under keys of subjects open only with their vault. Hint: --vault sqlite:///path/to/vault.db")
    keys_of = SubjectKeys(rule_context.vault, rule_context.keys, params.domain)
    known = bindings(params, rule_context, *scheme.forms)

    def decrypt(values: Values, context: Context) -> Masked:
        data, starts, ends, versions, forms = envelope.unwrap(values.text, are_texts(values), [form for form, _ in known], scheme.least)
        rows = np.flatnonzero(versions == VERSION)
        hashes = hashes_in(keys_of, scheme, data, starts[rows], ends[rows])
        _, keys, there = keys_of.found(hashes)
        rows, keys = rows[there], keys[there]
        raw, found = data.tobytes(), [b""] * len(starts)
        opened = np.zeros(len(starts), np.uint8)
        for place, (_, bound) in enumerate(known):
            mine = forms[rows] == place
            begins = (starts[rows[mine]] + SUBJECT_BYTES).tolist()
            nonces = [raw[begin : begin + scheme.nonce_bytes] for begin in begins]
            sealed = [raw[begin + scheme.nonce_bytes : end] for begin, end in zip(begins, ends[rows[mine]].tolist(), strict=True)]
            texts = scheme.open(scheme.keys(keys[mine]), nonces, sealed, bound)
            for row, text in zip(rows[mine].tolist(), texts, strict=True):
                if text is not None:
                    found[row], opened[row] = text, 1
        places = np.concatenate([[0], np.cumsum([len(text) for text in found])]).astype(np.int32)
        out = np.frombuffer(b"".join(found), np.uint8)
        return restored(values, versions, out, places[:-1], places[1:], opened)

    return decrypt


def hashes_in(keys_of: SubjectKeys, scheme: Scheme, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The subjects' hashes in values of a scheme: uint8, shape (n, 16). data, starts, ends: as `envelope.unwrap` gives them."""
    tags = starts + SUBJECT_BYTES if scheme.tag_first else ends - TAG_BYTES
    return keys_of.hidden(_at(data, starts), _at(data, tags))


def _at(data: np.ndarray, first: np.ndarray) -> np.ndarray:
    """16 bytes from each place: uint8, shape (n, 16)."""
    found: np.ndarray = data[first[:, None] + np.arange(SUBJECT_BYTES)]
    return found
