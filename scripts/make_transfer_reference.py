"""Write tests/training/transfer_reference.json: PyTorch's training with frozen layers and param groups.

A frozen layer has requires_grad=False, and a frozen batch norm is in eval mode. A layer with a learning rate
factor is a param group with its own lr.

Needs PyTorch, which nnjit itself does not:  python scripts/make_transfer_reference.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn, optim

ROWS, SIZES, BATCH, EPOCHS, RATE = 24, (3, 4, 2), 8, 4, 0.05
FACTORS = {"stem": 0.1, "head": 2.0}

# fmt: off
DECAY = {"weight_decay": 0.3}
CASES = [  # nnjit's options, PyTorch's optimizer, its options; the frozen layers; the factors
    ({"type": "gradient_descent"},         optim.SGD,     {},                [],               FACTORS),
    ({"type": "momentum"},                 optim.SGD,     {"momentum": 0.9}, [],               FACTORS),
    ({"type": "adam"},                     optim.Adam,    {},                [],               FACTORS),
    ({"type": "adamw", **DECAY},           optim.AdamW,   DECAY,             [],               FACTORS),
    ({"type": "nadam"},                    optim.NAdam,   {},                [],               FACTORS),
    ({"type": "radam"},                    optim.RAdam,   {},                [],               FACTORS),
    ({"type": "rmsprop", "momentum": 0.8}, optim.RMSprop, {"momentum": 0.8}, [],               FACTORS),
    ({"type": "momentum"},                 optim.SGD,     {"momentum": 0.9}, ["stem"],         {}),
    ({"type": "adam"},                     optim.Adam,    {},                ["norm"],         {}),
    ({"type": "adamw", **DECAY},           optim.AdamW,   DECAY,             ["stem", "norm"], {"head": 2.0}),
]
# fmt: on


def main() -> None:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    x = torch.randn(ROWS, SIZES[0])
    y = torch.stack([x.sum(1), (x[:, 0] * x[:, 1])], 1)
    start = _arrays(_network())
    start |= {"norm.running_mean": [0.1, -0.2, 0.3, 0.0], "norm.running_variance": [0.5, 1.5, 1.0, 0.8]}
    rows = [
        {"optimizer": options, "frozen": frozen, "factors": factors}
        | {"trained": _trained(start, x, y, make, given, frozen, factors)}
        for options, make, given, frozen, factors in CASES
    ]
    reference = {
        "torch": torch.__version__.split("+")[0], "batch": BATCH, "epochs": EPOCHS, "rate": RATE,
        "x": x.tolist(), "y": y.tolist(), "start": start, "rows": rows,
    }  # fmt: skip
    path = Path(__file__).parent.parent / "tests" / "training" / "transfer_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _network() -> nn.ModuleDict:
    stem, head = nn.Linear(*SIZES[:2]), nn.Linear(*SIZES[1:])
    return nn.ModuleDict({"stem": stem, "norm": nn.BatchNorm1d(SIZES[1]), "head": head})


def _trained(
    start: dict[str, object],
    x: torch.Tensor,
    y: torch.Tensor,
    make: type[optim.Optimizer],
    given: dict[str, float],
    frozen: list[str],
    factors: dict[str, float],
) -> dict[str, object]:
    """The arrays after some epochs of batches in row order."""
    network = _network()
    _load(network, start)
    for name in frozen:
        network[name].requires_grad_(False).eval()
    groups = [
        {"params": list(layer.parameters()), "lr": RATE * factors.get(name, 1.0)}
        for name, layer in network.items()
        if name not in frozen
    ]
    optimizer = make(groups, lr=RATE, **given)
    for _ in range(EPOCHS):
        for at in torch.arange(ROWS).split(BATCH):
            output = network["head"](network["norm"](torch.tanh(network["stem"](x[at]))))
            optimizer.zero_grad()
            ((output - y[at]) ** 2).sum(1).mean().backward()
            optimizer.step()
    return _arrays(network)


def _load(network: nn.ModuleDict, arrays: dict[str, object]) -> None:
    with torch.no_grad():
        for name in ("stem", "head"):
            network[name].weight.copy_(torch.tensor(arrays[f"{name}.weight"]).T)
            network[name].bias.copy_(torch.tensor(arrays[f"{name}.bias"]))
        norm = network["norm"]
        norm.running_mean.copy_(torch.tensor(arrays["norm.running_mean"]))
        norm.running_var.copy_(torch.tensor(arrays["norm.running_variance"]))


def _arrays(network: nn.ModuleDict) -> dict[str, object]:
    """All arrays by nnjit's names, in nnjit's layout."""
    norm = network["norm"]
    found = {f"{name}.weight": network[name].weight.T for name in ("stem", "head")}
    found |= {f"{name}.bias": network[name].bias for name in ("stem", "head")}
    found |= {"norm.scale": norm.weight, "norm.shift": norm.bias}
    found |= {"norm.running_mean": norm.running_mean, "norm.running_variance": norm.running_var}
    return {name: array.tolist() for name, array in found.items()}


if __name__ == "__main__":
    main()
