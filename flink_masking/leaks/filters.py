"""Bloom filters of fingerprints: one for each field, all of one key and size, and files that hold them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.leaks import fingerprint_kernels as kernel

BITS = 24
"""A filter has 2 ** BITS bits, 2 MiB."""
FULLEST = 0.33
"""Largest share of bits that are set: a text that no filter holds is then taken for one with a probability below 1e-11."""
_MAGIC = b"flink-masking canaries 1\n"
_MOST_HEADER = 1 << 16
_HINT = "Hint: name the directory of 'leaks' in the deployment"


class Hit(NamedTuple):
    """A run of words that a filter holds.

    Attributes:
        value: number of the value.
        start: first byte in the data.
        end: byte after the last one.
        field: number of the field.
    """

    value: int
    start: int
    end: int
    field: int


@dataclass
class Filters:
    """The fingerprints of values of some fields, made with one key version.

    Attributes:
        stream: whose fields these are.
        fields: their paths.
        version: of the key.
        until: time in ms since 1970 at which they are forgotten.
    """

    stream: str
    fields: tuple[str, ...]
    version: int
    until: int

    def __post_init__(self) -> None:
        """Empty filters."""
        self._bits = np.zeros((len(self.fields), (1 << BITS) // 8), np.uint8)

    def add(self, keys: np.ndarray, field: int, values: pa.StringArray) -> int:
        """Put values of a field in.

        Args:
            keys: of `fingerprint_keys`.
            field: its number.
            values: decoded; nulls are passed over.

        Returns:
            How many were not there before; a value that has no fingerprint (see `fingerprint_kernels`) is none of them.
        """
        data, offsets, valid = parts(values)
        starts, ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
        if len(valid):
            ends = np.where(valid != 0, ends, starts)
        return int(kernel.add(data, starts, ends, keys, BITS, self._bits[field]))

    def find(self, keys: np.ndarray, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> list[Hit]:
        """Look up every run of words.

        Args:
            keys: of `fingerprint_keys`, with the version of these filters.
            data: uint8.
            starts: int64, m: value i is ``data[starts[i]:ends[i]]``.
            ends: int64, m.
        """
        found: list[Hit] = []
        out, done = np.empty(kernel.HIT << 10, np.int64), np.zeros(1, np.int64)
        while done[0] < len(starts):
            first = int(done[0])
            count = kernel.find(data, starts, ends, keys, BITS, self._bits.reshape(-1), len(self.fields), first, out, done)
            found += [Hit(*row) for row in out[: kernel.HIT * count].reshape(-1, kernel.HIT).tolist()]
            if int(done[0]) == first:
                out = np.empty(2 * len(out), np.int64)
        return found

    @property
    def fullest(self) -> float:
        """Share of bits that are set in the fullest filter."""
        return max((float(np.bitwise_count(row).sum()) / (1 << BITS) for row in self._bits), default=0.0)

    def within(self, other: Self) -> bool:
        """Whether the other one, of the same stream, fields and key version, holds all that this one holds."""
        return not any((mine & ~others).any() for mine, others in zip(self._bits, other._bits, strict=True))

    def join(self, other: Self) -> None:
        """Take in what another one holds; of the same stream, fields and key version."""
        self._bits |= other._bits
        self.until = max(self.until, other.until)

    def to_bytes(self) -> bytes:
        """As a file holds them."""
        header = json.dumps({"stream": self.stream, "fields": self.fields, "version": self.version, "until": self.until, "bits": BITS})
        body = pa.Codec("zstd").compress(self._bits.tobytes(), asbytes=True)
        return _MAGIC + header.encode() + b"\n" + body

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            InputError: it is no file of filters, or damaged.
        """
        header = read_header(path)
        found = cls(header.stream, header.fields, header.version, header.until)
        try:
            with path.open("rb") as file:
                file.seek(header.size)
                raw = pa.Codec("zstd").decompress(file.read(), found._bits.nbytes, asbytes=True)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or 'its contents are damaged'}. {_HINT}") from None
        found._bits[:] = np.frombuffer(raw, np.uint8).reshape(found._bits.shape)
        return found


class Header(NamedTuple):
    """What the first lines of a file say; see `Filters`.

    Attributes:
        size: bytes of these lines.
    """

    stream: str
    fields: tuple[str, ...]
    version: int
    until: int
    size: int


def read_header(path: Path) -> Header:
    """Read the first lines of a file of filters.

    Raises:
        InputError: it is no file of filters.
    """
    try:
        with path.open("rb") as file:
            if file.readline(_MOST_HEADER) != _MAGIC:
                raise ValueError
            told = json.loads(file.readline(_MOST_HEADER))
            if told["bits"] != BITS or not 1 <= len(told["fields"]) <= 256:
                raise ValueError
            return Header(told["stream"], tuple(told["fields"]), int(told["version"]), int(told["until"]), file.tell())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. {_HINT}") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: is no file of canaries. {_HINT}") from None


def fingerprint_keys(ring: KeyRing, stream: str, version: int | None = None) -> np.ndarray:
    """The keys of fingerprints: four words.

    Raises:
        KeyRingError: the ring lacks the version.
    """
    return np.frombuffer(ring.derive("leaks", stream, version).secret(), np.uint64).copy()


def joined(found: Sequence[Filters]) -> list[Filters]:
    """Filters of the same stream, fields and key version as one; of those that would be too full together the newest.

    Args:
        found: of files.
    """
    groups: dict[tuple[str, tuple[str, ...], int], Filters] = {}
    for one in sorted(found, key=lambda filters: -filters.until):
        whole = groups.setdefault((one.stream, one.fields, one.version), Filters(one.stream, one.fields, one.version, 0))
        if whole.until == 0 or whole.fullest + one.fullest <= FULLEST:
            whole.join(one)
    return list(groups.values())
