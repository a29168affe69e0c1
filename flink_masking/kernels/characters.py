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
