"""pseudonym: a keyed stand-in that is the same for the same value in every stream, and that nobody without the key can reverse."""

import math
import string
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from flink_masking.crypto.prf import Prf
from flink_masking.records.kinds import SCALAR
from flink_masking.techniques import pseudonym_kernels as kernels
from flink_masking.techniques.base import Context, Domain, Mask, Masked, Params, Site, Technique, Values, always
from flink_masking.techniques.rewriting import padded, rewrite

SAFE_BITS = 96
"""Bits that a pseudonym should keep: among a billion values the chance that any two share one is then below 10^-11."""


class _Encoding(NamedTuple):
    alphabet: str
    bits: int  # of a digit; 0: base 62, by division
    longest: int


ENCODINGS = {
    "base62": _Encoding(string.digits + string.ascii_uppercase + string.ascii_lowercase, 0, 43),
    "hex": _Encoding("0123456789abcdef", 4, 64),
    "base32": _Encoding(string.ascii_uppercase + "234567", 5, 51),
}
"""Digits by encoding: base 62 in ASCII order; hexadecimal; base 32 as in RFC 4648."""


class PseudonymParams(Params):
    """Parameters of pseudonym.

    Attributes:
        domain: pseudonyms of the same domain can be joined, those of two domains cannot.
        length: digits, without the prefix; at most 43 in base62, 64 in hex, 51 in base32.
        encoding: base62, hex or base32.
        prefix: text put in front of every pseudonym.
    """

    domain: Annotated[str, StringConstraints(min_length=1)]
    length: int = Field(22, ge=1, strict=True)
    encoding: Literal["base62", "hex", "base32"] = "base62"
    prefix: Annotated[str, StringConstraints(max_length=100)] = ""

    @model_validator(mode="after")
    def _length_of_the_encoding(self) -> "PseudonymParams":
        longest = ENCODINGS[self.encoding].longest
        if self.length > longest:
            raise ValueError(f"length is at most {longest} in {self.encoding}. Hint: 256 bits have no more digits")
        return self


def warnings(params: PseudonymParams) -> list[str]:
    """What a policy check says of parameters that are allowed and seldom meant."""
    bits = math.log2(len(ENCODINGS[params.encoding].alphabet)) * params.length
    if bits >= SAFE_BITS:
        return []
    enough = math.ceil(SAFE_BITS / (bits / params.length))
    return [
        f"{params.length} digits of {params.encoding} keep {int(bits)} bits: two values may share a pseudonym. "
        f"Hint: {SAFE_BITS} bits take a length of {enough}"
    ]


def make_pseudonym(params: PseudonymParams, site: Site) -> Mask:
    """A mask that puts the HMAC-SHA-256 of each value, under the key of its domain, in the place of the value.

    The bytes of the text count, of numbers and booleans those of their JSON text: ``1`` and ``1.0`` are two values. In hex and base32
    the pseudonym is the front of the digest; in base62 it is the digest as a big-endian number modulo 62^length, most significant
    digit first, so every digit is uniform. Null stays null, ``""`` stays ``""``. Deterministic, row-local, not reversible without
    trying values, which takes the key. Leaks which values are equal.
    """
    encoding = ENCODINGS[params.encoding]
    prf, alphabet = Prf(site.keys.derive("pseudonym", params.domain)), np.frombuffer(encoding.alphabet.encode(), np.uint8)
    prefix, prefix_length = padded(params.prefix), len(params.prefix.encode())

    def pseudonymise(values: Values, context: Context) -> Masked:
        args = (prf.digests(values.text).reshape(-1), prefix, prefix_length, params.length, encoding.bits, alphabet)
        return Masked(rewrite(kernels.write_pseudonyms, values.text, *args, grow=0, add=prefix_length + params.length))

    return pseudonymise


def output_domain(params: PseudonymParams) -> Domain:
    """The prefix and `length` digits of the encoding."""
    digits, size = frozenset(ENCODINGS[params.encoding].alphabet), len(params.prefix) + params.length

    def contains(text: str) -> bool:
        return text == "" or (len(text) == size and text.startswith(params.prefix) and digits.issuperset(text[len(params.prefix) :]))

    return Domain(f"{params.prefix!r} and {params.length} digits of {params.encoding}, or nothing where there was nothing", contains)


TECHNIQUE = Technique(
    name="pseudonym",
    summary="A keyed stand-in, the same for the same value in every stream.",
    params=PseudonymParams,
    make=make_pseudonym,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=SCALAR,
    output=output_domain,
    keyed=True,
    examples=(
        {"domain": "customer"},
        {"domain": "customer", "length": 64, "encoding": "hex"},
        {"domain": "customer", "length": 20, "encoding": "base32", "prefix": "c-"},
    ),
)
