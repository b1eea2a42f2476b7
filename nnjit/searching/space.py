"""Turn a search space into Optuna's distributions, and Optuna's proposals into options of a trial."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from nnjit.config import Config, varied
from nnjit.data import Readings
from nnjit.errors import ConfigError
from nnjit.experiment.search import Variation

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Options = Mapping[str, Any]
"""The value of each varied option, by path."""


@dataclass(frozen=True)
class Space:
    """The options to vary, and the config around them.

    Args:
        given: the config that has the options.
        readings: the data, shared by all trials.
    """

    given: Config
    variations: Mapping[str, Variation]
    readings: Readings = field(default_factory=Readings)

    def check(self) -> None:
        """Try each choice, and both ends of each range, one at a time.

        Raises:
            ConfigError: the config has no such option, or the option does not accept a value.
        """
        for option, variation in self.variations.items():
            for value in _extremes(variation):
                self.config({option: value})

    def config(self, options: Options) -> Config:
        """The config of a trial, without the section `search`.

        Raises:
            ConfigError: a value does not fit.
        """
        document = self.given.document
        at = {option: document.location(("search", "space", option)) for option in options}
        found = varied(self.given, options, at)
        alone = found.experiment.model_copy(update={"search": None})
        return Config(alone.keeping(self.readings), found.document)

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions, by option."""
        return {option: _distribution(variation) for option, variation in self.variations.items()}

    def options(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Turn Optuna's draws into the options of a trial."""
        return {option: _value(self.variations[option], drawn) for option, drawn in params.items()}

    def check_grid(self) -> None:
        """Raise a ConfigError if an option has a range instead of choices."""
        for option, variation in self.variations.items():
            if variation.choices is None:
                raise ConfigError(
                    "a grid tries every value of each option, so give choices instead of a range, or another "
                    "sampler",
                    ("search", "space", option),
                )

    def grid(self) -> Iterator[dict[str, Any]]:
        """Yield all combinations of choices as Optuna would draw them."""
        labels = (list(map(_label, variation.choices or ())) for variation in self.variations.values())
        return (dict(zip(self.variations, drawn, strict=True)) for drawn in product(*labels))


def _extremes(variation: Variation) -> Iterator[Any]:
    if variation.choices is not None:
        yield from variation.choices
    for bounds in (variation.uniform, variation.log, variation.integers, variation.log_integers):
        yield from bounds or ()


def _distribution(variation: Variation) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match variation:
        case Variation(choices=(*choices,)):
            return CategoricalDistribution(list(map(_label, choices)))
        case Variation(uniform=(low, high)):
            return FloatDistribution(low, high)
        case Variation(log=(low, high)):
            return FloatDistribution(low, high, log=True)
        case Variation(integers=(low, high)):
            return IntDistribution(int(low), int(high))
        case Variation(log_integers=(low, high)):
            return IntDistribution(int(low), int(high), log=True)
    raise AssertionError("a variation has one form, which it checks itself")


def _label(choice: Any) -> Any:
    """A choice as Optuna stores it, with mappings and lists as text."""
    return choice if isinstance(choice, str | int | float | None) else json.dumps(choice)


def _value(variation: Variation, drawn: Any) -> Any:
    if variation.choices is None:
        return drawn
    return next(choice for choice in variation.choices if _same(_label(choice), drawn))


def _same(label: Any, drawn: Any) -> bool:
    """Whether a label equals a draw and has its type: `true` is not 1."""
    return label == drawn and isinstance(label, bool) == isinstance(drawn, bool)
