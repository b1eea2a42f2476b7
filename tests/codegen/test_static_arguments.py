"""`static_argnums` and `static_argnames` of `jit`: values built into a program, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import grad, vmap
from nnjit.codegen import jit
from nnjit.errors import GraphError
from tests.codegen.test_function import counted

pytestmark = [pytest.mark.kernels, pytest.mark.small]

X = np.array([0.3, -0.7, 1.1])


def power(x: Any, n: int = 2, *, how: Callable[[Any], Any] = nnp.sum) -> Any:
    out = 1.0
    for _ in range(n):
        out = out * x
    return how(out)


@pytest.mark.parametrize(
    "options",
    [
        {"static_argnums": 1, "static_argnames": ("how",)},
        {"static_argnums": (-1,), "static_argnames": "how"},
        {"static_argnames": ["n", "how"]},
    ],
    ids=str,
)
def test_a_static_argument_is_known_while_it_is_traced(options: dict[str, Any]) -> None:
    f, runs = counted(power)
    native = jit(wraps(power)(f), **options)
    for n in (3, 2, 3):
        np.testing.assert_allclose(native(X, n, how=nnp.mean), np.mean(X**n), rtol=1e-14)
    np.testing.assert_allclose(native(X, n=3), np.sum(X**3), rtol=1e-14)
    np.testing.assert_allclose(native(X), np.sum(X**2), rtol=1e-14)
    assert len(runs) == 4  # a program for each of the combinations


def test_equal_values_of_other_types_have_other_programs() -> None:
    native = jit(lambda x, n: x * (3 if n is True else 5 if isinstance(n, int) else 7), static_argnums=1)
    assert [float(native(1.0, n)) for n in (True, 1, 1.0, True)] == pytest.approx([3.0, 5.0, 7.0, 3.0])
    sign = jit(lambda x, c: x * (1 if str(c[0]) == "0.0" else -1), static_argnums=1)
    assert [float(sign(1.0, c)) for c in ((0.0,), (-0.0,))] == pytest.approx([1.0, -1.0])


def test_it_composes_with_derivatives_and_maps() -> None:
    want = 3 * X**2
    np.testing.assert_allclose(jit(grad(power), static_argnums=1)(X, 3), want, rtol=1e-14)
    np.testing.assert_allclose(grad(jit(power, static_argnums=1))(X, 3), want, rtol=1e-14)
    one = jit(power, static_argnums=(1,), static_argnames="how")
    np.testing.assert_allclose(vmap(lambda x: one(x, 3, how=nnp.sin))(X), np.sin(X**3), rtol=1e-14)


def test_a_method_may_have_a_static_self() -> None:
    class Line:
        def __init__(self, slope: float) -> None:
            self.slope = slope

        @partial(jit, static_argnums=0)
        def __call__(self, x: Any) -> Any:
            return self.slope * x

    assert [float(Line(s)(2.0)) for s in (3.0, 4.0)] == pytest.approx([6.0, 8.0])


MISTAKES = (
    (lambda: jit(power, static_argnums=1)(X, [2]), "jit: argument 1 is static, and a list is not hashable"),
    (
        lambda: jit(power, static_argnames="how")(X, how={}),
        'argument "how" is static, and a dict',
    ),
    (lambda: jit(power, static_argnums=1)(X, (2, [3])), "1 is static, and this tuple is not hashable"),
    (lambda: grad(jit(power, static_argnums=0))(X), "jit: argument 0 is static and traced"),
    (lambda: jit(power, static_argnums=2), "static_argnums has 2, but the function takes 2 by position"),
    (
        lambda: jit(power, static_argnums="n"),
        "static_argnums: expected the number of an argument",
    ),
    (lambda: jit(power, static_argnames=1), "static_argnames: expected the name of an argument"),
    (lambda: jit(power, static_argnames="hwo"), 'no argument "hwo"; did you mean "how"?'),
    (
        lambda: jit(power)(X, how=nnp.mean),
        "an argument is a function; .* or make it static",
    ),
)


@pytest.mark.parametrize(("call", "message"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_mistake_says_what_is_allowed(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()
