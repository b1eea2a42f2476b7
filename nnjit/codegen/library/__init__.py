"""Kernels that are compiled once on a machine: products of matrices and lanes, vector loops, the barrier."""
