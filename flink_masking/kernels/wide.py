"""64-bit arithmetic that needs 128 bits on the way, and words of 16, 32 and 64 bits at absolute addresses."""

import numpy as np
from llvmlite import ir

from flink_masking.kernels import I64, JIT, intrinsic, njit, types

_I16, _I32, _I64, _I128 = (ir.IntType(bits) for bits in (16, 32, 64, 128))


_BYTES, _WORDS = ir.VectorType(ir.IntType(8), 16), ir.VectorType(ir.IntType(16), 16)


def _filled(builder, x):
    """A vector of sixteen times the low byte of x."""
    one = builder.insert_element(ir.Constant(_BYTES, ir.Undefined), builder.trunc(x, ir.IntType(8)), ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_I32, 16), [0] * 16))


@intrinsic
def high64(_, x, y):
    """The upper 64 bits of the 128-bit product of two uint64."""

    def code(context, builder, sig, args):
        product = builder.mul(builder.zext(args[0], _I128), builder.zext(args[1], _I128))
        return builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), code


def _loading(kind):
    @intrinsic
    def load(_, p):
        """The big-endian word at address p, as uint64."""

        def code(context, builder, sig, args):
            value = builder.load(builder.inttoptr(args[0], kind.as_pointer()))
            value.align = 1
            return builder.zext(builder.bswap(value), _I64) if kind is _I32 else builder.bswap(value)

        return types.uint64(I64), code

    return load


load_be32, load_be64 = _loading(_I32), _loading(_I64)


@intrinsic
def load_raw64(_, p):
    """The eight bytes at address p in the machine's order, as uint64."""

    def code(context, builder, sig, args):
        value = builder.load(builder.inttoptr(args[0], _I64.as_pointer()))
        value.align = 1
        return value

    return types.uint64(I64), code


@intrinsic
def store_raw64(_, p, x):
    """Store the uint64 x at address p in the machine's order."""

    def code(context, builder, sig, args):
        builder.store(args[1], builder.inttoptr(args[0], _I64.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(I64, types.uint64), code


@intrinsic
def put_raw32(_, p, x):
    """Store the low 32 bits of x at address p, which is even, in the machine's order."""

    def code(context, builder, sig, args):
        builder.store(builder.trunc(args[1], _I32), builder.inttoptr(args[0], _I32.as_pointer())).align = 2
        return context.get_dummy_value()

    return types.void(I64, I64), code


@intrinsic
def swapped(_, x):
    """The uint64 x with its bytes in reverse order."""

    def code(context, builder, sig, args):
        return builder.bswap(args[0])

    return types.uint64(types.uint64), code


@intrinsic
def at16(_, p):
    """The 16 bits at address p in the machine's order, as uint64."""

    def code(context, builder, sig, args):
        value = builder.load(builder.inttoptr(args[0], _I16.as_pointer()))
        value.align = 2
        return builder.zext(value, _I64)

    return types.uint64(I64), code


@intrinsic
def put16(_, p, x):
    """Store the low 16 bits of the uint64 x at address p in the machine's order."""

    def code(context, builder, sig, args):
        builder.store(builder.trunc(args[1], _I16), builder.inttoptr(args[0], _I16.as_pointer())).align = 2
        return context.get_dummy_value()

    return types.void(I64, types.uint64), code


@intrinsic
def numerals16(_, p, o, low, count):
    """Store the 16 bytes at p less `low` as 16 words of 16 bits at o; bit k of the result is set where byte k was none of the
    `count` values from `low` on (bits from 16 on are set too)."""

    def code(context, builder, sig, args):
        value = builder.load(builder.inttoptr(args[0], _BYTES.as_pointer()))
        value.align = 1
        less = builder.sub(value, _filled(builder, args[2]))
        builder.store(builder.zext(less, _WORDS), builder.inttoptr(args[1], _WORDS.as_pointer())).align = 2
        outside = builder.icmp_unsigned(">=", less, _filled(builder, args[3]))
        bits = builder.zext(builder.bitcast(outside, _I16), _I64)
        return builder.or_(bits, ir.Constant(_I64, 0xFFFF0000))

    return I64(I64, I64, I64, I64), code


@intrinsic
def characters16(_, p, o, low):
    """Store the 16 words of 16 bits at p plus `low` as 16 bytes at o."""

    def code(context, builder, sig, args):
        value = builder.load(builder.inttoptr(args[0], _WORDS.as_pointer()))
        value.align = 2
        more = builder.add(builder.trunc(value, _BYTES), _filled(builder, args[2]))
        builder.store(more, builder.inttoptr(args[1], _BYTES.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(I64, I64, I64), code


@intrinsic
def smaller(_, x, y):
    """The smaller of two uint64, without a branch."""

    def code(context, builder, sig, args):
        return builder.select(builder.icmp_unsigned("<", *args), *args)

    return types.uint64(types.uint64, types.uint64), code


@njit(**JIT)
def address(array):
    """Where an array's elements begin, as int64: numba's own address is unsigned, and sums of both kinds would be floating point."""
    return np.int64(array.ctypes.data)


@njit(**JIT)
def modulo(x, m, reciprocal):
    """x modulo m, for uint64 x and 2 <= m <= 2^63 with reciprocal = 2^64 // m (Barrett's reduction)."""
    r = x - high64(x, reciprocal) * m
    return smaller(r, r - m)  # r < 2 m; where r < m, r - m wraps and is large


@njit(**JIT)
def product_modulo(x, c, m, quotient):
    """x times c modulo m, for uint64 x, c < m <= 2^63 and quotient = (c * 2^64) // m (Shoup's multiplication)."""
    r = x * c - high64(x, quotient) * m
    return smaller(r, r - m)
