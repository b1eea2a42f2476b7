"""Define the option that decides between two classes: a probability, or the rule that chooses it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnjit.registry import Options

_Cost = Annotated[float, Field(gt=0, le=1e9)]


class Costs(Options):
    """The cost of each kind of wrong decision, in any unit."""

    false_positive: _Cost = 1.0
    """The cost of taking a negative example for positive."""

    false_negative: _Cost = 1.0
    """The cost of missing a positive example."""


class LeastCost(Options):
    """Choose the threshold with the least cost on the validation part."""

    cost: Costs
    """The costs of wrong decisions."""


Threshold = Annotated[float, Field(gt=0, lt=1)] | Literal["best_f1"] | LeastCost
