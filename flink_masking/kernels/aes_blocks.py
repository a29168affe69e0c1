# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""AES-256 (FIPS 197) on single blocks by the processor's own instructions (AES-NI), for values that each have a key of their own.

No step depends on the data: there is no table and no branch on a key or a value. Kernels are compiled ahead for x86-64-v3, to which these
instructions do not belong, so they stand in functions that are compiled for them, and `usable` says whether this processor has them.
"""

import platform
from functools import cache

from llvmlite import ir

from flink_masking.kernels import I64, intrinsic, types
from flink_masking.kernels.features import Features

SCHEDULE_BYTES = 240
"""Bytes of the round keys of a key."""
ROUNDS = 14
FEATURES = "+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+aes"
"""LLVM's features of these functions."""
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_BLOCK, _WORDS = ir.VectorType(_I64, 2), ir.VectorType(_I32, 4)


@cache
def usable() -> bool:
    """Whether this processor has AES-NI; then the kernels that use it can be called."""
    from llvmlite import binding

    found = binding.get_host_cpu_features() if platform.machine() == "x86_64" else {}
    return all(found.get(name.removeprefix("+"), False) for name in FEATURES.split(","))


def _made(module, name, arguments, body):
    """An LLVM function of some addresses, made once a module; of another processor than x86-64 an empty one, which nobody calls."""
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * arguments), name)
    function.linkage, function.attributes = "linkonce_odr", ir.values.FunctionAttributes(["noinline", "nounwind"])
    if module.triple.startswith("x86_64"):
        function.attributes = Features(["noinline", "nounwind"], FEATURES)
    builder = ir.IRBuilder(function.append_basic_block())
    if module.triple.startswith("x86_64"):
        body(builder, *function.args)
    builder.ret_void()
    return function


def _place(builder, address, k):
    return builder.inttoptr(builder.add(address, ir.Constant(_I64, 16 * k)), _BLOCK.as_pointer())


def _load(builder, address, k=0):
    value = builder.load(_place(builder, address, k))
    value.align = 1
    return value


def _store(builder, value, address, k=0):
    builder.store(value, _place(builder, address, k)).align = 1


def _called(builder, name, kinds, values):
    module, name = builder.module, f"llvm.x86.aesni.{name}"
    function = module.globals.get(name) or ir.Function(module, ir.FunctionType(_BLOCK, kinds), name)
    return builder.call(function, values)


def _next_key(builder, key, other, constant, word):
    """The next four words of the key schedule (FIPS 197, 5.2), from the four before the last four and from the last four."""
    assist = builder.bitcast(_called(builder, "aeskeygenassist", [_BLOCK, _I8], [other, ir.Constant(_I8, constant)]), _WORDS)
    turned = builder.shuffle_vector(assist, assist, ir.Constant(_WORDS, [word] * 4))
    made, zero = builder.bitcast(key, _WORDS), ir.Constant(_WORDS, [0] * 4)
    for order in ([4, 0, 1, 2], [4, 4, 0, 1]):
        made = builder.xor(made, builder.shuffle_vector(made, zero, ir.Constant(_WORDS, order)))
    return builder.bitcast(builder.xor(made, turned), _BLOCK)


def _expand(builder, key, schedule):
    first, second = _load(builder, key), _load(builder, key, 1)
    _store(builder, first, schedule)
    _store(builder, second, schedule, 1)
    for k in range(7):
        first = _next_key(builder, first, second, 1 << k, 3)
        _store(builder, first, schedule, 2 * k + 2)
        if k < 6:
            second = _next_key(builder, second, first, 0, 2)
            _store(builder, second, schedule, 2 * k + 3)


def _encrypt(builder, schedule, block, out):
    state = builder.xor(_load(builder, block), _load(builder, schedule))
    for k in range(1, ROUNDS):
        state = _called(builder, "aesenc", [_BLOCK, _BLOCK], [state, _load(builder, schedule, k)])
    _store(builder, _called(builder, "aesenclast", [_BLOCK, _BLOCK], [state, _load(builder, schedule, ROUNDS)]), out)


@intrinsic
def expand_key(_, key, schedule):
    """The round keys of the 32 bytes at `key` → `SCHEDULE_BYTES` bytes at `schedule`."""

    def code(context, builder, sig, args):
        builder.call(_made(builder.module, "flink_masking.aes256.expand", 2, _expand), args)
        return context.get_dummy_value()

    return types.void(I64, I64), code


@intrinsic
def encrypt_block(_, schedule, block, out):
    """Encrypt the 16 bytes at `block` → 16 bytes at `out`, which may be `block`."""

    def code(context, builder, sig, args):
        builder.call(_made(builder.module, "flink_masking.aes256.encrypt", 3, _encrypt), args)
        return context.get_dummy_value()

    return types.void(I64, I64, I64), code
