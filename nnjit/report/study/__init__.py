"""The page of a study: its runs in one picture, and their aggregated metrics."""
