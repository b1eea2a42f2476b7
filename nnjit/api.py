"""What users call from Python: train an experiment and report on it, or open a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnjit.errors import Diverged, Interrupted

if TYPE_CHECKING:
    from nnjit.config import Config
    from nnjit.training import Experiment, Run


def fit(
    config: str | Path | Mapping[str, Any] | Experiment,
    overrides: Iterable[str] = (),
    *,
    output: str | Path | None = None,
    quiet: bool = True,
) -> Run:
    """Train an experiment and leave its run folder, report included.

    Args:
        config: a YAML file, a mapping of the same options, or an `Experiment`.
        overrides: options that beat it, e.g. `["training.epochs=5"]`.
        output: the run folder; `runs/<name>-<time>` where None.
        quiet: whether to show no progress.

    Raises:
        UserError: the config or the data is wrong. Diverged, Interrupted: with the run folder complete.
    """
    from nnjit.config import read

    given = read(config, overrides)
    with given.located():
        return run(given, output=None if output is None else Path(output), quiet=quiet)


def load(folder: str | Path) -> Run:
    """Open a finished run, to read its figures and to predict with its weights.

    Raises:
        RunError: the folder is not that of a finished run.
    """
    from nnjit.config import read
    from nnjit.errors import RunError
    from nnjit.training import open_run

    path = Path(folder)
    if not (path / "metrics.json").is_file():
        raise RunError(f"{path} is not the folder of a finished run: there is no metrics.json")
    return open_run(path, read(path / "config.yaml").experiment)


def run(
    given: Config,
    *,
    output: Path | None = None,
    resume: Path | None = None,
    quiet: bool = False,
    write_report: Callable[[Path], None] | None = None,
) -> Run:
    """Train, or go on with the run in the folder `resume`, and write the report in any case.

    Args:
        write_report: what writes it; the report room in this process where None.
    """
    from nnjit import report, training
    from nnjit.config import dump

    write_report = write_report or report.write_report

    text = dump(given.experiment)
    try:
        if resume is None:
            done = training.train(given.experiment, text, output=output, quiet=quiet)
        else:
            done = training.resume(resume, given.experiment, text, quiet=quiet)
    except (Diverged, Interrupted) as stopped:
        write_report(stopped.folder)
        raise
    write_report(done.path)
    return done
