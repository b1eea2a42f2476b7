"""Train an experiment and report on it, or open a run, from Python."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnjit.errors import Incomplete, RunError, Stopped, UserError, reason
from nnjit.runs import file_names
from nnjit.runs.folder import has_ended, holds_run

if TYPE_CHECKING:
    from nnjit.config import Config
    from nnjit.experiment import Experiment
    from nnjit.training import Run, Study


def fit(
    config: str | Path | Mapping[str, Any] | Experiment,
    overrides: Iterable[str] = (),
    *,
    data: Any = None,
    initial_run: str | Path | None = None,
    output: str | Path | Literal[False] | None = None,
    resume_or_start: bool = False,
    report: bool = False,
    quiet: bool = True,
) -> Run | Study:
    """Train an experiment and leave its run folder; a study if it has replicas or folds.

    Args:
        config: a YAML file, a mapping of the same options, or an `Experiment`.
        overrides: options that beat it, e.g. `["training.epochs=5"]`.
        data: a polars or pandas DataFrame, or a dict of columns, if the config has `data: {type: table,
            target: …}`; a pair (x, y), or a dict of arrays, if it has `data: {type: arrays}`. The run folder
            keeps their names and a digest, not the data: to resume the run, give them again.
        initial_run: the folder of a run, or a file, to start with the weights of: those whose name and shape
            match. `initial_weights.json` in the run folder says which.
        output: the run folder; `runs/<name>-<time>` if None. If False, nothing is written: the run is in
            memory, and `run.save(folder)` writes its folder later.
        resume_or_start: whether to go on with the training in `output`, if there is one. One that has ended
            is opened.
        report: whether to write the report at once, however the training ends; `run.report()` writes it
            later.
        quiet: whether to show no progress.

    Raises:
        UserError: the config or the data is wrong. Diverged, Interrupted: with the run folder complete, if
            there is one.
        Incomplete: the training is done, but its report, or another file, could not be written.
    """
    from nnjit.config import read, starting_from

    given = read(config, overrides)
    given = given if data is None else given.with_data(data)
    if initial_run is not None:
        given = starting_from(given, str(initial_run), "initial_run")
    with given.located():
        if output is False:
            return _in_memory(given.experiment, resume_or_start or report, quiet)
        folder, write_report = None if output is None else Path(output), _write_report if report else None
        return run(
            given, output=folder, resume_or_start=resume_or_start, quiet=quiet, write_report=write_report
        )


def _in_memory(experiment: Experiment, needs_folder: bool, quiet: bool) -> Run | Study:
    from nnjit import training
    from nnjit.config import dump

    if needs_folder:
        raise RunError("with output=False there is no folder to resume or to report in; give output")
    if (members := training.members_of(experiment)) is not None:
        return training.train_members_in_memory(experiment, members, quiet=quiet)
    return training.train_in_memory(experiment, dump, quiet=quiet)


def load(folder: str | Path) -> Run | Study:
    """Open a finished run, or a study of several, to read its metrics and to predict with its weights.

    Raises:
        RunError: the folder is not that of a finished run.
    """
    from nnjit.config import read
    from nnjit.training import members_of, open_run, open_study

    path = Path(folder)
    if not (path / file_names.METRICS).is_file():
        raise RunError(f"{path} is not the folder of a finished run: there is no {file_names.METRICS}")
    experiment = read(path / file_names.CONFIG).experiment
    members = members_of(experiment)
    return open_run(path, experiment) if members is None else open_study(path, members)


def run(
    given: Config,
    *,
    output: Path | None = None,
    resume: Path | None = None,
    resume_or_start: bool = False,
    quiet: bool = False,
    write_report: Callable[[Path], None] | None = None,
) -> Run | Study:
    """Train, or resume the run in the folder `resume`.

    Args:
        resume_or_start: whether to resume the run in `output`, if there is one. One that has ended is opened.
        write_report: writes the report, however the training ends; None to write none.

    Raises:
        Incomplete: the training is done, but its report, or another file, could not be written.
    """
    if resume_or_start:
        if output is None:
            raise RunError("resume_or_start needs the folder to look in: give output")
        if is_done(given.experiment, output):
            if write_report is not None and not (output / file_names.REPORT).is_file():
                _report(write_report, output)
            return load(output)
        if holds_run(output):
            output, resume = None, output
    try:
        done = _train(given.experiment, output, resume, quiet)
    except Stopped as stopped:
        if write_report and stopped.folder and (problem := _problem(write_report, stopped.folder)):
            raise type(stopped)(f"{stopped}\n{problem}", stopped.folder) from None
        raise
    except OSError as error:
        raise RunError(reason(error)) from error
    if write_report is not None:
        _report(write_report, done.folder)
    return done


def _write_report(folder: Path) -> None:
    from nnjit.report import write_report

    write_report(folder)


def is_done(experiment: Experiment, folder: Path) -> bool:
    """Whether the training of this very experiment has ended in a folder, so that nothing is left to do."""
    from nnjit.config import read

    return has_ended(folder) and read(folder / file_names.CONFIG).experiment == experiment


def _report(write_report: Callable[[Path], None], folder: Path) -> None:
    """Write the report of a training that is done; raise Incomplete if it cannot be."""
    if problem := _problem(write_report, folder):
        raise Incomplete(f"the training is done and saved in {folder}, but {problem}", folder)


def _problem(write_report: Callable[[Path], None], folder: Path) -> str:
    """Why a report could not be written, and how to write it later; empty if it was."""
    try:
        write_report(folder)
    except (OSError, UserError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        return f"its report could not be written: {why}; to write it: nnjit report {shlex.quote(str(folder))}"
    return ""


def _train(experiment: Experiment, output: Path | None, resume: Path | None, quiet: bool) -> Run | Study:
    from nnjit import training
    from nnjit.config import dump

    members = training.members_of(experiment)
    if resume is not None:
        training.check_study(resume, members)
        if members is not None:
            return training.resume_members(resume, experiment, members, dump, quiet=quiet)
        return training.resume(resume, experiment, dump(experiment), quiet=quiet)
    if members is not None:
        return training.train_members(experiment, members, dump, output=output, quiet=quiet)
    return training.train(experiment, dump(experiment), output=output, quiet=quiet)
