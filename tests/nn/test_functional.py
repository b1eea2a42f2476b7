"""`nnjit.nn.functional`: the registry's activations by name, and their edge cases."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import grad, jit
from nnjit.errors import GraphError
from nnjit.nn import functional as F  # noqa: N812  # as its users call it
from nnjit.nn.activations import ACTIVATIONS

WIDE = np.array([-2000.0, -50.0, -0.5, 0.3, 7.0, 2000.0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_the_registry_is_a_function_of_that_name(name: str) -> None:
    assert name in F.__all__
    assert getattr(F, name) is ACTIVATIONS[name].function


@pytest.mark.parametrize("name", F.__all__)
def test_function_keeps_its_dtype_and_has_finite_gradients_everywhere(name: str) -> None:
    f = getattr(F, name)
    for dtype in (np.float32, np.float64):
        x = WIDE.astype(dtype)
        assert f(x).dtype == dtype
        for gradient in (grad(lambda x: nnp.sum(f(x))), jit(grad(lambda x: nnp.sum(f(x))))):
            assert np.isfinite(gradient(x)).all()


@pytest.mark.parametrize("name", sorted(set(F.__all__) - {"identity"}))
def test_whole_numbers_and_lists_of_numbers_are_taken(name: str) -> None:
    f = getattr(F, name)
    want = f(np.array([1.0, -2.0]))
    for x in (np.array([1, -2]), [1.0, -2.0]):
        np.testing.assert_allclose(f(x), want, rtol=1e-15)


# fmt: off
AT_A_KINK = (
    ("relu", 0.0, 0.0), ("relu6", 0.0, 0.0), ("relu6", 6.0, 0.0), ("leaky_relu", 0.0, 0.01),
    ("elu", 0.0, 1.0), ("celu", 0.0, 1.0), ("hard_tanh", -1.0, 0.0),
    ("hard_tanh", 1.0, 0.0), ("hard_sigmoid", 3.0, 0.0),
)
# fmt: on


@pytest.mark.parametrize(("name", "x", "slope"), AT_A_KINK)
def test_derivative_at_a_kink_is_that_of_pytorch(name: str, x: float, slope: float) -> None:
    assert float(grad(getattr(F, name))(x)) == slope


def test_unknown_approximation_of_gelu_says_what_is_valid() -> None:
    with pytest.raises(GraphError, match='unknown approximate \'erf\'; valid: "none", "tanh"'):
        F.gelu(1.0, approximate="erf")  # type: ignore[arg-type]


def test_importing_nnjit_imports_neither_activations_nor_special_functions() -> None:
    program = "import nnjit, sys; assert not {'nnjit.nn', 'nnjit.scipy', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
