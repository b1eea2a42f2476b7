"""Empty parts of computed values: compiled and plain alike, with NumPy's value or the same error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import jit
from nnjit.autodiff import grad
from nnjit.errors import GraphError

pytestmark = pytest.mark.exact  # compares values at exact inputs

ONE = np.array([3.0])

# fmt: off
VALUES: dict[str, Callable[[Any, Any], Any]] = {
    "slice":       lambda np, x: (x + 1)[1:],
    "sum":         lambda np, x: np.sum((x + 1)[1:]),
    "prod":        lambda np, x: np.prod((x + 1)[1:]),
    "any":         lambda np, x: np.any((x + 1)[1:]),
    "all":         lambda np, x: np.all((x + 1)[1:]),
    "diff":        lambda np, x: np.diff(x * 2),
    "ediff1d":     lambda np, x: np.ediff1d(x * 2),
    "trapezoid":   lambda np, x: np.trapezoid(x * 2),
    "cumsum":      lambda np, x: np.cumsum((x + 1)[1:]),
    "sort":        lambda np, x: np.sort((x + 1)[1:]),
    "concatenate": lambda np, x: np.concatenate([(x + 1)[1:], x, (x * x)[:0]]),
    "inner":       lambda np, x: (x + 1)[1:] @ (x + 1)[1:],
    "outer":       lambda np, x: np.outer((x + 1)[1:], x),
    "matmul":      lambda np, x: (x.reshape(1, 1) + 1)[:, 1:] @ (x.reshape(1, 1) + 1)[1:],
    "take":        lambda np, x: np.take(x * 2, [], axis=0) if np is not nnp else np.take(x * 2, ZERO),
    "where":       lambda np, x: np.where(x[1:] > 0, x[1:] * 2, 1.0),
    "norm":        lambda np, x: np.linalg.norm((x + 1)[1:]),
    "columns":     lambda np, x: np.sum((x.reshape(1, 1) + 1)[1:], axis=0),
    "max of no columns": lambda np, x: np.max((x.reshape(1, 1) + 1)[1:], axis=1),
    "var of one":  lambda np, x: np.var(x, ddof=1),
    "mean":        lambda np, x: np.mean((x + 1)[1:]),
    "median":    lambda np, x: np.median((x + 1)[1:]),
}
ZERO = np.zeros(0, int)
ERRORS: dict[str, Callable[[Any], Any]] = {
    "max":       lambda x: nnp.max((x + 1)[1:]),
    "min":       lambda x: nnp.min(x[1:]),
    "max of columns": lambda x: nnp.max((x.reshape(1, 1) + 1)[1:], axis=0),
    "argmax":    lambda x: nnp.argmax(x[1:]),
    "logsumexp": lambda x: nnp.logsumexp((x + 1)[1:]),
    "quantile":  lambda x: nnp.quantile((x + 1)[1:], 0.2),
}
# fmt: on


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.filterwarnings("ignore")
def test_a_value_of_nothing_is_numpys(name: str) -> None:
    function = VALUES[name]
    expected = function(np, ONE)
    for value in (function(nnp, ONE), jit(lambda x: function(nnp, x))(ONE)):
        np.testing.assert_array_equal(value, expected)
        assert np.shape(value) == np.shape(expected)


@pytest.mark.parametrize("name", ERRORS)
def test_what_nothing_has_not_is_one_error(name: str) -> None:
    for function in (ERRORS[name], jit(ERRORS[name])):
        with pytest.raises(GraphError, match="no elements over"):
            function(ONE)


def test_an_empty_part_adds_nothing_to_a_derivative() -> None:
    def f(x: Any) -> Any:
        return nnp.sum((x * x)[1:]) + nnp.sum(nnp.concatenate([(x + 1)[1:], 2 * x]))

    for slope in (grad(f)(ONE), jit(grad(f))(ONE)):
        np.testing.assert_array_equal(slope, [2.0])
