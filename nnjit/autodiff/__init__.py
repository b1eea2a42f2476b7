"""Derivatives: of graph nodes (`pull_back`, `push_forward`) and of functions (`grad` and friends).

Loops, branches and other control flow, with the rules of their primitives, are imported on first use.
"""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy

if TYPE_CHECKING:
    from nnjit.autodiff.batch import vmap
    from nnjit.autodiff.check import check_grads
    from nnjit.autodiff.control.associative import associative_scan
    from nnjit.autodiff.control.branches import cond, switch
    from nnjit.autodiff.control.counting import fori_loop
    from nnjit.autodiff.control.scanning import scan
    from nnjit.autodiff.control.while_loop import while_loop
    from nnjit.autodiff.custom import as_node, custom_jvp, custom_vjp
    from nnjit.autodiff.forward import push_forward
    from nnjit.autodiff.functions import grad, jvp, linearize, stop_gradient, value_and_grad, vjp
    from nnjit.autodiff.jacobians import hessian, hvp, jacfwd, jacobian, jacrev
    from nnjit.autodiff.recomputation import checkpoint, remat
    from nnjit.autodiff.reverse import pull_back
    from nnjit.autodiff.shapes import ShapeDtype, eval_shape
    from nnjit.autodiff.tracing import close, make_graph, trace
    from nnjit.autodiff.tree import flatten, register_dataclass

__getattr__ = lazy(
    __name__,
    {
        "vmap": "nnjit.autodiff.batch",
        "check_grads": "nnjit.autodiff.check",
        "associative_scan": "nnjit.autodiff.control.associative",
        "cond": "nnjit.autodiff.control.branches",
        "switch": "nnjit.autodiff.control.branches",
        "fori_loop": "nnjit.autodiff.control.counting",
        "scan": "nnjit.autodiff.control.scanning",
        "while_loop": "nnjit.autodiff.control.while_loop",
        "as_node": "nnjit.autodiff.custom",
        "custom_jvp": "nnjit.autodiff.custom",
        "custom_vjp": "nnjit.autodiff.custom",
        "push_forward": "nnjit.autodiff.forward",
        "grad": "nnjit.autodiff.functions",
        "jvp": "nnjit.autodiff.functions",
        "linearize": "nnjit.autodiff.functions",
        "stop_gradient": "nnjit.autodiff.functions",
        "value_and_grad": "nnjit.autodiff.functions",
        "vjp": "nnjit.autodiff.functions",
        "hessian": "nnjit.autodiff.jacobians",
        "hvp": "nnjit.autodiff.jacobians",
        "jacfwd": "nnjit.autodiff.jacobians",
        "jacobian": "nnjit.autodiff.jacobians",
        "jacrev": "nnjit.autodiff.jacobians",
        "checkpoint": "nnjit.autodiff.recomputation",
        "remat": "nnjit.autodiff.recomputation",
        "pull_back": "nnjit.autodiff.reverse",
        "ShapeDtype": "nnjit.autodiff.shapes",
        "eval_shape": "nnjit.autodiff.shapes",
        "close": "nnjit.autodiff.tracing",
        "make_graph": "nnjit.autodiff.tracing",
        "trace": "nnjit.autodiff.tracing",
        "flatten": "nnjit.autodiff.tree",
        "register_dataclass": "nnjit.autodiff.tree",
    },
)

__all__ = [
    "ShapeDtype", "as_node", "associative_scan", "check_grads", "checkpoint", "close", "cond", "custom_jvp",
    "custom_vjp", "eval_shape", "flatten", "fori_loop", "grad", "hessian", "hvp", "jacfwd", "jacobian",
    "jacrev", "jvp", "linearize", "make_graph", "pull_back", "push_forward", "register_dataclass", "remat",
    "scan", "stop_gradient", "switch", "trace", "value_and_grad", "vjp", "vmap", "while_loop",
]  # fmt: skip
