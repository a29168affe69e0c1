"""DSSE envelopes (https://github.com/secure-systems-lab/dsse) by securesystemslib: a payload, its type, and signatures over both."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, Signer

from flink_masking.control.bodies import Kind
from flink_masking.errors import ControlError

TYPES: dict[str, Kind] = {f"application/vnd.flink-masking.{kind}+json": kind
                          for kind in ("policy", "alerts", "grant", "revocation", "erasure", "trust")}
"""Payload types and the kinds of documents that they name."""
LARGEST = 24 << 20
"""Bytes of an envelope: a policy and its files are 16 MiB at most, and Base64 takes a third more."""
SIGNATURES = 100
"""Signatures of an envelope at most."""


@dataclass(frozen=True)
class Signed:
    """An envelope that was parsed; nothing in it is verified.

    Attributes:
        kind: what its payload type names.
        payload: JSON bytes, as they were signed.
        envelope: with the signatures.
    """

    kind: Kind
    payload: bytes
    envelope: Envelope

    @property
    def digest(self) -> str:
        """SHA-256 of type and payload, hex: the same with more signatures."""
        return hashlib.sha256(self.envelope.pae()).hexdigest()

    def signers(self, keys: Iterable[Key]) -> frozenset[str]:
        """Ids of those of `keys` that have signed it.

        The library's own `Envelope.verify` ends at the threshold; who has signed matters beyond it, as the requester of a grant does not
        count.
        """
        found, pae = set(), self.envelope.pae()
        for key in keys:
            signature = self.envelope.signatures.get(key.keyid)
            if signature is None:
                continue
            try:
                key.verify_signature(signature, pae)
            except (UnverifiedSignatureError, VerificationError, ValueError, TypeError):
                continue
            found.add(key.keyid)
        return frozenset(found)

    def dump(self) -> bytes:
        """The envelope as one line of JSON."""
        return json.dumps(self.envelope.to_dict(), separators=(",", ":")).encode()


def parse(data: bytes) -> Signed:
    """Read an envelope.

    Raises:
        ControlError: no DSSE envelope, of a type that is not known, or too large; no contents stand in the message.
    """
    if len(data) > LARGEST:
        raise ControlError(f"larger than {LARGEST >> 20} MiB. Hint: documents are smaller; see what lies there")
    try:
        body = json.loads(data)
        if not isinstance(body, dict) or len(body["signatures"]) > SIGNATURES:
            raise ValueError
        read = Envelope.from_dict(body)
        payload_type = read.payload_type
        known = TYPES.get(payload_type) if isinstance(payload_type, str) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, VerificationError, UnverifiedSignatureError):
        failure = ControlError("not a DSSE envelope, or half of one. Hint: documents are made by flink-masking control sign and publish")
    except Exception as error:  # securesystemslib has errors of its own for each way to be wrong
        failure = ControlError(f"not a DSSE envelope ({type(error).__name__}). Hint: documents are made by flink-masking control sign")
    else:
        if known is not None:
            return Signed(known, read.payload, read)
        failure = ControlError("a payload type that this version does not know. Hint: install the version that made the document")
    raise failure


def seal(kind: Kind, payload: bytes, signers: Iterable[Signer] = ()) -> Signed:
    """An envelope around a payload.

    Args:
        kind: of the document.
        payload: JSON.
        signers: those who sign it now; more can follow, see `countersigned`.
    """
    made = Envelope(payload, next(name for name, known in TYPES.items() if known == kind), {})
    for signer in signers:
        made.sign(signer)
    return Signed(kind, payload, made)


def countersigned(signed: Signed, signer: Signer) -> Signed:
    """The same envelope with one more signature; the one before of the same key is replaced."""
    made = Envelope(signed.payload, signed.envelope.payload_type, dict(signed.envelope.signatures))
    made.sign(signer)
    return Signed(signed.kind, signed.payload, made)
