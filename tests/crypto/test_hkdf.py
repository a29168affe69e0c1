"""Subkeys: RFC 5869 and what keeps two keys apart."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flink_masking.crypto.hkdf import subkey

ROOT = bytes(range(32))
RFC_5869 = [
    ("0b" * 22, bytes(range(13)).hex(), bytes(range(0xF0, 0xFA)).hex(), 42,
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    (bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(), 82,
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
     "cc30c58179ec3e87c14c01d5c1f3434f1d87"),
    ("0b" * 22, "", "", 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]


@pytest.mark.parametrize(("secret", "salt", "info", "length", "expected"), RFC_5869)
def test_library_reproduces_rfc_5869(secret, salt, info, length, expected):
    """The library's HKDF gives the SHA-256 vectors of RFC 5869."""
    made = HKDF(hashes.SHA256(), length, salt=bytes.fromhex(salt), info=bytes.fromhex(info)).derive(bytes.fromhex(secret))
    assert made.hex() == expected


def test_fixed_vector():
    """A subkey never changes between releases: what was protected stays readable and joinable."""
    assert subkey(ROOT, "pseudonym", "customer", 1).hex() == "a7ff36a33feb35c77f12faf555209bddd95bd62ff3663b12fb8e665a8f1202bb"


def test_info_is_built_as_documented():
    """The info is label, purpose, domain and version, each behind its length in four bytes."""
    info = b"\0\0\0\x0dflink-masking" + b"\0\0\0\x01p" + b"\0\0\0\x02\xc3\xa4" + b"\0\0\0\x04\0\0\1\0"
    assert subkey(ROOT, "p", "ä", 256, 48) == HKDF(hashes.SHA256(), 48, salt=None, info=info).derive(ROOT)


def test_parts_do_not_run_together():
    """Purpose, domain and version are kept apart, whatever stands in them."""
    triples = [("ab", "c", 1), ("a", "bc", 1), ("abc", "", 1), ("", "abc", 1), ("ab", "c", 2), ("a\0b", "c", 1), ("a", "\0bc", 1)]
    assert len({subkey(ROOT, *triple) for triple in triples}) == len(triples)


@pytest.mark.parametrize(("root", "version", "length"), [(b"short", 1, 32), (ROOT, -1, 32), (ROOT, 1 << 32, 32), (ROOT, 1, 8161)])
def test_bounds(root, version, length):
    """A short root, a version beyond four bytes and a length beyond HKDF's are refused."""
    with pytest.raises(ValueError, match=r"root key|key version|length|large"):
        subkey(root, "p", "d", version, length)
