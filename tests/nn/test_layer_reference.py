"""Layers: PyTorch's values and derivatives for the same weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import grad
from nnjit.nn import Context, layers
from nnjit.nn.activations import ACTIVATIONS
from tests.nn.test_layers import build, no_uniform
from tests.nn.test_norms import REFERENCE as NORMS
from tests.nn.test_norms import arrays

REFERENCE = json.loads(Path(__file__).with_name("layer_reference.json").read_text())
"""Made by `scripts/make_layer_reference.py`."""
ROWS = [pytest.param(r, id=str(r["options"])) for r in REFERENCE["rows"]]
WITHOUT = {
    "add", "concat", "cutout", "dropout", "features", "flatten", "gaussian_noise", "multiply", "permute",
    "random_crop", "random_flip", "random_shift", "reshape", "scale", "select",
}  # fmt: skip
"""Layers that only move, add, multiply or draw numbers: NumPy's values suffice (`test_layers.py`)."""


def test_every_layer_has_a_reference_or_needs_none() -> None:
    options = [r["options"] for r in REFERENCE["rows"] + NORMS["rows"]]
    assert {o["type"] for o in options} == set(layers) - WITHOUT
    assert {o["function"] for o in options if o["type"] == "activation"} == set(ACTIVATIONS)


@pytest.mark.parametrize("row", ROWS)
def test_values_and_slopes_are_those_of_pytorch(row: dict[str, Any]) -> None:
    layer, context = build(row["options"]), Context(True, no_uniform)
    x, params, cotangent = np.array(row["x"], float), arrays(row["params"]), np.array(row["cotangent"])
    shape = x.shape[1:]
    assert {p.name: p.shape for p in layer.params(shape)} == {n: p.shape for n, p in params.items()}
    assert layer.output_shape(shape) == cotangent.shape[1:]

    def total(x: Any, params: Any) -> Any:
        return nnp.sum(layer(params, x, context=context) * cotangent)

    # f64 in both; sums of up to 40 products in another order
    np.testing.assert_allclose(layer(params, x, context=context), row["output"], rtol=1e-12, atol=1e-13)
    slope, slopes = grad(total, argnums=(0, 1))(x, params)
    known = {"x": slope, **slopes}
    for name, expected in row["slopes"].items():
        np.testing.assert_allclose(known[name], expected, rtol=1e-11, atol=1e-12, err_msg=name)
