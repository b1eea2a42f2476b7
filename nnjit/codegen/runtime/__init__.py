"""Functions that programs call: views, products, threads, scratch memory, LAPACK, BLAS and sorting."""
