"""Write the program: Python source of kernels, loops and epochs; a summary of what each kernel computes."""
