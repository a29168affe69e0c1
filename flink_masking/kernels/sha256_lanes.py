"""SHA-256's block function (FIPS 180-4, 6.2.2) on vectors: element i of every vector belongs to message i.

One instruction advances sixteen messages, and no step depends on the data: there is no table and no branch on a key or a value, so
timing tells nothing of either. LLVM lowers the vectors to what the processor has that it compiles for; sixteen lanes are faster than eight
even where a register holds fewer, because two independent chains hide each other's latency.

Kernels are compiled ahead for x86-64-v3 (`flink_masking.kernels.baseline`), but AVX-512 does a block in less than half the time: so
the block function is compiled for both, and the processor that runs it decides which one is called.

State is eight vectors, a block sixteen, both at addresses that are multiples of `VECTOR_BYTES`.
"""

import ctypes
import platform

from llvmlite import ir

from flink_masking.kernels import I64, intrinsic, types, with_numba
from flink_masking.kernels.features import Features

LANES = 16
VECTOR_BYTES = 4 * LANES

_FIRST = [2, 3, 5, 7, 11, 13, 17, 19]


def _primes(n):
    found = []
    x = 2
    while len(found) < n:
        if all(x % p for p in found):
            found.append(x)
        x += 1
    return found


def _fraction(p, root):
    """The first 32 bits of the fraction of the square (2) or cube (3) root of p, exactly."""
    scaled, low, high = p << 32 * root, 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**root <= scaled else (low, middle - 1)
    return low & 0xFFFFFFFF


START = [_fraction(p, 2) for p in _FIRST]
ROUND = [_fraction(p, 3) for p in _primes(64)]

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_LANES = ir.VectorType(_I32, LANES)
_ZEROS = ir.VectorType(_I8, 32)


def _vector(builder, address, k):
    where = builder.add(address, ir.Constant(_I64, VECTOR_BYTES * k))
    return builder.inttoptr(where, _LANES.as_pointer())


def _load(builder, address, k):
    value = builder.load(_vector(builder, address, k))
    value.align = VECTOR_BYTES
    return value


def _store(builder, value, address, k):
    builder.store(value, _vector(builder, address, k)).align = VECTOR_BYTES


def _splat(x):
    return ir.Constant(_LANES, [x] * LANES)


def _function(builder, name, arguments):
    kind = ir.FunctionType(_LANES, [_LANES] * arguments)
    module = builder.module
    return module.globals.get(name) or ir.Function(module, kind, name)


def _rotated(builder, x, *counts):
    """The exclusive or of x rotated right by each count."""
    turn = _function(builder, f"llvm.fshr.v{LANES}i32", 3)
    total = None
    for count in counts:
        turned = builder.call(turn, [x, x, _splat(count)])
        total = turned if total is None else builder.xor(total, turned)
    return total


def _schedule(builder, w, t):
    """Message word t, computed from the sixteen before it (FIPS 180-4, 6.2.2)."""
    a, b = w[(t - 15) % 16], w[(t - 2) % 16]
    small0 = builder.xor(_rotated(builder, a, 7, 18), builder.lshr(a, _splat(3)))
    small1 = builder.xor(_rotated(builder, b, 17, 19), builder.lshr(b, _splat(10)))
    return builder.add(builder.add(w[t % 16], small0), builder.add(w[(t - 7) % 16], small1))


WIDE = "+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+avx512f,+avx512bw,+avx512dq,+avx512vl"
"""LLVM's features of the second block function."""
_FLAG = "flink_masking_sha256_wide"
_wide = ctypes.c_int64(0)


@with_numba
def _declare():
    """Say what this processor can do, under a name that machine code made by another process refers to."""
    from llvmlite import binding

    can = platform.machine() == "x86_64" and binding.get_host_cpu_features()
    _wide.value = bool(can) and all(can.get(name.removeprefix("+"), False) for name in WIDE.split(","))
    binding.add_symbol(_FLAG, ctypes.addressof(_wide))


def _rounds(builder, old, words):
    """The state after a block, both as lists of vectors."""
    w = list(words)
    a, b, c, d, e, f, g, h = old
    for t in range(64):
        if t >= 16:
            w[t % 16] = _schedule(builder, w, t)
        choice = builder.xor(g, builder.and_(e, builder.xor(f, g)))
        t1 = builder.add(h, builder.add(w[t % 16], _splat(ROUND[t])))
        t1 = builder.add(t1, builder.add(_rotated(builder, e, 6, 11, 25), choice))
        majority = builder.or_(builder.and_(a, b), builder.and_(c, builder.or_(a, b)))
        t2 = builder.add(_rotated(builder, a, 2, 13, 22), majority)
        a, b, c, d, e, f, g, h = builder.add(t1, t2), a, b, c, builder.add(d, t1), e, f, g
    return [builder.add(before, after) for before, after in zip(old, (a, b, c, d, e, f, g, h), strict=True)]


def _stored(builder, vectors, address):
    for k, vector in enumerate(vectors):
        _store(builder, vector, address, k)


def _compress(builder, state, words):
    old = [_load(builder, state, k) for k in range(8)]
    _stored(builder, _rounds(builder, old, [_load(builder, words, k) for k in range(16)]), state)


def _transposed(builder, rows):
    """Sixteen vectors of sixteen words, rows made columns."""
    rows = list(rows)
    for s in (8, 4, 2, 1):
        low = ir.Constant(_LANES, [j if not j & s else LANES + j - s for j in range(LANES)])
        high = ir.Constant(_LANES, [j + s if not j & s else LANES + j for j in range(LANES)])
        for i in range(LANES):
            if not i & s:
                a, b = rows[i], rows[i + s]
                rows[i], rows[i + s] = builder.shuffle_vector(a, b, low), builder.shuffle_vector(a, b, high)
    return rows


def _turned(builder, vector):
    """A vector with the bytes of each word in reverse order."""
    return builder.call(_function(builder, f"llvm.bswap.v{LANES}i32", 1), [vector])


def _message(builder, places):
    """The words of the blocks of sixteen messages at addresses."""
    rows = []
    for place in places:
        rows.append(builder.load(builder.inttoptr(place, _LANES.as_pointer())))
        rows[-1].align = 1
    return [_turned(builder, vector) for vector in _transposed(builder, rows)]


def _listed(builder, address):
    """The sixteen addresses that stand at an address."""
    return [builder.load(builder.inttoptr(builder.add(address, ir.Constant(_I64, 8 * k)), _I64.as_pointer())) for k in range(LANES)]


def _beside(builder, address, step, first):
    return [builder.add(address, ir.Constant(_I64, step * k + first)) for k in range(LANES)]


def _digests(builder, state, places):
    """Write the digest of each lane, 32 bytes, to its address."""
    half = ir.VectorType(_I32, 8)
    rows = _transposed(builder, [_turned(builder, vector) for vector in state] + [ir.Constant(_LANES, ir.Undefined)] * 8)
    for row, place in zip(rows, places, strict=True):
        digest = builder.shuffle_vector(row, row, ir.Constant(half, list(range(8))))
        builder.store(digest, builder.inttoptr(place, half.as_pointer())).align = 1


def _compress_at(builder, state, places):
    old = [_load(builder, state, k) for k in range(8)]
    _stored(builder, _rounds(builder, old, _message(builder, _listed(builder, places))), state)


def _digests_at(builder, state, places):
    _digests(builder, [_load(builder, state, k) for k in range(8)], _listed(builder, places))


def _nodes(builder, out, p):
    words = _message(builder, _beside(builder, p, 64, -1))
    words[0] = builder.or_(builder.and_(words[0], _splat(0xFFFFFF)), _splat(1 << 24))
    last = ir.Constant(_LANES, ir.Undefined)
    for lane, place in enumerate(_beside(builder, p, 64, 63)):
        byte = builder.load(builder.inttoptr(place, _I8.as_pointer()))
        last = builder.insert_element(last, builder.zext(byte, _I32), ir.Constant(_I32, lane))
    state = _rounds(builder, [_splat(word) for word in START], words)
    words = [builder.or_(builder.shl(last, _splat(24)), _splat(0x80 << 16)), *[_splat(0)] * 14, _splat(65 * 8)]
    _digests(builder, _rounds(builder, state, words), _beside(builder, out, 32, 0))


def _made(module, name, attributes, body):
    """An LLVM function of two addresses, made once a module."""
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64, _I64]), name)
    function.linkage, function.attributes = "linkonce_odr", attributes
    builder = ir.IRBuilder(function.append_basic_block())
    body(builder, *function.args)
    builder.ret_void()
    return function


def _calling(name, body):
    """Code that calls a function of two addresses, in the version for the processor that runs it."""

    def code(context, builder, sig, args):
        module = builder.module
        narrow = _made(module, name, ir.values.FunctionAttributes(["noinline", "nounwind"]), body)
        if module.triple.startswith("x86_64"):
            wide = _made(module, f"{name}.wide", Features(["noinline", "nounwind"], WIDE), body)
            flag = module.globals.get(_FLAG) or ir.GlobalVariable(module, _I64, _FLAG)
            with builder.if_else(builder.icmp_unsigned("!=", builder.load(flag), ir.Constant(_I64, 0))) as (yes, no):
                with yes:
                    builder.call(wide, args)
                with no:
                    builder.call(narrow, args)
        else:
            builder.call(narrow, args)
        return context.get_dummy_value()

    return types.void(I64, I64), code


@intrinsic
def compress(_, state, words):
    """One block of SHA-256 for all lanes: state (8 vectors at `state`) and message words (16 at `words`) → new state, in place."""
    return _calling("flink_masking.sha256", _compress)


@intrinsic
def compress_at(_, state, places):
    """The same for blocks of 64 bytes at sixteen addresses, which stand at `places`."""
    return _calling("flink_masking.sha256.at", _compress_at)


@intrinsic
def digests_at(_, state, places):
    """Write the digest of each lane, 32 bytes, to its address; the addresses stand at `places`."""
    return _calling("flink_masking.sha256.digests", _digests_at)


@intrinsic
def nodes(_, out, p):
    """SHA-256 of the byte 1 and each of sixteen stretches of 64 bytes at p → 32 bytes each at `out`, which may be p; the byte before p is
    read and does not count.
    """
    return _calling("flink_masking.sha256.nodes", _nodes)


def _swapping(n):
    @intrinsic
    def swap(_, p):
        """Reverse the bytes of every word in n vectors at p."""

        def code(context, builder, sig, args):
            turn = _function(builder, f"llvm.bswap.v{LANES}i32", 1)
            for k in range(n):
                _store(builder, builder.call(turn, [_load(builder, args[0], k)]), args[0], k)
            return context.get_dummy_value()

        return types.void(I64), code

    return swap


swap_words, swap_state = _swapping(16), _swapping(8)


@intrinsic
def clear64(_, p):
    """Store 64 zero bytes at p."""

    def code(context, builder, sig, args):
        for k in (0, 32):
            where = builder.inttoptr(builder.add(args[0], ir.Constant(_I64, k)), _ZEROS.as_pointer())
            builder.store(ir.Constant(_ZEROS, [0] * 32), where).align = 1
        return context.get_dummy_value()

    return types.void(I64), code


@intrinsic
def copy64(_, to, p):
    """Copy 64 bytes."""

    def code(context, builder, sig, args):
        halves = []
        for k in (0, 32):
            halves.append(builder.load(builder.inttoptr(builder.add(args[1], ir.Constant(_I64, k)), _ZEROS.as_pointer())))
            halves[-1].align = 1
        for k, half in zip((0, 32), halves, strict=True):
            builder.store(half, builder.inttoptr(builder.add(args[0], ir.Constant(_I64, k)), _ZEROS.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(I64, I64), code


def _word(builder, address, k):
    return builder.inttoptr(builder.add(address, ir.Constant(_I64, k)), _I32.as_pointer())


def _moving(n, ahead, behind):
    @intrinsic
    def move(_, to, p):
        """Copy n words of 4 bytes from p to `to`, whose addresses advance by `behind` and `ahead` bytes."""

        def code(context, builder, sig, args):
            for k in range(n):
                value = builder.load(_word(builder, args[1], k * behind))
                value.align = 1
                builder.store(value, _word(builder, args[0], k * ahead)).align = 1
            return context.get_dummy_value()

        return types.void(I64, I64), code

    return move


block_to_lane, state_to_lane, lane_to_bytes = (
    _moving(16, VECTOR_BYTES, 4), _moving(8, VECTOR_BYTES, VECTOR_BYTES), _moving(8, 4, VECTOR_BYTES))


@intrinsic
def broadcast(_, state, p):
    """Fill every lane of a state with the eight words at p."""

    def code(context, builder, sig, args):
        for k in range(8):
            word = builder.load(_word(builder, args[1], 4 * k))
            word.align = 1
            one = builder.insert_element(ir.Constant(_LANES, ir.Undefined), word, ir.Constant(_I32, 0))
            _store(builder, builder.shuffle_vector(one, one, ir.Constant(_LANES, [0] * LANES)), args[0], k)
        return context.get_dummy_value()

    return types.void(I64, I64), code


@intrinsic
def begin(_, state):
    """Put SHA-256's initial state into every lane."""

    def code(context, builder, sig, args):
        for k in range(8):
            _store(builder, _splat(START[k]), args[0], k)
        return context.get_dummy_value()

    return types.void(I64), code


@intrinsic
def digest_block(_, words, state):
    """Make the second block of HMAC's outer hash: the inner digest, the padding bit and the length of 64 + 32 bytes."""

    def code(context, builder, sig, args):
        for k in range(8):
            _store(builder, _load(builder, args[1], k), args[0], k)
        for k in range(8, 16):
            _store(builder, _splat({8: 0x80000000, 15: (64 + 32) * 8}.get(k, 0)), args[0], k)
        return context.get_dummy_value()

    return types.void(I64, I64), code
