"""Reductions over axes: sums, extrema, moments, running sums, quantiles."""
