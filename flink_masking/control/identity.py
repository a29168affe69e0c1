"""Identities: Ed25519 keys of people and services, encrypted by a passphrase in a file that only its owner reads."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key
from pydantic import ValidationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from flink_masking.control.bodies import Model
from flink_masking.control.trust import TrustedKey, first_fault
from flink_masking.errors import ControlError, InputError
from flink_masking.files.private_file import new_file
from flink_masking.keys.files import exposure

LARGEST = 65_536
"""Bytes of a key file or of a public one."""
_BEGIN = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
SHORTEST = 8
"""Characters of a passphrase, at least."""


class PublicIdentity(Model):
    """What others need of an identity: the contents of ``FILE.pub``.

    Attributes:
        keyid: SHA-256 over type, scheme and public key, as securesystemslib computes it.
        key: the public key and its owner.
    """

    keyid: str
    key: TrustedKey

    def dump(self) -> str:
        """As JSON, for a file."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Identity:
    """An identity that can sign.

    Attributes:
        signer: of securesystemslib; a signer of a key service (AWS, GCP, Azure, HSM) does as well.
        public: what others need.
    """

    signer: CryptoSigner
    public: PublicIdentity


def new_identity(path: Path, owner: str, passphrase: str) -> PublicIdentity:
    """Make an identity: ``path`` (PEM, PKCS 8, encrypted, mode 0600) and ``path.pub`` (JSON).

    Args:
        path: a file that does not exist yet.
        owner: the person or service, one line.
        passphrase: at least `SHORTEST` characters.

    Raises:
        ControlError: a file exists or cannot be written, or owner or passphrase do not do.
    """
    if len(passphrase) < SHORTEST:
        raise ControlError(f"the passphrase has fewer than {SHORTEST} characters. Hint: several words")
    private = Ed25519PrivateKey.generate()
    public = _public(CryptoSigner(private).public_key, owner)
    data = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    beside = path.with_name(path.name + ".pub")
    try:
        if beside.exists():
            raise FileExistsError
        with new_file(path) as file:
            file.write(data)
        beside.write_text(public.dump(), encoding="utf-8")
    except FileExistsError:
        raise ControlError(f"{path}: it or its .pub already exists and is not changed. Hint: choose another name") from None
    except OSError as error:
        raise ControlError(f"{path}: cannot be written ({error.strerror}). Hint: check the directory") from None
    return public


def load_identity(path: Path, passphrase: str) -> Identity:
    """Open an identity.

    Args:
        path: as for `new_identity`; the file ``.pub`` beside it tells the owner.
        passphrase: of the file.

    Raises:
        ControlError: a file cannot be read, is accessible to others or no identity, or the passphrase is another.
    """
    private = private_key(path, passphrase)
    public = read_public(path.with_name(path.name + ".pub"))
    key = CryptoSigner(private).public_key
    if public.key.material != bytes.fromhex(key.keyval["public"]):
        raise ControlError(f"{path}.pub: the public key of another identity. Hint: keep the two files together")
    return Identity(CryptoSigner(private, SSlibKey(public.keyid, key.keytype, key.scheme, key.keyval)), public)


def private_key(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """The private key of an identity.

    Args:
        path: as for `new_identity`.
        passphrase: of the file.

    Raises:
        ControlError: the file cannot be read, is accessible to others or no identity, or the passphrase is another.
    """
    data = _private(path)
    try:
        private = load_pem_private_key(data, passphrase.encode())
    except (ValueError, TypeError):
        private = None  # raised below, so that the text with the key is no context of it
    if not isinstance(private, Ed25519PrivateKey):
        raise ControlError(f"{path}: the passphrase does not open it, or it is no identity. Hint: flink-masking identity new makes one")
    return private


def is_identity(path: Path) -> bool:
    """Whether a file that can be read begins as the private key of an identity does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGIN)) == _BEGIN
    except OSError:
        return False


def passphrase_in(path: Path) -> str:
    """The passphrase in the first line of a file that only its owner can read.

    Raises:
        InputError: the file cannot be read, or others can.
    """
    try:
        with path.open(encoding="utf-8") as opened:
            facts = os.fstat(opened.fileno())
            if exposed := exposure(stat.S_IMODE(facts.st_mode), facts.st_uid, os.geteuid()):
                raise InputError(f"{path}: {exposed}. Hint: chmod 600 {path}")
            return opened.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "no UTF-8 text"
        failure = InputError(f"{path}: cannot be read ({told}). Hint: a file with the passphrase in its first line")
    raise failure


def read_public(path: Path) -> PublicIdentity:
    """The public part of an identity.

    Raises:
        ControlError: the file cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            return PublicIdentity.model_validate_json(file.read(LARGEST))
    except OSError as error:
        failure = ControlError(f"{path}: cannot be read ({error.strerror}). Hint: the .pub that flink-masking identity new made")
    except ValidationError as error:
        failure = ControlError(f"{path}: no public identity ({first_fault(error)}). Hint: the .pub that flink-masking identity new made")
    raise failure


def _public(key: SSlibKey, owner: str) -> PublicIdentity:
    try:
        return PublicIdentity(keyid=key.keyid, key=TrustedKey(keytype=key.keytype, scheme=key.scheme, keyval=key.keyval, owner=owner))
    except ValidationError:
        failure = ControlError("the owner must be one line of 1 to 1000 characters. Hint: --owner 'Alice Archer'")
    raise failure


def _private(path: Path) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(file, "rb") as opened:
            facts = os.fstat(opened.fileno())
            exposed = exposure(stat.S_IMODE(facts.st_mode), facts.st_uid, os.geteuid())
            exposed = exposed if stat.S_ISREG(facts.st_mode) else "no regular file"
            if exposed is None:
                return opened.read(LARGEST)
    except OSError as error:
        failure = ControlError(f"{path}: cannot be read ({error.strerror}). Hint: flink-masking identity new makes an identity")
    else:
        failure = ControlError(f"{path}: {exposed}. Hint: chmod 600 {path}")
    raise failure
