"""What the loader needs of a shared object; the tables for debuggers and linkers are up to nine tenths of a file."""

import struct

_ELF = b"\x7fELF\x02\x01"
"""Executable and Linkable Format, 64 bits, little-endian."""
_PROGRAM_HEADERS, _SECTION_HEADERS = 32, 40
"""Positions in the file's header at which the positions of the two tables stand, of eight bytes each."""
_PROGRAM_SIZES, _SECTION_SIZES = 54, 60
"""The positions of size and number of their entries; at the second one, number of entries and index of the names' section."""


def without_symbols(body: bytes) -> bytes:
    """Leave out the sections of a shared object that are not loaded: symbols, debug information and the table of sections itself.

    They come behind all segments, which hold what is loaded, unwinding tables included; so the file just ends earlier.

    Args:
        body: the file.

    Returns:
        The shorter file; `body` itself where it is no 64-bit little-endian ELF file, or no complete one.
    """
    if body[:6] != _ELF or len(body) < 64:
        return body
    table, = struct.unpack_from("<Q", body, _PROGRAM_HEADERS)
    size, number = struct.unpack_from("<HH", body, _PROGRAM_SIZES)
    end = table + size * number
    if size < 56 or end > len(body):
        return body
    for header in range(table, end, size):
        position, length = struct.unpack_from("<8xQ16xQ", body, header)
        end = max(end, position + length)
    if end > len(body):
        return body
    short = bytearray(body[:end])
    struct.pack_into("<Q", short, _SECTION_HEADERS, 0)
    struct.pack_into("<HH", short, _SECTION_SIZES, 0, 0)
    return bytes(short)
