"""Several trainings of one experiment: replicas and folds, trained in parallel and aggregated."""
