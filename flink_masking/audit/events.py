"""Audit events: counts of protected values, never a value; each event carries the hash of the previous one.

A chain belongs to one operator instance: it has a random name, a running number and the SHA-256 of the previous event's line, so an
event that was changed, taken out or put in shows by the one after it. The hashes have no key: the chain guards against accidents and
patching, not against whoever writes all of it anew or cuts off its end. Events are JSON lines.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from flink_masking.errors import InputError

START = "0" * 64


class AuditChain:
    """Writes the events of one operator instance."""

    def __init__(self, stream: str | None, policy_version: int | None, policy_digest: str | None, key_version: int,
                 chain: str | None = None, after: bytes | None = None, key_check: str | None = None) -> None:
        """Start a chain.

        Args:
            stream: the policy's stream; None, as for the next two, where no policy is in force: events then do not have it.
            policy_version: of the policy in force.
            policy_digest: SHA-256 of the policy and its files, hex.
            key_version: the primary version of the key ring.
            chain: the chain's name; random unless given.
            after: the last event of a chain that this one goes on with, instead of a new one.
            key_check: the public check value of that key version, which tells it from another ring's version of the same number.

        Raises:
            InputError: `after` is no audit event.
        """
        facts = {"stream": stream, "policy_version": policy_version, "policy_digest": policy_digest, "key_version": key_version,
                 "key_check": key_check}
        self._facts = {name: value for name, value in facts.items() if value is not None}
        self._chain = chain or secrets.token_hex(8)
        self._number = 0
        self._previous = START
        if after is not None:
            self._chain, number, _ = _link(after)
            self._number, self._previous = number + 1, hashlib.sha256(after).hexdigest()

    def event(self, kind: str, now: int, body: Mapping[str, Any]) -> bytes:
        """One JSON line.

        Args:
            kind: ``protect`` (a batch went through), ``release`` (a stateful segment published or suppressed), ``unmask``, ``rekey``,
                ``reveal`` (quarantined records were shown) or ``replay`` (they were sent through the job again).
            now: processing time, ms since 1970.
            body: counts by segment, field and technique.
        """
        when = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        link = {"chain": self._chain, "number": self._number, "previous": self._previous}
        line = orjson.dumps({"event": kind, "time": when, **self._facts, **body, **link})
        self._previous = hashlib.sha256(line).hexdigest()
        self._number += 1
        return line


def broken_links(lines: Iterable[bytes]) -> list[str]:
    """Names of the chains whose events are not complete, in order and unchanged.

    Args:
        lines: events of any number of chains, in any order.

    Raises:
        InputError: a line is no audit event, so its chain is unknown.
    """
    chains: dict[str, dict[int, tuple[str, str]]] = {}
    broken = set()
    for line in lines:
        chain, number, previous = _link(line)
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


def _link(line: bytes) -> tuple[str, int, str]:
    """An event's chain, number and hash of the event before."""
    try:
        body = orjson.loads(line)
        return str(body["chain"]), int(body["number"]), str(body["previous"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise InputError("a line is no audit event. Hint: give the audit directory of a run, unchanged") from None
