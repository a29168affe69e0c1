# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Spaces and hyphens beyond ASCII, 32 bytes at once."""

from llvmlite import ir

from flink_masking.kernels import I64, intrinsic, types
from flink_masking.kernels.characters import _bits, _splat, _vector

CHARACTERS = (
    ((0xC2, 0xC2), (0xA0, 0xA0)), ((0xC2, 0xC2), (0xAD, 0xAD)),
    ((0xE2, 0xE2), (0x80, 0x80), (0x80, 0x8B)), ((0xE2, 0xE2), (0x80, 0x80), (0x90, 0x95)), ((0xE2, 0xE2), (0x80, 0x80), (0xAF, 0xAF)),
    ((0xE2, 0xE2), (0x81, 0x81), (0x9F, 0x9F)), ((0xE2, 0xE2), (0x88, 0x88), (0x92, 0x92)), ((0xE3, 0xE3), (0x80, 0x80), (0x80, 0x80)),
    ((0xEF, 0xEF), (0xB9, 0xB9), (0xA3, 0xA3)), ((0xEF, 0xEF), (0xBC, 0xBC), (0x8D, 0x8D)),
)  # fmt: skip
"""Lowest and highest value of each byte: of U+00A0, U+00AD, U+2000 to U+200B, U+2010 to U+2015, U+202F, U+205F, U+2212, U+3000, U+FE63 and
U+FF0D."""


@intrinsic
def leads32(_, p):
    """Bit mask over the 32 bytes at p: first bytes of such characters, and of others."""

    def code(context, builder, sig, args):
        first, found = _vector(builder, args[0]), None
        for byte in (0xC2, 0xE2, 0xE3, 0xEF):
            same = builder.icmp_unsigned("==", first, _splat(byte))
            found = same if found is None else builder.or_(found, same)
        return _bits(builder, found)

    return types.int64(I64), code


@intrinsic
def signs32(_, p):
    """Bit mask over the 32 bytes at p, of which two more are read: such characters begin there, see `CHARACTERS`."""

    def code(context, builder, sig, args):
        bytes_ = [_vector(builder, builder.add(args[0], ir.Constant(ir.IntType(64), k))) for k in range(3)]

        def between(k, low, high):
            return builder.icmp_unsigned("<=", builder.sub(bytes_[k], _splat(low)), _splat(high - low))

        found = None
        for ranges in CHARACTERS:
            matches = between(0, *ranges[0])
            for k, (low, high) in enumerate(ranges[1:], 1):
                matches = builder.and_(matches, between(k, low, high))
            found = matches if found is None else builder.or_(found, matches)
        return _bits(builder, found)

    return types.int64(I64), code
