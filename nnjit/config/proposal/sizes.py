"""Choose the size of a network and of its training by the numbers of rows and inputs.

The rules did well over several seeds on tables of 150 to 32,000 rows: iris, wine, penguins, cars,
digits, small images and census incomes. Larger tables need fewer epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """The sizes of a network and its training.

    Args:
        hidden: the units of each hidden layer.
        dropout: the rate after each of them.
        epochs: at most so many.
        patience: of early stopping.
        held_out: the fraction of rows for validation, and again for testing; 0 if there are too few.
    """

    hidden: tuple[int, ...]
    dropout: float
    learning_rate: float
    epochs: int
    batch_size: int
    patience: int
    held_out: float


_MANY_INPUTS, _UNITS_FOR_MANY = 40, 128

# fmt: off
_BY_ROWS: Sequence[tuple[float, Sizes]] = (  # up to so many rows
    (30,           Sizes((16,),      0.0, 2e-3, 200, 16,  30, 0.0)),
    (1_000,        Sizes((32,),      0.2, 2e-3, 300, 16,  30, 0.15)),
    (10_000,       Sizes((64, 64),   0.2, 1e-3, 200, 32,  20, 0.15)),
    (100_000,      Sizes((128, 64),  0.2, 1e-3, 50,  128, 8,  0.1)),
    (1_000_000,    Sizes((128, 128), 0.1, 1e-3, 30,  512, 5,  0.1)),
    (float("inf"), Sizes((256, 128), 0.1, 1e-3, 20, 1024, 3,  0.05)),
)
# fmt: on


def sizes_of(rows: int, inputs: int) -> Sizes:
    """The sizes for a table.

    Args:
        inputs: the number of inputs of the first dense layer.
    """
    sizes = next(sizes for most, sizes in _BY_ROWS if rows <= most)
    if inputs <= _MANY_INPUTS:
        return sizes
    first, *others = sizes.hidden
    return replace(sizes, hidden=(max(first, _UNITS_FOR_MANY), *others))
