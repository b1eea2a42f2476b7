"""The model: entries of a config expanded into layers, wired into a graph, with one vector of params."""
