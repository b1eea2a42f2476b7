"""Define the options of a search: which options vary, the number of trials, and what is best."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nnjit.registry import MOST, Count, Options

MOST_TRIALS = 100_000
MOST_REPLICAS = 1_000
FORMS = ("choices", "uniform", "log", "integers", "log_integers")


def _check_order(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if not low < high:
        raise ValueError(f"the first number is to be below the second, got {low:g} and {high:g}")
    return bounds


def _check_positive(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] <= 0:
        raise ValueError(f"a logarithmic range begins above 0, got {bounds[0]:g}")
    return bounds


_Whole = Annotated[int, Field(ge=-MOST, le=MOST)]
_Numbers = Annotated[tuple[float, float], AfterValidator(_check_order)]
_WholeNumbers = Annotated[tuple[_Whole, _Whole], AfterValidator(_check_order)]


class Variation(Options):
    """The values that one option may take in a trial: exactly one of these forms."""

    choices: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    """A list of values: numbers, texts, or whole mappings such as `{type: momentum, momentum: 0.9}`."""

    uniform: _Numbers | None = None
    """The least and the greatest number; all numbers between are equally likely."""

    log: Annotated[_Numbers, AfterValidator(_check_positive)] | None = None
    """The same on a logarithmic scale, as for a learning rate: `[1e-4, 1e-1]`."""

    integers: _WholeNumbers | None = None
    """The least and the greatest whole number, both included."""

    log_integers: Annotated[_WholeNumbers, AfterValidator(_check_positive)] | None = None
    """The same on a logarithmic scale, as for units: `[8, 512]`."""

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        given = [form for form in FORMS if getattr(self, form) is not None]
        if len(given) != 1:
            found = "none" if not given else " and ".join(given)
            raise ValueError(f"expected exactly one of {', '.join(FORMS)}, got {found}")
        return self


class SearchOptions(Options):
    """The options of `nnjit search`; `nnjit train` ignores them."""

    space: Annotated[dict[str, Variation], Field(min_length=1)]
    """The options that vary, by path: `optimizer.learning_rate`, `model[0].units`, `optimizer`."""

    metric: str | None = None
    """The value to optimise, a column of the history such as `validation_accuracy` or `validation_loss`, for
    the weights that a run keeps. null means the first validation metric, or the validation loss."""

    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)] = 100
    """The number of combinations to try."""

    seconds: float | None = Field(None, gt=0)
    """Seconds after which no new trial begins; null sets no limit."""

    sampler: Literal["tpe", "random", "grid", "cma"] = "tpe"
    """The method that proposes combinations: `tpe` (Bergstra et al. 2011) and `cma` (Hansen & Ostermeier
    2001) learn from earlier trials; `grid` takes all combinations of `choices` in turn."""

    pruner: Literal["median", "hyperband"] | None = None
    """The rule that ends bad trials early: `median`, those worse than the median of the others at the same
    epoch; `hyperband` (Li et al. 2018), in brackets of increasing length. null completes all trials."""

    replicas: Annotated[int, Field(ge=1, le=MOST_REPLICAS)] = 1
    """Runs per trial, with the seeds `seed`, `seed` + 1, …; their mean counts."""

    startup: Count = 10
    """Trials drawn at random before the sampler and the pruner begin to learn."""

    storage: str | None = None
    """A database of the trials for several machines to share: `postgresql://…`, `mysql://…`, `sqlite:///…`.
    null keeps them in the folder of the search."""
