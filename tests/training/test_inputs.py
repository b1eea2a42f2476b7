"""Prediction refuses inputs unlike those of the training, and says where they are wrong."""

# ruff: noqa: E501  a row is one mistake and what becomes of it

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.data import Scaling
from nnjit.data.scaling import Affine
from nnjit.errors import UserError
from nnjit.nn import Model, build_model, layers
from nnjit.training.inputs import Inputs
from nnjit.training.study.study import Study

DENSE = {"type": "dense", "units": 1}
NAN, INF = float("nan"), float("inf")
MASKED = np.ma.array([[1.0, 2, 3], [1, 2, 3]], mask=[[0, 0, 0], [0, 1, 0]])
EMBEDDING: list[Any] = [
    {"type": "select", "columns": 1},
    {"type": "embedding", "entries": 4, "size": 2},
    "flatten",
]
MOVED: list[Any] = [
    {"type": "reshape", "shape": (3, 1)},
    {"type": "permute", "axes": (2, 1)},
    {"type": "embedding", "entries": 4, "size": 2},
    "flatten",
]


class Frame:
    """The parts of a data frame that NumPy and nnjit use."""

    def __init__(self, *columns: str) -> None:
        self.columns = columns

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array([[1.0, 2.0, 3.0]], dtype)


# fmt: off
REFUSED: list[tuple[Any, ...]] = [
    # layers   x                                               what the message says
    ([],       [[1, 2, 3], [1, NAN, 3]],                       r'row 2, column "b" .*: nan is not finite'),
    ([],       [[1, 2, INF], [NAN, 2, 3]],                     r'row 1, column "c" .*: inf is not finite.* \(2 such values\)'),
    ([],       [[1, 2, 3e39]],                                 r'row 1, column "c" .*: 3e\+39 is beyond the range of float32'),
    ([],       [[1, 2, 3], [1, None, 3]],                      r'row 2, column "b" .*: expected a number, got None'),
    ([],       [[1, "12a", 3]],                                r'row 1, column "b" .*: expected a number, got .12a.'),
    ([],       np.array([["1", "2", "3"]]),                    r'row 1, column "a" .*: expected a number, got .1.'),
    ([],       np.array([[1, 2, 1j]]),                         r"expected a number, got"),
    ([],       np.array([["2020-01-01"] * 3], "datetime64"),   r"expected a number, got datetime"),
    ([],       MASKED,                                         r'row 2, column "b" .*: the value is masked'),
    ([],       list(MASKED),                                   r'row 2, column "b" .*: the value is masked'),
    ([],       [[1, 2, 3], [1, 2]],                            r"row 2 .* has 2 values, the first has 3"),
    ([],       [1, 2, 3],                                      r"shape \(n, 3\), got \(3,\); a single row needs a batch axis too"),
    ([],       [[1, 2]],                                       r"shape \(n, 3\), got \(1, 2\); the columns are a, b, c"),
    ([],       [],                                             r"shape \(n, 3\), got \(0,\)"),
    ([],       np.zeros((2, 3, 1)),                            r"shape \(n, 3\), got \(2, 3, 1\)"),
    ([],       5.0,                                            r"one row per example, got float"),
    ([],       {"a": 1},                                       r"one row per example, got dict"),
    ([],       "new.csv",                                      r"got str; read a file into a data frame, or run nnjit predict"),
    ([],       Frame("b", "a", "c"),                           r"not in the order of the training, a, b, c"),
    (EMBEDDING, [[9, 3, 9], [9, 4, 9]],                        r'row 2, column "b" .*: expected a whole number from 0 to 3, got 4'),
    (EMBEDDING, [[9, -1, 9]],                                  r'row 1, column "b" .*, got -1'),
    (EMBEDDING, [[9, 1.5, 9]],                                 r'row 1, column "b" .*, got 1\.5'),
    (EMBEDDING, [[9, NAN, 9]],                                 r'row 1, column "b" .*: nan is not finite'),
    (MOVED,     [[0, 1, 2], [0, 1, 7]],                        r'row 2, column "c" .*, got 7'),
]
TAKEN = [
    [[1, 2, 3]],
    [[True, 2.5, np.float32(3)]],
    np.array([[1, 2.5, 3]], object),
    np.array([[1, 2, 3]], np.uint8),
    np.array([[1, 2, 3]], np.float16),
    np.ma.array([[1.0, 2, 3]]),
    np.asfortranarray(np.zeros((5, 3))),
    np.zeros((0, 3)),
    Frame("a", "b", "c"),
    Frame("u", "v", "w"),
]
# fmt: on


def inputs(layers: list[Any], *, scaling: Scaling | None = None) -> Inputs:
    """The inputs of a model with three columns."""
    return Inputs(model([*layers, DENSE], (3,)), ("a", "b", "c"), scaling or Scaling(), "float32")


def model(given: list[Any], shape: tuple[int, ...]) -> Model:
    named = [{"type": layer} if isinstance(layer, str) else layer for layer in given]
    return build_model([layers[layer["type"]].model_validate(layer) for layer in named], shape)


@pytest.mark.parametrize(("before", "x", "message"), REFUSED)
def test_an_input_that_the_network_cannot_take_is_named(before: list, x: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        inputs(before).read(x)


@pytest.mark.parametrize("x", TAKEN, ids=range(len(TAKEN)))
def test_numbers_of_any_type_are_taken(x: Any) -> None:
    taken = inputs([]).read(x)
    np.testing.assert_array_equal(taken, np.asarray(x, np.float32))
    assert taken.dtype == np.float32
    assert taken.flags.c_contiguous


def test_a_value_is_beyond_the_range_only_once_it_is_scaled() -> None:
    scaling = Scaling(Affine("standard", np.zeros(3), np.array([1e10, 1.0, 1e-10])))
    read = inputs([], scaling=scaling).read
    assert read([[1e39, 0, 0]])[0, 0] == pytest.approx(1e29)
    with pytest.raises(
        UserError, match=r'row 1, column "c" .*: 1e\+30 is beyond the range of float32 once scaled'
    ):
        read([[0, 0, 1e30]])


def test_a_picture_has_a_place_instead_of_a_column() -> None:
    with pytest.raises(UserError, match=r"row 1, place 2, 1 \(counted from 1\): nan is not finite"):
        Inputs(model(["flatten", DENSE], (2, 2)), (), Scaling(), "float64").read([[[0, 1], [NAN, 3]]])


def test_runs_and_studies_check_what_they_predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    columns = [
        {"type": "select", "columns": [0, 1]},
        {"type": "embedding", "entries": 2, "size": 2},
        "flatten",
    ]
    given = {
        "data": {"type": "inline", "x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": ["a", "b", "b", "a"], "task": "classification"},
        "model": [*columns, {"type": "dense"}],
        "loss": "softmax_cross_entropy",
        "training": {"epochs": 1, "replicas": 2, "members": "folders"},
    }  # fmt: skip
    study = nnjit.fit(given, output="study")
    assert isinstance(study, Study)
    for predicting in (study, study.runs[0], nnjit.load("study/replicas/2")):
        for predict in (predicting.predict, predicting.predict_probabilities):
            with pytest.raises(UserError, match=r'row 2, column "x1" .*from 0 to 1, got 2'):
                predict([[0, 1], [2, 1]])
            with pytest.raises(UserError, match=r'row 1, column "x2" .*: nan'):
                predict([[0, NAN]])
        assert predicting.predict(np.zeros((0, 2))).shape == (0,)
        assert predicting.predict_probabilities(np.zeros((0, 2))).shape == (0, 2)
