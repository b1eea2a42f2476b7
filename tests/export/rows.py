"""Operations in addition to the table of primitives, for every format."""

from __future__ import annotations

import numpy as np

import nnjit.numpy as nnp
from nnjit import primitives as p
from nnjit.autodiff import fori_loop, switch
from nnjit.ir import B
from tests.primitives.table import Arg, Row, X, Y, index3

ENDS = np.array([0, 1e-3, 0.3, 0.31, 0.7, 2, 20, -0.2, -3, np.inf, -np.inf, np.nan])
PAIRS = np.meshgrid(ENDS, ENDS)


def _given(values: np.ndarray) -> Arg:
    """An argument with these values in every row."""
    return Arg((B, values.size), lambda rng, shape: np.broadcast_to(values.ravel(), shape))


def _turns(x: nnp.Array, y: nnp.Array) -> nnp.Array:
    """The last values of a loop, and the values of a step before."""
    return nnp.concatenate(fori_loop(0, 4, lambda k, c: (c[1], nnp.tanh(c[0]) + y), (x, y)), axis=1)


def _chosen(index: nnp.Array, x: nnp.Array, y: nnp.Array) -> nnp.Array:
    """One of three by the first number, in a loop."""
    branches = (lambda x: x * 2, lambda x: x - y, nnp.tanh)
    return fori_loop(0, 2, lambda k, x: switch(index, branches, x), x)


CONTROL = (
    Row("fori_loop", _turns, np.add, (X, Y)),
    Row("switch in a loop", _chosen, np.add, (Arg((), index3, "i32"), X, Y)),
    Row(
        "switch", lambda i, x: switch(i, (nnp.exp, nnp.tanh, nnp.sin), x), np.add, (Arg((), index3, "i32"), X)
    ),
)
"""Loops and choices; the interpreter says what they compute, not the reference."""

AT_ENDS = (
    *(Row(f.name, f, np.add, (_given(ENDS),)) for f in (p.entr, p.expm1mx)),
    *(Row(f.name, f, np.add, tuple(map(_given, PAIRS))) for f in (p.xlogy, p.xlog1py, p.xdivy, p.rel_entr)),
)
"""Functions written as formulas in most formats, at zeros, infinities and NaN, and where terms cancel."""
