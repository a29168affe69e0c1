"""Signed key rings: Ed25519 over the whole document, checked against a public key that stands in the ring's address.

Wrapping alone does not say who made a ring: with a public wrapping key (RSA-OAEP) anyone can wrap roots of his own, and the states of
versions are never wrapped. A signature covers roots, states, check values, generation and the wrapping key's address. Its private key
stays with whoever changes rings; jobs know the public key only.
"""

import base64
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.document import Document, decode, encode

_CONTEXT = b"flink-masking key ring signature 1\n"
_PUBLIC_BYTES = 32


def new_signer(path: str | os.PathLike[str]) -> str:
    """Make a signing key in a file that does not exist yet (PEM, mode 0600).

    Returns:
        The public key, as an address takes it: base64 for URLs, without ``=``.

    Raises:
        KeyRingError: the file exists, or its directory cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    files.save_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return _public(key)


def signed(data: bytes, where: str, signer: str | os.PathLike[str]) -> tuple[bytes, str]:
    """A ring's JSON with a signature, and the public key that checks it.

    Args:
        data: JSON of a ring, signed before or not.
        where: what to call the ring in errors.
        signer: file with the signing key, as `new_signer` makes it.

    Raises:
        KeyRingError: no ring, or no signing key that only its owner can read.
    """
    document = decode(data, where)
    name = os.fspath(signer)
    try:
        key = load_pem_private_key(files.read_bytes(signer), None)
    except (ValueError, TypeError):
        key = None  # the error is raised below, so that the text with the key is no context of it
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRingError(f"{name}: holds no Ed25519 key. Hint: make one with 'flink-masking keys signer FILE'")
    return encode(document._replace(signature=key.sign(_message(document)))), _public(key)


def check_signature(data: bytes, where: str, public: str) -> None:
    """Raise if a ring has no valid signature.

    Args:
        data: JSON of a ring.
        where: what to call the ring in errors.
        public: the public key, as `new_signer` gives it.

    Raises:
        KeyRingError: no ring, no public key, no signature, or one that does not fit.
    """
    try:
        raw = base64.urlsafe_b64decode(public + "=" * (-len(public) % 4))
    except ValueError:
        raw = b""
    if len(raw) != _PUBLIC_BYTES:
        raise KeyRingError(f"{where}: signer= is no public key. Hint: take the one that 'flink-masking keys sign' prints")
    document = decode(data, where)
    if document.signature is None:
        raise KeyRingError(f"{where}: the key ring is not signed. Hint: flink-masking keys sign FILE --with SIGNER; each change takes the "
                           "signature away")
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(document.signature, _message(document))
    except InvalidSignature:
        raise KeyRingError(f"{where}: the signature does not fit the key ring: it was changed, or signed by somebody else. Hint: restore "
                           "it, or have it signed again") from None


def _message(document: Document) -> bytes:
    """What is signed: all that a ring's JSON means, in the form in which it is written."""
    return _CONTEXT + encode(document._replace(signature=None))


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
