"""Branch-free elementary functions of one element, which LLVM vectorises in the loops that call them.

Numba calls the scalar C library for `np.exp` and the like, 2 to 20 times slower. The function of a primitive
for a dtype is `{primitive}_{f32|f64}`, here and in `MATHS`; `philox` serves every dtype. With
`NUMBA_DISABLE_JIT=1` the same functions run as plain Python on NumPy scalars; results differ by a few ulp.

Compiling a new program would spend most of its time on them, so they are compiled once on a machine: they are
loaded from copies of their source in the kernel cache, where Numba keeps the machine code beside them.

>>> import numpy as np
>>> float(MATHS["tanh_f32"](np.float32(0.5))) == float(np.float32(np.tanh(0.5)))
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nnjit.codegen.numba.cache import load

BOTH = ("cos", "erf", "exp", "expm1", "log", "log1p", "sigmoid", "sin", "softplus", "tanh")
"""The functions of `functions.py`, one text for both dtypes."""
OTHERS = {"gamma": ("gammaln_f32", "gammaln_f64"), "random": ("philox", "uniform_f32", "uniform_f64")}
"""Module -> the functions in it."""


def source_of(dtype: str) -> str:
    """The text of `functions.py` with the parameters of `dtype`, "f32" or "f64"."""
    return _read("functions").replace("nnjit.codegen.maths.f64", f"nnjit.codegen.maths.{dtype}")


def _read(module: str) -> str:
    return Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")


def _functions() -> Mapping[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for dtype in ("f32", "f64"):
        module, _ = load(source_of(dtype), dtype)
        found |= {f"{name}_{dtype}": getattr(module, name) for name in BOTH}
    for file, names in OTHERS.items():
        module, _ = load(_read(file), file)
        found |= {name: getattr(module, name) for name in names}
    return MappingProxyType(found)


MATHS = _functions()


def __getattr__(name: str) -> Callable[..., Any]:
    """A function of `MATHS`, as generated source imports it."""
    if name not in MATHS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return MATHS[name]
