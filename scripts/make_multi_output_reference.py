"""Write tests/training/multi_output_reference.json: PyTorch's training of two outputs on one trunk.

Needs PyTorch, which nnjit itself does not:  python scripts/make_multi_output_reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  # its name everywhere

ROWS, INPUTS, HIDDEN, BATCH, EPOCHS, RATE = 20, 3, 4, 8, 4, 0.2
LABELS = ["a", "b", "c"]
WEIGHTS = {"size": 2.0, "kind": 0.5}
SMOOTHING = 0.1
SHAPES = {"trunk": (INPUTS, HIDDEN), "size": (HIDDEN, 2), "kind": (HIDDEN, 3)}


def main() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, ROWS)
    x = rng.normal(size=(ROWS, INPUTS)) + kinds[:, None]
    sizes = np.stack([x @ [1.0, -0.5, 0.2], np.sin(x[:, 0])], axis=1)
    start = {}
    for name, shape in SHAPES.items():
        start[f"{name}.weight"] = rng.normal(size=shape)
        start[f"{name}.bias"] = rng.normal(size=shape[1])
    reference = {
        "torch": torch.__version__.split("+")[0], "weights": WEIGHTS, "smoothing": SMOOTHING, "batch": BATCH,
        "epochs": EPOCHS, "rate": RATE, "x": x.tolist(), "sizes": sizes.tolist(),
        "kinds": [LABELS[k] for k in kinds], "start": {name: value.tolist() for name, value in start.items()},
        **_train(x, sizes, kinds, start),
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "training" / "multi_output_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _train(
    x: np.ndarray, sizes: np.ndarray, kinds: np.ndarray, start: dict[str, np.ndarray]
) -> dict[str, object]:
    """Plain gradient descent in row order; the values are means over all rows of an epoch."""
    inputs, values, truth = map(torch.tensor, (x, sizes, kinds))
    params = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    losses: dict[str, list[float]] = {"size": [], "kind": [], "all": []}
    for _ in range(EPOCHS):
        sums = dict.fromkeys(losses, 0.0)
        for at in torch.arange(ROWS).split(BATCH):
            said, logits = _outputs(params, inputs[at])
            costs = {
                "size": F.mse_loss(said, values[at]),
                "kind": F.cross_entropy(logits, truth[at], label_smoothing=SMOOTHING),
            }
            costs["all"] = sum(weight * costs[name] for name, weight in WEIGHTS.items())
            gradients = torch.autograd.grad(costs["all"], list(params.values()))
            with torch.no_grad():
                for param, gradient in zip(params.values(), gradients, strict=True):
                    param -= RATE * gradient
            for name, cost in costs.items():
                sums[name] += len(at) * cost.item()
        for name, total in sums.items():
            losses[name].append(total / ROWS)
    said, logits = _outputs(params, inputs)
    return {
        "losses": losses, "end": {name: value.tolist() for name, value in params.items()},
        "said": said.tolist(), "probabilities": torch.softmax(logits, dim=1).tolist(),
    }  # fmt: skip


def _outputs(params: dict[str, torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    trunk = torch.tanh(x @ params["trunk.weight"] + params["trunk.bias"])
    size, kind = (trunk @ params[f"{name}.weight"] + params[f"{name}.bias"] for name in ("size", "kind"))
    return size, kind


if __name__ == "__main__":
    main()
