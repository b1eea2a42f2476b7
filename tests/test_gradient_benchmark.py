"""The benchmark's gradients are the same in all libraries; a missing library is named."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import grad, jit
from scripts.benchmark.contestants import GRADIENTS
from scripts.benchmark.functions import FUNCTIONS, Function
from scripts.benchmark.worker import serve
from scripts.benchmark.workloads import WORKLOADS

NEEDED = {"gradient_jax": "jax", "gradient_autograd": "autograd"}


@pytest.fixture(autouse=True)
def _jax_is_left_as_it_was() -> Iterator[None]:
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", False)


def asked(contestant: str, function: str, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer of a child."""
    lines = [{"contestant": contestant, "workload": function, "rows": None, "options": {}}, *calls]
    answers = io.StringIO()
    serve(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_compiled_gradient_is_the_interpreted_one(function: Function) -> None:
    gradient = grad(function.of(nnp))
    np.testing.assert_allclose(
        jit(gradient)(function.point), gradient(function.point), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("contestant", GRADIENTS)
def test_contestants_answer_with_the_same_gradient(contestant: str) -> None:
    pytest.importorskip(NEEDED.get(contestant, "nnjit"), reason="the library is not installed")
    point = np.asarray(FUNCTIONS["rosenbrock"].point)
    want = grad(FUNCTIONS["rosenbrock"].of(nnp))(point)
    ready, digest, seconds = asked(
        contestant,
        "rosenbrock",
        {"call": "digest", "arguments": []},
        {"call": "time", "arguments": [2]},
    )
    assert ready == {"value": "ready"}
    np.testing.assert_allclose(digest["value"], [want.sum(), abs(want).sum(), want[0], want[-1]], rtol=1e-12)
    assert seconds["value"] > 0


def test_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "autograd", None)
    monkeypatch.delitem(sys.modules, "scripts.benchmark.contestants.gradient_autograd", raising=False)
    (answer,) = asked("gradient_autograd", "scalar")
    assert answer == {"unavailable": "autograd is not installed"}


def test_no_function_has_the_name_of_a_workload() -> None:
    assert not FUNCTIONS.keys() & WORKLOADS.keys()  # a child process looks up both by name
