"""What a batch released, as hashes: a root for each view in the audit event, and lines with the leaf hashes beside it.

A leaf is one released record as it leaves, without Kafka's key and headers; that of a granted view has a salt in front
(`flink_masking.audit.salted`). Leaf hashes let whoever holds them test guesses of records, so they are not part of the event and go into no
published log; the root commits to all of them.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson

from flink_masking.audit import digests_kernels as kernel
from flink_masking.audit.events import LEAVES, iso
from flink_masking.crypto.merkle import HASH_BYTES
from flink_masking.errors import InputError

_ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8).astype(np.uint16)
_PAIRS = (_ALPHABET[:, None] | _ALPHABET << 8).reshape(-1)
"""For each number of twelve bits the two characters of its base64."""
LINE_LEAVES = 1000
"""Leaf hashes in a line at most: 43 bytes each, so that a line stays below what an entry of the log may have (64 KiB)."""


def leaf_lines(place: Mapping[str, Any], now: int, leaves: Mapping[str, np.ndarray]) -> list[bytes]:
    """The lines beside an event; none where each view has one record at most, whose leaf hash is the root.

    Args:
        place: chain and number of the event, from `AuditChain.place`.
        now: processing time, ms since 1970.
        leaves: for each view uint8, shape (n, 32).

    Returns:
        JSON lines, fewer than the batch has records (for up to 500 views).
    """
    if all(len(hashes) < 2 for hashes in leaves.values()):
        return []
    head = orjson.dumps({"event": LEAVES, "time": iso(now), **place})[:-1] + b',"views":{'
    return [head + b",".join(views) + b"}}" for views in _lines(leaves)]


def _lines(leaves: Mapping[str, np.ndarray]) -> Iterator[list[bytes]]:
    """The members of `views` for each line; texts of this length are put together here, which takes fewer copies than to encode them."""
    views: list[bytes] = []
    room = LINE_LEAVES
    for name, hashes in leaves.items():
        start = 0
        while start < len(hashes):
            piece = hashes[start : start + room]
            views.append(b'%b:{"from":%d,"leaves":"%b"}' % (orjson.dumps(name), start, _text(piece)))
            start, room = start + len(piece), room - len(piece)
            if not room:
                yield views
                views, room = [], LINE_LEAVES
    if views:
        yield views


def _text(hashes: np.ndarray) -> bytes:
    """The base64 of hashes."""
    size = (hashes.size + 2) // 3 * 4
    data, out = np.empty(hashes.size + kernel.SLACK, np.uint8), np.empty(size + kernel.SLACK, np.uint8)
    data[: hashes.size] = hashes.reshape(-1)
    kernel.base64_text(data, hashes.size, _PAIRS, out)
    return out[:size].tobytes()


def read_leaves(line: bytes) -> tuple[str, int, dict[str, tuple[int, bytes]]]:
    """Chain and number of the event that a line stands beside, and for each view the number of its first leaf and the hashes, joined.

    Raises:
        InputError: it is no such line.
    """
    try:
        body = orjson.loads(line)
        views = {str(name): (int(piece["from"]), base64.b64decode(piece["leaves"], validate=True)) for name, piece in body["views"].items()}
        if body["event"] != LEAVES or any(start < 0 or len(hashes) % HASH_BYTES for start, hashes in views.values()):
            raise ValueError
        return str(body["chain"]), int(body["of"]), views
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise InputError("a line tells no leaf hashes. Hint: give the log as the sealer wrote it") from None
