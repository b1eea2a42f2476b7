"""The graphs of training: step, evaluation and prediction, and those of full-batch methods."""
