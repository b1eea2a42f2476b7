"""Legal but extreme options and data end with a clear result: done, diverged or refused, without a warning."""

# ruff: noqa: E501  a row is one training and its end

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nnjit
from nnjit.errors import ConfigError, DataError, Diverged

ROWS = [[k / 12, k % 5] for k in range(12)]
VALUES = [[k / 6] for k in range(12)]
LINE: dict[str, Any] = {
    "data": {"type": "inline", "x": ROWS, "y": VALUES},
    "model": [{"type": "dense", "units": 1}],
    "loss": "squared_error",
    "optimizer": "gradient_descent",
    "training": {"epochs": 2, "batch_size": 4, "diagnosis": False},
}


def data(**options: Any) -> dict[str, Any]:
    return {"data": LINE["data"] | options}


def drawn(**options: Any) -> dict[str, Any]:
    return {"model": [{"type": "dense", "units": 1, "weight_initializer": options}]}


def rate(value: float) -> dict[str, Any]:
    return {"optimizer": {"type": "gradient_descent", "learning_rate": value}}


HUGE = [[1.7e308 * (-1) ** k, 1.0] for k in range(12)]
# fmt: off
ENDS: list[tuple[str, dict[str, Any], type[Exception] | None, str]] = [
    # what              options                                                      error        message
    ("high rate",       rate(1e300),                                                 Diverged,    "diverged in epoch 1"),
    ("low rate",        rate(1e-300),                                                None,        ""),
    ("huge weights",    drawn(type="constant", value=1e300),                         Diverged,    '"dense_1.weight"'),
    ("huge range",      drawn(type="uniform", low=-1.7e308, high=1.7e308),           ConfigError, "beyond the range of float64"),
    ("huge x",          data(x=HUGE),                                                DataError,   "beyond the range of float32"),
    ("huge scaled x",   data(x=HUGE, scale="min_max"),                               DataError,   "have a range beyond float64"),
    ("huge x, drawn",   data(x=HUGE, scale="unit") | {"dtype": "float64"},           None,        ""),
    ("tiny x",          data(x=[[5e-324 * k, 1.0] for k in range(12)]),              None,        ""),
    ("one row",         data(x=ROWS[:1], y=VALUES[:1]),                              None,        ""),
    ("equal rows",      data(x=ROWS[:1] * 12, y=[[1.0]] * 12, scale="standard", scale_target="standard"), None, ""),
    ("one column",      data(x=VALUES),                                              None,        ""),
    ("one class",       data(y=["a"] * 12, task="classification") | {"loss": "softmax_cross_entropy", "model": ["dense"]},
                                                                                     DataError,   "at least two classes, got 1"),
    ("no validation",   data(split={"validation": 1e-300}),                          DataError,   "the validation part is empty"),
    ("no training",     data(split={"validation": 0.999}),                           DataError,   "the training part is empty"),
    ("patient",         {"training": {"epochs": 2, "early_stopping": {"patience": 10**9}}}, None, ""),
    ("large batch",     {"training": {"epochs": 2, "batch_size": 10**9, "accumulate": 10**9}}, None, ""),
    ("wide function",   {"data": {"type": "function", "function": "sine", "low": -1.7e308, "high": 1.7e308}},
                                                                                     ConfigError, "beyond the range of float64"),
]
# fmt: on


@pytest.mark.filterwarnings("error:overflow")
@pytest.mark.parametrize(
    ("given", "error", "message"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS]
)
def test_an_extreme_training_ends_in_words(
    given: dict[str, Any], error: type[Exception] | None, message: str, tmp_path: Path
) -> None:
    if error is None:
        run = nnjit.fit(LINE | given, output=tmp_path / "run")
        assert run.metrics["status"] == "completed"
        return
    with pytest.raises(error) as caught:
        nnjit.fit(LINE | given, output=tmp_path / "run")
    assert message in str(caught.value)
