"""What is computed over axes: sums, extrema, moments, running sums, quantiles."""
