"""Write tests/nn/norm_reference.json: PyTorch's batch and layer normalisation, and their derivatives.

Needs PyTorch, which nnjit itself does not:  python scripts/make_norm_reference.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its name everywhere

Arrays = dict[str, Tensor]


def batch_norm(x: Tensor, params: Arrays, state: Arrays, options: dict[str, object]) -> Tensor:
    channels_second = F.batch_norm(
        x.movedim(-1, 1),
        state["running_mean"],
        state["running_variance"],
        params.get("scale"),
        params.get("shift"),
        training=bool(options["training"]),
        momentum=float(str(options.get("momentum", 0.1))),
        eps=float(str(options.get("epsilon", 1e-5))),
    )
    return channels_second.movedim(1, -1)


def layer_norm(x: Tensor, params: Arrays, state: Arrays, options: dict[str, object]) -> Tensor:
    eps = float(str(options.get("epsilon", 1e-5)))
    return F.layer_norm(x, x.shape[-1:], params.get("scale"), params.get("shift"), eps)


# fmt: off
CASES: list[tuple[dict[str, object], tuple[int, ...], bool, Callable[..., Tensor]]] = [
    # nnjit's options, shape of the batch, whether it is a training step, PyTorch's function
    ({"type": "batch_norm"},                                          (6, 3),        True,   batch_norm),
    ({"type": "batch_norm"},                                          (6, 3),        False,  batch_norm),
    ({"type": "batch_norm", "momentum": 0.7, "epsilon": 0.01},        (4, 2, 3, 2),  True,   batch_norm),
    ({"type": "batch_norm", "momentum": 0.7, "epsilon": 0.01},        (4, 2, 3, 2),  False,  batch_norm),
    ({"type": "batch_norm", "scale": False, "shift": False},          (5, 2, 3),     True,   batch_norm),
    ({"type": "layer_norm"},                                          (6, 4),        True,   layer_norm),
    ({"type": "layer_norm", "epsilon": 0.01, "shift": False},         (3, 2, 5),     True,   layer_norm),
]
# fmt: on


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = [_row(*case, generator) for case in CASES]
    reference = {"torch": torch.__version__.split("+")[0], "rows": rows}
    path = Path(__file__).parent.parent / "tests" / "nn" / "norm_reference.json"
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _row(
    options: dict[str, object],
    shape: tuple[int, ...],
    training: bool,
    function: Callable[..., Tensor],
    generator: torch.Generator,
) -> dict[str, object]:
    """Output, new state, and the derivatives of Σ output · cotangent."""

    def draw(*lengths: int) -> Tensor:
        return torch.randn(*lengths, generator=generator, dtype=torch.float64)

    x, cotangent, channels = (2 * draw(*shape) + 1).requires_grad_(), draw(*shape), shape[-1]
    params = {name: draw(channels).requires_grad_() for name in ("scale", "shift") if options.get(name, True)}
    is_batch = options["type"] == "batch_norm"
    state = {"running_mean": draw(channels), "running_variance": draw(channels).square()} if is_batch else {}
    before = {name: array.tolist() for name, array in state.items()}
    output = function(x, params, state, options | {"training": training})
    (output * cotangent).sum().backward()
    return {
        "options": options, "training": training, "x": x.tolist(), "cotangent": cotangent.tolist(),
        "params": {name: p.tolist() for name, p in params.items()}, "state": before,
        "output": output.tolist(), "state_after": {name: array.tolist() for name, array in state.items()},
        "slopes": {"x": _slope(x), **{name: _slope(p) for name, p in params.items()}},
    }  # fmt: skip


def _slope(array: Tensor) -> list[object]:
    assert array.grad is not None
    slope: list[object] = array.grad.tolist()
    return slope


if __name__ == "__main__":
    main()
