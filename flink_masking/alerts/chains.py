"""Audit chains as they arrive: what is missing, doubled or does not follow."""

from collections.abc import Iterator
from typing import Any

CHAINS = 10_000
"""Chains that are remembered, the ones heard of last."""
AHEAD = 10_000
"""Events of a chain that wait for one that is missing."""
RECENT = 32
"""Numbers of a chain whose hashes are remembered."""


class Chains:
    """The chains heard of; each begins with its first event seen."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        """Begin, or go on from `state`; see `state`."""
        self._chains: dict[str, dict[str, Any]] = dict(state or {})

    def state(self) -> dict[str, Any]:
        """As JSON values: by chain the number expected next, hashes of recent events, and the events that wait."""
        return self._chains

    def event(self, name: str, number: int, previous: str, digest: str, now: int) -> Iterator[tuple[str, int]]:
        """Take an event.

        Args:
            name: of the chain.
            number: of the event.
            previous: hash of the event before, as the event tells it.
            digest: hash of the event.
            now: ms since 1970.

        Yields:
            What is wrong (``gap``, ``doubled`` or ``changed``) and how many events are concerned.
        """
        chain = self._chains.pop(name, None)
        if chain is None:
            chain = {"next": number, "recent": {}, "ahead": {}, "since": 0}
            while len(self._chains) >= CHAINS:
                del self._chains[next(iter(self._chains))]
        self._chains[name] = chain  # the last one heard of stands last
        known = chain["recent"].get(str(number))
        if number < chain["next"]:
            if known is not None and known != digest:
                yield "doubled", 1
            return
        waiting = chain["ahead"]
        if (other := waiting.get(str(number))) is not None and other[1] != digest:
            yield "doubled", 1
        waiting[str(number)] = [previous, digest]
        yield from self._follow(chain)
        if waiting and not chain["since"]:
            chain["since"] = now
        if len(waiting) > AHEAD:
            yield from self._skip(chain)

    def gaps(self, now: int, patience: int) -> Iterator[tuple[str, str, int]]:
        """What has been missing for longer than `patience` ms; it is no longer waited for.

        Yields:
            The chain, ``gap`` and the number of events.
        """
        for name, chain in self._chains.items():
            if chain["ahead"] and now - chain["since"] > patience:
                for what, count in self._skip(chain):
                    yield name, what, count

    def _skip(self, chain: dict[str, Any]) -> Iterator[tuple[str, int]]:
        first = min(map(int, chain["ahead"]))
        yield "gap", first - chain["next"]
        chain["next"], chain["recent"], chain["since"] = first, {}, 0
        yield from self._follow(chain)

    def _follow(self, chain: dict[str, Any]) -> Iterator[tuple[str, int]]:
        """Go on through what is complete."""
        recent = chain["recent"]
        while (found := chain["ahead"].pop(str(chain["next"]), None)) is not None:
            before = recent.get(str(chain["next"] - 1))
            if before is not None and before != found[0]:
                yield "changed", 1
            recent[str(chain["next"])] = found[1]
            recent.pop(str(chain["next"] - RECENT), None)
            chain["next"] += 1
        if not chain["ahead"]:
            chain["since"] = 0
