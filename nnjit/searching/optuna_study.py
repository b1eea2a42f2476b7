"""Manage Optuna's study: its storage, sampler and pruner, and the data that it keeps of each trial."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnjit.errors import ConfigError, RunError, UserError
from nnjit.experiment.search import SearchOptions
from nnjit.runs import file_names
from nnjit.runs.search import Trial, TrialStatus
from nnjit.searching.space import Space
from nnjit.searching.trial import Outcome
from nnjit.version import VERSION

if TYPE_CHECKING:
    import optuna
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

MISSING = "a search needs Optuna: pip install 'nnjit[search]'"
# The drivers of a database, best first: SQLAlchemy's name, the module, and its package.
DRIVERS = {
    "postgresql": (
        ("psycopg", "psycopg", "'psycopg[binary]'"),
        ("psycopg2", "psycopg2", "psycopg2-binary"),
    ),
    "mysql": (("pymysql", "pymysql", "pymysql"), ("mysqldb", "MySQLdb", "mysqlclient")),
}
IDENTITY = "nnjit"  # the attribute of a study that identifies the search


def silence_optuna() -> None:
    """Silence Optuna's own messages.

    Raises:
        UserError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise UserError(MISSING) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_study(
    options: SearchOptions,
    space: Space,
    folder: Path | None,
    *,
    mode: str,
    identity: Mapping[str, str],
    join: bool,
) -> optuna.Study:
    """Open the study of a search: make a new one, or continue or join an existing one.

    Args:
        folder: the search's folder; None with a database.
        identity: what all participants must share, such as the digest of the config.
        join: whether to join a search that already is in the storage.

    Raises:
        UserError: the storage cannot be reached, or holds a different search, or one without `join`.
    """
    silence_optuna()
    import optuna

    name = space.given.experiment.name
    with _storage_errors(options.storage):
        storage = _storage(options.storage, folder)
        known = {summary.study_name for summary in optuna.get_all_study_summaries(storage)}
        if options.storage is not None and (name in known) != join:
            raise UserError(_about_joining(name, is_known=name in known), ("search", "storage"))
        study: optuna.Study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="minimize" if mode == "min" else "maximize",
            load_if_exists=True,
        )
        _check_identity(study, identity, new=name not in known)
    seed = space.given.experiment.seed + len(study.get_trials(False))
    study.sampler = _sampler(options, seed=seed + (_own_number() if join else 0))
    study.pruner = _pruner(options, space)
    if options.sampler == "grid" and name not in known:
        for combination in islice(space.grid(), options.trials):
            study.enqueue_trial(combination)
    return study


def end_orphans(study: optuna.Study) -> None:
    """End the trials of a killed process, so they are repeated."""
    import optuna

    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def tell(study: optuna.Study, trial: optuna.Trial, outcome: Outcome) -> None:
    """Store how a trial ended. A diverged one counts as pruned, so the sampler learns from it."""
    import optuna

    states = optuna.trial.TrialState
    trial.set_user_attr("outcome", {**vars(outcome), "value": None, "curve": list(outcome.curve)})
    match outcome.status:
        case TrialStatus.COMPLETED:
            study.tell(trial, outcome.value)
        case TrialStatus.FAILED:
            study.tell(trial, state=states.FAIL)
        case _:
            study.tell(trial, state=states.PRUNED)


def trials_of(study: optuna.Study, space: Space) -> tuple[Trial, ...]:
    """The trials that have ended, without those of a killed process."""
    ended = (trial for trial in study.get_trials(deepcopy=False) if "outcome" in trial.user_attrs)
    return tuple(_trial(trial, space) for trial in ended)


def count_ended(study: optuna.Study) -> int:
    """The number of trials that have ended, here and elsewhere."""
    return sum("outcome" in trial.user_attrs for trial in study.get_trials(deepcopy=False))


def importance_of(study: optuna.Study) -> dict[str, float]:
    """Each option's share of the variance of the metric, as predicted by a forest (Hutter et al. 2014).

    Empty if fewer than four trials completed, or if all reached the same value.
    """
    import optuna

    completed = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(completed) < 4 or len({trial.value for trial in completed}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=32, seed=0)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def identity_of(config: str) -> dict[str, str]:
    """The identity that all participants of a search share.

    Args:
        config: the search's resolved config, without the options that each participant may choose.
    """
    return {"nnjit": VERSION, "config": hashlib.sha256(config.encode()).hexdigest()[:16]}


def _trial(trial: FrozenTrial, space: Space) -> Trial:
    outcome = trial.user_attrs["outcome"]
    value = (
        trial.value
        if trial.value is not None and outcome["status"] == TrialStatus.COMPLETED
        else float("nan")
    )
    return Trial(
        number=trial.number,
        status=TrialStatus(outcome["status"]),
        value=value,
        options=space.options(trial.params),
        epochs=outcome["epochs"],
        seconds=outcome["seconds"],
        curve=tuple((epoch, found) for epoch, found in outcome["curve"]),
        message=outcome["message"],
    )


def _storage(url: str | None, folder: Path | None) -> BaseStorage:
    if url is not None:
        from optuna.storages import RDBStorage

        return RDBStorage(_with_driver(url), engine_kwargs={"connect_args": _connection(url)})
    from nnjit.searching.journal import journal_storage

    assert folder is not None  # only a database does not need one
    return journal_storage(folder / file_names.JOURNAL)


def _with_driver(url: str) -> str:
    """Add an installed driver to an address without one; SQLAlchemy's default depends on its version."""
    database, separator, rest = url.partition("://")
    drivers = DRIVERS.get(database)
    if drivers is None:
        return url
    installed = [word for word, module, _ in drivers if find_spec(module)]
    if not installed:
        raise ImportError(name=drivers[0][2])
    return f"{database}+{installed[0]}{separator}{rest}"


def _connection(url: str) -> dict[str, Any]:
    return {"timeout": 60} if url.startswith("sqlite") else {"connect_timeout": 10}


@contextmanager
def _storage_errors(url: str | None) -> Iterator[None]:
    """Turn the errors of a database into one message."""
    if url is None:
        yield
        return
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    where = ("search", "storage")
    try:
        yield
    except ImportError as error:
        raise UserError(f"this database needs a driver: pip install {error.name}", where) from None
    except ArgumentError:
        raise ConfigError(
            "expected the address of a database, such as postgresql://user@host/name or sqlite:///trials.db",
            where,
        ) from None
    except SQLAlchemyError as error:
        raise UserError(f"the database cannot be used: {_first_line(error)}", where) from None


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]


def _about_joining(name: str, *, is_known: bool) -> str:
    if is_known:
        return (
            f'the storage has a search "{name}" already; join it with --join, or give this one another name'
        )
    return f'the storage has no search "{name}" to join; omit --join on the machine that begins it'


def _check_identity(study: optuna.Study, identity: Mapping[str, str], *, new: bool) -> None:
    if new:
        study.set_user_attr(IDENTITY, dict(identity))
    there = study.user_attrs.get(IDENTITY, {})
    for key, word in (("nnjit", "version of nnjit"), ("config", "config")):
        if there.get(key) != identity[key]:
            raise RunError(
                f'the search "{study.study_name}" was started with another {word} ({there.get(key)}, here '
                f"{identity[key]}); use the same, or give this one another name"
            )


def _own_number() -> int:
    """A number unique to this process, so processes that join a search do not draw the same trials."""
    own = f"{socket.gethostname()} {os.getpid()} {time.time_ns()}"
    return int.from_bytes(hashlib.sha256(own.encode()).digest()[:4])


def _sampler(options: SearchOptions, *, seed: int) -> BaseSampler:
    from optuna import samplers

    seed %= 2**32
    match options.sampler:
        case "random" | "grid":  # the combinations of a grid are queued in the study
            return samplers.RandomSampler(seed=seed)
        case "cma":
            _require_cma()
            return samplers.CmaEsSampler(seed=seed, n_startup_trials=options.startup)
    return samplers.TPESampler(
        seed=seed, n_startup_trials=options.startup, multivariate=True, constant_liar=True
    )


def _require_cma() -> None:
    try:
        import cmaes  # type: ignore[import-untyped]  # noqa: F401  # Optuna reports it only later
    except ImportError:
        raise UserError(
            "sampler: cma needs cmaes: pip install 'nnjit[search]'", ("search", "sampler")
        ) from None


def _pruner(options: SearchOptions, space: Space) -> BasePruner:
    from optuna import pruners

    match options.pruner:
        case "median":
            return pruners.MedianPruner(n_startup_trials=options.startup, n_warmup_steps=1)
        case "hyperband":
            epochs = space.given.experiment.training.epochs
            return pruners.HyperbandPruner(min_resource=1, max_resource=max(epochs, 2))
    return pruners.NopPruner()
