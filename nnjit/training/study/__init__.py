"""Studies: replicas or folds of one experiment, trained in parallel, with aggregated metrics."""
