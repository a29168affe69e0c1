"""Retention of the tokens in a vault in memory."""

import threading
from collections.abc import Callable, MutableMapping, Sequence

import pyarrow as pa

from flink_masking.vault.base import listed
from flink_masking.vault.retention import Kept, Swept


class MemoryRetention:
    """See `flink_masking.vault.retention.RetentionStore`."""

    def __init__(self, lock: threading.Lock, tokens: MutableMapping[tuple[str, bytes], str], sealed: MutableMapping[tuple[str, str], bytes],
                 untie: Callable[[str, bytes], None]) -> None:
        """Everything is kept.

        Args:
            lock: of the vault.
            tokens: of the vault, by domain and lookup.
            sealed: its sealed values, by domain and token.
            untie: forgets whose a token was, by domain and lookup; called with the lock.
        """
        self._lock, self._tokens, self._sealed, self._untie = lock, tokens, sealed, untie
        self._streams: dict[tuple[str, str], tuple[int, int]] = {}
        self._seen: dict[tuple[str, str], int] = {}

    def retain(self, domain: str, stream: str, keep: int | None, today: int) -> None:
        """See the protocol."""
        with self._lock:
            if keep is None:
                self._streams.pop((domain, stream), None)
            else:
                self._streams[domain, stream] = keep, self._streams.get((domain, stream), (0, today + 1))[1]

    def kept(self, domain: str, today: int) -> Kept | None:
        """See the protocol."""
        with self._lock:
            return self._kept(domain, today)

    def _kept(self, domain: str, today: int) -> Kept | None:
        said = [days for (name, _), days in self._streams.items() if name == domain]
        if not said:
            return None
        keep, since = min(days for days, _ in said), min(since for _, since in said)
        return Kept(today, today - keep if since < today - keep else 0)

    def seen(self, domain: str, lookups: pa.FixedSizeBinaryArray, kept: Kept) -> pa.BooleanArray:
        """See the protocol."""
        with self._lock:
            return pa.array(self.touch(domain, listed(lookups), kept), pa.bool_())

    def touch(self, domain: str, lookups: Sequence[bytes], kept: Kept) -> list[bool]:
        """Note that the unexpired tokens among these are used today; which stand. Called with the lock."""
        found = [self._tokens.get((domain, lookup)) for lookup in lookups]
        standing = [token is not None and self.stands(domain, token, kept) for token in found]
        self.note(domain, [token for token, stands in zip(found, standing, strict=True) if token is not None and stands], kept)
        return standing

    def note(self, domain: str, tokens: Sequence[str], kept: Kept) -> None:
        """Note that tokens are used today. Called with the lock."""
        self._seen |= {(domain, token): kept.today for token in tokens}

    def stands(self, domain: str, token: str, kept: Kept) -> bool:
        """Whether a token has not expired. Called with the lock."""
        return self._seen.get((domain, token), 0) >= kept.oldest

    def forget(self, domain: str, lookups: Sequence[bytes], kept: Kept) -> int:
        """Destroy the expired tokens among these; how many were. Called with the lock."""
        done = 0
        for lookup in lookups:
            token = self._tokens.get((domain, lookup))
            if token is not None and not self.stands(domain, token, kept):
                del self._tokens[domain, lookup], self._sealed[domain, token]
                self._seen.pop((domain, token), None)
                self._untie(domain, lookup)
                done += 1
        return done

    def sweep(self, today: int) -> Swept:
        """See the protocol."""
        done = 0
        with self._lock:
            for domain in {name for name, _ in self._streams}:
                if (kept := self._kept(domain, today)) is not None:
                    done += self.forget(domain, [lookup for name, lookup in self._tokens if name == domain], kept)
        return Swept(done, True)
