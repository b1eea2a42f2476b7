"""Read image files: which there are, what classes they have, and their pixels."""
