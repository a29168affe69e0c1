"""The text form of protected values: ``fm1.`` and the base64url of form, key version, nonce or tag, and ciphertext.

Form is one byte, the key version four, the most significant first; what follows depends on the form. Base64url is that of RFC 4648,
section 5, without padding; each value has exactly one text.
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.crypto import envelope_kernels as kernel
from flink_masking.errors import InputError
from flink_masking.kernels.memory import SLACK

MARK = "fm1."
HEADER_BYTES = 5
XAES_256_GCM, AES_SIV, XAES_OF_STREAM, SIV_OF_STREAM = 1, 2, 3, 4
"""Forms: a nonce of 24 bytes, the ciphertext and its tag of 16; or a synthetic IV of 16 bytes and the ciphertext. The last two are the
same, and the stream is among the associated data."""
SUBJECT_GCM, SUBJECT_SIV, SUBJECT_GCM_OF_STREAM, SUBJECT_SIV_OF_STREAM = 5, 6, 7, 8
"""Forms of values under the data key of a subject: the subject's hidden hash of 16 bytes, and a nonce of 12 bytes, the ciphertext and its
tag of 16; or a synthetic IV of 16 bytes and the ciphertext. Their key version is always 1: rotating the ring changes nothing of them."""
LARGEST = (1 << 31) - 1 - SLACK

_DIGITS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)
_PAIRS = np.stack([np.repeat(_DIGITS, 64), np.tile(_DIGITS, 64)], axis=1).reshape(-1)
_VALUES = np.full(256, kernel.INVALID, np.uint8)
_VALUES[_DIGITS] = np.arange(64)
_MARK = np.frombuffer(MARK.encode(), np.uint8)


def wrap(
    form: int, version: int, front: bytes, fixed: np.ndarray, body: np.ndarray, starts: np.ndarray, ends: np.ndarray, valid: np.ndarray
) -> pa.StringArray:
    """Values as text: form, key version, `front`, their part of `fixed`, their body.

    Args:
        form: one of the forms.
        version: key version, 1 to 2³² - 1.
        front: bytes that are the same in all of them.
        fixed: uint8, as many bytes for each of the n values.
        body: uint8.
        starts: int32, n.
        ends: int32, n: value i has ``body[starts[i]:ends[i]]``; where that is empty the text is empty.
        valid: uint8, n, 0 where the text shall be null; length 0 when nothing is.

    Returns:
        n texts.

    Raises:
        InputError: the texts could exceed what one Arrow array holds.
    """
    n = len(starts)
    width = len(fixed) // n if n else 0
    front = bytes([form]) + version.to_bytes(4, "big") + front
    lengths = ends - starts
    head = len(front) + width
    size = (int(lengths.sum(dtype=np.int64)) + n * (head + 3)) // 3 * 4 + 6 * n
    if size > LARGEST:
        raise InputError("encrypted text: a batch could grow beyond 2 GiB. Hint: use smaller batches")
    buffer, out = output(size)
    offsets, scratch = np.zeros(n + 1, np.int32), np.empty(head + int(lengths.max(initial=0)) + SLACK, np.uint8)
    kernel.wrap_rows(np.frombuffer(front, np.uint8), fixed, width, body, starts, ends, _MARK, _PAIRS, scratch, out, offsets)
    return assemble(pa.string(), buffer, offsets, valid)


class Unwrapped(NamedTuple):
    """What texts hold.

    Attributes:
        data: uint8.
        starts: int32, n: where what follows the key version begins.
        ends: int32, n: where it ends.
        versions: int64, n: the key version; 0 for null and ``""``, -1 for what is of no form (then starts and ends mean nothing).
        forms: uint8, n: which of the forms asked for, by its place among them.
    """

    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    versions: np.ndarray
    forms: np.ndarray


def unwrap(text: pa.StringArray, taken: np.ndarray, forms: Sequence[int], least: int) -> Unwrapped:
    """Read what `wrap` wrote.

    Args:
        text: n texts.
        taken: uint8, n, 0 for values that cannot be of any form whatever their text.
        forms: the forms expected, the most frequent first: each takes a pass over the texts that are of none before it.
        least: fewest bytes behind the key version.
    """
    found = _unwrap(text, taken, forms[0], least)
    for place, form in enumerate(forms[1:], 1):
        left = ((found.versions == kernel.MALFORMED) & (taken != 0)).astype(np.uint8)
        if not left.any():
            break
        data, starts, ends, versions, _ = _unwrap(text, left, form, least)
        rows, shift = np.flatnonzero(versions > 0), np.int32(len(found.data))
        if len(rows):
            found.starts[rows], found.ends[rows] = starts[rows] + shift, ends[rows] + shift
            found.versions[rows], found.forms[rows] = versions[rows], place
            found = found._replace(data=np.concatenate([found.data, data[: ends[-1] + SLACK]]))
    return found


def _unwrap(text: pa.StringArray, taken: np.ndarray, form: int, least: int) -> Unwrapped:
    data, offsets, valid = parts(text)
    out = np.empty((int(offsets[-1]) - int(offsets[0])) // 4 * 3 + 3 * len(text) + SLACK, np.uint8)
    ends, versions = np.zeros(len(text) + 1, np.int32), np.empty(len(text), np.int64)
    kernel.unwrap_rows(data, offsets, valid, taken, form, HEADER_BYTES + least, _MARK, _VALUES, out, ends, versions)
    return Unwrapped(out, ends[:-1] + np.int32(HEADER_BYTES), ends[1:], versions, np.zeros(len(text), np.uint8))


def is_text_of(form: int, least: int, text: str) -> bool:
    """Whether a text has the form, which says nothing of whether it opens.

    >>> is_text_of(AES_SIV, 17, "fm1.AgAAAAE")
    False
    """
    digits = text.removeprefix(MARK).encode()
    try:
        raw = base64.b64decode(digits + b"=" * (-len(digits) % 4), b"-_", validate=True)
    except ValueError:
        return False
    return text.startswith(MARK) and len(raw) >= HEADER_BYTES + least and raw[0] == form
