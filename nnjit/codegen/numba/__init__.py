"""All use of private parts of Numba and llvmlite: the compiler, lowering, and the cache of machine code."""
