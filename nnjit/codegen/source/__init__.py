"""Write programs: the Python source of kernels, loops and epochs, and a summary of the kernels."""
