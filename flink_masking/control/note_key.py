"""The key that signs a log's checkpoints: a file of its own, or an identity, whose Ed25519 key then signs notes under the log's name.

One key may do both: what control documents sign begins with ``DSSEv1`` and a blank, and a note with the log's name, which has none.
"""

from collections.abc import Callable
from pathlib import Path

from flink_masking.audit.notes import NoteSigner, NoteVerifier, is_name
from flink_masking.control.identity import is_identity, private_key, read_public
from flink_masking.errors import ControlError, InputError

HINT = "Hint: name: audit.example.com/orders in the section audit, or --name"


def note_signer(path: Path, name: str | None, passphrase: Callable[[], str]) -> NoteSigner:
    """The signer in a file.

    Args:
        path: made by ``audit key`` or by ``identity new``.
        name: of the log; needed for an identity, and otherwise in the file.
        passphrase: gives that of an identity.

    Raises:
        KeyRingError: no file of a signing key, or accessible to others.
        ControlError: the identity cannot be opened.
        InputError: the log has no name, or another than the key.
    """
    if is_identity(path):
        return NoteSigner(_named(name), private_key(path, passphrase()).private_bytes_raw())
    found = NoteSigner.read(path)
    if name is not None and found.verifier.name != name:
        raise InputError(f"{path}: the key of the log {found.verifier.name}, not of {name}. Hint: omit name; it stands in the key's file")
    return found


def note_verifier(path: Path, name: str) -> NoteVerifier:
    """The public side of an identity as the key of a log; no passphrase is needed.

    Args:
        path: of the identity; ``.pub`` lies beside it.
        name: of the log.

    Raises:
        ControlError: no public identity, or none with an Ed25519 key.
        InputError: not a name.
    """
    key = read_public(path.with_name(path.name + ".pub")).key
    if key.keytype != "ed25519":
        raise ControlError(f"{path}: logs are signed with Ed25519, and this is a key of type {key.keytype}. Hint: identity new")
    return NoteVerifier(_named(name), key.material)


def _named(name: str | None) -> str:
    if name is None or not is_name(name):
        raise InputError(f"an identity signs under the log's name: printable, without blanks and +. {HINT}")
    return name
