"""Check that the params, the optimizer's slots and the layers' outputs fit into memory.

The estimates are lower bounds, so nothing that would fit is refused. The exact check is that of a compiled
program with planned buffers (`codegen.program.allocate`).
"""

from __future__ import annotations

import math

import numpy as np

from nnjit.ir import as_dtype
from nnjit.memory import check_fits
from nnjit.training.graphs.task import Task

_LEAST_ROWS = 8  # of a block
_COPIES = 2  # of a state: the one in training, and the one to go back to


def check_state(task: Task, members: int = 1) -> None:
    """Raise TooLarge if the arrays of a training do not fit: params, best params and slots.

    Args:
        members: the number of trainings that have such arrays at the same time.
    """
    table, item = task.model.table, np.dtype(as_dtype(task.dtype)).itemsize
    frozen, largest = task.model.frozen_table.size, max(task.model.arrays, key=lambda entry: entry.size)
    kept = sum(slot.nbytes for slot in task.optimizer.initial_slots(np.zeros(1, as_dtype(task.dtype))))
    each = (2 + len(task.averages)) * item + kept
    share = "" if members == 1 else f" in each of {members} trainings at once"
    check_fits(
        _COPIES * (table.size * each + frozen * 2 * item) * members,
        f"{table.size + frozen:,} params, of which {largest.size:,} are {largest.name}{share}",
        "make this layer smaller" if members == 1 else "set training.threads to fewer",
        ("model",) if members == 1 else ("training", "threads"),
    )


def check_outputs(task: Task, rows: int) -> None:
    """Raise TooLarge if the output of a layer does not fit.

    Args:
        rows: the rows of an update that are computed together.
    """
    item, rows = np.dtype(as_dtype(task.dtype)).itemsize, min(rows, _LEAST_ROWS)
    for node in task.model.nodes:
        size = math.prod(node.output_shape)
        check_fits(
            size * item * rows,
            f'the output of layer "{node.name}", {size:,} numbers a row',
            "choose a smaller one",
            ("model",),
        )
