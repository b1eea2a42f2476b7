"""Sums over the batch: the lines that add up the parts of threads and of ranks."""
