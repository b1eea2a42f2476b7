"""Report runs to trackers, other programs that show them: TensorBoard and MLflow."""
