"""Derivatives: of nodes of a graph (`pull_back`, `push_forward`), and of functions (`grad` and friends)."""

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

__all__ = [
    "ShapeDtype", "as_node", "associative_scan", "check_grads", "checkpoint", "close", "cond", "custom_jvp",
    "custom_vjp", "eval_shape", "flatten", "fori_loop", "grad", "hessian", "hvp", "jacfwd", "jacobian",
    "jacrev", "jvp", "linearize", "make_graph", "pull_back", "push_forward", "register_dataclass", "remat",
    "scan", "stop_gradient", "switch", "trace", "value_and_grad", "vjp", "vmap", "while_loop",
]  # fmt: skip
