"""The page of a search: ranked trials, and how the options affect the result."""
