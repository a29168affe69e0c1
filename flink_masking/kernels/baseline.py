"""The processors for which kernels are compiled ahead.

A wheel, an archive and an image carry machine code for one baseline of each kind of processor, so that no process that runs on it compiles
anything. numba compiles for one processor per process, so choosing the baseline is a decision for the whole process: `choose` makes it
before numba is imported, by numba's own environment variables, and leaves alone what the user has set.
"""

import os
import platform
import sys
from typing import NamedTuple


class Baseline(NamedTuple):
    """The least that a processor can do.

    Attributes:
        name: LLVM's name of the processor, ``NUMBA_CPU_NAME``.
        features: LLVM's features on top of it, ``NUMBA_CPU_FEATURES``.
        needs: features, by LLVM's names, without which the machine code does not run.
    """

    name: str
    features: str
    needs: frozenset[str]


BASELINES = {
    # AVX2 of 2013 (Intel Haswell) and 2015 (AMD Excavator).
    "x86_64": Baseline("x86-64-v3", "+avx2,+bmi,+bmi2,+fma,+lzcnt,+movbe,+popcnt",
                       frozenset({"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt"})),
    # Armv8-A; NEON is part of it.
    "aarch64": Baseline("generic", "+neon", frozenset({"neon"})),
}  # fmt: skip
"""By the machine's name as ``platform.machine`` gives it."""

VARIABLES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")


def lacking(baseline: Baseline) -> list[str]:
    """What of a baseline this processor lacks, by LLVM's names, sorted."""
    from llvmlite import binding

    found = binding.get_host_cpu_features()
    return sorted(name for name in baseline.needs if not found.get(name, False))


def choose() -> str | None:
    """Make numba compile for the baseline in this process, if that can still be chosen.

    Returns:
        Why kernels that were compiled ahead do not fit this process; None where they do. It is a sentence without a full stop.
    """
    baseline = BASELINES.get(platform.machine())
    if baseline is None:
        return f"no kernels are compiled ahead for {platform.machine()} processors"
    if any(name in os.environ for name in VARIABLES):
        return None if _settings() == baseline[:2] else f"{' or '.join(VARIABLES)} of the environment names another processor"
    if missing := lacking(baseline):
        return f"this processor lacks {', '.join(missing)}, and kernels are compiled ahead for {baseline.name}"
    if "numba" in sys.modules and _generating_code():
        return "numba has compiled for this processor before flink_masking was imported"
    os.environ.update(zip(VARIABLES, baseline[:2], strict=True))
    if "numba" in sys.modules:
        sys.modules["numba"].core.config.reload_config()
    return None


def _settings() -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in VARIABLES)


def _generating_code() -> bool:
    """Whether numba, which is imported, has made the code generator that it keeps."""
    from numba.core.registry import cpu_target

    return "_toplevel_target_context" in vars(cpu_target)
