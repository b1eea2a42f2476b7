"""Write tests/optim/averaging_reference.json: PyTorch's averages of params, and its rates on plateaus.

Needs PyTorch, which nnjit itself does not:  python scripts/make_averaging_reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

EPOCHS, PER_EPOCH = 5, 3
PEAK = 0.4

LOSSES = [3.0, 2.0, 2.5, 1.9, 1.95, 1.88, 1.92, 2.0, 2.1, 1.91, 1.87, 1.86, 1.86, 1.86, 1.86, 1.86, 1.86]
# fmt: off
AVERAGINGS = [
    {"type": "ema", "decay": 0.999, "warmup": False},
    {"type": "ema", "decay": 0.5, "warmup": False},
    {"type": "ema", "decay": 0.0, "warmup": False},
    {"type": "swa", "start": 1},
    {"type": "swa", "start": 3},
    {"type": "swa", "start": EPOCHS},
]
PLATEAUS = [
    {"factor": 0.5, "patience": 2, "min_delta": 0.0, "floor": 0.0},
    {"factor": 0.1, "patience": 1, "min_delta": 0.0, "floor": 0.001},
    {"factor": 0.3, "patience": 3, "min_delta": 0.05, "floor": 0.02},
    {"factor": 0.5, "patience": 20, "min_delta": 0.0, "floor": 0.0},
]
# fmt: on


def main() -> None:
    torch.set_default_dtype(torch.float64)
    thetas = torch.randn(EPOCHS * PER_EPOCH, 4, generator=torch.Generator().manual_seed(0))
    reference = {
        "torch": torch.__version__.split("+")[0], "per_epoch": PER_EPOCH, "thetas": thetas.tolist(),
        "averagings": [{"options": o, "averages": _averages(thetas, **o)} for o in AVERAGINGS],
        "peak": PEAK, "losses": LOSSES,
        "plateaus": [{"options": o, "rates": _rates(**o)} for o in PLATEAUS],
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "optim" / "averaging_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _averages(thetas: torch.Tensor, type: str, decay: float = 0.0, start: int = 0) -> list[list[float]]:
    """The average after each epoch; the params themselves before averaging begins."""
    module = torch.nn.Linear(thetas.shape[1], 1, bias=False)
    averaged = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay) if type == "ema" else None)
    found = []
    for step, theta in enumerate(thetas, start=1):
        module.weight.data[:] = theta
        epoch, rest = divmod(step, PER_EPOCH)
        if type == "ema" or (rest == 0 and epoch >= start):
            averaged.update_parameters(module)
        if rest == 0:
            model = averaged.module if epoch >= start else module
            found.append(model.weight.data[0].tolist())
    return found


def _rates(factor: float, patience: int, min_delta: float, floor: float) -> list[float]:
    """The learning rate after each epoch's loss."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=PEAK)
    given = {"threshold": min_delta, "threshold_mode": "abs", "min_lr": floor, "eps": 0.0}
    scheduler = ReduceLROnPlateau(optimizer, factor=factor, patience=patience - 1, **given)
    rates = []
    for loss in LOSSES:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


if __name__ == "__main__":
    main()
