"""The model: expand config entries into layers, wire them into a graph, keep params in one vector."""
