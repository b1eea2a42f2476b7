"""Write tests/training/table_reference.json: steps of PyTorch's optimizers for sparse gradients.

An embedding with `sparse=True` is trained by SparseAdam, the dense layer after it by Adam.
Needs PyTorch, which nnjit itself does not:  python scripts/make_table_reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn, optim

ENTRIES, SIZE, COLUMNS, BATCH, EPOCHS, RATE = 40, 3, 2, 3, 2, 0.05
EPSILON = 1e-30  # SparseAdam adds it to √v before the bias correction of v


def main() -> None:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    x = torch.randint(ENTRIES // 4, (12, COLUMNS))  # so some rows repeat, and most never occur
    y = torch.randn(12, 1)
    table = nn.Embedding(ENTRIES, SIZE, sparse=True)
    dense = nn.Linear(COLUMNS * SIZE, 1)
    before = _params(table, dense)
    optimizers = (
        optim.SparseAdam(table.parameters(), RATE, eps=EPSILON),
        optim.Adam(dense.parameters(), RATE, eps=EPSILON),
    )
    for _ in range(EPOCHS):
        for rows, targets in zip(x.split(BATCH), y.split(BATCH), strict=True):
            for optimizer in optimizers:
                optimizer.zero_grad()
            error = dense(table(rows).flatten(1)) - targets
            error.square().mean().backward()
            for optimizer in optimizers:
                optimizer.step()
    reference = {
        "torch": torch.__version__.split("+")[0], "entries": ENTRIES, "size": SIZE, "batch": BATCH,
        "epochs": EPOCHS, "rate": RATE, "epsilon": EPSILON, "x": x.tolist(), "y": y.tolist(),
        "before": before, "after": _params(table, dense),
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "training" / "table_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _params(table: nn.Embedding, dense: nn.Linear) -> list[float]:
    """All params in the order of nnjit's vector, with dense weights of shape (inputs, units)."""
    arrays = table.weight, dense.weight.T, dense.bias
    return torch.cat([a.detach().flatten() for a in arrays]).tolist()


if __name__ == "__main__":
    main()
