"""Compile for other processors than this one, and run the programs if those are simpler.

As a command, list the processors whose programs run here, or print the variables for one of them.
"""

from __future__ import annotations

import os
import sys

import llvmlite.binding as llvm
import pytest

PROCESSORS = ("generic", "haswell")  # without and with vectors of 256 bits
_WIDER = ("avx512", "avx10", "evex512")


def environment_of(cpu: str) -> dict[str, str]:
    """The environment of a process that compiles for a processor; skip the test if the program cannot run."""
    if not runs_here(cpu):
        pytest.skip(f"this processor cannot run programs compiled for {cpu}")
    return os.environ | variables_of(cpu)


def runs_here(cpu: str) -> bool:
    """Whether this processor can run programs compiled for `cpu`."""
    return cpu == "generic" or bool(llvm.get_host_cpu_features().get("avx2"))


def variables_of(cpu: str) -> dict[str, str]:
    """Variables that make Numba and nnjit compile for a processor, without instructions only of this one."""
    if cpu == "generic":
        return {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": ""}
    features = llvm.get_host_cpu_features()
    narrow = ",".join(f"+{name}" for name, on in features.items() if on and not name.startswith(_WIDER))
    return {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": narrow}


if __name__ == "__main__":
    if sys.argv[1:]:
        print(*(f"{name}={value}" for name, value in variables_of(sys.argv[1]).items()))
    else:
        print(*filter(runs_here, PROCESSORS))
