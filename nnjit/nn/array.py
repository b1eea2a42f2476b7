"""Type names for arrays and shapes in the signatures of `nnjit.nn`."""

from typing import Any, TypeAlias

# A traced node or a NumPy array, batch axis first. Any, since operators between the two have no type.
Array: TypeAlias = Any
# The shape of one example or of a param, without the batch axis.
Shape: TypeAlias = tuple[int, ...]
