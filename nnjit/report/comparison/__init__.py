"""Compare several runs on a page: their results, and how their configs differ."""
