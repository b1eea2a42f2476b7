"""Training on several ranks: what they compare before they begin, and what those besides the first do."""
