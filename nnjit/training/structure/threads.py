"""Choose the number of threads that share a step."""

from __future__ import annotations

import math
from typing import Literal

from nnjit.cores import usable_cores
from nnjit.ir import Graph, Shape

WORTH_SHARING = 2**18  # multiplications of a step; with fewer, waiting costs more than sharing saves
FEW = 16  # rows of a batch; with fewer, moving weights between cores costs more than sharing rows saves
WORTH_SHARING_FEW = 2**22
MOST = 8  # threads that "auto" uses; more were never measured


def threads_for(wanted: int | Literal["auto"], graph: Graph, batch: int) -> int:
    """Choose the number of threads that share each step.

    Args:
        wanted: "auto" uses all usable cores, at most `MOST`, if a step is large enough to share.
        graph: the step.
        batch: the rows of a batch.
    """
    if wanted != "auto":
        return wanted
    products = [n for n in graph.nodes if n.primitive.kind == "matmul"]
    work = sum(_length(n.inputs[0].shape, batch) * _length(n.shape[1:], batch) for n in products)
    least = WORTH_SHARING_FEW if batch < FEW else WORTH_SHARING
    return min(usable_cores(), MOST) if work >= least else 1


def _length(shape: Shape, batch: int) -> int:
    return math.prod(d if isinstance(d, int) else batch for d in shape)
