"""Train an experiment and report on it, or open a run, from Python."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnjit.errors import Incomplete, Raised, RunError, Stopped, UserError, reason, shell_word
from nnjit.progress.display import Display
from nnjit.progress.follower import Audience, Follower
from nnjit.progress.place import display_for
from nnjit.progress.redrawing import Redrawing
from nnjit.runs import file_names
from nnjit.runs.folder import has_ended, holds_run

if TYPE_CHECKING:
    from nnjit.config import Config
    from nnjit.experiment import Experiment
    from nnjit.progress.on_epoch import OnEpoch
    from nnjit.report.comparison.summary import Comparison
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
    quiet: bool | None = None,
    on_epoch: OnEpoch | None = None,
    engine: str | None = None,
) -> Run | Study:
    """Train an experiment and write its run folder; a study if it has replicas or folds.

    Args:
        config: a YAML file, a mapping with its content, or an `Experiment`.
        overrides: options that take precedence, e.g. `["training.epochs=5"]`.
        data: a polars or pandas DataFrame, or a dict of columns, if the config has `data: {type: table,
            target: …}`; a pair (x, y), or a dict of arrays, if it has `data: {type: arrays}`. The run folder
            keeps their names and a digest, not the data: to resume the run, give them again.
        initial_run: a run folder or weights file to take initial weights from, for layers whose name and
            shape match. `initial_weights.json` in the run folder lists them.
        output: the run folder; `runs/<name>-<time>` if None. If False, nothing is written: the run stays in
            memory, and `run.save(folder)` writes its folder later.
        resume_or_start: whether to resume the run in `output`, if there is one. A finished run is opened.
        report: whether to write the report at the end, however training ends; `run.report()` writes it later.
        quiet: whether to hide progress; None shows it only in a notebook.
        on_epoch: called after each epoch with a `FinishedEpoch`: its `number`, its `values` by column of the
            history, and `stop()`, which ends training. Its exceptions are raised here, once the run is saved.
        engine: the address of a Dask cluster that trains replicas or folds, such as `dask://10.0.0.5:8786`;
            this process if None.

    Raises:
        UserError: the config or the data is wrong. Diverged, Interrupted: after the run folder, if any, is
            complete.
        Incomplete: training is done, but its report, or another file, could not be written.
    """
    from nnjit.config import read, starting_from

    given = read(config, overrides)
    given = given if data is None else given.with_data(data)
    if initial_run is not None:
        given = starting_from(given, str(initial_run), "initial_run")
    with given.located():
        if output is False:
            if resume_or_start or report:
                raise RunError("output=False leaves no folder to resume or report on; give output")
            if engine is not None:
                raise RunError("a cluster's results are kept in a folder; give output, or omit engine")
            return run_in_memory(given, quiet=quiet, on_epoch=on_epoch)
        return run(
            given,
            output=None if output is None else Path(output),
            resume_or_start=resume_or_start,
            quiet=quiet,
            on_epoch=on_epoch,
            engine=engine,
            write_report=_write_report if report else None,
        )


def load(folder: str | Path) -> Run | Study:
    """Open a finished run or study, to read its metrics and to predict with its weights.

    Raises:
        RunError: the folder does not hold a finished run.
    """
    from nnjit.config import read
    from nnjit.training import members_of, open_run, open_study

    path = Path(folder)
    if not (path / file_names.METRICS).is_file():
        raise RunError(f"{path} is not the folder of a finished run: there is no {file_names.METRICS}")
    experiment = read(path / file_names.CONFIG).experiment
    members = members_of(experiment)
    return open_run(path, experiment) if members is None else open_study(path, members)


def compare(runs: Iterable[str | Path | Run | Study]) -> Comparison:
    """Compare runs or studies; a notebook shows curves and tables, and `nnjit compare` writes a page.

    Args:
        runs: two or more, or their folders.

    Raises:
        RunError: they cannot be compared.
    """
    from nnjit.report.comparison.summary import read_comparison

    return read_comparison(
        configs_of([Path(run) if isinstance(run, (str, Path)) else run.folder for run in runs])
    )


def configs_of(folders: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """The configs of runs to compare, as unchecked data, which allows runs of other versions.

    Raises:
        RunError: they cannot be compared.
    """
    from nnjit.config.reading import read_file
    from nnjit.report.comparison.summary import check_folders

    check_folders(folders)
    return {folder: dict(read_file(folder / file_names.CONFIG).data) for folder in folders}


def run(
    given: Config,
    *,
    output: Path | None = None,
    resume: Path | None = None,
    resume_or_start: bool = False,
    quiet: bool | None = None,
    display: Display | None = None,
    on_epoch: OnEpoch | None = None,
    redrawing: Redrawing | None = None,
    engine: str | None = None,
    write_report: Callable[[Path], None] | None = None,
) -> Run | Study:
    """Train, or resume the run in the folder `resume`.

    Args:
        resume_or_start: whether to resume the run in `output`, if there is one. A finished run is opened.
        quiet, on_epoch, engine: as in `fit`.
        display: shows progress; None chooses one for the place.
        redrawing: draws the report during training, if it is written at all; None does so every 30 seconds.
        write_report: writes the report, however training ends; None writes none.

    Raises:
        Incomplete: training is done, but its report, or another file, could not be written.
    """
    if engine is not None:
        _check_engine(given.experiment, on_epoch)
    if resume_or_start:
        if output is None:
            raise RunError("resume_or_start needs the folder to look in: give output")
        if is_done(given.experiment, output):
            if write_report is not None and not (output / file_names.REPORT).is_file():
                _report(write_report, output)
            return load(output)
        if holds_run(output):
            output, resume = None, output
    if write_report is None:
        redrawing = None
    elif redrawing is None:
        redrawing = Redrawing()
    followers = _followers(given.experiment, on_epoch, redrawing)
    audience = Audience(display or display_for(quiet), followers)
    with closing(audience):
        return _trained(given.experiment, output, resume, audience, redrawing, write_report, engine)


def _trained(
    experiment: Experiment,
    output: Path | None,
    resume: Path | None,
    audience: Audience,
    redrawing: Redrawing | None,
    write_report: Callable[[Path], None] | None,
    engine: str | None,
) -> Run | Study:
    """Train or resume, and write the report however training ends."""
    try:
        with audience.display, redrawing or nullcontext():
            done = _train(experiment, output, resume, audience, engine)
    except Raised as raised:
        if write_report and raised.folder:
            _problem(write_report, raised.folder)  # a problem here must not replace the user's error
        theirs = raised.error
    except Stopped as stopped:
        if write_report and stopped.folder and (problem := _problem(write_report, stopped.folder)):
            raise type(stopped)(f"{stopped}\n{problem}", stopped.folder) from None
        raise
    except OSError as error:
        raise RunError(reason(error)) from error
    else:
        if write_report is not None:
            _report(write_report, done.folder)
        return done
    raise theirs  # here, so that it keeps only its own context


def run_in_memory(
    given: Config, *, quiet: bool | None = True, on_epoch: OnEpoch | None = None
) -> Run | Study:
    """Train without a file; the arguments are those of `fit`.

    Raises:
        RunError: the config asks for trackers, which need a folder.
    """
    from nnjit import training
    from nnjit.config import dump

    if given.experiment.trackers:
        raise RunError("trackers need a run folder; give output, or omit trackers")
    try:
        with display_for(quiet) as display:
            audience = Audience(display, _followers(None, on_epoch))
            if (members := training.members_of(given.experiment)) is not None:
                return training.train_members_in_memory(given.experiment, members, audience=audience)
            return training.train_in_memory(given.experiment, dump, audience=audience)
    except Raised as raised:
        theirs = raised.error
    raise theirs


def _check_engine(experiment: Experiment, on_epoch: OnEpoch | None) -> None:
    """Raise a UserError if a cluster cannot train this."""
    if experiment.training.replicas is None and experiment.training.folds is None:
        raise UserError(
            "engine: a cluster trains the members of a study, and this is one training; give "
            "training.replicas or training.folds, or omit engine"
        )
    if on_epoch is not None:
        raise UserError("on_epoch: a function here cannot follow members that a cluster trains; omit one")


def _followers(
    experiment: Experiment | None, on_epoch: OnEpoch | None, redrawing: Redrawing | None = None
) -> Callable[[], Sequence[Follower]]:
    """A function that makes the followers of one run.

    Args:
        experiment: None without trackers.
    """
    if on_epoch is not None and not callable(on_epoch):
        raise UserError(f"on_epoch: expected a function of one argument, got {type(on_epoch).__name__}")
    lock, trackers = threading.Lock(), _trackers(experiment)

    def followers() -> Sequence[Follower]:
        found = [*trackers()]
        if redrawing is not None:
            found.append(redrawing.follower())
        if on_epoch is not None:
            from nnjit.progress.on_epoch import EpochCaller

            found.append(EpochCaller(on_epoch, lock))
        return found

    return followers


def _write_report(folder: Path) -> None:
    from nnjit.report import write_report

    write_report(folder)


def is_done(experiment: Experiment, folder: Path) -> bool:
    """Whether this very experiment has finished training in a folder, so nothing is left to do."""
    from nnjit.config import read

    return has_ended(folder) and read(folder / file_names.CONFIG).experiment == experiment


def _report(write_report: Callable[[Path], None], folder: Path) -> None:
    """Write the report of a finished training; raise Incomplete if that fails."""
    if problem := _problem(write_report, folder):
        raise Incomplete(f"the training is done and saved in {folder}, but {problem}", folder)


def _problem(write_report: Callable[[Path], None], folder: Path) -> str:
    """Write the report; if that fails, return why, and how to write it later, else ""."""
    try:
        write_report(folder)
    except (OSError, UserError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        return f"its report could not be written: {why}; to write it: nnjit report {shell_word(folder)}"
    return ""


def _trackers(experiment: Experiment | None) -> Callable[[], Sequence[Follower]]:
    """A function that makes the trackers of one run, which must be installed."""
    if experiment is None or not experiment.trackers:
        return tuple
    from nnjit.tracking.trackers import check_trackers, trackers_of

    check_trackers(experiment)
    return lambda: trackers_of(experiment)


def _train(
    experiment: Experiment,
    output: Path | None,
    resume: Path | None,
    audience: Audience,
    engine: str | None,
) -> Run | Study:
    from nnjit import training
    from nnjit.config import dump

    members = training.members_of(experiment)
    if resume is not None:
        training.check_study(resume, members)
        if members is not None:
            return training.resume_members(
                resume, experiment, members, dump, audience=audience, engine=engine
            )
        return training.resume(resume, experiment, dump(experiment), audience=audience)
    if members is not None:
        return training.train_members(
            experiment, members, dump, output=output, audience=audience, engine=engine
        )
    return training.train(experiment, dump(experiment), output=output, audience=audience)
