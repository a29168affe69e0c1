"""Machine-level pieces for kernels over bytes: loads, stores, vector compares and copies at absolute addresses.

Everything works on addresses held as int64. A compiled function that takes arrays counts references with atomic instructions on
every call (measured: four times the cost of a whole scan); integers cost nothing. Three duties come with that:

- take addresses of a kernel's *arguments* only: numba frees a local array after its last mention, and taking its address is one;
- guard vector reads by ``limit``, the end of readable memory;
- give outputs ``SLACK`` bytes beyond what is counted: short copies write whole vectors.

LLVM lowers the <32 x i8> operations to AVX-512, AVX2, SSE or NEON, as the host has them.
"""

from llvmlite import ir

from flink_masking.kernels import I64, JIT, intrinsic, njit, types

SLACK = 64
"""Bytes that every output buffer has beyond its contents."""

_INT = {8: ir.IntType(8), 32: ir.IntType(32), 64: ir.IntType(64)}
_VECTOR = ir.VectorType(_INT[8], 32)


def _pointer(builder, address, kind):
    return builder.inttoptr(address, kind.as_pointer())


def _load(builder, address, kind, align=1):
    value = builder.load(_pointer(builder, address, kind))
    value.align = align
    return value


def _store(builder, value, address, kind):
    builder.store(value, _pointer(builder, address, kind)).align = 1


def _splat(x):
    return ir.Constant(_VECTOR, [x] * 32)


@intrinsic
def at(_, p):
    """The byte at address p, as int64."""

    def code(context, builder, sig, args):
        return builder.zext(_load(builder, args[0], _INT[8]), _INT[64])

    return types.int64(I64), code


@intrinsic
def outlined(_):
    """Keep the function that calls this out of its callers: what runs rarely takes no registers from a loop that runs often."""

    def code(context, builder, sig, args):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def put8(_, p, x):
    """Store the low byte of x at address p."""

    def code(context, builder, sig, args):
        _store(builder, builder.trunc(args[1], _INT[8]), args[0], _INT[8])
        return context.get_dummy_value()

    return types.void(I64, I64), code


@intrinsic
def int32(_, p, k):
    """Element k of the int32 array at address p, as int64."""

    def code(context, builder, sig, args):
        where = builder.add(args[0], builder.shl(args[1], ir.Constant(_INT[64], 2)))
        return builder.sext(_load(builder, where, _INT[32], 4), _INT[64])

    return types.int64(I64, I64), code


@intrinsic
def put32(_, p, k, x):
    """Store x as element k of the int32 array at address p."""

    def code(context, builder, sig, args):
        where = builder.add(args[0], builder.shl(args[1], ir.Constant(_INT[64], 2)))
        _store(builder, builder.trunc(args[2], _INT[32]), where, _INT[32])
        return context.get_dummy_value()

    return types.void(I64, I64, I64), code


@intrinsic
def int64(_, p, k):
    """Element k of the int64 array at address p."""

    def code(context, builder, sig, args):
        where = builder.add(args[0], builder.shl(args[1], ir.Constant(_INT[64], 3)))
        return _load(builder, where, _INT[64], 8)

    return types.int64(I64, I64), code


@intrinsic
def put64(_, p, k, x):
    """Store x as element k of the int64 array at address p."""

    def code(context, builder, sig, args):
        where = builder.add(args[0], builder.shl(args[1], ir.Constant(_INT[64], 3)))
        builder.store(args[2], _pointer(builder, where, _INT[64])).align = 8
        return context.get_dummy_value()

    return types.void(I64, I64, I64), code


@intrinsic
def special32(_, p):
    """Bit mask over the 32 bytes at p: quote, backslash, control or non-ASCII."""

    def code(context, builder, sig, args):
        v = _load(builder, args[0], _VECTOR)
        m = builder.or_(builder.icmp_unsigned("==", v, _splat(34)), builder.icmp_unsigned("==", v, _splat(92)))
        m = builder.or_(m, builder.icmp_signed("<", v, _splat(32)))  # signed: control and >= 0x80 at once
        return builder.zext(builder.bitcast(m, _INT[32]), _INT[64])

    return types.int64(I64), code


@intrinsic
def negative32(_, p):
    """Bit mask over the 32 bytes at p: non-ASCII."""

    def code(context, builder, sig, args):
        m = builder.icmp_signed("<", _load(builder, args[0], _VECTOR), _splat(0))
        return builder.zext(builder.bitcast(m, _INT[32]), _INT[64])

    return types.int64(I64), code


@intrinsic
def differ32(_, p, q):
    """Bit mask of where the 32 bytes at p and q differ."""

    def code(context, builder, sig, args):
        m = builder.icmp_unsigned("!=", _load(builder, args[0], _VECTOR), _load(builder, args[1], _VECTOR))
        return builder.zext(builder.bitcast(m, _INT[32]), _INT[64])

    return types.int64(I64, I64), code


@intrinsic
def trailing_zeros(_, x):
    """Number of zero bits below the lowest one of x (64 for 0)."""

    def code(context, builder, sig, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(I64), code


@intrinsic
def ones(_, x):
    """Number of bits of x that are set."""

    def code(context, builder, sig, args):
        return builder.ctpop(args[0])

    return types.int64(I64), code


@intrinsic
def move32(_, to, p):
    """Copy the 32 bytes at p to `to`."""

    def code(context, builder, sig, args):
        _store(builder, _load(builder, args[1], _VECTOR), args[0], _VECTOR)
        return context.get_dummy_value()

    return types.void(I64, I64), code


@intrinsic
def memcpy(_, to, p, n):
    """Copy n bytes from p to `to`; they do not overlap."""

    def code(context, builder, sig, args):
        target, source = (_pointer(builder, x, _INT[8]) for x in args[:2])
        function = builder.module.declare_intrinsic("llvm.memcpy", [target.type, source.type, _INT[64]])
        builder.call(function, [target, source, args[2], ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(I64, I64, I64), code


@njit(**JIT)
def copy(to, p, n, limit):
    """Copy n bytes, return to + n; short pieces go by whole vectors that may write past the end (later bytes come later)."""
    if n <= 128 and p + n + 32 <= limit:
        k = 0
        while k < n:
            move32(to + k, p + k)
            k += 32
    else:
        memcpy(to, p, n)
    return to + n


@njit(**JIT)
def equal(p, q, n, limit):
    """Whether the n bytes at p (readable up to limit) and at q are the same; q is readable 32 bytes beyond."""
    if n <= 32 and p + 32 <= limit:
        m = differ32(p, q)
        return m == 0 or trailing_zeros(m) >= n
    if p + n > limit:
        return False
    for k in range(n):
        if at(p + k) != at(q + k):
            return False
    return True
