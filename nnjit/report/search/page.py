"""Write the page of a search, from its files alone."""

from __future__ import annotations

from pathlib import Path

from nnjit.errors import counted
from nnjit.report.formatting import (
    Row,
    column_name,
    metric_value,
    number,
    option_value,
    plain,
    seconds,
    sentence,
)
from nnjit.report.pages.summary import path_as_typed
from nnjit.report.pages.templates import template, write_page
from nnjit.report.pictures.style import Picture, style, to_svg
from nnjit.report.search import pictures
from nnjit.runs import file_names
from nnjit.runs.search import SearchResult, Trial, TrialStatus

SHOWN = 20  # trials in the table; the file has all
ABSENT = "–"


def write_search_report(folder: Path) -> None:
    """Write the page into the folder of a search.

    Raises:
        RunError: the search's file is missing or malformed.
    """
    result = SearchResult.read(folder)
    with style():
        drawn = [picture for draw in pictures.PICTURES if (picture := draw(result))]
        drawings: list[tuple[Picture, str]] = [(picture, to_svg(picture)) for picture in drawn]
    page = template("search.html.jinja").render(
        result=result,
        headline=headline(result),
        story=story(result),
        best=best_options(result),
        table=table(result),
        shown=SHOWN,
        drawings=drawings,
        path=path_as_typed(folder),
        counted=counted,
        plain=plain,
        has_run=(folder / file_names.BEST_RUN).is_dir(),
    )
    write_page(folder / file_names.REPORT, page)


def headline(result: SearchResult) -> str:
    """State the best value and the options that gave it."""
    if result.best is None:
        return "No trial completed."
    value = sentence(f"{column_name(result.metric)} {_value(result, result.best)}")
    return f"{value} with {options_text(result.best)}."


def story(result: SearchResult) -> str:
    """Say how many trials there were and how they ended."""
    ended = [trial.status for trial in result.trials]
    kinds = [f"{ended.count(status)} {status}" for status in TrialStatus if status in ended]
    time = seconds(sum(trial.seconds for trial in result.trials))
    missing = result.wanted - len(ended)
    rest = f" {missing} of {result.wanted} remain." if missing > 0 else ""
    return f"{counted(len(ended), 'trial')} ({', '.join(kinds)}), {time} of training in total.{rest}"


def best_options(result: SearchResult) -> list[Row]:
    """The options of the best trial."""
    options = {} if result.best is None else result.best.options
    return [(option, option_value(value)) for option, value in options.items()]


def table(result: SearchResult) -> tuple[Row, list[Row]]:
    """The best trials with their options."""
    columns = ("trial", column_name(result.metric), *result.options, "epochs", "time")
    return columns, [_row(result, trial) for trial in result.ranked[:SHOWN]]


def _row(result: SearchResult, trial: Trial) -> Row:
    value = _value(result, trial) if trial.status is TrialStatus.COMPLETED else str(trial.status)
    options = [option_value(trial.options[o]) if o in trial.options else ABSENT for o in result.options]
    return (str(trial.number), value, *options, number(trial.epochs), seconds(trial.seconds))


def _value(result: SearchResult, trial: Trial) -> str:
    return metric_value(result.metric.partition("_")[2], trial.value)


def options_text(trial: Trial) -> str:
    """The options of a trial as part of a sentence."""
    parts = [f"{option} {option_value(value)}" for option, value in trial.options.items()]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
