"""Compare several runs on a page: what they reached, and how their configs differ."""
