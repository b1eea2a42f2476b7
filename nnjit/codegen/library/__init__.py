"""Kernels compiled once per machine: products of matrices and lanes, vector loops, the barrier, the clock."""
