"""Numerical recipes: calculus, polynomials, covariances."""
