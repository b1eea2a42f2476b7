"""Several target columns of one output are each measured in their own unit, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as theirs

import nnjit
from nnjit import config
from nnjit.errors import DataError
from nnjit.nn import Metric, metrics
from nnjit.report.files import read_run
from nnjit.report.pages import summary
from nnjit.runs import file_names
from nnjit.training import Run
from nnjit.training.graphs.target_metrics import MOST, as_chosen, for_each_target
from nnjit.training.setup.setup import set_up

TABLE = 'a,b,height (m),"income, gross"\n' + "".join(
    f"{np.sin(k):.4f},{np.cos(3 * k):.4f},{1.7 + 0.1 * np.sin(k):.4f},{50000 + 9000 * np.cos(3 * k):.1f}\n"
    for k in range(40)
)
CONFIG: dict[str, Any] = {
    "dtype": "float64",
    "data": {
        "type": "csv",
        "file": "table.csv",
        "target": ["height (m)", "income, gross"],
        "split": {"validation": 0.25},
        "scale_target": "standard",
    },
    "model": ["dense"],
    "loss": "mean_squared_error",
    "metrics": ["mae", "rmse", "r2"],
    "training": {
        "epochs": 3,
        "diagnosis": False,
        "early_stopping": {"monitor": "validation_income_gross_mae"},
    },
}
SKLEARN: dict[str, Callable[..., Any]] = {
    "mae": theirs.mean_absolute_error,
    "rmse": theirs.root_mean_squared_error,
    "r2": theirs.r2_score,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("targets")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("table.csv").write_text(TABLE, encoding="utf-8")
        made = nnjit.fit(CONFIG, output=folder / "run")
    assert isinstance(made, Run)
    return made


def test_each_target_has_values_of_its_own_and_nothing_averages_their_units(run: Run) -> None:
    with np.load(run.path / file_names.PREDICTIONS) as kept:
        target, prediction = kept["target"], kept["prediction"]
    got = run.metrics["splits"]["validation"]
    expected = {}
    for name, measure in SKLEARN.items():
        each = measure(target, prediction, multioutput="raw_values")
        mean = {name: measure(target, prediction)} if name == "r2" else {}
        expected |= {**mean, f"height_m_{name}": each[0], f"income_gross_{name}": each[1]}
    assert list(got) == ["examples", "loss", *expected]
    assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(run.predict(np.zeros((1, 2))).shape, (1, 2))


def test_the_history_can_be_followed_by_the_name_of_a_target(run: Run) -> None:
    assert run.metrics["monitor"] == "validation_income_gross_mae"
    assert np.isfinite(run.history["validation_height_m_mae"]).all()
    assert nnjit.load(run.path).metrics == run.metrics


def test_the_report_names_the_targets(run: Run) -> None:
    table = summary.split_rows(read_run(run.path))
    assert table is not None
    assert {"height_m mean absolute error", "income_gross root mean squared error", "R²"} <= {
        row[0] for row in table[1]
    }


# fmt: off
NAMES: list[tuple[Any, ...]] = [
    # targets                 metrics          columns
    (["a", "b"],              ["mae"],         ["a_mae", "b_mae"]),
    (["a", "b"],              ["r2", "rmse"],  ["r2", "a_r2", "b_r2", "a_rmse", "b_rmse"]),
    (["a", "b"],              ["f1"],          ["f1"]),
    (["a b", "a_b"],          ["mae"],         ["a_b_1_mae", "a_b_2_mae"]),
    (["größe", "€"],          ["mae"],         ["größe_1_mae", "target_2_mae"]),
    (["a"],                   ["mae"],         ["mae"]),
    (["a"] * (MOST + 1),      ["mae"],         ["mae"]),
]
# fmt: on


@pytest.mark.parametrize(("targets", "names", "columns"), NAMES)
def test_the_columns_are_named_after_their_targets(targets: list, names: list, columns: list) -> None:
    chosen = [metrics[name]() for name in names]
    made = for_each_target(chosen, targets)
    assert [metric.column for metric in made] == columns
    assert as_chosen(made) == tuple(chosen)


def test_every_metric_of_values_says_whether_it_has_a_unit() -> None:
    of_values: set[type[Metric]] = {cls for cls in metrics.values() if cls.__module__.endswith("values")}
    assert of_values == {cls for cls in metrics.values() if cls.of_each_target != "never"}


def test_the_columns_of_one_of_several_outputs_have_the_names_of_both(tmp_path: Path) -> None:
    x = np.arange(12.0)
    y = {"up": x.tolist(), "down": (100 - x).tolist(), "kind": ["u", "v"] * 6}
    model = [{"type": "dense", "name": "pos"}, {"type": "dense", "name": "kind", "from": "input"}]
    given = {
        "data": {"type": "inline", "x": x.tolist(), "y": y},
        "model": model,
        "losses": {
            "pos": {"target": ["up", "down"], "loss": "mean_squared_error", "metrics": ["mae", "r2"]},
            "kind": {"target": "kind", "loss": "softmax_cross_entropy"},
        },
        "training": {"epochs": 1, "diagnosis": False},
    }
    run = nnjit.fit(given, output=tmp_path / "run")
    assert list(run.metrics["splits"]["train"]) == [
        *("examples", "loss", "pos_loss", "pos_up_mae", "pos_down_mae", "pos_r2", "pos_up_r2", "pos_down_r2"),
        *("kind_loss", "kind_accuracy"),
    ]  # fmt: skip
    error = np.abs(run.predict(x[:, None])["pos"] - np.stack([x, 100 - x], axis=1)).mean(axis=0)
    got = run.metrics["splits"]["train"]
    assert [got["pos_up_mae"], got["pos_down_mae"]] == pytest.approx(error, rel=1e-4)  # float32


def test_a_metric_that_cannot_take_the_targets_is_named_by_its_place_in_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text(TABLE, encoding="utf-8")
    given = config.resolve({**CONFIG, "metrics": ["mae", "r2", "f1"], "training": {}})
    with pytest.raises(DataError, match="f1 needs classes, or targets that are 0 or 1") as error:
        set_up(given, tmp_path)
    assert error.value.path == ("metrics", 2)
