"""Formats of state entries: ``tag.version`` in front of the content. A newer version is distinguished from damage."""

import re

from flink_masking.errors import InputError

_KNOWN = 1


def payload(blob: bytes, tag: bytes, length: int | None = None, separator: bytes = b"\n") -> bytes:
    """The content of an entry.

    Args:
        blob: the entry.
        tag: what it must be.
        length: of the content in bytes, where it is fixed.
        separator: between version and content.

    Raises:
        InputError: the entry is of a newer format, or damaged.
    """
    found = re.match(re.escape(tag) + rb"\.(\d{1,9})" + re.escape(separator), blob)
    if found is None:
        raise damaged()
    refuse_newer(int(found[1]))
    content = blob[found.end():]
    if int(found[1]) != _KNOWN or (length is not None and len(content) != length):
        raise damaged()
    return content


def numbers(key: str, tag: str, count: int) -> tuple[int, ...]:
    """The numbers in an entry's key ``tag:number:…``.

    Raises:
        InputError: the key is of another form.
    """
    if re.fullmatch(re.escape(tag) + r"(:-?\d{1,19})" * count, key) is None:
        raise damaged()
    return tuple(int(part) for part in key.split(":")[1:])


def refuse_newer(version: int) -> None:
    """Raise if an entry was written by a later release.

    Raises:
        InputError: it is newer than this release.
    """
    if version > _KNOWN:
        raise InputError(f"aggregated view: the state is of a newer version: its format is {version}, this release reads up to {_KNOWN}. "
                         "Hint: run the release that wrote it, or a later one")


def damaged() -> InputError:
    """The error for an entry that is none of this release's."""
    return InputError("aggregated view: the state is damaged or of another version. Hint: restore with the release that wrote it")
