"""Use private parts of Numba and llvmlite, only here: the compiler, lowering, the cache of machine code."""
