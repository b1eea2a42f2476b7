"""Jacobians and Hessians, in one pass for all rows or columns, and products with a Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff.batch import batch
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.functions import grad, jvp
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.tracing import Argnums, Call, call, numbers_of
from nnjit.errors import GraphError
from nnjit.ir import Node, constant, new_input, origin
from nnjit.ir.types import static

Mode = Literal["forward", "reverse"]


@dataclass(frozen=True)
class Jacobian:
    """A function that returns the Jacobian of `function`: ∂outᵢ/∂xⱼ, the axes of out before those of x.

    Args:
        chosen: the mode; None picks the one that needs fewer passes.
    """

    function: Callable[..., Any]
    argnums: Argnums
    has_aux: bool
    chosen: Mode | None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = self._call(args, kwargs)
        blocks = BLOCKS[self._mode(made)](made)
        done, aux = made.with_aux([b for row in blocks for b in row], self.has_aux)
        width = len(made.inputs)
        rows = [made.build(done[k * width : (k + 1) * width]) for k in range(len(made.outputs))]
        out = made.build_out([row if isinstance(self.argnums, (tuple, list)) else row[0] for row in rows])
        return (out, aux) if self.has_aux else out

    def mode(self, *args: Any, **kwargs: Any) -> Mode:
        """The mode used for these arguments.

        >>> jacobian(lambda x: x @ x).mode(np.ones(3)), jacobian(lambda x: x * np.ones(3)).mode(1.0)
        ('reverse', 'forward')
        """
        return self._mode(self._call(args, kwargs))

    def _call(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Call:
        made = call(self.function, args, kwargs, argnums=numbers_of(self.argnums), has_aux=self.has_aux)
        for out in made.outputs:
            if not out.type.is_float:
                raise GraphError(f"jacobian needs a function that returns floats, got {out.type}")
        return made

    def _mode(self, made: Call) -> Mode:
        if self.chosen is not None:
            return self.chosen
        return "forward" if _size(made.inputs) < _size(made.outputs) else "reverse"


def jacobian(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Jacobian:
    """Return a function for the Jacobian of `f`, by the mode that needs fewer passes.

    Forward mode needs a pass for each element of the arguments `argnums`, reverse mode one for each of the
    result; a tie goes to reverse mode. `jacobian(f).mode(x)` tells which is used.

    Args:
        argnums: which arguments; they and the result may be nested dicts, lists and tuples of arrays. The
            Jacobian has the result's structure, with the arguments' structure in each place.
        has_aux: whether `f` returns (result, other); the result is then (Jacobian, other).

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    return Jacobian(f, argnums, has_aux, None)


def jacfwd(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Jacobian:
    """As `jacobian`, by forward mode: all columns at once."""
    return Jacobian(f, argnums, has_aux, "forward")


def jacrev(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Jacobian:
    """As `jacobian`, by reverse mode: all rows at once."""
    return Jacobian(f, argnums, has_aux, "reverse")


def hessian(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Jacobian:
    """Return a function for the second derivatives of `f`: forward mode over reverse mode.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0])).tolist()
    [[4.0, 2.0], [2.0, 0.0]]
    """
    return jacfwd(jacrev(f, argnums, has_aux), argnums, has_aux)


def hvp(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return (x, v, *others) -> H(x) v, where H is the Hessian of the scalar `f` in its first argument.

    It costs a few gradients and never builds H. It can be passed as `hessp` to `scipy.optimize.minimize`.

    >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]), np.array([1.0, 0.0])).tolist()
    [4.0, 2.0]
    """

    def product(x: Any, v: Any, *others: Any, **kwargs: Any) -> Any:
        return jvp(lambda x: grad(f)(x, *others, **kwargs), (x,), (v,))[1]

    return product


@origin("backward")
def _rows(made: Call) -> list[list[Node]]:
    """The blocks of the Jacobian for each output and input, by reverse mode."""
    blocks = []
    for out in made.outputs:
        seed, shape = new_input(out.type), static(out.shape)
        back = batch(pull_back([out], made.inputs, [seed]), {seed: _basis(seed)}, math.prod(shape))
        blocks.append([nnp.reshape(b, (*shape, *x.shape)) for b, x in zip(back, made.inputs, strict=True)])
    return blocks


@origin("tangent")
def _columns(made: Call) -> list[list[Node]]:
    """The blocks of the Jacobian for each output and input, by forward mode."""
    columns = []
    for x in made.inputs:
        seed, shape = new_input(x.type), static(x.shape)
        moved = batch(push_forward(made.outputs, [x], [seed]), {seed: _basis(seed)}, math.prod(shape))
        moved = [nnp.moveaxis(m, 0, -1) for m in moved]
        columns.append(
            [nnp.reshape(m, (*out.shape, *shape)) for m, out in zip(moved, made.outputs, strict=True)]
        )
    return [list(row) for row in zip(*columns, strict=True)]


def _basis(seed: Node) -> Node:
    """All unit vectors of the type of `seed`, stacked."""
    size = math.prod(static(seed.shape))
    return constant(np.eye(size).reshape(size, *static(seed.shape)), seed.dtype)


def _size(nodes: Sequence[Node]) -> int:
    return sum(math.prod(static(n.shape)) for n in nodes)


BLOCKS: dict[Mode, Callable[[Call], list[list[Node]]]] = {"forward": _columns, "reverse": _rows}
