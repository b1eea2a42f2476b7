"""Functions linear in each argument: products of matrices and tensors, convolutions."""
