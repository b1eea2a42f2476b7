"""NumPy's own functions and idioms on traced values, and the messages where they cannot work."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import nnjit.numpy as nnp
from nnjit.autodiff import grad, trace, vmap
from nnjit.codegen import jit
from nnjit.ir import B, Node, array_type, interpret, new_input, type_of, verify

X = np.array([0.3, 1.7, 0.9])

# fmt: off
PROGRAMS = (
    ("ufunc",            lambda x: np.sum(np.tanh(x))),
    ("ufunc of SciPy",   lambda x: np.sum(scipy.special.erf(x) + scipy.special.expit(x))),
    ("array on the left", lambda x: np.sum(np.arange(3.0) ** x - X * x / X + np.float64(2.0) * x)),
    ("float32 on the left", lambda x: np.sum(np.float32(2.0) * x + np.ones(3, np.float32) @ x)),
    ("options",          lambda x: np.sum(x, where=X > 1, initial=0.5) + np.max(x, initial=1.0, where=X < 1)),
    ("options of methods", lambda x: x.reshape(3, 1, order="F").flatten("F").sum(where=X < 1) * x.var()),
    ("functions",        lambda x: np.mean(np.where(x > 1, np.square(x), x)) + np.max(np.stack([x, x]))),
    ("methods",          lambda x: x.reshape(3, 1).T.ravel().sum() + x.clip(0.5, 1.0).max() + x.min()),
    ("comparison",       lambda x: np.sum(np.where(np.arange(3) == 1, x, np.where(x != 7.0, 5 * x, -x)))),
    ("list of nodes",    lambda x: nnp.sum(nnp.sin([x[0], x[1] * x[2], 1.0]))),
    ("mixed arrays",     lambda x: np.dot(np.concatenate([x, X]), np.concatenate([X, x]))),
)
# fmt: on


@pytest.mark.parametrize("f", [p[1] for p in PROGRAMS], ids=[p[0] for p in PROGRAMS])
def test_program_written_for_numpy_can_be_differentiated(f: Callable[..., Any]) -> None:
    step = 1e-6
    differences = [(f(X + step * t) - f(X - step * t)) / (2 * step) for t in np.eye(3)]
    np.testing.assert_allclose(grad(f)(X), differences, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor], ids=lambda f: f.__name__)
def test_logic_by_operators(op: Callable[..., Any]) -> None:
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    types = [type_of(a), type_of(b)]
    got = interpret(verify(trace(lambda a, b: (op(a, b), ~a, op(True, a)), types)), [a, b])
    for g, w in zip(got, (op(a, b), ~a, op(True, a)), strict=True):
        np.testing.assert_array_equal(g, w)


def test_nodes_are_the_elements_of_sets_outside_of_a_trace() -> None:
    x, y = new_input(array_type("f64", (3,))), new_input(array_type("f64", (3,)))
    assert (x == x, x == y, x != y) == (True, False, True)
    assert len({x, y, x}) == 2
    assert isinstance(x == 1.0, Node)
    assert isinstance(x != X, Node)
    assert x != "a"


def test_elements_of_traced_values_are_compared() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.where(x == x[::-1], 3.0 * x, 0.0) + np.where(x != np.max(x), x, 0.0))

    want = [1.0, 3.0, 1.0]  # the middle element is its own mirror image, and the largest
    np.testing.assert_array_equal(grad(f)(X), want)
    np.testing.assert_array_equal(vmap(grad(f))(X[None])[0], want)
    np.testing.assert_array_equal(jit(grad(f))(X), want)
    # compiled inside a trace, where lists of nodes are compared as such
    np.testing.assert_array_equal(grad(lambda x: np.sum(x * jit(grad(f))(X)))(X), want)
    with pytest.raises(TypeError, match=r"use nnjit\.numpy\.where instead of `if`"):
        grad(lambda x: x if x == x[0] else 2 * x)(X)


def test_length_and_size_of_traced_values() -> None:
    x = new_input(array_type("f64", (2, 3)))
    assert (len(x), x.size, x.ndim) == (2, 6, 2)
    assert (np.shape(x), np.size(x), np.size(x, 1), np.ndim(x)) == ((2, 3), 6, 3, 2)


def loop(x: Any) -> Any:
    while x > 1.0:
        x = x / 2
    return x


def assign(x: Any) -> Any:
    x[0] = 1.0
    return x


def fill(x: Any) -> Any:
    out = np.zeros(3)
    out[:] = x
    return out


def add_in_place(x: Any) -> Any:
    out = np.zeros(3)
    out += x
    return out


# fmt: off
MISTAKES = (
    ("if",             lambda x: x if x[0] > 0 else -x,  "use nnjit.numpy.where instead of `if`"),
    ("while",          lambda x: loop(x[0]),             "nnjit.while_loop or a loop over a known range"),
    ("float",          lambda x: float(x[0]),            r"f64\[\] is not a number yet: keep it inside"),
    ("math",           lambda x: math.sin(x[0]),         "with nnjit.numpy.sin etc. instead"),
    ("int",            lambda x: int(x[0]),              r"f64\[\] is not a number yet: .*astype, floor"),
    ("index",          lambda x: [1, 2][x[0]],           "nnjit.numpy.take instead of a list"),
    ("range",          lambda x: list(range(x[0])),      "with nnjit.fori_loop instead of `range`"),
    ("round",          lambda x: round(x[0]),            r"nnjit\.numpy\.round"),
    ("complex",        lambda x: complex(x[0]),          "complex numbers are not supported"),
    ("len",            lambda x: len(x[0]),              r"len\(\) of a traced value without axes, f64\[\]"),
    ("assignment",     assign,                           r"nnjit.numpy.where, the functional x.at\[i\].set"),
    ("array's elements", fill,                           "an array cannot hold; use nnjit.numpy.where"),
    ("array in place", add_in_place,                     "an array cannot take it in place"),
    ("numpy.array",    lambda x: np.array([x, x]),       "an array cannot hold; use nnjit.numpy.where"),
    ("out of NumPy",   lambda x: np.sum(x, out=np.zeros(())), "sum: out= is not supported, .* x.at"),
    ("out of a method", lambda x: x.cumsum(out=np.zeros(3)), "cumsum: out= is not supported"),
    ("out of ours",    lambda x: nnp.exp(x, out=np.zeros(3)), "exp: out= is not supported"),
    ("out of ufunc",   lambda x: np.exp(x, out=np.zeros(3)), "an array cannot take it in place"),
    ("out of others",  lambda x: np.stack([x], out=np.zeros((1, 3))), "stack of .* does not take out=; use"),
    ("where of a ufunc", lambda x: np.exp(x, where=X > 1), "exp of .* does not take where=; valid: x"),
    ("casting",        lambda x: np.concatenate([x, x], casting="no"), "not take casting=; valid: arrays"),
    ("written in place", lambda x: np.put_along_axis(x, np.array([0]), 1.0, 0), "put_along_axis has no rule"),
    ("complex",        lambda x: np.fft.rfft(x),         "numpy.fft.rfft has no rule in nnjit"),
    ("dtype in third place", lambda x: np.sum(x, 0, np.float32), "keepdims must be True or False, .* dtype="),
    ("two bounds",     lambda x: np.clip(x, 0.0, None, min=1.0), "both a_min and min are given"),
    ("function",       lambda x: np.fft.fft(x),          "numpy.fft.fft has no rule in nnjit; compose it"),
    ("ufunc",          lambda x: np.spacing(x),          "numpy.spacing has no rule in nnjit"),
    ("ufunc's method", lambda x: np.add.accumulate(x),   "numpy.add.accumulate has no rule in nnjit"),
    ("attribute",      lambda x: x.strides,              r"f64\[3\] has no attribute strides"),
    ("list",           lambda x: x.tolist(),             r"f64\[3\] is not a number yet"),
    ("item",           lambda x: x[0].item(),            r"f64\[\] is not a number yet"),
    ("format",         lambda x: f"{x[0]:.2f}",          r"f64\[\] is not a number yet: .*print the"),
    ("builtin max",    lambda x: max(x[0], 2.0),         "maximum, minimum, sort of nnjit.numpy instead of"),
    ("where of one",   lambda x: np.where(x > 0)[0],     "with three arguments, count_nonzero, or argmax"),
    ("ufunc of others", scipy.special.j0,                "the ufunc j0 has no rule in nnjit"),
    ("bits",           lambda x: x & 1, r"bitwise_and: f64\[3\] and f64\[\] are not whole numbers"),
    ("ragged list",    lambda x: nnp.sum([x, x[1:]]),    r"different shapes: f64\[3\], f64\[2\]"),
)
# fmt: on


@pytest.mark.parametrize(("f", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_says_what_to_use_instead(f: Callable[..., Any], message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        trace(f, [array_type("f64", (3,))])
    assert type(caught.value).__name__ in ("TypeError", "GraphError", "AttributeError")


def test_batch_axis_has_no_length_yet() -> None:
    with pytest.raises(Exception, match="the batch axis has no static length"):
        len(new_input(array_type("f64", (B, 3))))
