"""Branch-free elementary functions of one element, which LLVM vectorises in the loops that call them.

Numba calls the scalar C library for `np.exp` and the like, 2 to 20 times slower. The function of a primitive
for a dtype is `{primitive}_{f32|f64}`, here and in `MATHS`; `philox` serves every dtype. With
`NUMBA_DISABLE_JIT=1` the same functions run as plain Python on NumPy scalars; results differ by a few ulp.

Compiling a new program would spend most of its time on them, so they are compiled once per machine: they are
loaded from copies of their source in the kernel cache, where Numba keeps the machine code next to them.

>>> import numpy as np
>>> float(MATHS["tanh_f32"](np.float32(0.5))) == float(np.float32(np.tanh(0.5)))
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nnjit.codegen.numba.cache import load

BOTH = (
    "cos", "entr", "erf", "exp", "exp2", "expm1", "expm1mx", "log", "log1p", "log2", "pow", "rel_entr",
    "sigmoid", "sin", "softplus", "tanh",
)  # fmt: skip
"""The functions of `functions.py`, one text for both dtypes."""
OTHERS = {
    "error": (
        "erfc_f32", "erfc_f64", "erfcinv_f32", "erfcinv_f64", "erfcx_f32", "erfcx_f64", "erfinv_f32",
        "erfinv_f64",
    ),
    "exponential_integral": ("expi_f32", "expi_f64"),
    "gamma": ("gamma_f32", "gamma_f64", "gammaln_f32", "gammaln_f64"),
    "random": ("philox", "uniform_f32", "uniform_f64"),
}  # fmt: skip
"""Module -> the functions in it."""


def source_of(dtype: str) -> str:
    """The text of `functions.py` with the parameters of `dtype`, "f32" or "f64"."""
    return _read("functions").replace("nnjit.codegen.maths.f64", f"nnjit.codegen.maths.{dtype}")


def _read(module: str) -> str:
    return Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")


class _Functions(Mapping[str, Callable[..., Any]]):
    """The functions by name; a module of them is loaded when first needed, which takes 2 ms."""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        module, attribute = _HOMES[name]
        function: Callable[..., Any] = getattr(_loaded(module), attribute)
        return function

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


@cache
def _loaded(module: str) -> Any:
    """A module of functions: of a dtype, or one of `OTHERS`."""
    text = _read(module) if module in OTHERS else source_of(module)
    return load(text, module)[0]


# Name -> the module that it is loaded from, and its name there.
_HOMES = {f"{name}_{dtype}": (dtype, name) for dtype in ("f32", "f64") for name in BOTH}
_HOMES |= {name: (module, name) for module, names in OTHERS.items() for name in names}
MATHS = _Functions()


def __getattr__(name: str) -> Callable[..., Any]:
    """A function of `MATHS`, as generated source imports it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return MATHS[name]
