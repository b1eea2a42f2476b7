"""Plan a legal graph: the order of its kernels, their loop nests, memory, and slices for threads."""
