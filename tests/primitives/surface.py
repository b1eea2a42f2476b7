"""More rows of the table of operations: what `nnjit.numpy` composes, and what is only interpreted yet.

They share a few large programs when they are compiled (`test_surface.py`), since their kernels are those of
the primitives.
"""

from __future__ import annotations

import numpy as np

import nnjit.numpy as nnp

from .table import BOOL, WIDE, Row

# fmt: off
SURFACE_ROWS = (
    Row("bitwise_and",  nnp.bitwise_and, np.logical_and,                     (BOOL, BOOL)),
    Row("bitwise_or",   nnp.bitwise_or, np.logical_or,                       (BOOL, BOOL)),
    Row("bitwise_xor",  nnp.bitwise_xor, np.logical_xor,                     (BOOL, BOOL)),
    Row("invert",       nnp.invert, np.logical_not,                          (BOOL,)),
    Row("swapaxes",     lambda x: nnp.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), (WIDE,)),
    Row("moveaxis", lambda x: nnp.moveaxis(x, (0, 1), (-1, 0)), lambda x: np.moveaxis(x, (0, 1), (-1, 0)),
                                                                             (WIDE,)),
)
# fmt: on
