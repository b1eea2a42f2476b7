"""The option that decides between two classes: a probability, or the rule that chooses it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnjit.registry import Options

_Cost = Annotated[float, Field(gt=0, le=1e9)]


class Costs(Options):
    """What each wrong decision costs, in any unit."""

    false_positive: _Cost = 1.0
    """The cost of taking an example for the positive class that is not of it."""

    false_negative: _Cost = 1.0
    """The cost of missing an example of the positive class."""


class LeastCost(Options):
    """The threshold with the least cost on the validation part."""

    cost: Costs
    """What wrong decisions cost."""


Threshold = Annotated[float, Field(gt=0, lt=1)] | Literal["best_f1"] | LeastCost
