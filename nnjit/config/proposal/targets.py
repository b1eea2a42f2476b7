"""Decide what a target holds, and which loss, metrics and outputs go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nnjit.data.encoding.kinds import Category, Constant, Date, Flag
from nnjit.data.encoding.survey import Survey
from nnjit.data.target import ProblemType
from nnjit.errors import DataError, counted

Holds = Literal["classes", "two classes", "values"]

_MOST_CODES = 20  # classes that are numbers; more are values
_LEAST_ROWS = 5  # for each class that is a number
UNEVEN = 0.75  # of the rows in one class

# fmt: off
LOSSES = {  # what a target holds: the loss, and the metrics
    "classes":     ("softmax_cross_entropy", ("accuracy",)),
    "two classes": ("binary_cross_entropy",  ("accuracy", "roc_auc")),
    "values":      ("mean_squared_error",    ("rmse", "mae", "r2")),
}
# fmt: on


@dataclass(frozen=True)
class Goal:
    """A target to predict.

    Args:
        is_number: whether its classes are whole numbers, which could also be values.
    """

    survey: Survey
    holds: Holds
    is_number: bool = False

    @property
    def name(self) -> str:
        """The target column."""
        return self.survey.name

    @property
    def units(self) -> int:
        """The number of outputs that predict it."""
        return self.survey.different if self.holds == "classes" else 1

    @property
    def loss(self) -> str:
        return LOSSES[self.holds][0]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics besides the loss; for uneven classes, accuracy says little."""
        metrics = LOSSES[self.holds][1]
        known = self.survey.rows - self.survey.missing
        is_uneven = self.holds == "classes" and self.survey.frequent[0][1] > UNEVEN * known
        return (*metrics, "balanced_accuracy") if is_uneven else metrics


def goal_of(survey: Survey, task: ProblemType | None) -> Goal:
    """Decide what a column holds as a target.

    Args:
        task: what it should hold; None decides by its values.

    Raises:
        DataError: there is nothing to learn.
    """
    name, different, known = survey.name, survey.different, survey.rows - survey.missing
    if survey.problem:
        raise DataError(f'target "{name}": {survey.problem}; correct it, or choose another target')
    if isinstance(survey.kind, Constant) or different < 2:
        given = f'is "{survey.frequent[0][0]}" in every row' if survey.frequent else "has no value"
        raise DataError(f'target "{name}" {given}, so there is nothing to learn; choose another target')
    if isinstance(survey.kind, Date):
        raise DataError(f'target "{name}" holds dates; give it as a number, e.g. of days')
    is_number = survey.extent is not None or survey.is_whole
    if task == "regression" and not is_number:
        raise DataError(
            f'target "{name}" holds text, such as "{survey.frequent[0][0]}"; omit --task regression'
        )
    if task == "classification" and is_number and not survey.is_whole:
        raise DataError(f'target "{name}" holds numbers that are not whole; omit --task classification')
    if task == "regression" or (task is None and is_number and not _are_codes(survey)):
        return Goal(survey, "values")
    if 2 * different > known and different > 2:
        raise DataError(
            f'target "{name}" has {counted(different, "different value")} in {counted(known, "row")}; a '
            "class needs several rows: choose another target"
        )
    return Goal(survey, "two classes" if different == 2 else "classes", survey.extent is not None)


def _are_codes(survey: Survey) -> bool:
    """Whether numbers are likely class codes: consecutive whole numbers from 0 or 1, or −1 and 1."""
    if isinstance(survey.kind, Flag | Category):
        return True
    if not survey.is_whole or survey.extent is None or survey.different > _MOST_CODES:
        return False
    low, high = (float(each) for each in survey.extent)
    is_counted = low in (0, 1) and high - low + 1 == survey.different
    known = survey.rows - survey.missing
    return (is_counted or (low, high, survey.different) == (-1, 1, 2)) and (
        known >= _LEAST_ROWS * survey.different
    )
