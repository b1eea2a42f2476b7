"""`nnjit export --to torch`: a file of PyTorch modules and their weights."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from nnjit.errors import GraphError
from nnjit.export.torch import write
from nnjit.export.torch.layers import ACTIVATIONS, LAYERS
from nnjit.export.torch.writing import RESERVED
from nnjit.nn import activations, layers
from tests.export.networks import CASES, example

MISSING = "PyTorch is not installed"


def load(source: Path) -> Any:
    """The network of an exported file."""
    names: dict[str, Any] = {"__file__": str(source), "__name__": "network"}
    exec(compile(source.read_text(encoding="utf-8"), source, "exec"), names)
    return names["load"]()


def close(found: Any, wanted: Any) -> None:
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for name, value in wanted.items():
            close(found[name], value)
        return
    # An exponential or hyperbolic tangent of float32 differs by a few units in its last place.
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_file_predicts_as_the_run_does(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason=MISSING)
    network, x, predicted, scores = example(name)
    source, _ = write(network, tmp_path)
    made = load(source)
    close(made.predict(torch.from_numpy(x)), predicted)
    if scores is not None:
        close(made.predict_probabilities(torch.from_numpy(x)), scores)


@pytest.mark.parametrize("name", CASES)
def test_the_file_is_python_with_all_tensors_of_the_network(name: str, tmp_path: Path) -> None:
    """Without PyTorch too: every number of the layers is in the file, in one layout or another."""
    network, *_ = example(name)
    source, weights = write(network, tmp_path)
    ast.parse(source.read_text(encoding="utf-8"))
    found = np.sort(np.concatenate([a.ravel() for a in load_file(weights).values()] or [np.zeros(0)]))
    for array in network.arrays.values():
        assert np.isin(array.ravel(), found).all()


def test_every_layer_and_activation_has_a_row() -> None:
    assert LAYERS.keys() == set(layers)
    assert ACTIVATIONS.keys() == activations.ACTIVATIONS.keys()


def test_names_that_a_module_has_are_avoided() -> None:
    torch = pytest.importorskip("torch", reason=MISSING)
    own = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert own - RESERVED == set()


def test_a_layer_without_a_row_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(LAYERS, "dense")
    with pytest.raises(GraphError, match='layer "dense_1": dense has no module in PyTorch; export to numpy'):
        write(example("elu")[0], tmp_path)
