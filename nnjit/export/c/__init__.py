"""Export to C99: one file and its header, without a heap or any library except libm.

The code translates the program that nnjit itself would compile, with its kernels, loop nests and buffers, for
a batch of one example. Weights are constants, and buffers are static.
"""

from nnjit.export.c.write import note, write

__all__ = ["note", "write"]
