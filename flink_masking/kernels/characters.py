# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""ASCII characters by class, one at a time, eight or 32 at once."""

import numpy as np
from llvmlite import ir

from flink_masking.kernels import I64, JIT, intrinsic, njit, types

_INT8, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_INT8, 32)


def _splat(x):
    return ir.Constant(_VECTOR, [x] * 32)


def _vector(builder, address):
    v = builder.load(builder.inttoptr(address, _VECTOR.as_pointer()))
    v.align = 1
    return v


def _bits(builder, mask):
    return builder.zext(builder.bitcast(mask, _INT32), _INT64)


@intrinsic
def host32(_, p):
    """Bit mask over the 32 bytes at p: ASCII letter, digit, hyphen or point."""

    def code(context, builder, sig, args):
        v = _vector(builder, args[0])
        lower = builder.or_(v, _splat(32))
        m = builder.icmp_unsigned("<", builder.sub(lower, _splat(97)), _splat(26))
        m = builder.or_(m, builder.icmp_unsigned("<", builder.sub(v, _splat(48)), _splat(10)))
        return _bits(builder, builder.or_(m, builder.icmp_unsigned("<", builder.sub(v, _splat(45)), _splat(2))))

    return types.int64(I64), code


@intrinsic
def same32(_, p, c):
    """Bit mask of which of the 32 bytes at p are c."""

    def code(context, builder, sig, args):
        zero = ir.Constant(_INT32, 0)
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), builder.trunc(args[1], _INT8), zero)
        splat = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INT32, 32), [0] * 32))
        return _bits(builder, builder.icmp_unsigned("==", _vector(builder, args[0]), splat))

    return types.int64(I64, I64), code


@intrinsic
def letters32(_, p):
    """Bit mask over the 32 bytes at p: ASCII letter."""

    def code(context, builder, sig, args):
        lower = builder.or_(_vector(builder, args[0]), _splat(32))
        return _bits(builder, builder.icmp_unsigned("<", builder.sub(lower, _splat(97)), _splat(26)))

    return types.int64(I64), code


@intrinsic
def digits32(_, p):
    """Bit mask over the 32 bytes at p: ASCII digit."""

    def code(context, builder, sig, args):
        return _bits(builder, builder.icmp_unsigned("<", builder.sub(_vector(builder, args[0]), _splat(48)), _splat(10)))

    return types.int64(I64), code


@intrinsic
def beyond32(_, p):
    """Bit mask over the 32 bytes at p: not ASCII."""

    def code(context, builder, sig, args):
        return _bits(builder, builder.icmp_signed("<", _vector(builder, args[0]), _splat(0)))

    return types.int64(I64), code


@intrinsic
def cover32(_, o, p, bits, c):
    """Store the 32 bytes at p at o, with c in the place of those whose bit is set."""

    def code(context, builder, sig, args):
        zero = ir.Constant(_INT32, 0)
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), builder.trunc(args[3], _INT8), zero)
        cover = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INT32, 32), [0] * 32))
        chosen = builder.bitcast(builder.trunc(args[2], _INT32), ir.VectorType(ir.IntType(1), 32))
        covered = builder.select(chosen, cover, _vector(builder, args[1]))
        builder.store(covered, builder.inttoptr(args[0], _VECTOR.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(I64, I64, I64, I64), code


@intrinsic
def highest(_, x):
    """The highest bit of x, which is above 0, alone."""

    def code(context, builder, sig, args):
        zeros = builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))
        return builder.lshr(ir.Constant(_INT64, 1 << 63), zeros)

    return types.int64(I64), code


def shape(pattern):
    """A function of p: whether the 32 bytes at p begin with characters of a pattern, which has at most 32.

    A digit stands for every digit up to itself, anything else for itself.
    """
    low = [48 if c.isdigit() else ord(c) for c in pattern] + [0] * (32 - len(pattern))
    more = [int(c) if c.isdigit() else 0 for c in pattern] + [255] * (32 - len(pattern))

    @intrinsic
    def has_shape(_, p):
        """Whether the bytes at p have the shape."""

        def code(context, builder, sig, args):
            above = builder.sub(_vector(builder, args[0]), ir.Constant(_VECTOR, low))
            outside = builder.icmp_unsigned(">", above, ir.Constant(_VECTOR, more))
            return builder.icmp_unsigned("==", builder.bitcast(outside, _INT32), ir.Constant(_INT32, 0))

        return types.boolean(I64), code

    return has_shape


@njit(**JIT)
def digit(c):
    """Whether a byte is an ASCII digit."""
    return 48 <= c <= 57


@njit(**JIT)
def letter(c):
    """Whether a byte is an ASCII letter."""
    return 97 <= (c | 32) <= 122


@njit(**JIT)
def hexadecimal(c):
    """Whether a byte is a hexadecimal digit."""
    return 48 <= c <= 57 or 97 <= (c | 32) <= 102


@njit(**JIT)
def eight_digits(x):
    """Whether all eight bytes of a word are ASCII digits."""
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    six = np.uint64(0x0606060606060606)
    return ((x & high) | (((x + six) & high) >> np.uint64(4))) == np.uint64(0x3333333333333333)
