"""What programs call as they run: views, products, threads, scratch memory, LAPACK, BLAS and sorting."""
