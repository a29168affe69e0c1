"""Subkeys from one root: HKDF with SHA-256 (RFC 5869)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LABEL = b"flink-masking"


def subkey(root: bytes, purpose: str, domain: str, version: int, length: int = 32) -> bytes:
    """The key of one purpose, domain and key version.

    Args:
        root: secret of at least 16 bytes, uniformly random.
        purpose: what the key is used for (``pseudonym``, ``fpe`` …); two purposes never share a key.
        domain: values of the same domain can be joined, two domains never.
        version: key version, 0 to 2³² - 1.
        length: bytes wanted, 1 to 8160.

    Returns:
        `length` bytes. Each part of HKDF's ``info`` goes in with its length, so no two triples of purpose, domain and version
        give the same ``info``.

    Raises:
        ValueError: root, version or length outside these bounds.
    """
    if len(root) < 16:
        raise ValueError(f"a root key of {len(root)} bytes is too short")
    if not 0 <= version < 1 << 32:
        raise ValueError("a key version lies between 0 and 2**32 - 1")
    named = (LABEL, purpose.encode(), domain.encode(), version.to_bytes(4, "big"))
    info = b"".join(len(part).to_bytes(4, "big") + part for part in named)
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(root)
