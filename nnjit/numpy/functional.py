"""Functions of functions and of conditions under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnjit.errors import GraphError
from nnjit.numpy.elementwise import where
from nnjit.numpy.promotion import Array, promote


def select(condlist: Sequence[Array], choicelist: Sequence[Array], default: Array = 0) -> Any:
    """The first of `choicelist` whose condition holds, else `default`."""
    if len(condlist) != len(choicelist) or not condlist:
        raise GraphError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; one each is needed"
        )
    *choices, out = promote(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        out = where(condition, choice, out)
    return out
