"""From an experiment to all that the loop needs: data, model, checks, compiled graphs and the first state."""
