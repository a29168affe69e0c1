"""Shared by both encryptions: values as plaintexts with their kind, associated data, and decryption."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.errors import InputError, KeyRingError
from flink_masking.kernels.memory import SLACK
from flink_masking.keys.ring import KeyHandle
from flink_masking.records.kinds import TEXT, Kind
from flink_masking.techniques.base import RuleContext
from flink_masking.techniques.encrypt import EncryptParams, kernels
from flink_masking.techniques.masks import Masked, Values
from flink_masking.techniques.rewriting import LARGEST

KEY_BYTES = 64
_MARKS = np.array([kernels.TEXT if kind in TEXT else kernels.LITERAL for kind in Kind], np.uint8)
_IS_TEXT = np.array([kind in TEXT for kind in Kind], np.uint8)


class Binding(NamedTuple):
    """A form of encrypted values.

    Attributes:
        form: its number, see `flink_masking.crypto.envelope`.
        associated: what values of the form are bound to.
    """

    form: int
    associated: bytes


def bindings(params: EncryptParams, rule_context: RuleContext, bare: int, of_stream: int) -> tuple[Binding, ...]:
    """What values are bound to: stream, path of the field and domain, each with its length in front.

    Args:
        params: of the rule.
        rule_context: of the rule.
        bare: the form without a stream: that of SQL's functions, and of values that releases before bound to streams.
        of_stream: the form with one.

    Returns:
        The form that is written, and then those that are opened as well.
    """
    names = [name.encode() for name in (rule_context.stream, rule_context.facts.path, params.domain)]
    parts = [len(name).to_bytes(4, "big") + name for name in names]
    without = Binding(bare, b"".join(parts[1:]))
    return (Binding(of_stream, b"".join(parts)), without) if rule_context.stream else (without,)


def opening_keys(purpose: str, params: EncryptParams, rule_context: RuleContext) -> Mapping[int, KeyHandle]:
    """The keys of a domain, of all versions that may open.

    Raises:
        KeyRingError: not even the primary version has the domain's key.
    """
    keys = {rule_context.keys.primary: rule_context.keys.derive(purpose, params.domain, length=KEY_BYTES)}
    for version in rule_context.keys.versions:
        try:
            keys[version] = rule_context.keys.derive(purpose, params.domain, version, KEY_BYTES)
        except KeyRingError:  # disabled or destroyed: what it protected is refused, as under a key that is not there
            continue
    return keys


class Plaintexts(NamedTuple):
    """Values ready to be encrypted.

    Attributes:
        data: uint8, one behind the other, SLACK bytes more.
        offsets: int32, n + 1; nothing for null and ``""``.
        valid: uint8, n, 0 where null; length 0 when nothing is null.
    """

    data: np.ndarray
    offsets: np.ndarray
    valid: np.ndarray


def plaintexts(values: Values) -> Plaintexts:
    """Each value with the byte in front that says whether it is a text or a literal.

    Raises:
        InputError: together they could exceed what one array holds.
    """
    data, offsets, valid = parts(values.text)
    size = int(offsets[-1] - offsets[0]) + len(values.text)
    if size + 16 * len(values.text) > LARGEST:
        raise InputError("text to encrypt: a batch could grow beyond 2 GiB. Hint: use smaller batches")
    out, ends = np.empty(size + SLACK, np.uint8), np.zeros(len(values.text) + 1, np.int32)
    kernels.plaintexts(data, offsets, valid, values.kinds, _MARKS, out, ends)
    return Plaintexts(out, ends, valid)


def are_texts(values: Values) -> np.ndarray:
    """uint8, n: 1 for strings, which alone can be ciphertext."""
    return np.take(_IS_TEXT, values.kinds)


def restored(values: Values, versions: np.ndarray, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, opened: np.ndarray) -> Masked:
    """Values from plaintexts: texts, and literals where a number, a boolean, an object or an array was encrypted.

    Args:
        values: the n values that were to be opened.
        versions: int64, n: their key versions, 0 where there is nothing to open.
        data: uint8.
        starts: int32, n.
        ends: int32, n: plaintext i is ``data[starts[i]:ends[i]]``.
        opened: uint8, n, 1 where it is one; changed.

    Returns:
        Null where null, ``""`` where that was, refused where nothing was opened.
    """
    buffer, out = output(len(data))
    offsets, literal = np.zeros(len(starts) + 1, np.int32), np.empty(len(starts), np.uint8)
    kernels.contents(data, starts, ends, opened, literal, out, offsets)
    text = assemble(pa.string(), buffer, offsets, parts(values.text).valid)
    refused = (versions != 0) & (opened == 0)
    return Masked(text, refused if refused.any() else None, literal.view(np.bool_) if literal.any() else None)
