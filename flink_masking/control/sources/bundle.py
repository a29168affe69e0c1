"""A bundle: all documents in one file, so that any web server can serve them. JSON Lines; the first line tells how many follow."""

import json
from collections.abc import Sequence

from flink_masking.control.sources.base import MOST
from flink_masking.errors import ControlUnavailableError

FORMAT = 1
_HEAD = "flink-masking-control"


def pack(documents: Sequence[bytes]) -> bytes:
    """The bundle of these envelopes, each one line."""
    head = json.dumps({_HEAD: FORMAT, "documents": len(documents)}).encode()
    return b"".join(line + b"\n" for line in [head, *documents])


def unpack(data: bytes) -> list[bytes]:
    """The envelopes of a bundle.

    A bundle that is cut off is no shorter bundle: the number in the first line tells, so documents that were not transferred are not taken
    for withdrawn.

    Raises:
        ControlUnavailableError: cut off, or no bundle.
    """
    first, *lines = data.split(b"\n")
    try:
        head = json.loads(first)
        count = int(head["documents"])
        known = head[_HEAD] == FORMAT and 0 <= count <= MOST
    except (ValueError, KeyError, TypeError):
        known, count = False, 0
    if not known:
        raise ControlUnavailableError("not a bundle of control documents. Hint: flink-masking control publish makes one where the source "
                                      "is file:///….jsonl")
    if len(lines) != count + 1 or lines[-1]:
        raise ControlUnavailableError("the bundle is cut off. Hint: it is read again; replace it as a whole (write beside it, rename)")
    return lines[:-1]
