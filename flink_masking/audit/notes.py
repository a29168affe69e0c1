"""Signed notes with Ed25519 (C2SP signed-note), the form in which a log's checkpoints are signed.

Keys are in the forms that Go's ``golang.org/x/mod/sumdb/note`` and other implementations read: ``NAME+HASH+BASE64`` for the public key
(vkey), ``PRIVATE+KEY+NAME+HASH+BASE64`` for the private one.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from flink_masking.crypto.secret import Secret
from flink_masking.errors import InputError, KeyRingError
from flink_masking.keys import files

_PRIVATE = "PRIVATE+KEY+"
_ED25519 = b"\x01"
_DASH = "— "


@dataclass(frozen=True)
class NoteVerifier:
    """A public key with its name.

    Attributes:
        name: of the signer, a schema-less URL by convention: ``audit.example.com/orders``.
        public: 32 bytes.
    """

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "NoteVerifier":
        """The key in a vkey.

        Raises:
            InputError: it is none, or its hash does not fit.
        """
        name, _, rest = text.strip().partition("+")
        told, _, key = rest.partition("+")
        try:
            raw = base64.b64decode(key, validate=True)
        except binascii.Error:
            raw = b""
        found = cls(name, raw[1:])
        if raw[:1] != _ED25519 or len(raw) != 33 or not is_name(name) or told != found.hash.hex():
            raise InputError("not a public key of a log (vkey). Hint: NAME+HASH+BASE64, as 'flink-masking audit key' prints it")
        return found

    @property
    def hash(self) -> bytes:
        """The four bytes that signatures name the key by."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """The vkey."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def confirms(self, text: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's and fits."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class NoteSigner(Secret):
    """A private key with its name; refuses to be pickled, copied or printed.

    Attributes:
        verifier: its public side.
    """

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        """Keep a key.

        Args:
            name: of the signer.
            seed: 32 bytes.
        """
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = NoteVerifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def create(cls, path: str | os.PathLike[str], name: str) -> "NoteSigner":
        """Make a key in a file that does not exist yet, mode 0600.

        Raises:
            InputError: not a name.
            KeyRingError: the file exists, or its directory cannot be written.
        """
        if not is_name(name):
            raise InputError("--name: not a name of a log. Hint: printable, without blanks and +, such as audit.example.com/orders")
        seed = os.urandom(32)
        made = cls(name, seed)
        key = base64.b64encode(_ED25519 + seed).decode()
        files.save_new(path, f"{_PRIVATE}{name}+{made.verifier.hash.hex()}+{key}\n".encode())
        return made

    @classmethod
    def read(cls, path: Path) -> "NoteSigner":
        """The key in a file that only its owner can read.

        Raises:
            KeyRingError: there is no such file, it is open to others, or it holds no such key.
        """
        text = files.read_bytes(path)
        parts = text.decode("utf-8", "replace").strip().removeprefix(_PRIVATE).split("+", 2)
        seed = b""
        if text.startswith(_PRIVATE.encode()) and len(parts) == 3:
            try:
                seed = base64.b64decode(parts[2], validate=True)
            except binascii.Error:
                seed = b""  # the error is raised below, so that the text with the key is no context of it
        found = cls(parts[0], seed[1:]) if len(seed) == 33 and seed[:1] == _ED25519 and is_name(parts[0]) else None
        if found is None or found.verifier.hash.hex() != parts[1]:
            raise KeyRingError(f"{path}: holds no signing key of a log. Hint: make one with 'flink-masking audit key FILE --name NAME'")
        return found

    def sign(self, text: str) -> bytes:
        """A signed note.

        Args:
            text: ends with a line break.
        """
        signature = self.verifier.hash + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {base64.b64encode(signature).decode()}\n".encode()


def open_note(note: bytes, verifiers: Iterable[NoteVerifier]) -> str:
    """The text of a note that one of these keys signed.

    Args:
        note: as `NoteSigner.sign` makes it; signatures of other keys, such as witnesses', are passed over.
        verifiers: the keys that are trusted.

    Raises:
        InputError: it is no note, it has no signature of these keys, or one of them does not fit.
    """
    try:
        text, _, signatures = note.decode().rpartition("\n\n")
        text += "\n"
        lines = [line.removeprefix(_DASH).rpartition(" ") for line in signatures.splitlines() if line.startswith(_DASH)]
        signed = [(name, base64.b64decode(raw, validate=True)) for name, _, raw in lines]
        if not signed or len(lines) != len(signatures.splitlines()) or not signatures.endswith("\n"):
            raise ValueError
    except ValueError:
        raise InputError("it is no signed note. Hint: give the file as the log has it") from None
    known = {(key.name, key.hash): key for key in verifiers}
    found = [(known[name, raw[:4]], raw[4:]) for name, raw in signed if (name, raw[:4]) in known]
    if not found:
        names = ", ".join(sorted({name for name, _ in signed}))[:200]
        raise InputError(f"it is signed by {names}, and by no key that was given. Hint: --key with the log's public key")
    if not all(key.confirms(text.encode(), signature) for key, signature in found):
        raise InputError("its signature does not fit: it was changed, or forged. Hint: do not use this log")
    return text


def is_name(name: str) -> bool:
    """Whether something can name a key."""
    return 0 < len(name) <= 200 and name.isprintable() and not set(name) & set(" +\u00a0")
