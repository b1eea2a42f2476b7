"""Export to C99: one file and its header, without a heap or any library but libm.

The code is a translation of the program that nnjit compiles for itself, with its kernels, loop nests and
buffers, for a batch of one example. Weights are constants, and buffers are static.
"""

from nnjit.export.c.write import note, write

__all__ = ["note", "write"]
