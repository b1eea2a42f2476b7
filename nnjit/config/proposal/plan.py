"""Decide what a config for a table says: inputs, targets, the order of the rows, and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnjit.config.proposal.remarks import remark
from nnjit.config.proposal.sizes import Sizes, sizes_of
from nnjit.config.proposal.table import OpenTable
from nnjit.config.proposal.targets import Goal, goal_of
from nnjit.data.encoding.encoder import TableEncoder
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.encoding.survey import Survey
from nnjit.data.target import ProblemType
from nnjit.errors import UserError
from nnjit.nn.layers.features import Features

_MOST_NAMED = 5  # columns in a message
_LEAST_PIXELS, _LARGEST_BYTE = 48, 255


@dataclass(frozen=True, eq=False)
class Plan:
    """The decisions for a config.

    Args:
        opened: the table, with the rows that have all targets.
        dropped: the number of rows that lack one.
        inputs: the candidate inputs, by name; some are left out.
        ignored: the columns to leave out.
        marks: words in columns of numbers that mark a missing value.
        time: the column that orders the rows; None if there is none.
        is_split_in_order: whether the last rows can be held out.
    """

    opened: OpenTable
    dropped: int
    goals: Sequence[Goal]
    inputs: Mapping[str, Survey]
    ignored: Sequence[str]
    marks: Sequence[str]
    time: Survey | None
    is_split_in_order: bool
    sizes: Sizes

    @property
    def has_one_output(self) -> bool:
        """Whether one output predicts everything: one target, or several values."""
        return len(self.goals) == 1 or all(goal.holds == "values" for goal in self.goals)

    @property
    def has_only_time(self) -> bool:
        """Whether the only input is the time of a row."""
        return self.time is not None and self._used == [self.time]

    @property
    def are_pixels(self) -> bool:
        """Whether the inputs look like the pixels of an image: many whole numbers of one byte."""
        bounds = [tuple(map(float, each.extent)) for each in self._used if each.is_whole and each.extent]
        are_bytes = all(low >= 0 and high <= _LARGEST_BYTE for low, high in bounds)
        return len(self._used) == len(bounds) >= _LEAST_PIXELS and are_bytes

    @property
    def _used(self) -> list[Survey]:
        """The columns that become inputs."""
        return [each for each in self.inputs.values() if each.encoding.inputs and not each.problem]


def plan(opened: OpenTable, targets: Sequence[str], ignored: Sequence[str], task: ProblemType | None) -> Plan:
    """Plan a config for a table.

    Args:
        targets, ignored: names of columns.
        task: what the targets hold; None decides by their values.

    Raises:
        UserError: a target has nothing to learn, or no column is left to learn it from.
    """
    whole = opened
    opened = whole.with_targets(targets)
    surveys = opened.surveys([name for name in opened.table.columns if name not in ignored])
    if marks := _marks(opened, surveys, targets):  # then columns of numbers have gaps instead of words
        whole = whole.with_marks(marks)
        opened = whole.with_targets(targets)
        surveys = opened.surveys(list(surveys))
    goals = [goal_of(surveys[name], task) for name in targets]
    others = {name: each for name, each in surveys.items() if name not in targets}
    inputs = _with_an_input(opened, others)
    width = _width(inputs)
    if not width:
        raise UserError(f"no column is left to predict {_quoted(targets)} from; {_why(inputs)}")
    rows = len(opened.table)
    sizes = sizes_of(rows, width)
    time = _time(inputs)
    return Plan(
        opened=opened,
        dropped=len(whole.table) - rows,
        goals=goals,
        inputs=inputs,
        ignored=ignored,
        marks=marks,
        time=time,
        is_split_in_order=time is not None and _reaches_all_classes(opened, goals, sizes),
        sizes=sizes,
    )


def _marks(opened: OpenTable, surveys: Mapping[str, Survey], targets: Sequence[str]) -> tuple[str, ...]:
    """Words in columns of numbers that mark missing values, unless they are a class."""
    found = {mark: None for each in surveys.values() for mark in each.marks}
    of_classes = [opened.table.text(name) for name in targets if not surveys[name].marks] if found else []
    return tuple(mark for mark in found if not any((text == mark).any() for text in of_classes))


def _with_an_input(opened: OpenTable, surveys: Mapping[str, Survey]) -> Mapping[str, Survey]:
    """The surveys; if no column gives an input, columns otherwise left out do."""
    if any(each.encoding.inputs and not each.problem for each in surveys.values()):
        return surveys
    return {name: each.as_spare(RawColumn(opened.table, name)) for name, each in surveys.items()}


def _width(surveys: Mapping[str, Survey]) -> int:
    """The width of the output of `features`; 0 if no column is an input."""
    encoder = TableEncoder(tuple(each.encoding for each in surveys.values() if not each.problem))
    if not encoder.features:
        return 0
    [width] = Features().with_columns(encoder.inputs).output_shape()
    return width


def _time(surveys: Mapping[str, Survey]) -> Survey | None:
    """The column that orders the rows, preferably with the earliest first."""
    ordered = [each for each in surveys.values() if each.is_time and each.order]
    return min(ordered, key=lambda each: each.order == "descending", default=None)


def _reaches_all_classes(opened: OpenTable, goals: Sequence[Goal], sizes: Sizes) -> bool:
    """Whether the rows that are not held out have all classes."""
    rows = len(opened.table)
    held_out = 2 * round(sizes.held_out * rows)
    texts = [opened.table.text(goal.name) for goal in goals if goal.holds != "values"]
    return all(text[: rows - held_out].n_unique() == text.n_unique() for text in texts)


def _why(surveys: Mapping[str, Survey]) -> str:
    if not surveys:
        return "the table has no other"
    return "; ".join(f"{name}: {remark(each)}" for name, each in list(surveys.items())[:_MOST_NAMED])


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(f'"{name}"' for name in names)
