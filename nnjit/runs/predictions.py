"""`predictions.npz`: targets and predictions of one part of the data."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from nnjit.runs.file_names import PREDICTIONS
from nnjit.runs.metrics import SPLITS
from nnjit.runs.reading import damaged, read_bytes
from nnjit.runs.writing import write_atomically


@dataclass(frozen=True, eq=False)
class Grid:
    """Predictions over the plane of a network's two inputs, in original units.

    Args:
        x: (G,) coordinates along the first input.
        y: (G,) coordinates along the second input.
        values: (G, G, K) probabilities or (G, G, 1) values, `values[iy, ix]`.
        points: (m, 2) examples.
        targets: (m,) class or value of each example.
    """

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    points: np.ndarray
    targets: np.ndarray

    def check(self) -> None:
        """Raise a ValueError if the arrays do not fit each other."""
        shape, points = (len(self.y), len(self.x)), (len(self.targets), 2)
        if self.values.ndim != 3 or self.values.shape[:2] != shape or self.points.shape != points:
            raise ValueError("the arrays of the grid do not fit each other")


@dataclass(frozen=True, eq=False)
class Examples:
    """Some examples with their inputs.

    Args:
        places: (m,) positions among the predictions.
        inputs: (m, …) in original units.
    """

    places: np.ndarray
    inputs: np.ndarray

    def check(self, count: int) -> None:
        """Raise a ValueError unless they are some of `count` examples."""
        are_places = self.places.ndim == 1 and self.places.dtype.kind in "iu"
        are_there = are_places and self.places.min(initial=0) >= 0 and self.places.max(initial=-1) < count
        if not are_there or len(self.places) != len(self.inputs):
            raise ValueError("the examples are not some of the predictions")
        if self.inputs.dtype.kind not in "biuf" or self.inputs.ndim < 2 or not np.isfinite(self.inputs).all():
            raise ValueError("the inputs of the examples are not finite numbers")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Targets and predictions of one output.

    Args:
        split: the part of the data.
        target: (n,) classes or (n, O) values, in original units.
        prediction: like `target`.
        probability: (n, K) for each class; None if the output is values.
        grid: None unless the model has two inputs and one output.
        rows: (n,) row numbers in the data, from 0; None if unknown.
        weights: (n,) weights in the metrics; None if all are equal.
        times: times of a series' targets, shaped like `target`, numbers or dates; None for other data.
        wrong: the worst predictions, worst first; None if there are none, or with several outputs.
        some: some of all images; None for other inputs.
    """

    split: str
    target: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray | None = None
    grid: Grid | None = None
    rows: np.ndarray | None = None
    weights: np.ndarray | None = None
    times: np.ndarray | None = None
    wrong: Examples | None = None
    some: Examples | None = None

    def check(self) -> None:
        """Raise a ValueError if the arrays do not fit each other."""
        if self.grid is not None:
            self.grid.check()
        for examples in (self.wrong, self.some):
            if examples is not None:
                examples.check(len(self.target))
        arrays = [self.target, self.prediction]
        arrays += [array for array in (self.probability, self.rows, self.weights) if array is not None]
        if any(array.dtype.kind not in "biuf" for array in arrays):
            raise ValueError("targets and predictions are not numbers")
        if len({array.shape[:1] for array in arrays}) > 1 or self.target.shape != self.prediction.shape:
            raise ValueError("targets and predictions differ in shape")
        if self.weights is not None and (self.weights.ndim != 1 or not (self.weights >= 0).all()):
            raise ValueError("the weights are not a number >= 0 for each prediction")
        if self.times is not None and (
            self.times.dtype.kind not in "iufM" or self.times.shape != self.target.shape
        ):
            raise ValueError("the times do not fit the targets")
        if self.probability is not None and not self._are_classes(self.probability):
            raise ValueError("the classes do not fit the probabilities")

    def _are_classes(self, probability: np.ndarray) -> bool:
        """Whether targets and predictions are (n,) classes with probabilities (n, K)."""
        classes = (self.target, self.prediction)
        if probability.ndim != 2 or any(c.dtype.kind not in "iu" or c.ndim != 1 for c in classes):
            return False
        return all(c.min(initial=0) >= 0 and c.max(initial=0) < probability.shape[1] for c in classes)


# array in the file → field of `Grid`
GRID = {"grid_x": "x", "grid_y": "y", "grid": "values", "points": "points", "point_target": "targets"}


# kind of examples → the arrays of their positions and inputs
EXAMPLES = {"wrong": ("wrong", "wrong_x"), "some": ("some", "some_x")}


def write_predictions(folder: Path, outputs: Mapping[str, Predictions]) -> None:
    """Write the predictions of each output, by name."""
    write_atomically(folder / PREDICTIONS, predictions_bytes(outputs))


def predictions_bytes(outputs: Mapping[str, Predictions]) -> bytes:
    """Encode the predictions of each output as a file; array names include the output's name.

    Args:
        outputs: by name; a single output is called "".
    """
    first = next(iter(outputs.values()))
    arrays = {"split": np.array(first.split)}
    shared = {"rows": first.rows, "weights": first.weights, "times": first.times}
    arrays |= {name: array for name, array in shared.items() if array is not None}
    for field in ("target", "prediction", "probability"):
        found = {name: getattr(output, field) for name, output in outputs.items()}
        arrays |= {_array(field, name): array for name, array in found.items() if array is not None}
    for output in outputs.values():
        if output.grid is not None:
            arrays |= {name: getattr(output.grid, field) for name, field in GRID.items()}
        for field, (places, inputs) in EXAMPLES.items():
            if (examples := getattr(output, field)) is not None:
                arrays |= {places: examples.places, inputs: examples.inputs}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def read_predictions(folder: Path, output: str = "") -> Predictions | None:
    """The predictions for one output; None if the run has none.

    Raises:
        RunError: the file cannot be read.
    """
    path = folder / PREDICTIONS
    if not path.exists():
        return None
    data = read_bytes(path)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            probability = _array("probability", output)
            read = Predictions(
                split=_split(str(arrays["split"])),
                target=arrays[_array("target", output)],
                prediction=arrays[_array("prediction", output)],
                probability=arrays.get(probability),
                rows=arrays.get("rows"),
                weights=arrays.get("weights"),
                times=arrays.get("times"),
                grid=Grid(**{f: arrays[name] for name, f in GRID.items()}) if "grid" in arrays else None,
                **{
                    field: Examples(arrays[places], arrays[inputs])
                    for field, (places, inputs) in EXAMPLES.items()
                    if places in arrays
                },
            )
        read.check()
        return read
    except KeyError as error:
        raise damaged(path, f"the array {error} is missing") from None
    except (ValueError, TypeError, EOFError, OSError, BadZipFile, zlib.error, RuntimeError) as error:
        raise damaged(path, f"not predictions of nnjit ({error})") from None


def _split(name: str) -> str:
    if name not in SPLITS:
        raise ValueError(f"split: expected one of {', '.join(SPLITS)}, got {name[:20]!r}")
    return name


def _array(field: str, output: str) -> str:
    """The name of an array: `target`, or for an output `price`, `target_price`."""
    return f"{field}_{output}" if output else field
