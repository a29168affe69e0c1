"""Signers, trust files and control documents for tests."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from flink_masking.control.bodies import ErasureBody, GrantBody, PolicyBody, RevocationBody
from flink_masking.control.envelope import seal
from flink_masking.control.instants import new_id
from flink_masking.control.trust import TrustBody, TrustedKey, TrustedRole, payload
from flink_masking.policy.source import PolicySource

POLICY = """\
version: {version}
stream: s
fields:
  id: {{class: identifier}}
  ssn: {{class: direct, optional: true}}
segments:
  masked:
    view: masked
    rules: {{id: {rule}, ssn: drop}}
"""
NOW = 1_800_000_000_000


def policy_text(version: int, rule: str = "keep") -> str:
    """A policy of the stream s."""
    return POLICY.format(version=version, rule=rule)


class Signers:
    """Signers by owner, and what they sign."""

    def __init__(self) -> None:
        """Nobody yet."""
        self.by_owner: dict[str, CryptoSigner] = {}

    def __getitem__(self, owner: str) -> CryptoSigner:
        """The signer of an owner; made when first asked for."""
        if owner not in self.by_owner:
            self.by_owner[owner] = CryptoSigner(Ed25519PrivateKey.generate())
        return self.by_owner[owner]

    def trust(self, version: int = 1, by: tuple[str, ...] = ("root",), thresholds: dict[str, int] | None = None,
              roles: dict[str, tuple[str, ...]] | None = None) -> bytes:
        """A trust file."""
        roles = roles or {"root": ("root",), "policy": ("paula",), "approver": ("ann", "bob"), "eraser": ("eve",)}
        owners = list(dict.fromkeys(owner for named in roles.values() for owner in named))
        keys = {self[o].public_key.keyid: TrustedKey(keytype="ed25519", scheme="ed25519", keyval=self[o].public_key.keyval, owner=o)
                for o in owners}
        body = TrustBody(version=version, issued_at=NOW, keys=keys, roles={
            name: TrustedRole(keys=tuple(self[o].public_key.keyid for o in named), threshold=(thresholds or {}).get(name, 1))
            for name, named in roles.items()})
        return seal("trust", payload(body), [self[owner] for owner in by]).dump()

    def policy(self, version: int, text: str | None = None, by: tuple[str, ...] = ("paula",), **times) -> bytes:
        """A policy document."""
        source = PolicySource("policy.yaml", text or policy_text(version))
        body = PolicyBody(**_times(times), version=version, name="policy.yaml", text=source.text, digest=source.digest)
        return self._signed("policy", body, by)

    def grant(self, by: tuple[str, ...] = ("ann",), requester: str = "carl", **options) -> bytes:
        """A grant document."""
        times = {"expires_at": NOW + 3_600_000, **_times(options)}
        return self._signed("grant", GrantBody(**{"segment": "debug", "reason": "why", "requester": requester, **options, **times}), by)

    def revocation(self, target: str, of: str = "grant", by: tuple[str, ...] = ("ann",), **times) -> bytes:
        """A revocation."""
        return self._signed("revocation", RevocationBody(**_times(times), target=target, of=of, reason="over"), by)

    def erasure(self, subjects: tuple[str, ...], later: str = "drop", by: tuple[str, ...] = ("eve",), **times) -> bytes:
        """An erasure of subjects, as marks."""
        return self._signed("erasure", ErasureBody(**_times(times), subjects=subjects, later=later, reason="request"), by)

    def _signed(self, kind, body, by) -> bytes:
        return seal(kind, payload(body), [self[owner] for owner in by]).dump()


def _times(times: dict) -> dict:
    issued = times.pop("issued_at", NOW)
    return {"id": times.pop("id", None) or new_id(issued), "stream": times.pop("stream", "s"), "issued_at": issued,
            "effective_at": times.pop("effective_at", issued), **({"expires_at": times.pop("expires_at")} if "expires_at" in times else {})}
