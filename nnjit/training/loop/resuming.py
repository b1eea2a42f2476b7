"""Restore a run if it may continue with an experiment and its data, and record what has changed.

All reasons to refuse are checked here, before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnjit.cores import usable_cores
from nnjit.data import Contents, digest
from nnjit.errors import RunError, counted
from nnjit.experiment import Experiment
from nnjit.runs import file_names
from nnjit.runs.environment import Environment
from nnjit.runs.fingerprint import Change, FileEntry, Fingerprint, SourceEntry, difference
from nnjit.training.loop.learning_rate_search import restore_learning_rate
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State, load_state

# fmt: off
# Options that may change when a run is resumed, and whether training the new config from scratch can then
# give different weights. Data files are compared by content.
MAY_CHANGE: Mapping[str, bool] = {
    "name":                      False,
    "*data.file":                False,
    "*data.folder":              False,
    "*data.images":              False,
    "*data.labels":              False,
    "*data.cache":               False,
    "*data.x":                   False,  # the files of npy
    "*data.y*":                  False,
    "*data.weights":             False,
    "search*":                   False,
    "threshold*":                False,
    "optimizer.learning_rate*":  True,   # and the factors by layer
    "schedule*":                 True,
    "trackers*":                 False,
    "training.epochs":           True,   # if the schedule depends on it
    "training.early_stopping*":  True,
    "training.target*":          True,
    "training.max_seconds":      False,
    "training.keep":             False,
    "training.checkpoints*":     False,
    "training.threads":          False,  # the environment records the number
    "training.diagnosis":        False,
    "training.replicas":         False,
    "training.members":          False,
}
# fmt: on
INLINE = ("x", "y", "weights")  # options that contain the data
PROBLEMS = {"names": "other columns, classes or categories", "inputs": "other values in its inputs"}
PROBLEMS |= {"targets": "other values in its targets", "weights": "other weights of its rows"}


class Difference(NamedTuple):
    """An option that has changed."""

    option: str
    before: Any
    after: Any


def fingerprint_of(setup: Setup, base: Path) -> Fingerprint:
    """Make the fingerprint of a new training.

    Args:
        base: where relative paths in the experiment start.
    """
    sources = setup.experiment.sources
    here = Environment.here(cores=usable_cores())
    return Fingerprint(
        options=options_of(setup.experiment),
        sources={
            name: _entry(contents, sources[name].files(base)) for name, contents in setup.contents.items()
        },
        parts={name: "" if part.rows is None else digest(part.rows) for name, part in setup.splits.items()},
        environment={
            **{name: getattr(here, name) for name in ("nnjit", "numba", "llvmlite", "numpy", "cpu")},
            "threads": setup.compiled.threads,
        },
    )


def options_of(experiment: Experiment) -> dict[str, Any]:
    """The config as plain data, without inline rows."""
    options = experiment.model_dump(mode="json", by_alias=True)
    for name in experiment.sources:
        if options[name]["type"] == "inline":
            options[name] = {key: value for key, value in options[name].items() if key not in INLINE}
    return options


def _entry(contents: Contents, files: Mapping[str, Path]) -> SourceEntry:
    return SourceEntry(**contents._asdict(), files={option: _file(path) for option, path in files.items()})


def _file(path: Path) -> FileEntry:
    found = path.stat()
    changed = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="milliseconds")
    return FileEntry(str(path), found.st_size, changed)


def restore_checkpoint(setup: Setup, path: Path, base: Path) -> tuple[Setup, State, Fingerprint]:
    """Restore a run: its setup with the learning rate it found, its last saved state, and its changes.

    Args:
        base: where relative paths in the experiment start.

    Raises:
        RunError: the folder has no checkpoint, or the run cannot continue like this; nothing was written.
    """
    then, now = check_experiment(path, setup.experiment), fingerprint_of(setup, base)
    check_data(path, then, now)
    setup, state = read_checkpoint(setup, path)
    return setup, state, resumed(then, now, setup.experiment, state.epoch)


def read_checkpoint(setup: Setup, path: Path) -> tuple[Setup, State]:
    """As `restore_checkpoint`, but without comparing the data."""
    check_experiment(path, setup.experiment)
    setup, like = restore_learning_rate(setup, path), setup.blank_state()
    state = load_state(path, like)
    check_monitor(path, state.monitor, like.monitor)
    return setup, state


def check_experiment(path: Path, experiment: Experiment) -> Fingerprint:
    """Check that a run may continue with these options, and return its fingerprint.

    Raises:
        RunError: it may not, or has no checkpoint.
    """
    if not (path / file_names.CHECKPOINT).exists():
        raise RunError(f"{path}: there is no {file_names.CHECKPOINT}, so this run cannot be resumed")
    then = read_fingerprint(path)
    check_options(path, then, experiment)
    return then


def first_fingerprint(setup: Setup, path: Path, base: Path) -> Fingerprint:
    """Make the fingerprint of a run that starts, perhaps in the folder of a run without a checkpoint.

    Raises:
        RunError: the earlier run had different options or data; nothing was written.
    """
    then, now = Fingerprint.read_if_there(path), fingerprint_of(setup, base)
    if then is None:
        return now
    check_options(path, then, setup.experiment)
    check_data(path, then, now)
    return resumed(then, now, setup.experiment, epoch=0)


def check_options(path: Path, then: Fingerprint, experiment: Experiment) -> None:
    """Raise a RunError if a run cannot continue with these options.

    Args:
        then: the run's fingerprint.
    """
    found = [d for d in _differences(then.options, options_of(experiment)) if _effect(d.option) is None]
    if found:
        listed = "; ".join(difference(*each) for each in found)
        raise RunError(
            f"{path} cannot be resumed with different options: {listed}. Resume it with its own "
            f"(omit --config and --set), or {_anew(path)}"
        )


def check_data(path: Path, then: Fingerprint, now: Fingerprint) -> None:
    """Raise a RunError if data or split differ from those that a run began with."""
    found = [*_changed_sources(then, now), *_changed_parts(then, now)]
    if found:
        raise RunError(
            f"{path} cannot be resumed with different data: {'; '.join(found)}. Restore the original data, "
            f"or {_anew(path)}"
        )


def check_monitor(path: Path, before: str, after: str) -> None:
    """Raise a RunError if the best epoch of a run is chosen differently now; arguments are in words."""
    if before != after:
        words = [f"the one with the {monitor}" if monitor else "not chosen" for monitor in (before, after)]
        raise RunError(
            f"{path}: its best epoch so far is {words[0]}, but with this config it is {words[1]}; "
            "resume it with its original training.early_stopping and training.keep"
        )


def read_fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a run that has a checkpoint.

    Raises:
        RunError: there is none, or it is malformed.
    """
    found = Fingerprint.read_if_there(path)
    if found is None:
        raise RunError(
            f"{path}: there is no {file_names.FINGERPRINT}, which records the data and options of the run, "
            f"so it cannot be resumed; {_anew(path)}"
        )
    return found


def resumed(then: Fingerprint, now: Fingerprint, experiment: Experiment, epoch: int) -> Fingerprint:
    """Make the fingerprint of a run that continues after an epoch, with its changes.

    Args:
        experiment: the experiment to continue with.
    """
    options = _differences(then.options, now.options)
    changes = [Change(epoch, *d, _has_effect(d, experiment, epoch)) for d in options]
    machine = _differences(then.environment, now.environment, "environment")
    changes += [Change(epoch, *d, epoch > 0) for d in machine]
    return replace(now, changes=(*then.changes, *changes))


def _anew(path: Path) -> str:
    weights = path / file_names.LAST
    start = f", from its weights with model.initial_weights: {weights}" if weights.exists() else ""
    return f"train anew in another folder{start}"


def _effect(option: str) -> bool | None:
    """Whether a change of an option can give different weights; None if it must not change."""
    return next((effect for pattern, effect in MAY_CHANGE.items() if fnmatchcase(option, pattern)), None)


def _has_effect(found: Difference, experiment: Experiment, epoch: int) -> bool:
    if found.option != "training.epochs" or not isinstance(found.before, int):
        return epoch > 0 and bool(_effect(found.option))
    steps = np.arange(epoch)  # one per epoch shows whether lr depends on the number of epochs
    before, after = (
        experiment.schedule.lr(steps, learning_rate=1.0, steps_per_epoch=1, epochs=epochs)
        for epochs in (found.before, experiment.training.epochs)
    )
    return not np.array_equal(before, after)


def _differences(before: Any, after: Any, option: str = "") -> list[Difference]:
    """The options that differ; a missing one counts as null."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        if before.get("type") != after.get("type"):
            return [Difference(f"{option}.type", before.get("type"), after.get("type"))]
        keys = dict.fromkeys([*before, *after])
        inner = [(before.get(k), after.get(k), _inside(option, k)) for k in keys]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        inner = [(b, a, f"{option}[{k}]") for k, (b, a) in enumerate(zip(before, after, strict=True))]
    else:
        return [] if before == after else [Difference(option, before, after)]
    return [found for each in inner for found in _differences(*each)]


def _inside(option: str, key: str) -> str:
    """The path of an option inside another, as in a config: `model[0]`, without `layers`."""
    return option if (option, key) == ("model", "layers") else f"{option}.{key}" if option else key


def _changed_sources(then: Fingerprint, now: Fingerprint) -> Iterator[str]:
    for name, after in now.sources.items():
        before = then.sources.get(name)
        if before is None:
            yield f"{name} is new"
            continue
        problems = (
            [f"{counted(after.rows, 'row')}, and had {before.rows:,}"] if after.rows != before.rows else []
        )
        for kind, problem in PROBLEMS.items():
            digests = getattr(before, kind), getattr(after, kind)
            if not problems and digests[0] != digests[1] and all(digests):
                problems.append(problem)
        if problems:
            yield f"{name} has {problems[0]}{_changed_files(before, after)}"


def _changed_files(before: SourceEntry, after: SourceEntry) -> str:
    """The files written since, in brackets."""
    found = [
        f"{file.path}, {file.size:,} bytes written at {file.changed}"
        for option, file in after.files.items()
        if (file.size, file.changed) != _version(before.files.get(option))
    ]
    return f" ({'; '.join(found)})" if found else ""


def _version(file: FileEntry | None) -> tuple[int, str] | None:
    return None if file is None else (file.size, file.changed)


def _changed_parts(then: Fingerprint, now: Fingerprint) -> Iterator[str]:
    if then.parts != now.parts and not any(_changed_sources(then, now)):
        names = dict.fromkeys([*then.parts, *now.parts])
        parts = ", ".join(name for name in names if then.parts.get(name) != now.parts.get(name))
        yield f"the same data and seed give other rows to its parts ({parts}); another version drew them"
