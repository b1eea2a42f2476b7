"""`eval_shape`: the types of results, from types alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import ShapeDtype, eval_shape, grad, jit, scan, vmap
from nnjit.errors import GraphError

X = ShapeDtype((4, 3), "f32")
HUGE = ShapeDtype((10**6, 10**6), "f32")  # an array of 4 TB


def structured(p: Any, n: Any) -> Any:
    return {"y": p["x"] @ p["w"] * n, "z": (nnp.argmax(p["x"], axis=0), None, p["x"] > 0, 2)}


def test_results_have_the_types_of_the_call() -> None:
    p = {"x": np.ones((4, 3), np.float32), "w": np.ones((3, 2), np.float32)}
    got = eval_shape(structured, {"x": X, "w": p["w"]}, 2)
    want = jit(structured)(p, 2)
    leaves = [(got["y"], want["y"]), *((got["z"][k], want["z"][k]) for k in (0, 2, 3))]
    assert [(g.shape, g.dtype) for g, _ in leaves] == [(w.shape, w.dtype) for _, w in leaves]
    assert got["z"][1] is None


def test_nothing_is_computed() -> None:
    loss = lambda x: nnp.sum(nnp.tanh(x) @ x.T)  # noqa: E731
    assert eval_shape(grad(loss), HUGE) == HUGE
    assert eval_shape(vmap(grad(lambda row: nnp.sum(row**2))), HUGE) == HUGE
    assert eval_shape(jit(lambda x: x[:, 0]), HUGE) == ShapeDtype((10**6,), "f32")
    _, rows = eval_shape(lambda x: scan(lambda c, row: (c + row[0], row * 2), x[0, 0], x), HUGE)
    assert rows == HUGE


def test_a_shape_and_dtype_is_compared_and_printed_by_value() -> None:
    assert ShapeDtype([np.int64(4), 3], np.float32) == X
    assert hash(ShapeDtype((4, 3), "float32")) == hash(X)
    assert ShapeDtype((4, 3), "f64") != X
    assert (str(X), X.ndim, X.size) == ("f32[4,3]", 2, 12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ShapeDtype(3, "f32"), "expected a tuple of whole numbers >= 0 as shape, got 3"),  # type: ignore[arg-type]
        (lambda: ShapeDtype((2, -1), "f32"), r"got \(2, -1\)"),
        (lambda: ShapeDtype((2,), "float33"), "'float33' is not a dtype; valid: f32, f64"),
        (lambda: ShapeDtype((2,), "c16"), "dtype complex128 is not supported; valid: f32, f64"),
        (lambda: eval_shape(lambda x: "word", X), "the function returns a str; expected arrays"),
        (lambda: eval_shape(lambda x: x @ x, X), r"matmul: f32\[4,3\] @ f32\[4,3\]"),
    ],
)
def test_a_misuse_says_what_fits(call: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()
