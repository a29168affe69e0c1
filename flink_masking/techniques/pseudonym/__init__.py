"""pseudonym: a keyed stand-in that is the same for the same value in every stream, and that nobody without the key can reverse."""

import math
import string
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import SCALAR
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises, Shows

SAFE_BITS = 96
"""Bits that a pseudonym should keep: among a billion values the chance that any two share one is then below 10^-11."""
PURPOSES = {"hmac": "pseudonym", "cmac": "pseudonym-cmac"}
"""What keys are derived for, by algorithm: each has a key of its own."""


class _Encoding(NamedTuple):
    alphabet: str
    bits: int  # of a digit; 0: base 62, by division
    longest: dict[str, int]  # by algorithm


ENCODINGS = {
    "base62": _Encoding(string.digits + string.ascii_uppercase + string.ascii_lowercase, 0, {"hmac": 43, "cmac": 21}),
    "hex": _Encoding("0123456789abcdef", 4, {"hmac": 64, "cmac": 32}),
    "base32": _Encoding(string.ascii_uppercase + "234567", 5, {"hmac": 51, "cmac": 25}),
}
"""Digits by encoding: base 62 in ASCII order; hexadecimal; base 32 as in RFC 4648."""


class PseudonymParams(Params):
    """Parameters of pseudonym.

    Attributes:
        domain: pseudonyms of the same domain can be joined, those of two domains, or of two algorithms, cannot.
        length: digits, without the prefix; with hmac at most 43 in base62, 64 in hex, 51 in base32; with cmac at most 21, 32 and 25,
            which is also the default there: all that 128 bits give (base62: 125 bits).
        encoding: base62, hex or base32.
        prefix: text put in front of every pseudonym.
        algorithm: hmac (HMAC-SHA-256) or cmac (AES-256-CMAC, NIST SP 800-38B): many times faster on short values, but whoever
            holds the key computes a value of up to 16 bytes back from its pseudonym, where hmac makes them try values.
    """

    domain: Annotated[str, StringConstraints(min_length=1)]
    length: int = Field(22, ge=1, strict=True)
    encoding: Literal["base62", "hex", "base32"] = "base62"
    prefix: Annotated[str, StringConstraints(max_length=100)] = ""
    algorithm: Literal["hmac", "cmac"] = "hmac"

    @model_validator(mode="before")
    @classmethod
    def _all_digits_of_a_cmac(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("algorithm") == "cmac" and "length" not in data:
            encoding = data.get("encoding", "base62")
            if isinstance(encoding, str) and encoding in ENCODINGS:
                return {**data, "length": ENCODINGS[encoding].longest["cmac"]}
        return data

    @model_validator(mode="after")
    def _length_of_the_encoding(self) -> "PseudonymParams":
        longest = ENCODINGS[self.encoding].longest[self.algorithm]
        if self.length > longest:
            bits = 256 if self.algorithm == "hmac" else 128
            raise ValueError(
                f"length is at most {longest} in {self.encoding} with {self.algorithm}. Hint: {bits} bits have no more digits"
            )
        return self


def bits_of(params: PseudonymParams) -> float:
    """Bits of the digest that a pseudonym keeps."""
    return math.log2(len(ENCODINGS[params.encoding].alphabet)) * params.length


def keeps_apart(params: PseudonymParams) -> bool:
    """Whether a pseudonym is long enough that no two values of a stream will share one."""
    return bits_of(params) >= SAFE_BITS


def warnings(params: PseudonymParams) -> list[str]:
    """What a policy check says of parameters that are allowed and seldom meant."""
    if keeps_apart(params):
        return []
    bits = bits_of(params)
    enough = math.ceil(SAFE_BITS / (bits / params.length))
    return [
        f"{params.length} digits of {params.encoding} keep {int(bits)} bits: two values may share a pseudonym. "
        f"Hint: {SAFE_BITS} bits take a length of {enough}"
    ]


def promises(params: PseudonymParams) -> Promises:
    """Which values are equal, and nothing else of them."""
    return Promises(
        shows=Shows.NOTHING,
        deterministic=True,
        lasting=True,
        row_local=True,
        injective=keeps_apart(params),
        passes=False,
        purposes=(PURPOSES[params.algorithm],),
        domain=params.domain,
    )


TECHNIQUE = Technique(
    name="pseudonym",
    summary="A keyed stand-in, the same for the same value in every stream.",
    params=PseudonymParams,
    promises=promises,
    inputs=SCALAR,
    implementation="flink_masking.techniques.pseudonym.mask",
    warnings=warnings,
    examples=(
        {"domain": "customer"},
        {"domain": "customer", "length": 64, "encoding": "hex"},
        {"domain": "customer", "length": 20, "encoding": "base32", "prefix": "c-"},
        {"domain": "customer", "algorithm": "cmac"},
        {"domain": "customer", "algorithm": "cmac", "length": 30, "encoding": "hex"},
        {"domain": "customer", "algorithm": "cmac", "encoding": "base32", "prefix": "c-"},
        {"domain": "customer", "length": 2, "encoding": "hex"},
    ),
)
