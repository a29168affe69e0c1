"""encrypt at work: XAES-256-GCM under the key of the domain, and its inverse."""

from itertools import product

import numpy as np

from flink_masking.crypto import envelope
from flink_masking.crypto.xaes import HALF_BYTES, KEY_BYTES, NONCE_BYTES, TAG_BYTES, Nonces, Xaes
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.encrypt import EncryptParams, of_subjects
from flink_masking.techniques.encrypt.values import Binding, are_texts, bindings, opening_keys, plaintexts, restored
from flink_masking.techniques.masks import Context, Mask, Masked, Values

FORMS = envelope.XAES_256_GCM, envelope.XAES_OF_STREAM
LEAST = NONCE_BYTES + TAG_BYTES + 2
_PURPOSE = "encrypt"


def _bindings(params: EncryptParams, rule_context: RuleContext) -> tuple[Binding, ...]:
    return bindings(params, rule_context, *FORMS)


def make(params: EncryptParams, rule_context: RuleContext) -> Mask:
    """A mask that puts each value's AES-256-GCM ciphertext (NIST SP 800-38D) in its place, as text.

    The text is ``fm1.`` and the base64url of one byte of form (3), four of key version, 24 of nonce, the ciphertext and sixteen of tag:
    XAES-256-GCM, see `flink_masking.crypto.xaes.Xaes` for why not GCM alone. The first half of the nonce belongs to the batch, the
    second to the value; both come from the batch's seed and, should a seed ever repeat, from the values too (`Nonces`). The key is the
    domain's; stream, path of the field and domain are associated data, so a value moved to another field or stream does not open. Where
    there is no stream, as in SQL, the form is 1 and path and domain are what binds. Whole objects and arrays are one value. Null stays null
    and ``""`` stays ``""``. Not deterministic, reversible, row-local. Leaks the length of a value, whether it is empty, and which values
    were encrypted in one batch.
    """
    if params.per_subject:
        return of_subjects.make(params, rule_context, of_subjects.GCM)
    key = rule_context.keys.derive(_PURPOSE, params.domain, length=KEY_BYTES + 32)
    cipher, nonces, version = Xaes(key.secret()[:KEY_BYTES]), Nonces(key.secret()[KEY_BYTES:]), key.version
    form, bound = _bindings(params, rule_context)[0]

    def encrypt(values: Values, context: Context) -> Masked:
        data, offsets, valid = plaintexts(values)
        n, plain = len(values.text), data[: offsets[-1]].tobytes()
        drawn = nonces.draw(HALF_BYTES * (n + 1), context.seed, bound, offsets, plain)
        lengths, ends = np.diff(offsets), offsets.tolist()
        rows = np.flatnonzero(lengths).tolist()
        halves = [drawn[HALF_BYTES * (row + 1) : HALF_BYTES * (row + 2)] for row in rows]
        sealed = cipher.seal_all([plain[ends[row] : ends[row + 1]] for row in rows], drawn[:HALF_BYTES], halves, bound)
        stops = np.cumsum(lengths + TAG_BYTES * (lengths > 0), dtype=np.int64).astype(np.int32)
        starts = np.concatenate([np.zeros(1, np.int32), stops[:-1]])[:n]
        body, own = np.frombuffer(b"".join(sealed), np.uint8), np.frombuffer(drawn, np.uint8)[HALF_BYTES:]
        return Masked(envelope.wrap(form, version, drawn[:HALF_BYTES], own, body, starts, stops, valid))

    return encrypt


def unmake(params: EncryptParams, rule_context: RuleContext) -> Mask:
    """Decrypt: a string becomes a string again, anything else its exact JSON text.

    Any open version of the ring opens, and form 1, too, which earlier releases wrote. What does not open (another key, stream, field or
    domain, any change, another form) is refused; the reason is not told. Null stays null and ``""`` stays ``""``.
    """
    if params.per_subject:
        return of_subjects.unmake(params, rule_context, of_subjects.GCM)
    known = _bindings(params, rule_context)
    ciphers = {version: Xaes(key.secret()[:KEY_BYTES]) for version, key in opening_keys(_PURPOSE, params, rule_context).items()}

    def decrypt(values: Values, context: Context) -> Masked:
        data, starts, ends, versions, forms = envelope.unwrap(values.text, are_texts(values), [form for form, _ in known], LEAST)
        raw, first, last = data.tobytes(), starts.tolist(), ends.tolist()
        found: list[bytes | None] = [None] * len(starts)
        for (version, cipher), (place, (_, bound)) in product(ciphers.items(), enumerate(known)):
            rows = np.flatnonzero((versions == version) & (forms == place)).tolist()
            for row, value in zip(rows, cipher.open_all([raw[first[row] : last[row]] for row in rows], bound), strict=True):
                found[row] = value
        opened = np.array([value is not None for value in found], np.uint8)
        places = np.concatenate([[0], np.cumsum([len(value or b"") for value in found])]).astype(np.int32)
        out = np.frombuffer(b"".join(value or b"" for value in found), np.uint8)
        return restored(values, versions, out, places[:-1], places[1:], opened)

    return decrypt


def output_domain(params: EncryptParams) -> Domain:
    """Texts of the form, and the empty text."""
    scheme = of_subjects.GCM
    forms, least = (scheme.forms, scheme.least) if params.per_subject else (FORMS, LEAST)
    return Domain("AES-GCM ciphertext as fm1. text, or nothing where there was nothing",
                  lambda text: text == "" or any(envelope.is_text_of(form, least, text) for form in forms))
