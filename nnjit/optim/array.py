"""Type names for params, gradients and slots in the signatures of `nnjit.optim`."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

# A traced node or a NumPy array. Any, since operators between the two have no type.
Array: TypeAlias = Any
# A NamedTuple of the arrays that an optimizer carries from step to step, in checkpoint order; arrays needed
# only by some options are None without them.
SlotType: TypeAlias = type[tuple[Any, ...]]
# The params after a step, and the slots.
Update: TypeAlias = tuple[Array, tuple[Any, ...]]


class NoSlots(NamedTuple):
    """Nothing."""


def slot_names(slot_type: SlotType) -> tuple[str, ...]:
    """The names of the fields.

    >>> class Velocity(NamedTuple):
    ...     velocity: Array
    >>> slot_names(Velocity)
    ('velocity',)
    """
    return tuple(slot_type.__annotations__)
