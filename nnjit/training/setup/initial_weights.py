"""Load weights from a file or run folder into a model: all of them, or those that match."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from nnjit.data.files import path_of
from nnjit.errors import ConfigError, DataError, GraphError, did_you_mean
from nnjit.experiment.experiment import InitialWeights
from nnjit.memory import check_fits
from nnjit.nn import Model, ParamEntry, ParamTable
from nnjit.runs import file_names
from nnjit.runs.initial_weights import LoadedWeights, size_words
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.weights import read_tensors

Arrays = Mapping[str, np.ndarray]


def load_weights(options: InitialWeights, model: Model, theta: np.ndarray, folder: Path) -> LoadedWeights:
    """Write the arrays of a file into `theta`, which has all arrays of the model; others are unchanged.

    Args:
        folder: where a relative path starts.

    Raises:
        UserError: the file is missing or malformed, nothing in it matches, or with `match: all` something
            does not; or a layer to skip does not exist.
    """
    _check_skipped(options, model)
    path = find_file(options, folder)
    found = _read(path)
    if options.match == "all":
        _check_all(path, options, model, found)
    order = {node.name: k for k, node in enumerate(model.nodes)}
    arrays = sorted(model.arrays, key=lambda e: order[e.layer])
    omitted = _omitted(arrays, found, options.skip)
    loaded = [e for e in arrays if e.name not in omitted]
    if not loaded:
        reasons = ", ".join(f"{name} ({why})" for name, why in omitted.items())
        raise DataError(f"{path}: no array in it is one of this model: {reasons}")
    _fill(theta, loaded, found, path)
    frozen = {e.name for e in model.frozen_table}
    return LoadedWeights(
        file=str(path),
        loaded=tuple(e.name for e in loaded),
        omitted={k: f"{why}; frozen as drawn" if k in frozen else why for k, why in omitted.items()},
        unused=tuple(sorted(found.keys() - {e.name for e in arrays})),
    )


def weights_of(path: Path, model: Model) -> np.ndarray:
    """Read all arrays of a model as one vector; a ValueError if the file is malformed or of another model."""
    try:
        return np.asarray(model.arrays.flatten(_arrays(path)))
    except GraphError as error:
        raise ValueError(error.message) from None


def _fill(theta: np.ndarray, entries: Sequence[ParamEntry], found: Arrays, path: Path) -> None:
    with np.errstate(over="ignore"):  # reported below
        for e in entries:
            part = theta[e.offset : e.offset + e.size]
            part[:] = found[e.name].ravel()
            if not np.isfinite(part).all():
                raise DataError(f"{path}: {e.name} has numbers beyond the range of {theta.dtype}")


def find_file(options: InitialWeights, folder: Path) -> Path:
    """Find the weights file to start from.

    Args:
        folder: where a relative path starts.

    Raises:
        DataError: there is none.
    """
    path = _file_of(path_of(folder, options.file, ()))
    if not path.is_file():
        raise DataError(f"{path}: there is no such weights file or run folder")
    return path


def _file_of(path: Path) -> Path:
    """The weights file of a path: the file itself, or that of the run in a folder."""
    if not path.is_dir():
        return path
    from nnjit.runs.study import study_kind  # 1 ms, and few trainings start from a run

    if (kind := study_kind(path)) is not None:
        run = path / kind / file_names.member(1)
        raise DataError(f"{path} is a study of several runs; name one of them, such as {run}")
    if not (path / file_names.METRICS).is_file():
        raise DataError(
            f"{path} is not the folder of a finished run: there is no {file_names.METRICS}; name a finished "
            "run or a weights file"
        )
    return path / file_names.weights(RunMetrics.read(path).weights)


def _read(path: Path) -> Arrays:
    check_fits(path.stat().st_size, str(path), "use the weights of a smaller model")
    try:
        return _arrays(path)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def _arrays(path: Path) -> Arrays:
    """Read the arrays of a file; a ValueError if it is malformed or has values that are not finite floats."""
    arrays, _ = read_tensors(path)
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise ValueError(f"{name}: expected floating-point numbers, got {array.dtype}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has the value {array[~np.isfinite(array)][0]}")
    return arrays


def _check_skipped(options: InitialWeights, model: Model) -> None:
    layers = dict.fromkeys(e.layer for e in model.arrays)
    for k, name in enumerate(options.skip):
        if name not in layers:
            near = did_you_mean(name, layers)
            raise ConfigError(f'no layer with weights is called "{name}"{near}', ("skip", k))


def _check_all(path: Path, options: InitialWeights, model: Model, found: Arrays) -> None:
    """Raise a DataError unless the file has exactly the arrays of all layers except those to skip."""
    wanted = ParamTable(tuple(e for e in model.arrays if e.layer not in options.skip))
    given = {name: a for name, a in found.items() if name.rpartition(".")[0] not in options.skip}
    try:
        wanted.check(given)
    except GraphError as error:
        mend = "to load those that match, give {file: …, match: names}"
        raise DataError(f"{path}: {error.message}; {mend}") from None


def _omitted(entries: Sequence[ParamEntry], found: Arrays, skip: Collection[str]) -> dict[str, str]:
    """The reasons not to load arrays, by name; if one array has a different shape, its layer is omitted."""
    given = {e.name: found[e.name].shape for e in entries if e.name in found}
    differing = {e.layer: e.name for e in reversed(entries) if given.get(e.name, e.shape) != e.shape}
    reasons = {}
    for e in entries:
        if e.layer in skip:
            reasons[e.name] = "skipped"
        elif e.name not in given:
            reasons[e.name] = "not in the file"
        elif given[e.name] != e.shape:
            reasons[e.name] = f"{size_words(given[e.name])} in the file, {size_words(e.shape)} here"
        elif e.layer in differing:
            reasons[e.name] = f"the shape of {differing[e.layer]} differs"
    return reasons
