"""Scaling as operations of a graph, against `nnjit.data`, which scales for the run."""

from __future__ import annotations

import numpy as np
import pytest

from nnjit.data import Affine, Padding, Scaling
from nnjit.export.scaling import scaled_inputs, unscaled_values

SHIFT, SCALE = np.array([1.0, -2.0, 0.5, 4.0]), np.array([0.5, 2.0, 3.0, 0.25])
OWN = Affine("standard", SHIFT, SCALE)
STEPS = np.arange(4).reshape(2, 2)
# The second row is the shift: scaled, it looks like padding of 0.
X = np.array([[3.0, 0.0, 7.0, 1.5], SHIFT, [0.0, 0.0, 0.5, 4.0], [0.0, 0.0, 0.0, 0.0]])
CASES = {
    "none": Scaling(),
    "standard": Scaling(OWN),
    "all alike": Scaling(Affine("unit", np.array(0.0), np.array(7.0))),
    "near the end of float64": Scaling(Affine("min_max", np.full(4, -1e308), np.full(4, 1.7e308))),
    "padding": Scaling(OWN, padding=(Padding(0.0, STEPS),)),
    "padding of two kinds": Scaling(OWN, padding=(Padding(0.0, STEPS), Padding(7.0, np.array([[2]])))),
    "padding without scaling": Scaling(padding=(Padding(0.0, STEPS),)),
}


@pytest.mark.parametrize("name", CASES)
def test_inputs_are_scaled_as_the_run_scales_them(name: str) -> None:
    scaling = CASES[name]
    found = scaled_inputs(scaling, X, "f64")
    np.testing.assert_allclose(found, scaling.transform_inputs(X), rtol=1e-15, atol=0)
    assert scaled_inputs(scaling, X, "f32").dtype == np.float32


def test_steps_that_are_an_axis_may_be_padding() -> None:
    scaling, x = (
        Scaling(Affine("unit", np.array(1.0), np.array(2.0)), padding=(Padding(0.0),)),
        X.reshape(4, 2, 2),
    )
    found = scaled_inputs(scaling, x, "f64")
    np.testing.assert_allclose(found, scaling.transform_inputs(x), rtol=1e-15, atol=0)


@pytest.mark.parametrize("unit", [None, OWN, CASES["near the end of float64"].inputs])
def test_values_are_brought_back_into_their_unit(unit: Affine | None) -> None:
    values = X / 8
    wanted = Scaling(targets=unit).inverse_targets(values)
    np.testing.assert_allclose(unscaled_values(unit, values), wanted, rtol=1e-15, atol=0)
