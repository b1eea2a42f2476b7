"""Read scikit-learn's tables from its files: importing it takes longer than a short run."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

_MEASURES = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
)
_FEATURES: Mapping[str, Sequence[str]] = {
    "digits": [f"pixel_{row}_{column}" for row in range(8) for column in range(8)],
    "iris": ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"],
    "wine": [
        *("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids"),
        *("nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue"),
        *("od280/od315_of_diluted_wines", "proline"),
    ],
    "breast_cancer": [
        *(f"mean {measure}" for measure in _MEASURES),
        *(f"{measure} error" for measure in _MEASURES),
        *(f"worst {measure}" for measure in _MEASURES),
    ],
    "diabetes": ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"],
}


@dataclass(frozen=True)
class SklearnTable:
    """A table of scikit-learn, in original units.

    Args:
        data: (rows, features), float64.
        target: (rows,), class indices, or values.
        features: names of the columns.
        classes: names of the classes; () if the target holds values.
    """

    data: np.ndarray
    target: np.ndarray
    features: tuple[str, ...]
    classes: tuple[str, ...]


def read_sklearn_table(name: str) -> SklearnTable:
    """The table from `sklearn.datasets.load_<name>`, bit for bit; diabetes unscaled."""
    try:
        data, target, classes = _read(name)
    except FileNotFoundError:  # this version of scikit-learn keeps them elsewhere
        return _loaded(name)
    return SklearnTable(data, target, tuple(_FEATURES[name]), tuple(classes))


def _read(name: str) -> tuple[np.ndarray, np.ndarray, Sequence[str]]:
    folder = _folder()
    if name == "digits":
        rows = _numbers(folder / "digits.csv.gz", ",")
        return rows[:, :-1], rows[:, -1].astype(np.int64), [str(digit) for digit in range(10)]
    if name == "diabetes":
        return _numbers(folder / "diabetes_data_raw.csv.gz"), _numbers(folder / "diabetes_target.csv.gz"), ()
    file = {"wine": "wine_data.csv"}.get(name, f"{name}.csv")
    with (folder / file).open(encoding="utf-8", newline="") as text:
        (_, _, *classes), *lines = csv.reader(text)
    data = np.array([line[:-1] for line in lines], np.float64)
    return data, np.array([line[-1] for line in lines]).astype(np.int64), classes


def _folder() -> Path:
    """The folder of the files, found without running scikit-learn's code."""
    package = find_spec("sklearn")
    places = () if package is None else package.submodule_search_locations or ()
    return Path(*places, "datasets", "data")


def _numbers(path: Path, delimiter: str | None = None) -> np.ndarray:
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return np.loadtxt(text, delimiter=delimiter)


def _loaded(name: str) -> SklearnTable:
    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    classes = (str(label) for label in getattr(bunch, "target_names", ()))
    return SklearnTable(bunch.data, bunch.target, tuple(map(str, bunch.feature_names)), tuple(classes))
