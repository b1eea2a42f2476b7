"""The words for arrays in the signatures of this room."""

from typing import Any, TypeAlias

# A traced node or a NumPy array. Any, since operators between the two have no type.
Array: TypeAlias = Any
# The vectors that an optimizer carries from step to step.
Slots: TypeAlias = tuple[Array, ...]
# The params after a step, and the slots.
Update: TypeAlias = tuple[Array, Slots]
