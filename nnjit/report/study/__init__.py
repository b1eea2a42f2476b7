"""The page of a study: its runs in one picture, and what they reached together."""
