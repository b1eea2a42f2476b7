"""Derivatives: of nodes of a graph (`pull_back`, `push_forward`), and of functions (`grad` and friends)."""

from nnjit.autodiff.check import check_grads
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.functions import as_node, grad, jvp, trace, value_and_grad, vjp
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.tree import flatten

__all__ = [
    "as_node", "check_grads", "flatten", "grad", "jvp", "pull_back", "push_forward", "trace",
    "value_and_grad", "vjp",
]  # fmt: skip
