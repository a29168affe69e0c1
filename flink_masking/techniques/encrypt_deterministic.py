"""encrypt_deterministic: authenticated encryption under which equal values stay equal; a key holder gets them back."""

import numpy as np

from flink_masking.crypto import envelope
from flink_masking.crypto.siv import TAG_BYTES, Siv
from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Context, Domain, Mask, Masked, Shows, Site, Technique, Values, always, showing
from flink_masking.techniques.encrypt_values import EncryptParams, are_texts, associated, opening_keys, plaintexts, restored

LEAST = TAG_BYTES + 2
_PURPOSE = "encrypt_deterministic"


def make_encrypt_deterministic(params: EncryptParams, site: Site) -> Mask:
    """A mask that puts each value's AES-SIV ciphertext (RFC 5297, 512-bit key) in its place, as text.

    The text is ``fm1.`` and the base64url of one byte of form (2), four of key version, sixteen of tag and the ciphertext. The key is the
    domain's; the field's path and the domain are associated data, so a value moved to another field does not open, and equal values of
    two fields have two texts. Whole objects and arrays are one value. Null stays null and ``""`` stays ``""``. Deterministic, reversible,
    row-local. Leaks which values of the field are equal, their lengths, and which are empty.
    """
    key = site.keys.derive(_PURPOSE, params.domain, length=64)
    cipher, version = Siv(key.secret(), [associated(params, site)]), key.version

    def encrypt(values: Values, context: Context) -> Masked:
        data, offsets, valid = plaintexts(values)
        starts, ends = offsets[:-1], offsets[1:]
        tags = cipher.seal_spans(data, starts, ends, data)
        return Masked(envelope.wrap(envelope.AES_SIV, version, b"", tags, data, starts, ends, valid))

    return encrypt


def unmake_encrypt_deterministic(params: EncryptParams, site: Site) -> Mask:
    """The way back: a string becomes a string again, anything else its exact JSON text.

    Any open version of the ring opens. What does not open (another key, field or domain, any change, another form) is refused; the
    reason is not told. Null stays null and ``""`` stays ``""``.
    """
    bound = [associated(params, site)]
    ciphers = {version: Siv(key.secret(), bound) for version, key in opening_keys(_PURPOSE, params, site).items()}

    def decrypt(values: Values, context: Context) -> Masked:
        data, starts, ends, versions = envelope.unwrap(values.text, are_texts(values), envelope.AES_SIV, LEAST)
        out, opened = np.zeros(len(data), np.uint8), np.zeros(len(starts), np.uint8)
        for version, cipher in ciphers.items():
            rows = np.flatnonzero(versions == version)
            opened[rows] = cipher.open_spans(data, starts[rows], ends[rows], out)
        return restored(values, versions, out, starts + np.int32(TAG_BYTES), ends, opened)

    return decrypt


def output_domain(params: EncryptParams) -> Domain:
    """Texts of the form, and the empty text."""
    return Domain("AES-SIV ciphertext as fm1. text, or nothing where there was nothing",
                  lambda text: text == "" or envelope.is_text_of(envelope.AES_SIV, LEAST, text))  # fmt: skip


TECHNIQUE = Technique(
    name="encrypt_deterministic",
    summary="Encrypted so that equal values of a field stay equal; a key holder gets the value back.",
    params=EncryptParams,
    make=make_encrypt_deterministic,
    deterministic=always,
    reversible=True,
    row_local=True,
    inputs=ANYTHING,
    output=output_domain,
    keyed=True,
    examples=({"domain": "customer"},),
    unmake=unmake_encrypt_deterministic,
    injective=always,
    shows=showing(Shows.NOTHING),
)
