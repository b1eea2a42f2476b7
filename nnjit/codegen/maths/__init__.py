"""Branch-free elementary functions of one element, which LLVM vectorises in the loops that call them.

Numba calls the scalar C library for `np.exp` and its like, 2 to 20 times slower. The function of a primitive
for a dtype is named `{primitive}_{f32|f64}`, here and in `MATHS`; `philox` serves every dtype. With
`NUMBA_DISABLE_JIT=1` the same functions run as plain Python on NumPy scalars, and give the same to a few ulp.

Most of the time that a new program takes to compile would go into them, so they are compiled once on a
machine: from copies in the cache of kernels, where Numba keeps the machine code beside them.

>>> import numpy as np
>>> float(MATHS["tanh_f32"](np.float32(0.5))) == float(np.float32(np.tanh(0.5)))
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numba import config

from nnjit.codegen.numba.cache import load

BOTH = ("cos", "erf", "exp", "expm1", "log", "log1p", "sigmoid", "sin", "softplus", "tanh")
MODULES = {
    "f32": tuple(f"{name}_f32" for name in BOTH),
    "f64": tuple(f"{name}_f64" for name in BOTH),
    "gamma": ("gammaln_f32", "gammaln_f64"),
    "random": ("philox", "uniform_f32", "uniform_f64"),
}


def _functions() -> Mapping[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for module, names in MODULES.items():
        path = Path(__file__).with_name(f"{module}.py")
        if config.DISABLE_JIT:
            loaded: Any = import_module(f"{__name__}.{module}")
        else:
            loaded, _ = load(path.read_text(encoding="utf-8"), module)
        found |= {name: getattr(loaded, name) for name in names}
    return MappingProxyType(found)


MATHS = _functions()
globals().update(MATHS)  # what generated source imports by name

__all__ = ["MATHS", *MATHS]
