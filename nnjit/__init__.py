"""nnjit: train neural networks from a YAML file, compiled into one native epoch.

`fit` trains an experiment, `load` opens a run, and `grad` and its kin differentiate functions written with
`nnjit.numpy`. Everything is imported on first use, so `import nnjit` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnjit.lazy import lazy
from nnjit.version import VERSION

__version__ = VERSION

if TYPE_CHECKING:
    from nnjit.api import compare, fit, load
    from nnjit.autodiff import (
        ShapeDtype,
        associative_scan,
        check_grads,
        checkpoint,
        cond,
        custom_jvp,
        custom_vjp,
        eval_shape,
        fori_loop,
        grad,
        hessian,
        hvp,
        jacfwd,
        jacobian,
        jacrev,
        jvp,
        linearize,
        make_graph,
        register_dataclass,
        remat,
        scan,
        stop_gradient,
        switch,
        value_and_grad,
        vjp,
        vmap,
        while_loop,
    )
    from nnjit.codegen import clear_cache, jit
    from nnjit.report import draw
    from nnjit.searching import Search, search
    from nnjit.training import Run, Study

__getattr__ = lazy(
    __name__,
    {
        "compare": "nnjit.api",
        "fit": "nnjit.api",
        "load": "nnjit.api",
        "ShapeDtype": "nnjit.autodiff",
        "associative_scan": "nnjit.autodiff",
        "check_grads": "nnjit.autodiff",
        "checkpoint": "nnjit.autodiff",
        "cond": "nnjit.autodiff",
        "custom_jvp": "nnjit.autodiff",
        "custom_vjp": "nnjit.autodiff",
        "eval_shape": "nnjit.autodiff",
        "fori_loop": "nnjit.autodiff",
        "grad": "nnjit.autodiff",
        "hessian": "nnjit.autodiff",
        "hvp": "nnjit.autodiff",
        "jacfwd": "nnjit.autodiff",
        "jacobian": "nnjit.autodiff",
        "jacrev": "nnjit.autodiff",
        "jvp": "nnjit.autodiff",
        "linearize": "nnjit.autodiff",
        "make_graph": "nnjit.autodiff",
        "register_dataclass": "nnjit.autodiff",
        "remat": "nnjit.autodiff",
        "scan": "nnjit.autodiff",
        "stop_gradient": "nnjit.autodiff",
        "switch": "nnjit.autodiff",
        "value_and_grad": "nnjit.autodiff",
        "vjp": "nnjit.autodiff",
        "vmap": "nnjit.autodiff",
        "while_loop": "nnjit.autodiff",
        "clear_cache": "nnjit.codegen",
        "jit": "nnjit.codegen",
        "draw": "nnjit.report",
        "Search": "nnjit.searching",
        "search": "nnjit.searching",
        "Run": "nnjit.training",
        "Study": "nnjit.training",
    },
)

__all__ = [
    "Run", "Search", "ShapeDtype", "Study", "__version__", "associative_scan", "check_grads", "checkpoint",
    "clear_cache", "compare", "cond", "custom_jvp", "custom_vjp", "draw", "eval_shape", "fit", "fori_loop",
    "grad", "hessian", "hvp", "jacfwd", "jacobian", "jacrev", "jit", "jvp", "linearize", "load", "make_graph",
    "register_dataclass", "remat", "scan", "search", "stop_gradient", "switch", "value_and_grad", "vjp",
    "vmap", "while_loop",
]  # fmt: skip
