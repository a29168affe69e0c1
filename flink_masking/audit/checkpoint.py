"""Checkpoints of a log (C2SP tlog-checkpoint): origin, size and root of the tree, as a signed note."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from flink_masking.audit.notes import NoteSigner, NoteVerifier, open_note
from flink_masking.crypto.merkle import HASH_BYTES
from flink_masking.errors import InputError


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits to.

    Attributes:
        origin: the log's name, which is its key's.
        size: number of entries.
        root: RFC 6962 root over them.
    """

    origin: str
    size: int
    root: bytes

    def signed(self, signer: NoteSigner) -> bytes:
        """As a note; the same checkpoint and key always make the same bytes."""
        return signer.sign(f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n")

    @classmethod
    def read(cls, note: bytes, verifiers: Iterable[NoteVerifier]) -> "Checkpoint":
        """The checkpoint in a note that one of these keys signed.

        Raises:
            InputError: it is no checkpoint, or no such key signed it.
        """
        verifiers = list(verifiers)
        lines = open_note(note, verifiers).split("\n")
        try:
            origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
            if not size.isdecimal() or not size.isascii() or (size != "0" and size.startswith("0")) or len(root) != HASH_BYTES:
                raise ValueError
        except (IndexError, ValueError, binascii.Error):
            raise InputError("it is no checkpoint. Hint: give the file 'checkpoint' of a log") from None
        if origin not in {key.name for key in verifiers}:
            raise InputError("it is the checkpoint of another log. Hint: --key with the key of this log")
        return cls(origin, int(size), root)
