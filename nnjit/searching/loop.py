"""Search the options of a config: train many combinations, rank them, and train the best one again."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnjit import api
from nnjit.cluster.engine import Engine, Lost, Tell
from nnjit.cluster.opening import engine_of
from nnjit.config import Config, dump, read
from nnjit.cores import usable_cores
from nnjit.errors import ConfigError, Interrupted, RunError, UserError, counted, did_you_mean
from nnjit.experiment import Experiment
from nnjit.experiment.search import SearchOptions
from nnjit.report import write_report
from nnjit.runs import file_names
from nnjit.runs.lock import lock_run
from nnjit.runs.metrics import Mode
from nnjit.runs.search import SearchResult, Trial
from nnjit.runs.writing import write_atomically
from nnjit.searching import optuna_study
from nnjit.searching.progress import Progress, shown_on_terminal
from nnjit.searching.space import Space
from nnjit.searching.trial import Job, Outcome, run_trial
from nnjit.training import Run, Study, modes_of_experiment, new_folder
from nnjit.training.loop.interruption import Interruption, results_of
from nnjit.training.setup.setup import read_sources

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, repr=False)
class Search:
    """The result of a search.

    Args:
        path: its folder.
        run: the run with the best options; a study if the config has replicas or folds.
    """

    path: Path
    result: SearchResult
    run: Run | Study

    @property
    def best_options(self) -> Mapping[str, Any]:
        """The options of the best trial, by path."""
        assert self.result.best is not None  # a search without a result raises an error
        return self.result.best.options

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials, best first."""
        return self.result.ranked

    def __repr__(self) -> str:
        best = self.result.best
        value = "" if best is None else f"; best {self.result.metric} {best.value:.6g}"
        return f"Search of {counted(len(self.trials), 'trial')}{value}\n  {self.path}"


def search(
    config: str | Path | Mapping[str, Any] | Experiment | None,
    overrides: Iterable[str] = (),
    *,
    data: Any = None,
    output: str | Path | None = None,
    resume: str | Path | None = None,
    storage: str | None = None,
    join: bool = False,
    workers: int | None = None,
    engine: str | None = None,
    quiet: bool = True,
) -> Search:
    """Try the options that the section `search` of a config names, and train the best of them again.

    Args:
        config: a YAML file, a mapping of the same options, or an `Experiment`; None to resume a search.
        overrides: options that override it, e.g. `["search.trials=20"]`.
        data: as for `nnjit.fit`.
        output: the folder to make; `runs/<name>-<time>` if None.
        resume: the folder of a search to continue.
        storage: the database that keeps the trials; it overrides `search.storage`.
        join: whether to join a search that another process has started in this database.
        workers: trials at a time, each on one thread; if None, all usable cores, or all threads of a cluster.
        engine: the address of a Dask cluster that trains the trials, such as `dask://10.0.0.5:8786`; this
            process if None.
        quiet: whether to show no progress.

    Raises:
        UserError: the config or the data is wrong, Optuna is missing, or no trial completed.
        Interrupted: a signal; the folder has the trials so far.
    """
    given = _read(config, overrides, data, resume)
    with given.located():
        options = _options(given)
        options = options if storage is None else options.model_copy(update={"storage": storage})
        if join and options.storage is None:
            raise UserError("there is no database to join a search in; give storage, such as postgresql://…")
        plan = _plan(given, options)
        elsewhere = None if options.storage is None else _study(plan, None, join=join)
        with (
            engine_of(engine, _job(plan, engine), workers, default=usable_cores()) as trainer,
            _folder(output, resume, given.experiment.name) as path,
        ):
            study = elsewhere or _study(plan, path, join=False)
            return _search(plan, study, path, trainer, quiet=quiet)


@dataclass(frozen=True)
class _Plan:
    """The plan of a search: its space, and what is best in it."""

    given: Config
    options: SearchOptions
    space: Space
    metric: str
    mode: Mode

    @property
    def trials(self) -> int:
        """The number of trials; for a grid at most the number of its combinations."""
        if self.options.sampler != "grid":
            return self.options.trials
        return min(self.options.trials, prod(len(v.choices or ()) for v in self.options.space.values()))

    @property
    def identity(self) -> dict[str, str]:
        chosen = {"trials": 1, "seconds": None, "storage": None}
        options = self.options.model_copy(update=chosen)
        return optuna_study.identity_of(dump(self.given.experiment.model_copy(update={"search": options})))


def _read(
    config: str | Path | Mapping[str, Any] | Experiment | None,
    overrides: Iterable[str],
    data: Any,
    resume: str | Path | None,
) -> Config:
    if config is None:
        if resume is None:
            raise UserError("nothing to search: give a config, or the folder of a search to resume")
        config = Path(resume) / file_names.CONFIG
    given = read(config, overrides)
    return given if data is None else given.with_data(data)


def _options(given: Config) -> SearchOptions:
    options = given.experiment.search
    if options is None:
        raise ConfigError(
            "nothing to search: the config has no section search; give one, such as "
            "search: {space: {optimizer.learning_rate: {log: [1e-4, 1e-1]}}}"
        )
    return options


def _plan(given: Config, options: SearchOptions) -> _Plan:
    """Make a plan and check all its parts, before anything is trained or written."""
    space = Space(_for_trials(given), options.space)
    space.check()
    if options.sampler == "grid":
        space.check_grid()
    modes = modes_of_experiment(space.given.experiment)
    metric = _metric(options.metric, modes)
    return _Plan(given, options, space, metric, modes[metric])


def _for_trials(given: Config) -> Config:
    """The config with one thread per training, so parallel trials do not share cores."""
    training = given.experiment.training
    if training.threads != "auto":
        return given
    document = given.document
    data = {**document.data, "training": _with_one_thread(document.value(("training",)))}
    changed = training.model_copy(update={"threads": 1})
    return Config(given.experiment.model_copy(update={"training": changed}), replace(document, data=data))


def _with_one_thread(training: Any) -> dict[str, Any]:
    return {**(training if isinstance(training, dict) else {}), "threads": 1}


def _metric(name: str | None, modes: Mapping[str, Mode]) -> str:
    columns = [column for column in modes if column.startswith("validation_")]
    if name is None:
        if not columns:
            raise ConfigError(
                "trials are compared on a validation part, but there is none; give data.split.validation, "
                "validation_data or training.folds, or search.metric: train_loss",
                ("search",),
            )
        return next((column for column in columns if column != "validation_loss"), columns[0])
    if name not in modes:
        raise ConfigError(f'no such metric "{name}"{did_you_mean(name, modes)}', ("search", "metric"))
    return name


def _folder(output: str | Path | None, resume: str | Path | None, name: str) -> AbstractContextManager[Path]:
    if resume is None:
        return new_folder(None if output is None else Path(output), f"{name}-search")
    path = Path(resume)
    if output is not None:
        raise RunError(f"{output}: a resumed search stays in its own folder; omit output")
    if not (path / file_names.JOURNAL).is_file() and not (path / file_names.SEARCH).is_file():
        raise RunError(f"{path} is not the folder of a search: it has no {file_names.JOURNAL}")
    return _Locked(path)


@dataclass
class _Locked:
    """The folder of a resumed search, while its lock is held."""

    path: Path

    def __enter__(self) -> Path:
        self._lock = lock_run(self.path)
        self._lock.__enter__()
        return self.path

    def __exit__(self, *error: Any) -> None:
        self._lock.__exit__(*error)


def _job(plan: _Plan, engine: str | None) -> Job:
    """The shared part of all trials; for a cluster it contains the data."""
    folder = Path() if engine is None else Path.cwd()
    if engine is not None:
        read_sources(plan.space.given.experiment.keeping(plan.space.readings), folder)
    return Job(plan.space, plan.metric, plan.options.replicas, plan.options.pruner is not None, folder)


def _study(plan: _Plan, path: Path | None, *, join: bool) -> optuna.Study:
    return optuna_study.open_study(
        plan.options, plan.space, path, mode=plan.mode, identity=plan.identity, join=join
    )


def _search(plan: _Plan, study: optuna.Study, path: Path, trainer: Engine[Job], *, quiet: bool) -> Search:
    if plan.options.storage is None:
        optuna_study.end_orphans(study)
    hidden = plan.options.model_copy(update={"storage": None})  # its address may hold a password
    write_atomically(
        path / file_names.CONFIG, dump(plan.given.experiment.model_copy(update={"search": hidden}))
    )
    with Interruption() as interruption, shown_on_terminal(plan.trials, quiet) as show:
        _Work(plan, study, trainer, lambda: interruption.requested, show).run()
    result = _write(plan, study, path)
    if result.best is not None and not interruption.requested:
        run = _train_best(plan, result, path, quiet=quiet)
    write_report(path)
    if interruption.requested:
        done = f"interrupted after {counted(len(result.trials), 'trial')}; they are in {path}"
        raise Interrupted(done, path)
    if result.best is None:
        raise RunError(_no_result(result, path))
    return Search(path, result, run)


@dataclass
class _Work:
    """Trains the trials, which several threads take one by one."""

    plan: _Plan
    study: optuna.Study
    trainer: Engine[Job]
    is_interrupted: Callable[[], bool]
    show: Progress
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    failed: bool = False

    def is_stopped(self) -> bool:
        """Whether all trials must stop."""
        return self.is_interrupted() or self.failed

    def run(self) -> None:
        """Train trials until there are enough or the time is up."""
        seconds = self.plan.options.seconds
        self.end = float("inf") if seconds is None else time.perf_counter() + seconds
        count = min(self.trainer.slots, self.plan.trials)
        with ThreadPoolExecutor(count, "nnjit-trial") as executor:
            results_of([executor.submit(self._run_trials) for _ in range(count)])

    def _run_trials(self) -> None:
        try:
            while (trial := self._next()) is not None:
                self._run(trial)
        except BaseException:
            self.failed = True
            raise

    def _next(self) -> optuna.Trial | None:
        with self.lock:
            done = optuna_study.count_ended(self.study)
            over = time.perf_counter() > self.end or self.is_stopped()
            if over or done + self.running >= self.plan.trials:
                return None
            self.running += 1
            return self.study.ask(self.plan.space.distributions())

    def _run(self, trial: optuna.Trial) -> None:
        plan, began, outcome = self.plan, time.perf_counter(), None
        options = plan.space.options(trial.params)
        try:
            outcome = self.trainer.call(run_trial, options, tell=self._reporter(trial))
        except Lost as error:
            outcome = Outcome.failed(str(error), time.perf_counter() - began)
        finally:
            with self.lock:
                self.running -= 1
                if outcome is not None and not self.is_stopped():
                    optuna_study.tell(self.study, trial, outcome)
                    self.show(outcome.value if plan.mode == "min" else -outcome.value)

    def _reporter(self, trial: optuna.Trial) -> Tell:
        has_pruner = self.plan.options.pruner is not None
        reported = 0

        def tell(point: tuple[int, float] | None) -> bool:
            nonlocal reported
            if self.is_stopped():
                return False
            if not has_pruner or point is None:
                return True
            epoch, value = point
            with self.lock:
                if epoch > reported:  # not a repetition after its worker was lost
                    reported = epoch
                    trial.report(value, epoch)
                return not trial.should_prune()

        return tell


def _write(plan: _Plan, study: optuna.Study, path: Path) -> SearchResult:
    result = SearchResult(
        name=plan.given.experiment.name,
        metric=plan.metric,
        mode=plan.mode,
        wanted=plan.trials,
        importance=optuna_study.importance_of(study),
        trials=optuna_study.trials_of(study, plan.space),
    )
    result.write(path)
    result.write_table(path)
    return result


def _train_best(plan: _Plan, result: SearchResult, path: Path, *, quiet: bool) -> Run | Study:
    """Train the options of the best trial again, with a folder and a report."""
    assert result.best is not None  # checked by the caller
    best = plan.space.config(result.best.options)
    text, folder = dump(best.experiment), path / file_names.BEST_RUN
    is_known = folder.is_dir() and (path / file_names.BEST_CONFIG).is_file()
    if is_known and (path / file_names.BEST_CONFIG).read_text(encoding="utf-8") == text:
        return api.load(folder)
    if folder.is_dir():
        shutil.rmtree(folder)  # of an earlier best trial
    write_atomically(path / file_names.BEST_CONFIG, text)
    return api.run(best, output=folder, quiet=quiet)


def _no_result(result: SearchResult, path: Path) -> str:
    ended = [trial.status for trial in result.trials]
    counts = ", ".join(f"{ended.count(status)} {status}" for status in dict.fromkeys(ended))
    why = next((f"; the first: {trial.message}" for trial in result.trials if trial.message), "")
    return (
        f"no trial completed ({counts or 'none was begun'}){why}; the table is in {path / file_names.TRIALS}"
    )
