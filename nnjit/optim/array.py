"""The types of params, gradients and slots in the signatures of this room."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

# A traced node or a NumPy array. Any, since operators between the two have no type.
Array: TypeAlias = Any


@dataclass(frozen=True)
class Slots:
    """The arrays that an optimizer carries from step to step; a subclass has a field for each.

    An array that only some options need is None without them. The order of the fields is that of the slots
    in a checkpoint.
    """

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in fields(cls))

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays in the order of the fields, without those that are None."""
        arrays = (getattr(self, name) for name in self.names())
        return tuple(array for array in arrays if array is not None)


# Spelled here, since a class of options has a field that is called `type`.
SlotType: TypeAlias = type[Slots]
# The params after a step, and the slots.
Update: TypeAlias = tuple[Array, Slots]
