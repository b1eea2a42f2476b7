"""The text of generated source.

`NNJIT_UPDATE_GOLDEN=1 pytest tests/codegen/test_source.py` rewrites the golden file.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import pull_back
from nnjit.codegen.plan.kernels import plan_kernels
from nnjit.codegen.rewrite.legalize import legalize
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.program import emit_epochs
from nnjit.ir import B, Graph, array_type, new_input, scope
from nnjit.passes import optimize
from nnjit.primitives import full_like

from .random_graphs import Maker

GOLDEN = Path(__file__).with_name("golden_step.txt")
HOSTILE = '"""\nimport os; os.abort() #'


def step_source(*, name: str = "hidden", title: str = "A step of gradient descent.") -> str:
    """The source of a step of one dense sigmoid layer: forward, backward, update.

    Args:
        name: of the layer, which a user chooses.
    """
    weight, bias = new_input(array_type("f32", (3, 2)), name), new_input(array_type("f32", (2,)), name)
    x, y = new_input(array_type("f32", (B, 3))), new_input(array_type("f32", (B, 2)))
    with scope(name):
        a: Any = nnp.sigmoid(x @ weight + bias)
    cost = nnp.sum(nnp.square(a - y))
    gradients = pull_back([cost], [weight, bias], [full_like(cost, 1)])
    updated = [p - 0.5 * g for p, g in zip((weight, bias), gradients, strict=True)]
    graph = Graph((weight, bias, x, y), (*updated, nnp.astype(cost, "f64")), ("weight", "bias", "x", "y"))
    plan = plan_kernels(legalize(optimize(graph)))
    return emit_epochs(plan, None, 256, title, Interface(("weight", "bias"), totals=1)).source


def test_source_of_a_step_is_the_golden_one() -> None:
    source = step_source()
    if os.environ.get("NNJIT_UPDATE_GOLDEN"):
        GOLDEN.write_text(source, encoding="utf-8")
    assert source == GOLDEN.read_text(encoding="utf-8"), "set NNJIT_UPDATE_GOLDEN=1 if the change is intended"


def test_names_that_a_user_gives_never_enter_the_source() -> None:
    assert step_source(name=HOSTILE) == step_source()


@pytest.mark.parametrize("seed", range(30))
def test_source_is_the_same_every_time_and_parses(seed: int) -> None:
    texts = set()
    for _ in range(2):
        plan = plan_kernels(legalize(optimize(Maker(seed).graph(10))))
        texts.add(emit_epochs(plan, None, 4, "Random.", Interface()).source)
    assert len(texts) == 1
    tree = ast.parse(texts.pop())
    assert ast.get_docstring(tree)
    functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    assert len(functions) == len(set(functions))
    assert functions[-1] == "run"


def test_equal_layers_share_one_kernel() -> None:
    x, w = new_input(array_type("f32", (B, 4))), new_input(array_type("f32", (4, 4)))
    a: Any = x
    for _ in range(3):
        a = nnp.tanh(a @ w)
    plan = plan_kernels(legalize(optimize(Graph((x, w), (a,)))))
    source = emit_epochs(plan, None, 8, "Layers.", Interface()).source
    assert source.count("def rows_") == 1
    assert source.count("rows_1(n") == 4  # its definition and three calls
