"""Propose a config for a table that trains unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nnjit.config.proposal.comments import comments_on, head_of, size_of
from nnjit.config.proposal.layout import written
from nnjit.config.proposal.options import options_of
from nnjit.config.proposal.plan import plan
from nnjit.config.proposal.remarks import printable, remark
from nnjit.config.proposal.table import OpenTable
from nnjit.data.encoding.survey import Survey
from nnjit.data.target import ProblemType
from nnjit.errors import UserError, counted, did_you_mean, shortened

_POSITION = re.compile(r"[+-]?\d{1,9}")
_MOST_SHOWN = 60  # columns in a list of them
_WIDEST_NAME = 32


@dataclass(frozen=True)
class Wanted:
    """The user's requests for a config.

    Args:
        targets: columns to predict, by name or position.
        ignore: columns to leave out, by name or position.
        task: what the targets hold; None decides by their values.
    """

    targets: Sequence[str]
    ignore: Sequence[str] = ()
    task: ProblemType | None = None


def propose(opened: OpenTable, wanted: Wanted, *, escaped: bool = False) -> str:
    """The text of a config that predicts columns of a table from the others.

    Args:
        escaped: whether to write characters beyond ASCII as escapes.

    Raises:
        UserError: no target is given, a column does not exist, a target has nothing to learn, or no column is
            left as an input.
    """
    columns = opened.table.columns
    ignored = _named(wanted.ignore, "--ignore", columns)
    if not wanted.targets:
        raise UserError(_choose(opened, ignored))
    targets = _named(wanted.targets, "--target", columns)
    for name in targets:
        if name in ignored:
            raise UserError(f'--ignore "{name}": this column is a target; choose another')
    made = plan(opened, targets, ignored, wanted.task)
    return written(options_of(made), comments_on(made), head_of(made), escaped=escaped)


def _named(given: Sequence[str], flag: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that a flag gives by name or, if no column has that name, by position."""
    found: list[str] = []
    for text in given:
        is_position = text not in columns and _POSITION.fullmatch(text)
        if is_position and not -len(columns) <= int(text) < len(columns):
            raise UserError(f"{flag} {text}: no such column; there are {len(columns)}, counted from 0")
        if not is_position and text not in columns:
            raise UserError(f'{flag}: no column "{shortened(text)}"{did_you_mean(text, columns)}')
        name = columns[int(text)] if is_position else text
        if name in found:
            raise UserError(f'{flag}: column "{name}" is named twice; omit one')
        found.append(name)
    return tuple(found)


def _choose(opened: OpenTable, ignored: Sequence[str]) -> str:
    """The message that lists the columns to choose from."""
    columns = [name for name in opened.table.columns if name not in ignored]
    surveys = opened.surveys(columns[:_MOST_SHOWN])
    width = min(_WIDEST_NAME, max(map(len, surveys), default=0))
    lines = [
        f"  {printable(shortened(name, _WIDEST_NAME)):<{width}}  {_kind(each):<8}  {remark(each)}"
        for name, each in surveys.items()
    ]
    if len(columns) > _MOST_SHOWN:
        lines.append(f"  and {counted(len(columns) - _MOST_SHOWN, 'more column')}")
    return "\n".join(
        [f"{size_of(opened)}:", *lines, "choose the column to predict: --target NAME, or --target POSITION"]
    )


def _kind(survey: Survey) -> str:
    return "-" if survey.problem else survey.kind.type
