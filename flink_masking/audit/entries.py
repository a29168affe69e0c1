"""What lies in a sealed log: its entries, the right edge of its tree, events too long for an entry, leaf hashes that expire."""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from flink_masking.audit.events import link
from flink_masking.audit.stores import LEAVES, Store
from flink_masking.audit.tiles import WIDTH, Tree, bundle_path, entries_of, tile_path
from flink_masking.crypto.merkle import HASH_BYTES
from flink_masking.errors import InputError


def read_entries(store: Store, size: int) -> Iterator[bytes]:
    """All entries of a log, in order.

    Raises:
        InputError: a bundle is missing or damaged.
    """
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        yield from read_bundle(store, number, width)


def read_bundle(store: Store, number: int, width: int) -> list[bytes]:
    """The first entries of a bundle, from its partial file or, where that was removed, from the whole one.

    Raises:
        InputError: it is missing or damaged.
    """
    data = store.read(bundle_path(number, width))
    if data is None and width < WIDTH and (whole := store.read(bundle_path(number))) is not None:
        return entries_of(whole, WIDTH)[:width]
    if data is None:
        raise InputError(f"{bundle_path(number, width)} is missing. Hint: restore the log")
    try:
        return entries_of(data, width)
    except InputError as error:
        raise InputError(f"{bundle_path(number, width)}: {error}") from None


def load_tree(store: Store, size: int, root: bytes) -> Tree:
    """The right edge of a log's tree.

    Raises:
        InputError: files are missing or do not make the root.
    """
    tree, level = Tree(), 0
    tree.size = size
    while count := size >> 8 * level:
        width, data = count % WIDTH, b""
        if width:
            data = store.read(tile_path(level, count // WIDTH, width)) or b""
        tree.levels.append([data[k : k + HASH_BYTES] for k in range(0, len(data), HASH_BYTES)])
        level += 1
    tree.entries = read_bundle(store, size // WIDTH, size % WIDTH) if size % WIDTH else []
    if tree.root != root:
        raise InputError("the log's tiles do not make the root of its checkpoint. Hint: restore the log from its backup")
    return tree


def expire_leaves(store: Store, before: str) -> int:
    """Remove the files of leaf hashes whose newest line is older than a time; records in them can no longer be traced.

    Args:
        store: of the log.
        before: ISO 8601 UTC, as events tell times.

    Returns:
        How many files were removed.
    """
    removed = 0
    for name in store.names(LEAVES):
        lines = (store.read(name) or b"").splitlines()
        if all(_told_at(line) < before for line in lines):
            store.remove(name)
            removed += 1
    return removed


def _told_at(line: bytes) -> str:
    try:
        return str(orjson.loads(line)["time"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""


def large_path(line: bytes) -> str:
    """The file of an event that is too long for an entry."""
    return f"large/{hashlib.sha256(line).hexdigest()}"


def stub(line: bytes) -> bytes:
    """What stands in the log for an event that is too long for an entry: its link, length and SHA-256."""
    try:
        chain, number, previous = link(line)
        told: dict[str, Any] = {"event": str(orjson.loads(line).get("event"))[:100], "chain": chain[:100], "number": number,
                                "previous": previous[:64]}
    except InputError:
        told = {}
    return orjson.dumps({"large": hashlib.sha256(line).hexdigest(), "bytes": len(line), **told})


def whole_event(store: Store, entry: bytes) -> bytes:
    """The event of an entry, which is in a file of its own where it is too long.

    Raises:
        InputError: that file is missing or was changed.
    """
    if not entry.startswith(b'{"large":"'):
        return entry
    digest = str(orjson.loads(entry)["large"])
    found = store.read(f"large/{digest}") if len(digest) == 64 and digest.isalnum() else None
    if found is None or hashlib.sha256(found).hexdigest() != digest:
        raise InputError(f"large/{digest[:64]}: the event is missing or was changed. Hint: restore the log")
    return found


def short_digest(entry: bytes) -> bytes:
    """The first bytes of an event's SHA-256, also where a stub stands for it."""
    if entry.startswith(b'{"large":"'):
        return bytes.fromhex(str(orjson.loads(entry)["large"]))[:8]
    return hashlib.sha256(entry).digest()[:8]
