"""An error about a column that cannot be followed lists those that can."""

# ruff: noqa: E501  a row is a column and what is said of it

from __future__ import annotations

import pytest

from nnjit.errors import ConfigError
from nnjit.experiment.options import EarlyStopping, Goal, TrainingOptions
from nnjit.optim.schedules.plateau import ReduceOnPlateau
from nnjit.training.setup.monitor import MOST_LISTED, Mode, monitor_of, plateau_of, threshold_of

TRAIN: dict[str, Mode] = {"train_loss": "min", "train_accuracy": "max"}
BOTH: dict[str, Mode] = {**TRAIN, "validation_loss": "min", "validation_accuracy": "max"}
TARGETS: dict[str, Mode] = {"train_loss": "min", "train_a_mae": "min", "train_b_mae": "min"}
ALL = "train_loss, train_accuracy, validation_loss, validation_accuracy"

# fmt: off
ROWS: list[tuple[str, dict[str, Mode], str]] = [
    ("validation_acuracy", BOTH,    f'the history has no column "validation_acuracy"; did you mean "validation_accuracy"? valid: {ALL}'),
    ("nonsense",           BOTH,    f'the history has no column "nonsense"; valid: {ALL}'),
    ("",                   BOTH,    f'the history has no column ""; valid: {ALL}'),
    ("val_loss",           BOTH,    'the history has no column "val_loss"; write "validation_loss"'),
    ("val_f1",             BOTH,    f'the history has no column "val_f1"; add f1 to the metrics, or use one of {ALL}'),
    ("train_top_k_3",      BOTH,    f'the history has no column "train_top_k_3"; add top_k to the metrics, or use one of {ALL}'),
    ("validation_loss",    TRAIN,   '"validation_loss" needs a validation part, and the data has none; set data.split.validation, or use one of train_loss, train_accuracy'),
    ("val_loss",           TRAIN,   '"val_loss" needs a validation part, and the data has none; set data.split.validation, or use one of train_loss, train_accuracy'),
    ("train_mae",          TARGETS, 'the history has no column "train_mae"; each target or output has its own: train_a_mae, train_b_mae'),
]
# fmt: on


@pytest.mark.parametrize(("column", "modes", "message"), ROWS)
def test_a_column_that_is_not_there_is_named_with_those_that_are(
    column: str, modes: dict[str, Mode], message: str
) -> None:
    training = TrainingOptions(early_stopping=EarlyStopping(monitor=column))
    with pytest.raises(ConfigError) as error:
        monitor_of(training, modes)
    assert (error.value.message, error.value.path) == (message, ("early_stopping", "monitor"))
    with pytest.raises(ConfigError) as error:
        plateau_of(ReduceOnPlateau(monitor=column), modes)
    assert (error.value.message, error.value.path) == (message, ("monitor",))
    with pytest.raises(ConfigError) as error:
        threshold_of(Goal(metric=column, value=1.0), modes)
    assert (error.value.message, error.value.path) == (message, ("target", "metric"))


def test_of_many_columns_some_are_listed() -> None:
    modes: dict[str, Mode] = {f"train_{k}_mae": "min" for k in range(MOST_LISTED + 7)}
    with pytest.raises(ConfigError, match=r"train_29_mae and 7 more$"):
        threshold_of(Goal(metric="nonsense", value=1.0), modes)
