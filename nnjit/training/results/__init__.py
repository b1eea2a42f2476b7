"""Judge a finished training: final values, baselines, predictions and importance."""
