"""Turn an experiment into data, a model, compiled graphs and a first state, all checked."""
