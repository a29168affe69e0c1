"""pseudonym at work: keyed digests written as text."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from flink_masking.crypto.cmac import Cmac
from flink_masking.crypto.prf import Prf
from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.pseudonym import ENCODINGS, PURPOSES, PseudonymParams, kernels
from flink_masking.techniques.rewriting import padded, rewrite


def make(params: PseudonymParams, rule_context: RuleContext) -> Mask:
    """A mask that puts a keyed digest of each value, under the key of its domain, in the place of the value.

    The digest is HMAC-SHA-256 (RFC 2104) or AES-256-CMAC (NIST SP 800-38B), by `algorithm`; each has a key of its own.
    The bytes of the text count, of numbers and booleans those of their JSON text: ``1`` and ``1.0`` are two values. In hex and base32
    the pseudonym is the front of the digest; in base62 it is the digest as a big-endian number modulo 62^length, most significant
    digit first. From the 256 bits of HMAC every digit is uniform; from the 128 of CMAC the first digits of a pseudonym of about 21 are
    not quite, which costs less than a hundredth of a bit. Null stays null, ``""`` stays ``""``. Deterministic, row-local. Without the key
    nobody reverses a pseudonym; with it, HMAC takes trying values, and CMAC gives values of up to 16 bytes back directly. Leaks which
    values are equal.
    """
    encoding = ENCODINGS[params.encoding]
    digests = _digests(params, rule_context)
    alphabet = np.frombuffer(encoding.alphabet.encode(), np.uint8)
    prefix, prefix_length = padded(params.prefix), len(params.prefix.encode())

    def pseudonymise(values: Values, context: Context) -> Masked:
        made = digests(values.text)
        args = (made.reshape(-1), made.shape[1], prefix, prefix_length, params.length, encoding.bits, alphabet)
        return Masked(rewrite(kernels.write_pseudonyms, values.text, *args, grow=0, add=prefix_length + params.length))

    return pseudonymise


def _digests(params: PseudonymParams, rule_context: RuleContext) -> Callable[[pa.StringArray], np.ndarray]:
    """What makes digests: n texts → uint8, shape (n, 32) or (n, 16)."""
    key = rule_context.keys.derive(PURPOSES[params.algorithm], params.domain)
    return Cmac(key.secret()).tags if params.algorithm == "cmac" else Prf(key).digests


def output_domain(params: PseudonymParams) -> Domain:
    """The prefix and `length` digits of the encoding."""
    digits, size = frozenset(ENCODINGS[params.encoding].alphabet), len(params.prefix) + params.length

    def contains(text: str) -> bool:
        return text == "" or (len(text) == size and text.startswith(params.prefix) and digits.issuperset(text[len(params.prefix) :]))

    return Domain(f"{params.prefix!r} and {params.length} digits of {params.encoding}, or nothing where there was nothing", contains)
