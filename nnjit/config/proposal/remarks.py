"""Summarise a column in a few words, for the comments of a config."""

from __future__ import annotations

from nnjit.config.proposal.targets import Goal
from nnjit.data.encoding.kinds import Category, Constant, Flag, Id, Number, Text
from nnjit.data.encoding.survey import Survey
from nnjit.errors import counted, shortened

_LONGEST = 60  # characters of the values that are named
_LONGEST_OF_TARGET = 80
_LEAST, _COUNT, _FEW = 12, 8, 3  # characters of a value, and of its rows; values that share the room
_LONGEST_VALUE = 24


def remark(survey: Survey) -> str:
    """Summarise a column, or say why it is left out."""
    if survey.problem:
        return printable(f"left out: {survey.problem}")
    return printable(_joined(_values(survey), _missing(survey)))


def remark_on_target(goal: Goal, dropped: int) -> str:
    """Summarise a target.

    Args:
        dropped: the number of rows that lack it.
    """
    survey = goal.survey
    lost = f"{counted(dropped, 'row')} without it left out" if dropped else ""
    if goal.holds == "values":
        return printable(_joined(f"values from {_range(survey)}", lost))
    if goal.is_number:
        return printable(_joined(f"{survey.different} classes, {_range(survey)}", lost))
    return printable(_joined(f"{survey.different} classes: {_named(survey, _LONGEST_OF_TARGET)}", lost))


def printable(text: str) -> str:
    """The text on one line."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _values(survey: Survey) -> str:
    match survey.kind:
        case Constant():
            value = f'"{_short(survey.frequent[0][0])}" throughout' if survey.frequent else "no value"
            return f"left out: {value}"
        case Id():
            return f"left out: {_of_id(survey)}"
        case Text():
            return f'{survey.different:,} different texts, such as "{_short(survey.frequent[0][0])}"'
        case Category(other=other):
            others = f"; those of fewer than {other} rows are one" if other > 1 else ""
            capitals = "; some differ in capitals alone" if survey.differs_in_case else ""
            return f"{survey.different:,}: {_named(survey)}{others}{capitals}"
        case Flag():
            return _named(survey)
    return _range(survey)


def _range(survey: Survey) -> str:
    return " to ".join(survey.extent or ())


def _of_id(survey: Survey) -> str:
    known = survey.rows - survey.missing
    if isinstance(survey.spare, Text):
        return f"{survey.different:,} different texts; in a larger table, text would take their words"
    if isinstance(survey.spare, Number):
        return "it numbers the rows"
    return f"{survey.different:,} different values in {counted(known, 'row')}"


def _missing(survey: Survey) -> str:
    return f"{survey.missing:,} missing" if survey.missing else ""


def _named(survey: Survey, room: int = _LONGEST) -> str:
    """The most frequent values with their numbers of rows, as far as there is room."""
    shown: list[str] = []
    longest = max(_LEAST, room // min(survey.different, _FEW) - _COUNT)
    for value, rows in survey.frequent:
        text = f"{shortened(value, longest)} ({rows:,})"
        if shown and len(", ".join([*shown, text])) > room:
            break
        shown.append(text)
    return ", ".join(shown) + (", …" if len(shown) < survey.different else "")


def _short(value: str) -> str:
    return shortened(value, _LONGEST_VALUE)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
