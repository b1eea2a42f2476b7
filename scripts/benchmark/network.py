"""Evaluate a workload's network and cost with any library's arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.benchmark.workloads import Workload

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Library:
    """The functions that a library provides for a network.

    Args:
        layers: by nnjit's type, (layer, its params by name, inputs…) -> its output, without
            the activation.
        activations: by nnjit's names, without the identity.
        costs: by nnjit's name of the loss, (output, target) -> the mean cost of a batch.
    """

    layers: Mapping[str, Callable[..., Any]]
    activations: Mapping[str, Callable[[Any], Any]]
    costs: Mapping[str, Callable[[Any, Any], Any]]


def mean_cost(library: Library, workload: Workload, params: Params, x: Any, y: Any) -> Any:
    """The mean cost of a batch, as a scalar of the library."""
    values, latest = {"input": x}, x
    for layer in workload.network_layers:
        layer_params = {param: params[f"{layer.name}.{param}"] for param in layer.params}
        inputs = [values[source] for source in layer.sources]
        latest = library.layers[layer.type](layer.options, layer_params, *inputs)
        activation = layer.options.get("activation", layer.options.get("function", "identity"))
        if activation != "identity":
            latest = library.activations[activation](latest)
        values[layer.name] = latest
    return library.costs[workload.loss](latest, y)
