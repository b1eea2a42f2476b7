"""Kernels compiled once on a machine: matrix products, lanes, loops over vectors, the barrier of threads."""
