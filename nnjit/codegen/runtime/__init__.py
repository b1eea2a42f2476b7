"""What programs call as they run: views of memory, threads, scratch memory, LAPACK, BLAS and sorting."""
