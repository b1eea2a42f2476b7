"""Training on several ranks: what they compare before they begin, and what all but the first do."""
