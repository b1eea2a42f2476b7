"""A workload's network and cost in the arrays of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.benchmark.workloads import Workload

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Library:
    """What a network takes from a library.

    Args:
        dense: (x, weight, bias) -> x @ weight + bias.
        activations: by nnjit's names.
        costs: by the loss's name in nnjit, (output, target) -> the mean cost of a batch.
    """

    dense: Callable[[Any, Any, Any], Any]
    activations: Mapping[str, Callable[[Any], Any]]
    costs: Mapping[str, Callable[[Any, Any], Any]]


def mean_cost(library: Library, workload: Workload, params: Params, x: Any, y: Any) -> Any:
    """The mean cost of a batch: a scalar of the library."""
    values, latest = {"input": x}, x
    for layer in workload.layers:
        if layer["type"] == "add":
            first, second = (values[name] for name in layer["from"])
            latest = first + second
        else:
            name = layer["name"]
            latest = library.dense(latest, params[f"{name}.weight"], params[f"{name}.bias"])
            if layer["activation"] != "identity":
                latest = library.activations[layer["activation"]](latest)
        values[layer["name"]] = latest
    return library.costs[workload.loss](latest, y)
