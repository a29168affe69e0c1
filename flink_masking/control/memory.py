"""What must survive a restart: the highest policy and trust file, what was revoked or withdrawn, and erasures; in one sealed file.

A source could otherwise undo history: whoever withdraws the newest policy, or a revocation, and then restarts the job, would bring back
what was before. The file is written by all workers of a job; each writes what it knows on top of what is there, so versions only rise and
sets only grow. It is sealed with the job's key ring, so that it cannot be written by others, and holds no value, key or salt.

Who watches with alert rules has no key ring, and its state is not sealed: beside what is kept stand the signed documents that prove it, and
`flink_masking.alerts.kept_rules` verifies them before anything of it is used.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Protocol

from flink_masking.control.sealed_file import SealedFile, Seals
from flink_masking.control.sources.local import local_path

FORMAT = 1
MOST = 100_000
"""Ids that are kept of each set; those of the oldest documents are dropped first."""


class Keeps(Protocol):
    """Keeps what must survive a restart: `Store`, or the state of an operator that is kept otherwise."""

    def load(self) -> "Kept":
        """What is kept; nothing where there is nothing yet."""
        ...

    def save(self, kept: "Kept") -> "Kept":
        """Add what is known to what is there, and return both together."""
        ...


@dataclass(frozen=True)
class Kept:
    """What is kept.

    Attributes:
        version: the highest policy version that was in force.
        policy: the envelope of that policy; None where it is the submitted one.
        trust_version: of `trust`.
        trust: the envelope of the trust file in force; None where it is the deployment's.
        revoked: marks of documents that were revoked, see `Document.mark`.
        withdrawn: marks of those that a source no longer had.
        erasures: envelopes of erasures by id.
        chain: envelopes of the trust files that followed the deployment's, up to `trust`; only where the state is not sealed.
        revocations: envelopes of revocations by the id of what they revoke; likewise.
    """

    version: int = 0
    policy: bytes | None = None
    trust_version: int = 0
    trust: bytes | None = None
    revoked: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    erasures: dict[str, bytes] = field(default_factory=dict)
    chain: tuple[bytes, ...] = ()
    revocations: dict[str, bytes] = field(default_factory=dict)

    def merged(self, other: "Kept") -> "Kept":
        """The higher versions and the united sets of both."""
        newer = other if other.version > self.version else self
        trusted = other if other.trust_version > self.trust_version else self
        return Kept(newer.version, newer.policy, trusted.trust_version, trusted.trust, _newest(self.revoked | other.revoked),
                    _newest(self.withdrawn | other.withdrawn), {**self.erasures, **other.erasures}, trusted.chain,
                    {**self.revocations, **other.revocations})

    def dump(self) -> bytes:
        """As JSON."""
        def text(data: bytes | None) -> str | None:
            return None if data is None else base64.b64encode(data).decode()

        proofs = {"chain": [text(data) for data in self.chain],
                  "revocations": {name: text(data) for name, data in self.revocations.items()}}
        return json.dumps({"format": FORMAT, "version": self.version, "policy": text(self.policy), "trust_version": self.trust_version,
                           "trust": text(self.trust), "revoked": sorted(self.revoked), "withdrawn": sorted(self.withdrawn),
                           "erasures": {name: text(data) for name, data in self.erasures.items()},
                           **{name: found for name, found in proofs.items() if found}}).encode()

    @classmethod
    def load(cls, data: bytes) -> "Kept":
        """From `dump`.

        Raises:
            ValueError: of another format.
        """
        body = json.loads(data)
        if body.get("format") != FORMAT:
            raise ValueError
        policy, trust = (None if body[name] is None else base64.b64decode(body[name]) for name in ("policy", "trust"))
        return cls(body["version"], policy, body["trust_version"], trust, frozenset(body["revoked"]), frozenset(body["withdrawn"]),
                   {name: base64.b64decode(text) for name, text in body["erasures"].items()},
                   tuple(base64.b64decode(text) for text in body.get("chain", ())),
                   {name: base64.b64decode(text) for name, text in body.get("revocations", {}).items()})


def _newest(ids: frozenset[str]) -> frozenset[str]:
    return ids if len(ids) <= MOST else frozenset(sorted(ids)[-MOST:])


class Store:
    """The file at an address; safe with several processes at once."""

    def __init__(self, address: str, stream: str, seals: Seals) -> None:
        """Keep the address.

        Args:
            address: ``file:///file``.
            stream: what the file is bound to besides.
            seals: encrypts and decrypts it.
        """
        self._file = SealedFile(local_path(address), stream.encode(), seals, "revocations that the source no longer has are then forgotten")

    def load(self) -> Kept:
        """What is kept; nothing where there is no file yet.

        Raises:
            ControlError: the file cannot be read, or was not written by this job.
        """
        data = self._file.read()
        try:
            return Kept() if data is None else Kept.load(data)
        except (ValueError, KeyError, TypeError):
            failure = self._file.foreign()
        raise failure

    def save(self, kept: Kept) -> Kept:
        """Add what is known to what is there.

        Returns:
            Both together.

        Raises:
            ControlError: the file cannot be read or written.
        """
        with self._file.locked():
            whole = self.load().merged(kept)
            self._file.write(whole.dump())
        return whole
