"""Turn an experiment into what the loop needs: data, model, checks, compiled graphs and the first state."""
