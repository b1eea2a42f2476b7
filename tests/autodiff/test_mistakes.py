"""Mistakes in calls of `grad` and related functions, or in the function: messages say what to do instead."""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import (
    check_grads,
    custom_jvp,
    custom_vjp,
    grad,
    jacobian,
    jvp,
    scan,
    vjp,
    vmap,
)
from nnjit.errors import GraphError

A = np.arange(3.0)


def ruled(kind: Any, *rules: Any) -> Any:
    def same(x: Any) -> Any:
        return x

    f = kind(same)
    (f.defjvp if kind is custom_jvp else f.defvjp)(*rules)
    return f


@custom_vjp
def by_name(x: Any, *, n: Any) -> Any:
    return x * n


by_name.defvjp(lambda x, n: (x * n, n), lambda n, g: (g * n, None))


# fmt: off
MISTAKES = (
    ("vector result",   lambda: grad(lambda x: x)(np.ones(3)), GraphError, r"returns a scalar of floats, got f64\[3\]; use jacobian"),
    ("two results",     lambda: grad(lambda x: (x, x))(1.0), GraphError, r"got \(\*, \*\) .*; has_aux=True for"),
    ("no result",       lambda: grad(lambda x: None)(1.0), GraphError, "got None .*; a return is missing"),
    ("text as result",  lambda: grad(lambda x: "a")(1.0), GraphError, "the function returns a str; expected arr"),
    ("integer result",  lambda: grad(lambda x: nnp.astype(x, "i32"))(1.0), GraphError, r"returns a scalar of floats, got i32\[\]"),
    ("integer input",   lambda: grad(lambda x: x)(3), GraphError, r"with respect to argument 0, i64\[\]: whole numbers have no derivative; use floats"),
    ("text as input",   lambda: grad(lambda x, y: x, 1)(3.0, "a"), GraphError, "to argument 1, a str: expected fl"),
    ("complex input",   lambda: grad(lambda x: x)(A * 1j), GraphError, "to argument 0, complex128: expected fl"),
    ("argnums",         lambda: grad(lambda x: x, 1)(3.0), GraphError, "argnums has 1, but 1 positional arg"),
    ("argnums by name", lambda: grad(lambda x: x, "x")(3.0), GraphError, "the number of an argument, .* got 'x'"),
    ("argnums twice",   lambda: grad(lambda x, y: x, (0, -2))(3.0, 1.0), GraphError, r"\(0, -2\): one of 2 .* twice"),
    ("by name alone",   lambda: grad(lambda x: x)(x=3.0), GraphError, "differentiate by position, not by name"),
    ("aux",             lambda: grad(lambda x: x, has_aux=True)(3.0), GraphError, r"\(result, other\), got a single f"),
    ("bool",            lambda: grad(lambda x: x if x > 0 else -x)(1.0), TypeError, r"b1\[\] has no truth value yet: use nnjit.numpy.where instead of `if` \(or nnjit.cond"),
    ("float",           lambda: grad(lambda x: float(x))(1.0), TypeError, r"f64\[\] is not a number yet: keep it inside the traced function"),
    ("tangent",         lambda: jvp(lambda x: x, (np.ones(3),), (np.ones(2),)), GraphError, r"expected a tangent or cotangent of type f64\[3\], got f64\[2\]"),
    ("tangent's dtype", lambda: jvp(lambda x: x, (A,), (A.astype("f4"),)), GraphError, r"got f32\[3\]; cast it: x.astype\('float64'\)"),
    ("complex tangent", lambda: jvp(lambda x: x, (A,), (A * 1j,)), GraphError, r"got complex128\[3\]$"),
    ("tangents",        lambda: jvp(lambda x, y: x, (A, A), (A,)), GraphError, r"structure \(\*, \*\) .* got \(\*,\)"),
    ("no tuple",        lambda: jvp(lambda x: x, 1.0, 1.0), GraphError, r"e.g. \(primal,\); got a float"),
    ("cotangent",       lambda: vjp(lambda x: x, np.ones(3))[1](np.ones(2)), GraphError, r"expected a tangent or cotangent of type f64\[3\], got f64\[2\]"),
    ("cotangents",      lambda: vjp(lambda x: {"a": x}, A)[1](A), GraphError, r"structure \{'a': \*\} .* got \*"),
    ("check in f32",    lambda: check_grads(nnp.sum, [A.astype("f4")]), GraphError, r"f32\[3\] is too coarse"),
    ("vmap's lengths",  lambda: vmap(lambda x, y: x)(A, A[1:]), GraphError, r"the same length, got 3 \(argument 0\), 2 \(argument 1\)"),
    ("vmap's lengths by name", lambda: vmap(lambda x, y: x)(A, y=A[1:]), GraphError, r'got 3 \(argument 0\), 2 \(argument "y"\)'),
    ("vmap of a number", lambda: vmap(lambda x, y: x)(A, 1.0), GraphError, r"0 for argument 1, f64\[\]; expected an array with an axis; .* None in in_axes"),
    ("vmap's axis",     lambda: vmap(lambda x: x, in_axes=1)(A), GraphError, r"1 for argument 0, f64\[3\]; expected a number from -1 to 0"),
    ("vmap's axes",     lambda: vmap(lambda x: x, in_axes=(0, 0))(A), GraphError, "in_axes has 2 entries for 1 arguments"),
    ("vmap's structure", lambda: vmap(lambda p: p[0], in_axes=((0, 0, 0),))((A, A)), GraphError, r"structure \(\*, \*, \*\) does not fit \(\*, \*\)"),
    ("vmap of nothing", lambda: vmap(lambda x: x, in_axes=None)(A), GraphError, "got none, since in_axes maps no argument"),
    ("vmap's result",   lambda: vmap(lambda x: x, out_axes=2)(A), GraphError, r"out_axes has 2 for a result that is f64\[3\] when stacked"),
    ("jacobian of whole numbers", lambda: jacobian(lambda x: nnp.astype(x, "i32"))(A), GraphError, r"returns floats, got i32\[3\]"),
    ("Jacobian at whole numbers", lambda: jacobian(lambda x: x)(np.arange(3)), GraphError, r"argument 0, i64\[3\]: whole numbers have no derivative"),
    ("carry of another dtype", lambda: scan(lambda c, x: (c + x, x), 0, A), GraphError, r"i64\[\] before a step and f64\[\] after it; give init the type"),
    ("rule's tangent",  lambda: grad(ruled(custom_jvp, lambda p, t: (p[0], A)))(1.0), GraphError, r"same: the rule gives a tangent f64\[3\] for a result f64\[\]"),
    ("rule's pair",     lambda: grad(ruled(custom_jvp, lambda p, t: t[0]))(1.0), GraphError, r"same: the rule must return a pair \(value, tangent\), got a single"),
    ("rule's forward",  lambda: grad(ruled(custom_vjp, lambda x: x, lambda r, g: (g,)))(1.0), GraphError, r"same: forward must return a pair \(value, residuals\), got a single"),
    ("rule's cotangents", lambda: grad(ruled(custom_vjp, lambda x: (x, 0), lambda r, g: g))(1.0), GraphError, r"same: the rule gives a single f64\[\] for 1 arguments; expected a tuple"),
    ("rule by name",    lambda: grad(lambda x: by_name(x, n=2.0))(1.0), GraphError, "by_name: its rule gets arguments by position, not n;"),
)
# fmt: on


@pytest.mark.parametrize(
    ("call", "error", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_mistake_says_what_is_allowed(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
