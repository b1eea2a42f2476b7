"""`nnjit export --to numpy`: a Python file and its arrays."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.errors import GraphError
from nnjit.export.network import Network
from nnjit.export.numpy import write
from nnjit.export.numpy.emitter import MOVING
from nnjit.export.numpy.rows import ELEMENTWISE
from nnjit.nn import layers
from nnjit.primitives import PRIMITIVES
from tests.export.networks import CASES, example

IN_TRAINING = {"random_uniform"}
WITHOUT = {  # matrix operations, and functions in neither NumPy nor `math`: no layer computes them
    "cholesky", "cofactor_change", "cofactors", "det", "det_sign", "eigenvectors", "logabsdet", "orthogonal",
    "pinv", "singular_vectors", "solve", "solve_triangular",
    "erfcinv", "erfcx", "erfinv", "expi",
    "gamma",  # `math.gamma` raises an error if Γ overflows or has a pole
}  # fmt: skip


def run(network: Network, folder: Path) -> dict[str, Any]:
    """The names that the exported file defines."""
    source, arrays = write(network, folder)
    assert arrays.is_file()
    assert imported(source) <= {"numpy", "math", "pathlib"}
    names: dict[str, Any] = {"__file__": str(source)}
    exec(compile(source.read_text(encoding="utf-8"), source, "exec"), names)
    return names


def imported(source: Path) -> set[str]:
    """The modules that a file imports."""
    nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    names = [
        [alias.name for alias in n.names] if isinstance(n, ast.Import) else [n.module or ""]
        for n in nodes
        if isinstance(n, ast.Import | ast.ImportFrom)
    ]
    return {name for each in names for name in each}


def close(found: Any, wanted: Any) -> None:
    """Check that predictions agree to the precision of float32 over a few layers."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            close(found[name], value)
        return
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_the_file_predicts_as_the_run_does(name: str, tmp_path: Path) -> None:
    network, x, predicted, scores = example(name)
    file = run(network, tmp_path)
    close(file["predict"](x), predicted)
    if scores is None:
        assert "predict_probabilities" not in file
    else:
        close(file["predict_probabilities"](x), scores)


def test_every_layer_is_in_a_case() -> None:
    found = {node.layer.type for name in CASES for node in example(name)[0].task.model.nodes}
    assert found == set(layers)


def test_every_primitive_is_written_or_known_to_be_missing() -> None:
    written = ELEMENTWISE.keys() | MOVING.keys()
    assert PRIMITIVES.keys() - written == IN_TRAINING | WITHOUT
    assert written - PRIMITIVES.keys() == {"scan", "switch", "custom"}


def test_a_primitive_without_a_row_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ELEMENTWISE, "expm1")
    with pytest.raises(GraphError, match=r'layer "dense_1": .* expm1 cannot be written with NumPy'):
        write(example("elu")[0], tmp_path)


def test_inputs_of_another_shape_are_refused(tmp_path: Path) -> None:
    file = run(example("elu")[0], tmp_path)
    with pytest.raises(ValueError, match=r"expected inputs of shape \(n, 3\), got \(5, 4\)"):
        file["predict"](np.zeros((5, 4)))
    assert file["predict"](np.zeros((0, 3))).shape == (0,)
