"""Bind the arrays of a network to its graph as constants, and concatenate its outputs."""

from __future__ import annotations

import nnjit.numpy as np
from nnjit.autodiff import as_node
from nnjit.export.network import Network
from nnjit.ir import Graph, constant, rebuild, tracing


@tracing()
def bound(network: Network) -> tuple[Graph, dict[bytes, str]]:
    """Return the graph (x) → the outputs of a network side by side, in its dtype; and array bytes -> name."""
    dtype = network.task.dtype
    graph = network.graph(given=dtype)
    arrays = {graph.input(name): constant(array) for name, array in network.arrays.items()}
    outputs = [as_node(np.astype(out, dtype)) for out in rebuild(graph.outputs, arrays)]
    joined = outputs[0] if len(outputs) == 1 else as_node(np.concatenate(outputs, axis=1))
    names = {array.tobytes(): name for name, array in network.arrays.items()}
    return Graph((graph.input("x"),), (joined,), ("x",)), names
