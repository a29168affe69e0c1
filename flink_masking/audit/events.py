"""Audit events: counts of protected values, never a value; each event carries the hash of the previous one and a code of its own.

A chain belongs to one operator instance: it has a random name, a running number and the SHA-256 of the previous event's line, so an
event that was changed, taken out or put in shows by the one after it. Its code (`flink_masking.audit.macs`) can be made with the key ring
only. Against whoever holds the ring, and against a chain that is cut off at its end, the log of `flink_masking.audit.tlog` helps. Events
are JSON lines; those of format 1, without ``format`` and ``mac``, were written by releases before 0.3.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from flink_masking.audit.macs import EventKey
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing

START = "0" * 64
FORMAT = 2
LEAVES = "leaves"
"""Kind of lines beside the events that tell the leaf hashes of a batch (`flink_masking.audit.digests`); no part of a chain."""


class AuditChain:
    """Writes the events of one operator instance."""

    def __init__(self, stream: str | None, policy_version: int | None, policy_digest: str | None, key_version: int,
                 chain: str | None = None, after: bytes | None = None, key_check: str | None = None, key: EventKey | None = None) -> None:
        """Start a chain.

        Args:
            stream: the policy's stream; None, as for the next two, where no policy is in force: events then do not have it.
            policy_version: of the policy in force.
            policy_digest: SHA-256 of the policy and its files, hex.
            key_version: the primary version of the key ring.
            chain: the chain's name; random unless given.
            after: the last event of a chain that this one goes on with, instead of a new one.
            key_check: the public check value of that key version, which tells it from another ring's version of the same number.
            key: what the events are signed with; None: events of format 1.

        Raises:
            InputError: `after` is no audit event.
        """
        facts = {"stream": stream, "policy_version": policy_version, "policy_digest": policy_digest, "key_version": key_version,
                 "key_check": key_check, "mac_domain": (key.domain or None) if key is not None else None}
        self._facts = {name: value for name, value in facts.items() if value is not None}
        self._key, self._front = key, {"format": FORMAT} if key is not None else {}
        self._chain = chain or secrets.token_hex(8)
        self._number = 0
        self._previous = START
        if after is not None:
            self._chain, number, _ = link(after)
            self._number, self._previous = number + 1, hashlib.sha256(after).hexdigest()

    @classmethod
    def signed(cls, ring: KeyRing, stream: str | None = None, policy_version: int | None = None, policy_digest: str | None = None,
               after: bytes | None = None) -> Self:
        """A chain whose events are signed with a key ring's primary version; for the arguments see the constructor.

        Raises:
            InputError: `after` is no audit event.
            KeyRingError: an exported ring that lacks the key of events.
        """
        return cls(stream, policy_version, policy_digest, ring.primary, None, after, ring.check(), EventKey(ring))

    @property
    def place(self) -> dict[str, Any]:
        """The chain's name and the number of its last event, for lines beside it."""
        return {"chain": self._chain, "of": self._number - 1}

    @property
    def coming(self) -> tuple[str, int]:
        """The chain's name and the number of its next event."""
        return self._chain, self._number

    def event(self, kind: str, now: int, body: Mapping[str, Any]) -> bytes:
        """One JSON line.

        Args:
            kind: ``protect`` (a batch went through), ``release`` (a stateful segment published or suppressed), ``unmask``, ``rekey``,
                ``reveal`` (quarantined records were shown), ``replay`` (they were sent through the job again) and others of commands.
            now: processing time, ms since 1970.
            body: counts by segment, field and technique.
        """
        link = {"chain": self._chain, "number": self._number, "previous": self._previous}
        line = orjson.dumps({"event": kind, "time": iso(now), **self._front, **self._facts, **body, **link})
        if self._key is not None:
            line = self._key.signed(line)
        self._previous = hashlib.sha256(line).hexdigest()
        self._number += 1
        return line


def iso(now: int) -> str:
    """A processing time, ms since 1970, as events tell it."""
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def broken_links(lines: Iterable[bytes]) -> list[str]:
    """Names of the chains whose events are not complete, in order and unchanged.

    Args:
        lines: events of any number of chains, in any order; lines of leaf hashes among them are passed over.

    Raises:
        InputError: a line is no audit event, so its chain is unknown.
    """
    chains: dict[str, dict[int, tuple[str, str]]] = {}
    broken = set()
    for line in lines:
        if is_leaves(line):
            continue
        chain, number, previous = link(line)
        events = chains.setdefault(chain, {})
        if number in events:
            broken.add(chain)
        events[number] = previous, hashlib.sha256(line).hexdigest()
    for name, events in chains.items():
        previous = START
        for number in range(len(events)):
            if number not in events or events[number][0] != previous:
                broken.add(name)
                break
            previous = events[number][1]
    return sorted(broken)


def is_leaves(line: bytes) -> bool:
    """Whether a line tells leaf hashes and is no event."""
    return line.startswith(b'{"event":"leaves",')


def link(line: bytes) -> tuple[str, int, str]:
    """An event's chain, number and hash of the event before.

    Raises:
        InputError: the line is no audit event.
    """
    try:
        body = orjson.loads(line)
        return str(body["chain"]), int(body["number"]), str(body["previous"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise InputError("a line is no audit event. Hint: give the audit directory of a run, unchanged") from None
