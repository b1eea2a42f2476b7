"""Comment on the options of a proposed config: what its table holds, and what to change."""

from __future__ import annotations

import textwrap
from pathlib import Path

from nnjit.config.proposal.columns import columns_of
from nnjit.config.proposal.plan import Plan
from nnjit.config.proposal.remarks import printable, remark_on_target
from nnjit.config.proposal.table import OpenTable
from nnjit.errors import ConfigPath, counted, shortened

_MOST_NAMED = 3  # of the columns that are ignored
_LONGEST_NAME = 32
WIDTH = 108
_KINDS = "number, category, flag, date, text, or left out: id, constant"

Comments = dict[ConfigPath, str]


def size_of(opened: OpenTable) -> str:
    """The file of a table, and its numbers of rows and columns."""
    table = opened.table
    rows, columns = counted(len(table), "row"), counted(len(table.columns), "column")
    return f"{Path(opened.file).name}: {rows} of {columns}"


def head_of(made: Plan) -> list[str]:
    """The comment above the options."""
    names = ", ".join(goal.name for goal in made.goals)
    lines = [f"{size_of(made.opened)}, to predict {names}", *made.opened.table.notes]
    columns = columns_of(made.inputs)
    if not columns.are_all_listed:
        lines.append(f"inputs: {columns.counts}; the kinds of those not listed are inferred in training")
    if made.time is not None and made.has_only_time:
        lines.append(
            f'the only input is "{made.time.name}": this learns {names} as a function of time, not how a '
            "row follows from those before it"
        )
    lines.append("nnjit help NAME explains an option: nnjit help features")
    return [part for line in lines for part in textwrap.wrap(printable(line), WIDTH)]


def comments_on(made: Plan) -> Comments:
    """The comments on options, by path."""
    return {
        **{("data", *path): comment for path, comment in _on_data(made).items()},
        ("loss",): _on_loss(made),
        ("training", "epochs"): "at most" if made.sizes.held_out else "too few rows to hold any out",
        ("training", "early_stopping"): "after so many epochs without a lower validation loss",
    }


def _on_data(made: Plan) -> Comments:
    columns = columns_of(made.inputs)
    targets = [remark_on_target(goal, made.dropped) for goal in made.goals]
    each: Comments = {("target", k): text for k, text in enumerate(targets)}
    return {
        ("missing_marks",): _on_marks(made),
        **(each if len(targets) > 1 else {("target",): targets[0]}),
        ("columns",): _KINDS,
        **{("columns", name): text for name, text in columns.remarks.items()},
        ("ignore",): "; ".join(
            printable(f'"{shortened(name, _LONGEST_NAME)}": {made.inputs[name].problem.partition(";")[0]}')
            for name in columns.unreadable[:_MOST_NAMED]
        ),
        ("split",): _on_split(made),
        ("scale",): "as for pixels: all by the largest value" if made.are_pixels else "",
    }


def _on_marks(made: Plan) -> str:
    marks = ", ".join(f'"{mark}"' for mark in made.marks)
    return printable(f"{marks} in columns of numbers" if marks else "")


def _on_split(made: Plan) -> str:
    time = made.time
    if time is None or not made.sizes.held_out:
        return ""
    name = printable(time.name)
    if not made.is_split_in_order:
        return f'drawn: rows are in the order of "{name}", but the first ones lack a class'
    if time.order == "descending":
        return f'rows go back in time by "{name}": reverse the file to test on the latest'
    return f'the latest by "{name}" are held out; true draws them'


def _on_loss(made: Plan) -> str:
    """Say how to take whole numbers as values instead of classes."""
    is_open = made.has_one_output and made.goals[0].is_number
    return "for values instead of classes: nnjit init … --task regression" if is_open else ""
