"""The page of a study: all runs in one picture, and aggregated metrics."""
