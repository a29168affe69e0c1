"""Message authentication codes of audit events: without the key ring nobody can write an event or change one.

HMAC-SHA-256 (RFC 2104) over the event's line without its member ``mac``, under a key of the ring's purpose ``audit``. A ring with roots
uses the key without a domain; an exported ring that of its first domain, which the event then names: its holder cannot write events
of anybody who has the whole ring.
"""

import hmac
from typing import Literal

import orjson

from flink_masking.crypto.secret import Secret
from flink_masking.errors import KeyRingError
from flink_masking.keys.ring import AUDIT, KeyHandle, KeyRing

WHOLE = ""
"""The domain of rings with roots; no policy's domain is empty."""
_MARK = b',"mac":"'
Finding = Literal["sound", "unsigned", "forged", "unknown_key"]
"""``unsigned``: written by an earlier release, without a code; ``unknown_key``: the ring cannot tell."""


class EventKey(Secret):
    """The key that a writer signs its events with; refuses to be pickled, copied or printed.

    Attributes:
        domain: of the key; empty for a ring with roots.
    """

    __slots__ = ("_key", "domain")

    def __init__(self, ring: KeyRing) -> None:
        """Derive the key of the primary version.

        Raises:
            KeyRingError: an exported ring of a release before 0.3, which lacks the key.
        """
        self.domain = WHOLE if ring.domains is None else ring.domains[0]
        self._key: KeyHandle = ring.derive(AUDIT, self.domain)

    def signed(self, line: bytes) -> bytes:
        """An event with its code.

        Args:
            line: a JSON object.
        """
        return line[:-1] + _MARK + hmac.digest(self._key.secret(), line, "sha256").hex().encode() + b'"}'


class EventKeys(Secret):
    """Checks the codes of events with a key ring; refuses to be pickled, copied or printed."""

    __slots__ = ("_known", "_ring")

    def __init__(self, ring: KeyRing) -> None:
        """Keep the ring; keys are derived when they are first asked for."""
        self._ring = ring
        self._known: dict[tuple[int, str], bytes | None] = {}

    def finding(self, line: bytes) -> Finding:
        """What the code of an event says.

        Args:
            line: a JSON object, an audit event.
        """
        front, mark, code = line.rpartition(_MARK)
        event = orjson.loads(line)
        if not mark or "mac" not in event:
            return "forged" if "format" in event else "unsigned"
        version, domain = event.get("key_version"), event.get("mac_domain", WHOLE)
        if type(version) is not int or not isinstance(domain, str):
            return "forged"
        key = self._key(version, domain)
        if key is None:
            return "unknown_key"
        return "sound" if hmac.compare_digest(hmac.digest(key, front + b"}", "sha256").hex().encode() + b'"}', code) else "forged"

    def _key(self, version: int, domain: str) -> bytes | None:
        if (version, domain) not in self._known:
            try:
                self._known[version, domain] = self._ring.derive(AUDIT, domain, version).secret()
            except KeyRingError:
                self._known[version, domain] = None
        return self._known[version, domain]
