"""The page of a search: its trials ranked, and what the options have to do with the result."""
