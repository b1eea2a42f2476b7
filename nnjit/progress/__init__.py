"""Show the progress of a run, and notify its followers; none of them changes its results."""
