"""Write tests/nn/loss_reference.json: PyTorch's losses of fixed outputs, and their derivatives.

For a loss that PyTorch lacks, its autograd differentiates the paper's formula. Needs PyTorch, which nnjit
itself does not:  python scripts/make_loss_reference.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its name everywhere

ROWS, OUTPUTS = 6, 4
Loss = Callable[[Tensor, Tensor], Tensor]


def hinge(z: Tensor, t: Tensor) -> Tensor:
    return F.hinge_embedding_loss((2 * t - 1) * z, -torch.ones_like(z), reduction="none")


def squared_hinge(z: Tensor, t: Tensor) -> Tensor:
    return hinge(z, t) ** 2


def log_cosh(z: Tensor, t: Tensor) -> Tensor:
    return torch.log(torch.cosh(z - t))


def quantile(z: Tensor, t: Tensor, q: float) -> Tensor:
    return torch.where(t > z, q * (t - z), (1 - q) * (z - t))


def focal(z: Tensor, t: Tensor, gamma: float, alpha: float | None = None) -> Tensor:
    p = torch.sigmoid(z)
    yes, no = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    return -yes * t * (1 - p) ** gamma * torch.log(p) - no * (1 - t) * p**gamma * torch.log(1 - p)


def kl_divergence(z: Tensor, t: Tensor) -> Tensor:
    return F.kl_div(F.log_softmax(z, dim=1), t, reduction="none").sum(1)


def each(loss: Loss, **options: object) -> Loss:
    return partial(loss, reduction="none", **options)


# fmt: off
CASES: list[tuple[dict[str, object], str, Loss]] = [  # nnjit's options, targets, PyTorch's loss
    ({"type": "mean_squared_error"},                             "values",   each(F.mse_loss)),
    ({"type": "mean_absolute_error"},                            "values",   each(F.l1_loss)),
    ({"type": "huber", "delta": 0.7},                            "values",   each(F.huber_loss, delta=0.7)),
    ({"type": "log_cosh"},                                       "values",   log_cosh),
    ({"type": "quantile"},                                       "values",   partial(quantile, q=0.5)),
    ({"type": "quantile", "quantile": 0.9},                      "values",   partial(quantile, q=0.9)),
    ({"type": "poisson"},                                        "counts",   each(F.poisson_nll_loss)),
    ({"type": "binary_cross_entropy"},                           "shares",
     each(F.binary_cross_entropy_with_logits)),
    ({"type": "focal"},                                          "bits",     partial(focal, gamma=2.0)),
    ({"type": "focal", "gamma": 0.5},                            "shares",   partial(focal, gamma=0.5)),
    ({"type": "focal", "gamma": 1.5, "alpha": 0.25},             "shares",
     partial(focal, gamma=1.5, alpha=0.25)),
    ({"type": "focal", "gamma": 0.0},                            "shares",
     each(F.binary_cross_entropy_with_logits)),
    ({"type": "hinge"},                                          "bits",     hinge),
    ({"type": "squared_hinge"},                                  "bits",     squared_hinge),
    ({"type": "softmax_cross_entropy"},                          "classes",  each(F.cross_entropy)),
    ({"type": "softmax_cross_entropy", "label_smoothing": 0.1},  "classes",
     each(F.cross_entropy, label_smoothing=0.1)),
    ({"type": "softmax_cross_entropy", "label_smoothing": 0.3},  "shares",
     each(F.cross_entropy, label_smoothing=0.3)),
    ({"type": "kl_divergence"},                                  "shares",   kl_divergence),
]
# fmt: on


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    draw = partial(torch.randn, ROWS, OUTPUTS, generator=generator, dtype=torch.float64)
    output = 2 * draw()
    targets = {
        "values": output + draw(), "counts": torch.floor(3 * draw().abs()), "bits": (draw() > 0).double(),
        "shares": torch.softmax(draw(), dim=1), "classes": draw().argmax(1),
    }  # fmt: skip
    targets["shares"][0] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    rows = [_row(options, kind, loss, output, targets[kind]) for options, kind, loss in CASES]
    reference = {
        "torch": torch.__version__.split("+")[0], "output": output.tolist(),
        "targets": {kind: target.tolist() for kind, target in targets.items()}, "rows": rows,
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "nn" / "loss_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _row(
    options: dict[str, object], kind: str, loss: Loss, output: Tensor, target: Tensor
) -> dict[str, object]:
    """The cost of each example, and the derivatives of their sum."""
    z = output.clone().requires_grad_()
    costs = loss(z, target)
    costs = costs.mean(dim=1) if costs.ndim == 2 else costs
    costs.sum().backward()
    assert z.grad is not None
    return {"options": options, "targets": kind, "costs": costs.tolist(), "slopes": z.grad.tolist()}


if __name__ == "__main__":
    main()
