"""The network, the data and the loop in PyTorch, shared by both PyTorch contestants."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from scripts.benchmark.contestants.contestant import Stepper
from scripts.benchmark.layers import Layer
from scripts.benchmark.network import Library, mean_cost
from scripts.benchmark.workloads import Workload

Params = dict[str, torch.Tensor]
EPSILON = 1e-5  # added to variances


def _conv2d(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    image = x if x.ndim == 4 else x.unsqueeze(1)
    return functional.conv2d(image, params["weight"], params["bias"], padding=layer["padding"])


def _conv1d(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    """Convolve signals with channels last, which PyTorch wants first."""
    sums = functional.conv1d(x.mT, params["weight"], params["bias"], padding=layer["padding"])
    return sums.mT


def _gru(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    """Call what `torch.nn.GRU` calls."""
    weights = [params[name] for name in ("weight", "recurrent_weight", "bias", "recurrent_bias")]
    zero = x.new_zeros(1, len(x), layer["units"])
    every, _ = torch._VF.gru(x, zero, weights, True, 1, 0.0, True, False, True)  # type: ignore[attr-defined]
    output: torch.Tensor = every[:, -1]
    return output


def _lstm(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    """Call what `torch.nn.LSTM` calls; its second bias is zero and not trained."""
    zero = x.new_zeros(1, len(x), layer["units"])
    weights = [params["weight"], params["recurrent_weight"], params["bias"], torch.zeros_like(params["bias"])]
    every, _, _ = torch._VF.lstm(x, (zero, zero), weights, True, 1, 0.0, True, False, True)  # type: ignore[attr-defined]
    output: torch.Tensor = every if layer["return_sequences"] else every[:, -1]
    return output


def _dense(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    if x.ndim > 2:
        return x @ params["weight"] + params["bias"]
    return torch.addmm(params["bias"], x, params["weight"])


def _batch_norm(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    """Normalise images with channels first by the statistics of the batch."""
    return functional.batch_norm(x, None, None, params["scale"], params["shift"], training=True, eps=EPSILON)


def _layer_norm(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(x, x.shape[-1:], params["scale"], params["shift"], EPSILON)


def _attention(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    def split(part: str) -> torch.Tensor:
        y = x @ params[f"{part}_weight"] + params[f"{part}_bias"]
        return y.unflatten(2, (layer["heads"], -1)).transpose(1, 2)

    read = functional.scaled_dot_product_attention(*map(split, ("query", "key", "value")))
    return read.transpose(1, 2).flatten(2) @ params["output_weight"] + params["output_bias"]


def _mean_of_positions(layer: Layer, params: Params, x: torch.Tensor) -> torch.Tensor:
    """Average images with channels first, or sequences with channels last, over their positions."""
    return x.mean(dim=(2, 3) if x.ndim == 4 else 1)


LIBRARY = Library(
    layers={
        "activation": lambda layer, params, x: x,
        "attention": _attention,
        "batch_norm": _batch_norm,
        "layer_norm": _layer_norm,
        "global_average_pool": _mean_of_positions,
        "dense": _dense,
        "add": lambda layer, params, *xs: sum(xs[1:], xs[0]),
        "flatten": lambda layer, params, x: x.permute(0, 2, 3, 1).flatten(1),  # channels last
        "conv1d": _conv1d,
        "conv2d": _conv2d,
        "max_pool": lambda layer, params, x: functional.max_pool2d(x, layer["size"]),
        "gru": _gru,
        "lstm": _lstm,
    },
    activations={"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu},
    costs={
        "squared_error": lambda o, t: functional.mse_loss(o, t, reduction="sum") / len(t),
        "mean_squared_error": functional.mse_loss,
        "softmax_cross_entropy": functional.cross_entropy,
    },
)

LAYOUTS: dict[tuple[str, str], Callable[[np.ndarray], np.ndarray]] = {
    ("conv2d", "weight"): lambda w: w.transpose(3, 2, 0, 1),
    ("conv1d", "weight"): np.transpose,
    ("gru", "weight"): np.transpose,
    ("gru", "recurrent_weight"): np.transpose,
    ("lstm", "weight"): np.transpose,
    ("lstm", "recurrent_weight"): np.transpose,
}
"""Convert nnjit's weights to PyTorch's layout, with channels first."""


class TorchStepper(Stepper):
    """Data as tensors, and a Python loop over steps."""

    params: Params

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self._data = self._tensors(self.x, self.y)
        self._initial = _laid_out(workload)

    @abstractmethod
    def step(self, x: torch.Tensor, y: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Update the params for these rows, and return the loss."""

    def reset(self) -> None:
        self.params = {name: torch.tensor(w) for name, w in self._initial.items()}

    def cost(self, params: Params, x: torch.Tensor, y: torch.Tensor) -> Any:
        return mean_cost(LIBRARY, self.workload, params, x, y)

    def batch(
        self, x: torch.Tensor, y: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return (x[rows], y[rows]) if self.workload.batch else (x, y)

    def to_device(self, order: np.ndarray) -> tuple[torch.Tensor, ...]:
        return torch.from_numpy(order).unbind()

    def train(self, orders: Sequence[Any]) -> list[Any]:
        return [self.step(*self._data, rows) for order in orders for rows in order]

    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        with torch.no_grad():
            return float(self.cost(self.params, *self._tensors(x, y)))

    def _tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        if x.ndim == 4:  # channels first
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        return torch.from_numpy(x), torch.from_numpy(y if y.dtype.kind == "f" else y.astype(np.int64))


def _laid_out(workload: Workload) -> dict[str, np.ndarray]:
    """The initial weights in PyTorch's layout."""
    weights = workload.initial_weights()
    for layer in workload.network_layers:
        for param in layer.params:
            if change := LAYOUTS.get((layer.type, param)):
                name = f"{layer.name}.{param}"
                weights[name] = np.ascontiguousarray(change(weights[name]))
    return weights
