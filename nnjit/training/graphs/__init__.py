"""The graphs of a training: the step, the evaluation and the prediction, and those of full-batch methods."""
