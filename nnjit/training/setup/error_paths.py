"""Give errors their config paths, and check metrics under theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from nnjit.errors import ConfigError, UserError
from nnjit.experiment import Experiment
from nnjit.nn import Metric
from nnjit.nn.targets import OR_CLASSES


@contextmanager
def within(*prefix: str | int) -> Iterator[None]:
    """Prefix the config path of every UserError raised inside."""
    try:
        yield
    except UserError as error:
        raise error.within(*prefix) from error.__cause__


@contextmanager
def mends_for(experiment: Experiment) -> Iterator[None]:
    """Omit the option `task` from every mend inside if the data has no such option."""
    try:
        yield
    except UserError as error:
        if experiment.losses is not None or "task" in type(experiment.data).model_fields:
            raise
        raise type(error)(error.message.replace(OR_CLASSES, ""), error.path) from error.__cause__


def check_values(chosen: Sequence[Metric], target: np.ndarray) -> None:
    """Raise a DataError if a metric cannot take target values (n, O), in their original unit."""
    for k, metric in enumerate(chosen):
        with within("metrics", k):
            metric.check_targets(target)


def check_metrics(chosen: Sequence[Metric], classes: int | None) -> None:
    """Raise a ConfigError if a metric is given twice or does not fit data with this number of classes."""
    for k, metric in enumerate(chosen):
        with within("metrics", k):
            if metric.column in (other.column for other in chosen[:k]):
                raise ConfigError(f'"{metric.column}" is there already; give it once, or another option')
            metric.check(classes)
