"""Turn an experiment into checked data, a model, compiled graphs and an initial state."""
