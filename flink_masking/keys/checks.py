"""Public check values that identify the root of a version without revealing it."""

import hmac

from flink_masking.crypto.hkdf import subkey

BYTES = 8
_CONSTANT = b"flink-masking key check 1"


def check_value(root: bytes, number: int) -> str:
    """The check value of a version: HMAC-SHA-256 of a constant under a key derived from the root, its first 8 bytes.

    It may be shown and logged: the HMAC's key is used for nothing else, and neither it nor the root can be computed from the value. Two
    roots share a value with a probability of 2⁻⁶⁴.

    Args:
        root: 32 bytes.
        number: of the version; the same root under another number has another value.

    Returns:
        16 hexadecimal digits.
    """
    return hmac.digest(subkey(root, "check", "", number, 32), _CONSTANT, "sha256")[:BYTES].hex()


def is_check_value(text: object) -> bool:
    """Whether something has the form of a check value."""
    return isinstance(text, str) and len(text) == 2 * BYTES and not set(text) - set("0123456789abcdef")
