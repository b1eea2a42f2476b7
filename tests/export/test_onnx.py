"""`nnjit export --to onnx`: a file that onnx's checker accepts and onnxruntime runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.errors import GraphError
from nnjit.export.network import Network
from nnjit.primitives import PRIMITIVES
from tests.export.networks import CASES, example

onnx = pytest.importorskip("onnx", reason='onnx is not installed: pip install "nnjit[onnx]"')
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from nnjit.export.onnx import write  # noqa: E402  # once onnx is known to be there
from nnjit.export.onnx.elementwise import ELEMENTWISE  # noqa: E402
from nnjit.export.onnx.rows import MOVING  # noqa: E402

WITHOUT = {  # no prediction computes these, or ONNX has no operators for them
    "arctan2", "argsort", "cholesky", "cofactor_change", "cofactors", "det", "det_sign", "eigenvectors",
    "erfcinv", "erfcx", "erfinv", "expi", "gamma", "gammaln", "logabsdet", "orthogonal", "overlap_add",
    "pinv", "random_uniform", "scatter_add", "singular_vectors", "solve", "solve_triangular",
    "erfc",  # 1 - Erf loses its digits as it falls
}  # fmt: skip


def session(network: Network, folder: Path) -> Any:
    (path,) = write(network, folder / "network.onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def fed(network: Network, x: np.ndarray) -> dict[str, np.ndarray]:
    """The inputs by name."""
    x = x.astype(network.dtype)
    if not network.columns:
        return {"x": x}
    return {c.name: x[:, c.start : c.start + c.size] for c in network.columns}


@pytest.mark.parametrize("name", CASES)
def test_the_file_predicts_as_the_run_does(name: str, tmp_path: Path) -> None:
    network, x, predicted, scores = example(name)
    made = session(network, tmp_path)
    names = [output.name for output in made.get_outputs()]
    found = dict(zip(names, made.run(None, fed(network, x)), strict=True))
    several = len(network.outputs) > 1
    for output in network.outputs:
        wanted, likely = (
            (v[output.name] if several and v else v for v in (predicted, scores))
            if (output.classes is not None)
            else (predicted[output.name] if several else predicted, None)
        )
        # An exponential or hyperbolic tangent of float32 differs by a few units in its last place.
        np.testing.assert_allclose(found[output.name], wanted, rtol=1e-5, atol=1e-6)
        if likely is not None:
            np.testing.assert_allclose(found[f"{output.name}_probabilities"], likely, rtol=1e-5, atol=1e-6)
    assert made.run(None, fed(network, x[:1]))[-1].shape[0] == 1


def test_a_series_has_one_input_of_windows(tmp_path: Path) -> None:
    wave = np.sin(np.arange(60))
    given = {
        "data": {"type": "series", "target": "y", "window": 5, "scale": "standard"},
        "model": [{"type": "lstm", "units": 3}, {"type": "dense", "units": 1}],
        "loss": "mean_squared_error",
        "training": {"epochs": 1},
    }
    data = {"y": 5 + 2 * wave, "z": -wave}
    network = Network.of(run := nnjit.fit(given, data=data, output=tmp_path / "run"))
    made = session(network, tmp_path)
    assert {i.name: i.shape for i in made.get_inputs()} == {"x": ["n", 5, 2]}
    x = np.stack([data["y"][:10], data["z"][:10]], axis=1).reshape(2, 5, 2)
    (found,) = made.run(None, fed(network, x))
    np.testing.assert_allclose(found, run.predict(x), rtol=1e-5, atol=1e-6)  # as above


def test_names_are_those_of_the_data(tmp_path: Path) -> None:
    made = session(example("features")[0], tmp_path)
    sizes = {"age": 1, "island": 1, "a note": 3, "sex": 1, "colour": 2}
    assert {i.name: i.shape for i in made.get_inputs()} == {name: ["n", size] for name, size in sizes.items()}
    assert [o.name for o in made.get_outputs()] == ["answer", "answer_probabilities"]
    told = made.get_modelmeta().custom_metadata_map
    assert json.loads(told["classes"]) == ["no", "yes", "perhaps"]
    assert json.loads(told["categories.island"]) == ["(other)", "Biscoe", "Dream"]
    assert "island: the index" in made.get_modelmeta().description


CONVOLUTIONS = [name for name in CASES if name.startswith("{'type': 'conv") and "(3, 2, 2)" not in name]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_is_one_operator_for_each_group(name: str, tmp_path: Path) -> None:
    """A convolution whose groups are single channels is a sum of products, as in the graph."""
    network = example(name)[0]
    (path,) = write(network, tmp_path / "network.onnx")
    operators = [node.op_type for node in onnx.load(path).graph.node]
    groups = max(getattr(node.layer, "groups", 1) for node in network.task.model.nodes)
    assert operators.count("Conv") == groups
    assert "Gather" not in operators


def test_every_primitive_is_written_or_known_to_be_missing() -> None:
    written = ELEMENTWISE.keys() | MOVING.keys() | {"broadcast", "cast"}
    assert PRIMITIVES.keys() - written == WITHOUT
    assert written - PRIMITIVES.keys() == {"scan", "switch", "custom"}


def test_a_primitive_without_a_row_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ELEMENTWISE, "erf")
    with pytest.raises(GraphError, match='layer "dense_1": ONNX has no operators for the primitive erf'):
        write(example("gelu")[0], tmp_path / "network.onnx")
