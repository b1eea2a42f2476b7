"""Write calls of routines: functions that sort rows, or solve or decompose matrices, one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from nnjit.codegen.rewrite.legalize import is_batched
from nnjit.ir import Node
from nnjit.primitives import (
    argsort,
    cholesky,
    det_sign,
    eigenvectors,
    logabsdet,
    orthogonal,
    pinv,
    singular_vectors,
    solve,
    solve_triangular,
)


class Routine(NamedTuple):
    """How a primitive is called.

    Args:
        function: its name, in `runtime/lapack.py` or `runtime/sorting.py`.
        axes: of each item of its stack: 1 for rows, 2 for matrices.
        sizes: its arguments after the number of items.
        failure: the message of NumPy's LinAlgError if the function does not return 0; None if it never fails.
    """

    function: str
    axes: int
    sizes: Callable[[Node], tuple[Any, ...]]
    failure: str | None = None


def _length(node: Node) -> tuple[Any, ...]:
    return node.inputs[0].shape[-1:]


def _lengths(node: Node) -> tuple[Any, ...]:
    return node.inputs[-1].shape[-2:]


def _lengths_and_side(node: Node) -> tuple[Any, ...]:
    return *_lengths(node), int(node.params["side"] == "right")


def _lengths_and_triangle(node: Node) -> tuple[Any, ...]:
    return *_lengths(node), int(node.params["lower"])


def _lengths_and_rcond(node: Node) -> tuple[Any, ...]:
    return *_lengths(node), node.params["rcond"]


# fmt: off
ROUTINES = {
    argsort:          Routine("argsort_each",          1, _length),
    solve:            Routine("solve_each",            2, _lengths, failure="Singular matrix"),
    solve_triangular: Routine("solve_triangular_each", 2, _lengths_and_triangle, failure="Singular matrix"),
    logabsdet:        Routine("logabsdet_each",        2, _length),
    det_sign:         Routine("det_sign_each",         2, _length),
    cholesky:         Routine("cholesky_each",         2, _length, failure="Matrix is not positive definite"),
    eigenvectors:     Routine("eigenvectors_each",     2, _length, failure="Eigenvalues did not converge"),
    orthogonal:       Routine("orthogonal_each",       2, _lengths),
    singular_vectors: Routine("singular_vectors_each", 2, _lengths_and_side, failure="SVD did not converge"),
    pinv:             Routine("pinv_each",             2, _lengths_and_rcond, failure="SVD did not converge"),
}
# fmt: on
# A program returns the number of one of these messages, counted from 1.
FAILURES = tuple(dict.fromkeys(r.failure for r in ROUTINES.values() if r.failure is not None))


def routine_line(node: Node, name: Callable[[Node], str]) -> str:
    """The call of the routine `node` over the `n` rows of a block.

    Args:
        name: returns the view of a value.
    """
    routine = ROUTINES[node.primitive]
    x = node.inputs[0]
    inner = math.prod(d for d in x.shape[: -routine.axes] if isinstance(d, int))
    count = str(inner) if not is_batched(node) else "n" if inner == 1 else f"n * {inner}"
    operands = (count, *routine.sizes(node), *map(name, (*node.inputs, node)))
    call = f"{routine.function}({', '.join(map(str, operands))})"
    if routine.failure is not None:
        call = f"failed = {FAILURES.index(routine.failure) + 1} if {call} != 0 else failed"
    return f"{call}    # {node.type}"


def can_fail(node: Node) -> bool:
    """Whether the line of `node` sets `failed`."""
    return node.primitive in ROUTINES and ROUTINES[node.primitive].failure is not None
