"""`jit`: a Python function as a native one, traced once for each combination of types."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from nnjit.autodiff import as_node, flatten
from nnjit.codegen.program import Compiled
from nnjit.ir import ArrayType, Graph, Node, new_input, type_of


def jit(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function `f`, compiled when it meets arguments of new shapes or dtypes.

    Arguments and result may be nested dicts, lists and tuples of arrays and numbers. Inside another trace,
    `f` itself runs, so it composes with `grad` and its kin in either order.

    >>> from nnjit import grad
    >>> import nnjit.numpy as np
    >>> float(jit(grad(np.tanh))(0.0))
    1.0
    """
    compiled: dict[Any, tuple[Compiled, Callable[..., Any]]] = {}

    @wraps(f)
    def native(*args: Any) -> Any:
        leaves, build = flatten(args)
        if any(isinstance(leaf, Node) for leaf in leaves):
            return f(*args)
        arrays = [np.asarray(leaf) for leaf in leaves]
        key = (tuple(map(type_of, arrays)), _structure(args))
        if key not in compiled:
            compiled[key] = _compile(f, key[0], build)
        run, build_result = compiled[key]
        return build_result(run(*arrays))

    return native


def _compile(
    f: Callable[..., Any], types: tuple[ArrayType, ...], build: Callable[..., Any]
) -> tuple[Compiled, Callable[..., Any]]:
    inputs = tuple(new_input(t) for t in types)
    outputs, build_result = flatten(f(*build(inputs)))
    return Compiled(Graph(inputs, tuple(map(as_node, outputs)))), build_result


def _structure(tree: Any) -> Any:
    """What tells two nestings apart, without the leaves."""
    if isinstance(tree, dict):
        return ("dict", tuple((k, _structure(tree[k])) for k in sorted(tree)))
    if isinstance(tree, (list, tuple)):
        return (type(tree).__name__, tuple(map(_structure, tree)))
    return None
