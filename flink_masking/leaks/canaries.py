"""Canaries: while records are protected, keyed fingerprints of a sample of direct identifiers are kept, by which leaks are found.

The files hold bits of Bloom filters, and neither values nor hashes of them; without the key ring nothing can be looked up in them.
"""

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.leaks.filters import Filters, fingerprint_keys, joined, read_header
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.layout import layout
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AnonymizedSegment, GrantedSegment, GrantedView, MaskedSegment
from flink_masking.records.codec import codec_for, unfolded
from flink_masking.records.spans import Limits
from flink_masking.records.trie import Paths
from flink_masking.registry.source import SchemaSource
from flink_masking.techniques.promises import Shows

SUFFIX = ".canaries"
PERIODS = 8
"""Files of a writer in the time for which fingerprints are kept."""
MOST = 4_096
"""New values of a field that one writer keeps in a period, so that filters of several writers do not become too full together."""
WRITE = 2_000
"""Milliseconds between two writings of a file that has changed."""
LOOK = 2_000
"""Milliseconds between two looks at the files, at most."""
_COMMON = frozenset({"boolean", "city", "company", "country", "cvv", "date", "datetime", "first_name", "full_name", "gender", "geo",
                     "integer", "json", "last_name", "name", "number", "partial_date", "person", "postal_code", "street", "text", "time"})
"""Types of values that many people share, or that realistic stand-ins have by chance."""
_log = logging.getLogger(__name__)


def canary_fields(loaded: LoadedPolicy) -> tuple[str, ...]:
    """The fields whose values tell a leak: of class identifier or direct, of no common type, and shown as they are in no view.

    Args:
        loaded: the policy.
    """
    shown: set[str] = set()
    for name, segment in loaded.policy.segments.items():
        if isinstance(segment, GrantedSegment | GrantedView):
            continue  # what a few records show is looked for everywhere else
        if isinstance(segment, MaskedSegment):
            shown.update(place for path, rule in loaded.rules(name).items() if rule.promises.shows is Shows.EXACT
                         for place in loaded.fields_at(path))
        elif isinstance(segment, AnonymizedSegment):
            shown.update(segment.release)
        else:
            shown.update(key.field for key in segment.group_by)
    return tuple(path for path, field in loaded.policy.fields.items()
                 if field.role in ("identifier", "direct") and field.type not in _COMMON and path not in shown)


class CanaryWriter:
    """Keeps fingerprints of the values of a sample of records, in files of its own.

    They are written every `WRITE`, by a thread of its own where no batch comes. A disk that is full or away is logged and tried again:
    what watches over leaks does not stop a stream.
    """

    def __init__(self, loaded: LoadedPolicy, options: LeakOptions, ring: Callable[[], KeyRing], entropy: Callable[[int], bytes],
                 clock: Callable[[], int], schemas: SchemaSource | None = None) -> None:
        """Get ready; the first file is written with the first value.

        Args:
            loaded: the policy.
            options: where, how many, how long.
            ring: gives the key ring to use now.
            entropy: n → n random bytes.
            clock: time in ms since 1970.
            schemas: those that records name by identifiers, or None.
        """
        self.fields = canary_fields(loaded)
        policy = loaded.policy
        self._options, self._ring, self._clock, self._stream = options, ring, clock, policy.stream
        self._random = np.random.default_rng(int.from_bytes(entropy(16)))
        self._paths = Paths(self.fields, known=[path for path in policy.fields if path not in self.fields])
        self._codec = codec_for(policy.format, layout(policy, schemas, loaded.source.file, None, loaded.source.folded))
        self._folded, self._writer = loaded.source.folded, entropy(8).hex()
        self._period, self._filters, self._keys = -1, None, None
        self._room: list[int] = []
        self._changed, self._written, self._failing = False, 0, False
        self._lock, self._timer, self._closed = threading.RLock(), None, False

    _filters: Filters | None
    _keys: np.ndarray | None
    _timer: threading.Timer | None

    def note(self, payloads: pa.BinaryArray, headers: Mapping[str, pa.BinaryArray] = {}) -> int:
        """Keep fingerprints of a sample of a batch.

        Args:
            payloads: n raw records.
            headers: of the records, those that the codec reads (`Codec.headers`).

        Returns:
            How many new values were kept.
        """
        if not self.fields or not len(payloads):
            return 0
        with self._lock:
            now, new = self._clock(), 0
            filters, keys = self._current(now)
            if any(self._room):
                rows = np.flatnonzero(self._random.random(len(payloads)) < self._options.sample)
                if len(rows):
                    new = self._add(filters, keys, payloads, headers, pa.array(rows))
            self._changed |= new > 0
            if self._changed and now - self._written >= WRITE:
                self.write()
            self._write_later(now)
            return new

    def _add(self, filters: Filters, keys: np.ndarray, payloads: pa.BinaryArray, headers: Mapping[str, pa.BinaryArray],
             rows: pa.Array) -> int:
        """Keep fingerprints of some records; returns how many are new."""
        sampled, new = payloads.take(rows), 0
        table = self._codec.scan(unfolded(sampled) if self._folded else sampled, self._paths, Limits(),
                                 {name: column.take(rows) for name, column in headers.items()})
        for field, path in enumerate(self.fields):
            if self._room[field] > 0:
                count = filters.add(keys, field, table.values(path).text[: self._room[field]])
                self._room[field] -= count
                new += count
        return new

    @property
    def headers(self) -> tuple[str, ...]:
        """Kafka headers that `note` needs."""
        return self._codec.headers

    def write(self) -> None:
        """Write the file of this period, if values were added since it was written."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._changed and self._filters is not None:
                self._written = self._clock()
                self._replace(self._filters)
                self._write_later(self._written)

    def close(self) -> None:
        """Write what was added last, and end."""
        with self._lock:
            self._closed = True
            self.write()

    def _write_later(self, now: int) -> None:
        """Write when `WRITE` has passed since the last time, even if no batch comes."""
        if self._changed and self._timer is None and not self._closed:
            self._timer = threading.Timer(min(WRITE, max(0, self._written + WRITE - now)) / 1000, self.write)
            self._timer.daemon = True
            self._timer.start()

    def _replace(self, filters: Filters) -> None:
        """Replace the file of this period."""
        directory = Path(self._options.directory)
        path = directory / f"{self._writer}-{self._period}{SUFFIX}"
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.write_bytes(filters.to_bytes())
            os.replace(partial, path)
            self._changed, self._failing = False, False
        except OSError as error:
            if not self._failing:
                _log.warning("canaries cannot be written to %s (%s); they are kept in memory and tried again", directory, error.strerror)
            self._failing = True
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _current(self, now: int) -> tuple[Filters, np.ndarray]:
        """The filters of this period and key version."""
        length = max(1, self._options.keep // PERIODS)
        ring = self._ring()
        if self._filters is None or self._keys is None or self._period != now // length or self._filters.version != ring.primary:
            self.write()
            if self._filters is not None and self._filters.version != ring.primary:
                self._writer = secrets.token_hex(8)  # two key versions in one period are two files
            self._period = now // length
            self._filters = Filters(self._stream, self.fields, ring.primary, (self._period + 1) * length + self._options.keep)
            self._keys, self._room = fingerprint_keys(ring, self._stream), [MOST] * len(self.fields)
            remove_expired(Path(self._options.directory), now)
        return self._filters, self._keys


def remove_expired(directory: Path, now: int) -> None:
    """Remove the files whose time is over; what cannot be removed is left to the next one who looks."""
    for path in directory.glob("*" + SUFFIX):
        try:
            if read_header(path).until <= now:
                path.unlink(missing_ok=True)
        except (InputError, OSError):
            continue


class Canaries:
    """The fingerprints of all writers of a directory, for lookups.

    Attributes:
        filters: as they were at the last look, each with its keys.
        generation: number of looks that have changed them.
    """

    def __init__(self, directory: Path, ring: KeyRing, clock: Callable[[], int]) -> None:
        """Name the place; `look` reads it.

        Args:
            directory: of the files.
            ring: the key ring that they were made with.
            clock: time in ms since 1970.
        """
        self._directory, self._ring, self._clock = directory, ring, clock
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self.filters: list[tuple[Filters, np.ndarray]] = []
        self.generation, self._grown = 0, list[int]()

    def look(self) -> bool:
        """Read the files that there are now; gives whether anything has changed.

        Raises:
            InputError: the directory cannot be read, or one of its files is damaged.
            KeyRingError: the ring lacks a version that fingerprints were made with.
        """
        try:
            names = sorted(name for name in os.listdir(self._directory) if name.endswith(SUFFIX))  # glob passes over what it cannot list
            there = [(path, path.stat()) for path in (self._directory / name for name in names)]
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not self._seen:  # no writer has begun yet
                return False
            raise InputError(f"{self._directory}: {error.strerror}. Hint: check the directory of the canaries") from None
        now = self._clock()
        if not there and any(one.until > now for one, _ in self.filters):
            raise InputError(f"{self._directory}: the canaries that were there are gone before their time. Hint: see whether the directory "
                             "is mounted")
        seen = tuple((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in there)
        if seen == self._seen:
            return False
        found = []
        for path, _ in there:
            try:
                found.append(Filters.from_file(path))
            except InputError:
                if path.exists():  # else it was replaced or removed between two looks
                    raise
        current = joined([one for one in found if one.until > now])
        filters = [(one, fingerprint_keys(self._ring, one.stream, one.version)) for one in current]
        before = {(one.stream, one.fields, one.version): (one, grown) for (one, _), grown in zip(self.filters, self._grown, strict=True)}
        self.generation += 1
        self._grown = []
        for one in current:
            held, grown = before.get((one.stream, one.fields, one.version), (None, 0))
            self._grown.append(grown if held is not None and one.within(held) else self.generation)
        self.filters, self._seen = filters, seen
        return True

    def newer(self, generation: int) -> list[tuple[Filters, np.ndarray]]:
        """The filters that hold more than at an earlier generation."""
        return [found for found, grown in zip(self.filters, self._grown, strict=True) if grown > generation]
