"""Write tests/optim/reference.json: the steps of PyTorch's optimizers on a fixed sequence of gradients.

Needs PyTorch, which nnjit itself does not:  python scripts/make_optimizer_reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import optim

STEPS = 8  # up to the fifth, radam is momentum
THETA = [1.0, -2.0, 0.5, 0.0, 3.0]
RATE = 0.05

NESTEROV = {"momentum": 0.9, "nesterov": True}
ACCUMULATED = {"initial_accumulator_value": 0.1}
CENTERED = {"momentum": 0.8, "centered": True}
BETAS = {"betas": (0.5, 0.999), "eps": 0.1}
AMSGRAD = {"betas": (0.9, 0.5), "amsgrad": True}

# fmt: off
CASES = [  # nnjit's options, PyTorch's optimizer, its options
    ({"type": "gradient_descent"},                              optim.SGD,     {}),
    ({"type": "momentum"},                                      optim.SGD,     {"momentum": 0.9}),
    ({"type": "momentum", "nesterov": True},                    optim.SGD,     NESTEROV),
    ({"type": "nesterov"},                                      optim.SGD,     NESTEROV),
    ({"type": "adagrad"},                                       optim.Adagrad, {}),
    ({"type": "adagrad", "initial_accumulator": 0.1},           optim.Adagrad, ACCUMULATED),
    ({"type": "rmsprop"},                                       optim.RMSprop, {}),
    ({"type": "rmsprop", "momentum": 0.8, "centered": True},    optim.RMSprop, CENTERED),
    ({"type": "adam"},                                          optim.Adam,    {}),
    ({"type": "adam", "beta1": 0.5, "epsilon": 0.1},            optim.Adam,    BETAS),
    ({"type": "adamw"},                                         optim.AdamW,   {}),
    ({"type": "adamw", "weight_decay": 0.3},                    optim.AdamW,   {"weight_decay": 0.3}),
    ({"type": "adam", "amsgrad": True, "beta2": 0.5},           optim.Adam,    AMSGRAD),
    ({"type": "adamw", "amsgrad": True, "beta2": 0.5},          optim.AdamW,   AMSGRAD),
    ({"type": "adamax"},                                        optim.Adamax,  {}),
    ({"type": "adamax", "beta1": 0.5, "epsilon": 0.1},          optim.Adamax,  BETAS),
    ({"type": "nadam"},                                         optim.NAdam,   {}),
    ({"type": "nadam", "beta1": 0.5, "epsilon": 0.1},           optim.NAdam,   BETAS),
    ({"type": "nadam", "momentum_decay": 1.0},                  optim.NAdam,   {"momentum_decay": 1.0}),
    ({"type": "radam"},                                         optim.RAdam,   {}),
    ({"type": "radam", "beta1": 0.5, "epsilon": 0.1},           optim.RAdam,   BETAS),
    ({"type": "radam", "beta2": 0.6},                           optim.RAdam,   {"betas": (0.9, 0.6)}),
    ({"type": "adadelta"},                                      optim.Adadelta, {}),
    ({"type": "adadelta", "decay": 0.5, "epsilon": 0.1},        optim.Adadelta, {"rho": 0.5, "eps": 0.1}),
]
# fmt: on


def main() -> None:
    torch.set_default_dtype(torch.float64)  # nadam's product of momenta has the default dtype
    generator = torch.Generator().manual_seed(0)
    grads = torch.randn(STEPS, len(THETA), generator=generator, dtype=torch.float64)
    grads[:, 3] *= 1e-4  # small, so that epsilon counts
    rows = [{"options": options, "theta": _thetas(make, grads, **given)} for options, make, given in CASES]
    defaults = {options["type"]: make([torch.zeros(1)]).defaults["lr"] for options, make, _ in CASES}
    reference = {
        "torch": torch.__version__.split("+")[0], "learning_rate": RATE, "theta": THETA,
        "grads": grads.tolist(), "defaults": defaults, "rows": rows,
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "optim" / "reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _thetas(make: type[optim.Optimizer], grads: torch.Tensor, **given: object) -> list[list[float]]:
    """The params after each step."""
    theta = torch.tensor(THETA, dtype=torch.float64, requires_grad=True)
    optimizer = make([theta], lr=RATE, **given)
    thetas = []
    for g in grads:
        theta.grad = g.clone()
        optimizer.step()
        thetas.append(theta.tolist())
    return thetas


if __name__ == "__main__":
    main()
