"""Write tests/training/weight_reference.json: PyTorch's training with row weights and class weights.

Needs PyTorch and scikit-learn for reference values:  python scripts/make_weight_reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F  # noqa: N812  # its name everywhere

ROWS, INPUTS, BATCH, EPOCHS, RATE = 20, 3, 8, 4, 0.3
LABELS = ["a", "b", "c"]
GIVEN = {"a": 0.5, "c": 4.0}


def main() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, ROWS, p=[0.6, 0.3, 0.1])
    x = rng.normal(size=(ROWS, INPUTS)) + y[:, None]
    w = rng.integers(1, 5, ROWS) / 2
    start = {"weight": rng.normal(size=(INPUTS, 3)), "bias": rng.normal(size=3)}
    present = np.unique(y)
    weights = {
        "none": np.ones(3),
        "given": np.array([GIVEN.get(label, 1.0) for label in LABELS]),
        "balanced": compute_class_weight("balanced", classes=present, y=y),
        "balanced_rows": compute_class_weight("balanced", classes=present, y=y, sample_weight=w),
    }
    cases = [("given", False), ("balanced", False), ("none", True), ("given", True), ("balanced_rows", True)]
    rows = []
    for name, is_weighted in cases:
        trained = _train(x, y, w if is_weighted else np.ones(ROWS), weights[name], start)
        rows.append({"class_weights": name, "row_weights": is_weighted, **trained})
    reference = {
        "torch": torch.__version__.split("+")[0], "given": GIVEN, "batch": BATCH, "epochs": EPOCHS,
        "rate": RATE, "x": x.tolist(), "y": [LABELS[k] for k in y], "w": w.tolist(),
        "start": {name: value.tolist() for name, value in start.items()}, "rows": rows,
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "training" / "weight_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _train(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, classes: np.ndarray, start: dict[str, np.ndarray]
) -> dict[str, object]:
    """Plain gradient descent in row order; a batch's cost is divided by the sum of its weights."""
    inputs, truth, row, of_class = map(torch.tensor, (x, y, w, classes))
    weight, bias = (torch.tensor(start[name], requires_grad=True) for name in ("weight", "bias"))
    losses = []
    for _ in range(EPOCHS):
        total, count = 0.0, 0.0
        for at in torch.arange(ROWS).split(BATCH):
            costs = F.cross_entropy(inputs[at] @ weight + bias, truth[at], weight=of_class, reduction="none")
            cost, share = (costs * row[at]).sum(), (of_class[truth[at]] * row[at]).sum()
            gradients = torch.autograd.grad(cost / share, (weight, bias))
            with torch.no_grad():
                for param, gradient in zip((weight, bias), gradients, strict=True):
                    param -= RATE * gradient
            total, count = total + cost.item(), count + share.item()
        losses.append(total / count)
    p = torch.softmax(inputs @ weight + bias, dim=1).detach().numpy()
    said = p.argmax(axis=1)
    return {
        "losses": losses, "weight": weight.tolist(), "bias": bias.tolist(),
        "accuracy": accuracy_score(y, said, sample_weight=w),
        "f1_macro": f1_score(y, said, sample_weight=w, average="macro", zero_division=0),
        "roc_auc": roc_auc_score(y, p, sample_weight=w, multi_class="ovr"),
    }  # fmt: skip


if __name__ == "__main__":
    main()
