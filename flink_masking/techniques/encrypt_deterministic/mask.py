"""encrypt_deterministic at work: AES-SIV under the key of the domain, and its inverse."""

import numpy as np

from flink_masking.crypto import envelope
from flink_masking.crypto.siv import TAG_BYTES, Siv
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.encrypt import EncryptParams, of_subjects
from flink_masking.techniques.encrypt.values import Binding, are_texts, bindings, opening_keys, plaintexts, restored
from flink_masking.techniques.masks import Context, Mask, Masked, Values

FORMS = envelope.AES_SIV, envelope.SIV_OF_STREAM
LEAST = TAG_BYTES + 2
_PURPOSE = "encrypt_deterministic"


def _bindings(params: EncryptParams, rule_context: RuleContext) -> tuple[Binding, ...]:
    return bindings(params, rule_context, *FORMS)


def make(params: EncryptParams, rule_context: RuleContext) -> Mask:
    """A mask that puts each value's AES-SIV ciphertext (RFC 5297, 512-bit key) in its place, as text.

    The text is ``fm1.`` and the base64url of one byte of form (4), four of key version, sixteen of tag and the ciphertext. The key is the
    domain's; stream, path of the field and domain are associated data, so a value moved to another field or stream does not open, and
    equal values of two fields have two texts. Where there is no stream, as in SQL, the form is 2 and path and domain are what binds. Whole
    objects and arrays are one value. Null stays null and ``""`` stays ``""``. Deterministic, reversible, row-local. Leaks which values of
    the field are equal, their lengths, and which are empty.
    """
    if params.per_subject:
        return of_subjects.make(params, rule_context, of_subjects.SIV)
    key = rule_context.keys.derive(_PURPOSE, params.domain, length=64)
    form, bound = _bindings(params, rule_context)[0]
    cipher, version = Siv(key.secret(), [bound]), key.version

    def encrypt(values: Values, context: Context) -> Masked:
        data, offsets, valid = plaintexts(values)
        starts, ends = offsets[:-1], offsets[1:]
        tags = cipher.seal_spans(data, starts, ends, data)
        return Masked(envelope.wrap(form, version, b"", tags, data, starts, ends, valid))

    return encrypt


def unmake(params: EncryptParams, rule_context: RuleContext) -> Mask:
    """Decrypt: a string becomes a string again, anything else its exact JSON text.

    Any open version of the ring opens, and form 2, too, which earlier releases wrote. What does not open (another key, stream, field or
    domain, any change, another form) is refused; the reason is not told. Null stays null and ``""`` stays ``""``.
    """
    if params.per_subject:
        return of_subjects.unmake(params, rule_context, of_subjects.SIV)
    known = _bindings(params, rule_context)
    ciphers = {(version, place): Siv(key.secret(), [bound])
               for version, key in opening_keys(_PURPOSE, params, rule_context).items() for place, (_, bound) in enumerate(known)}

    def decrypt(values: Values, context: Context) -> Masked:
        data, starts, ends, versions, forms = envelope.unwrap(values.text, are_texts(values), [form for form, _ in known], LEAST)
        out, opened = np.zeros(len(data), np.uint8), np.zeros(len(starts), np.uint8)
        for (version, place), cipher in ciphers.items():
            rows = np.flatnonzero((versions == version) & (forms == place))
            opened[rows] = cipher.open_spans(data, starts[rows], ends[rows], out)
        return restored(values, versions, out, starts + np.int32(TAG_BYTES), ends, opened)

    return decrypt


def output_domain(params: EncryptParams) -> Domain:
    """Texts of the form, and the empty text."""
    scheme = of_subjects.SIV
    forms, least = (scheme.forms, scheme.least) if params.per_subject else (FORMS, LEAST)
    return Domain("AES-SIV ciphertext as fm1. text, or nothing where there was nothing",
                  lambda text: text == "" or any(envelope.is_text_of(form, least, text) for form in forms))
