"""All uses of private parts of Numba and llvmlite: the compiler, lowering, the cache of machine code."""
