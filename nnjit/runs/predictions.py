"""`predictions.npz`: targets and predictions of one part of the data."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from nnjit.errors import RunError
from nnjit.runs.file_names import PREDICTIONS
from nnjit.runs.writing import write_atomically


@dataclass(frozen=True, eq=False)
class Grid:
    """What the network predicts over the plane of its two inputs, in the data's own units.

    Args:
        x: (G,) coordinates along the first input.
        y: (G,) coordinates along the second input.
        values: (G, G, K) probabilities or (G, G, 1) values, `values[iy, ix]`.
        points: (m, 2) examples.
        targets: (m,) the examples' class or value.
    """

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    points: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False)
class Predictions:
    """Targets and predictions of one output.

    Args:
        split: the part of the data.
        target: (n,) classes or (n, O) values, in their own unit.
        prediction: of the same shape.
        probability: (n, K) of each class; None if the output is values.
        grid: None unless the model has two inputs and one output.
    """

    split: str
    target: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray | None = None
    grid: Grid | None = None


# array of the file -> field of `Grid`
GRID = {"grid_x": "x", "grid_y": "y", "grid": "values", "points": "points", "point_target": "targets"}


def write_predictions(folder: Path, outputs: Mapping[str, Predictions]) -> None:
    """Write the predictions of each output, by name."""
    write_atomically(folder / PREDICTIONS, predictions_bytes(outputs))


def predictions_bytes(outputs: Mapping[str, Predictions]) -> bytes:
    """The file of the predictions of each output, with the output's name in those of its arrays.

    Args:
        outputs: by name; the only one of a model with a single output is called "".
    """
    arrays = {"split": np.array(next(iter(outputs.values())).split)}
    for field in ("target", "prediction", "probability"):
        found = {name: getattr(output, field) for name, output in outputs.items()}
        arrays |= {_array(field, name): array for name, array in found.items() if array is not None}
    for output in outputs.values():
        if output.grid is not None:
            arrays |= {name: getattr(output.grid, field) for name, field in GRID.items()}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def read_predictions(folder: Path, output: str = "") -> Predictions | None:
    """The predictions of one output; None if the run has none.

    Raises:
        RunError: the file cannot be read.
    """
    path = folder / PREDICTIONS
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            probability = _array("probability", output)
            return Predictions(
                split=str(arrays["split"]),
                target=arrays[_array("target", output)],
                prediction=arrays[_array("prediction", output)],
                probability=arrays.get(probability),
                grid=Grid(**{f: arrays[name] for name, f in GRID.items()}) if "grid" in arrays else None,
            )
    except KeyError as error:
        raise RunError(f"{path} lacks the array {error}; was it written by another version?") from error
    except (ValueError, EOFError, OSError, BadZipFile) as error:
        raise RunError(f"{path} cannot be read ({error})") from error


def _array(field: str, output: str) -> str:
    """The name of an array: `target`, or of the output `price`, `target_price`."""
    return f"{field}_{output}" if output else field
