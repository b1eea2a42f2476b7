"""Other processors than this one, for which programs can be compiled and, where they are simpler, run."""

from __future__ import annotations

import os

import llvmlite.binding as llvm
import pytest

PROCESSORS = ("generic", "haswell")  # without and with vectors of 256 bits
_WIDER = ("avx512", "avx10", "evex512")


def environment_of(cpu: str) -> dict[str, str]:
    """The environment of a process that compiles for a processor; skips the test where it would not run."""
    if cpu == "generic":
        return os.environ | {"NUMBA_CPU_NAME": cpu}
    features = llvm.get_host_cpu_features()
    if not features.get("avx2"):
        pytest.skip("this processor has no AVX2")
    narrow = ",".join(f"+{name}" for name, on in features.items() if on and not name.startswith(_WIDER))
    return os.environ | {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": narrow}
