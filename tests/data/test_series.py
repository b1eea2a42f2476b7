"""Series: windows and the values after them, parts in time order, groups, scaling, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.data import DiskPart, Prepared, load, load_held_out, prepare, sources, split_and_encode
from nnjit.data.series.windows import Windows, covered_rows
from nnjit.data.tables.reading import Reading, read_table
from nnjit.data.tables.table import Table
from nnjit.errors import ConfigError, DataError, UserError
from nnjit.training import Run, predicting
from nnjit.training.predicting import FilePrediction

T = 30
COUNTS = {"t": np.arange(T), "y": np.arange(T) * 1.0, "z": -np.arange(T) * 1.0}


def series(data: Any = None, **options: Any) -> Any:
    """The source of a series passed from Python; by default one that counts up, and one that counts down."""
    defaults = {"target": "y", "window": 4, "time": "t"}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in (defaults | options).items()}
    return sources["series"](**given).with_data(COUNTS if data is None else data)


def prepared(data: Any = None, **options: Any) -> Prepared:
    return prepare(series(data, **options), seed=0, dtype="float64", folder=Path())


def test_a_window_holds_the_steps_before_what_follows_it() -> None:
    data = prepared(horizon=[1, 3], target=["z", "y"])
    assert data.features == ("y", "z")
    assert data.targets == ("z+1", "y+1", "z+3", "y+3")
    assert data.train.x.shape == (T - 4 - 3 + 1, 4, 2)
    np.testing.assert_array_equal(data.train.x[5, :, 0], [5, 6, 7, 8])
    np.testing.assert_array_equal(data.train.y[5], [-9, 9, -11, 11])
    assert data.train.source_rows is not None
    assert data.train.source_rows[5] == 9
    np.testing.assert_array_equal(data.times["train"][5], [9, 9, 11, 11])


@pytest.mark.parametrize(("step", "first"), [(1, [0, 1, 2]), (3, [0, 3, 6]), (T, [0])])
def test_step_is_from_the_start_of_a_window_to_that_of_the_next(step: int, first: list[int]) -> None:
    x = prepared(step=step).train.x
    np.testing.assert_array_equal(x[: len(first), 0, 0], first)


def test_a_horizon_is_a_count_of_steps_or_a_list() -> None:
    assert prepared(horizon=3).targets == ("y+1", "y+2", "y+3")
    assert prepared(horizon=(2,)).targets == ("y+2",)
    with pytest.raises(UserError, match="names a step twice"):
        nnjit.fit(config(horizon=[1, 1]), data=COUNTS)


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("ahead", [1, 3])
@pytest.mark.parametrize("step", [1, 2])
def test_no_window_shares_a_row_with_another_part(window: int, ahead: int, step: int) -> None:
    data = prepared(
        window=window, horizon=ahead, step=step, split={"validation": 0.3, "test": 0.3}, inputs=["y"]
    )
    spans = []
    for part in (data.train, data.validation, data.test):
        assert part is not None
        spans.append((part.x[:].min(), part.y[:].max()))
    (begin, end), (second, second_end), (third, last) = spans
    assert begin == 0
    assert end < second <= second_end < third <= last <= T - 1


def test_parts_are_cut_at_the_fractions_of_the_rows() -> None:
    data = prepared(split={"validation": 0.3, "test": 0.2}, inputs=["y"])
    assert data.validation is not None
    assert data.test is not None
    assert [part.x[0, 0, 0] for part in (data.train, data.validation, data.test)] == [0, 15, 24]
    assert data.train.y[-1] == 14


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_fold_is_trained_on_what_comes_before_it_alone(number: int) -> None:
    data = prepared(split={"fold": {"number": number, "of": 3}, "test": 0.2}, window=2, inputs=["y"])
    assert data.validation is not None
    assert data.train.y[:].max() == 6 * number - 1
    assert data.validation.x[0, 0, 0] == 6 * number
    assert data.validation.y[:].max() == 6 * number + 5


def poisoned(part: str) -> dict[str, np.ndarray]:
    begin = {"validation": 18, "test": 24}[part]
    return {name: np.where(np.arange(T) >= begin, 1e6 * (1 + v % 5), v) for name, v in COUNTS.items()} | {
        "t": COUNTS["t"]
    }


def config(**options: Any) -> dict[str, Any]:
    return {
        "data": {"type": "series", "target": "y", "window": 4, "time": "t", "scale": "standard",
                 "scale_target": "standard", "split": {"validation": 0.2, "test": 0.2}} | options,
        "model": ["flatten", {"type": "dense", "units": 1}],
        "loss": "mean_squared_error",
        "training": {"epochs": 3, "batch_size": 4, "keep": "last"},
    }  # fmt: skip


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_poisoned_later_part_changes_nothing_before_it(part: str, tmp_path: Path) -> None:
    split = {"validation": 0.2, "test": 0.2}
    options = {"split": split, "scale": "standard", "scale_target": "standard"}
    clean, bad = prepared(**options), prepared(poisoned(part), **options)
    assert clean.scaling.to_json() == bad.scaling.to_json()
    earlier = ("train", "validation")[: 1 if part == "validation" else 2]
    for name in earlier:
        np.testing.assert_array_equal(getattr(clean, name).x, getattr(bad, name).x)
        np.testing.assert_array_equal(getattr(clean, name).y, getattr(bad, name).y)
    weights = [
        nnjit.fit(config(), data=data, output=tmp_path / name).theta
        for name, data in (("clean", COUNTS), ("bad", poisoned(part)))
    ]
    np.testing.assert_array_equal(*weights)


def groups() -> dict[str, np.ndarray]:
    """Two interleaved series, and a third of two rows."""
    a, b = np.arange(10), np.arange(10) + 100
    return {
        "who": np.array(["a", "b"] * 10 + ["c", "c"]),
        "y": np.concatenate([np.stack([a, b], axis=1).ravel(), [7, 8]]).astype(float),
        "t": np.concatenate([np.repeat(np.arange(10), 2), [0, 1]]),
    }


def test_windows_stay_in_their_group_and_a_short_group_is_left_out() -> None:
    data = prepared(groups(), group="who", window=3)
    assert len(data.train.x) == 2 * (10 - 3)
    assert (np.ptp(data.train.x, axis=1) == 2).all()
    np.testing.assert_array_equal(data.train.y[:, 0], data.train.x[:, -1, 0] + 1)
    assert data.train.source_rows is not None
    np.testing.assert_array_equal(groups()["y"][data.train.source_rows], data.train.y[:, 0])
    assert 'left out: 1 group too short for a window within one part: "c"' in data.notes


def test_groups_are_cut_at_the_same_moment_if_there_is_a_time() -> None:
    late = {"who": ["a"] * 10 + ["b"] * 6, "t": [*range(10), *range(4, 10)], "y": [1.0] * 16}
    kwargs: dict[str, Any] = {"group": "who", "window": 1, "split": {"test": 0.25}, "inputs": ["t"]}
    with_time = prepared(late, **kwargs)
    assert with_time.test is not None
    assert with_time.train.x[:].max() < 7  # the moment is 8, and the step before it is a target
    assert with_time.test.x[:].min() == 8
    by_row = prepared(late, **kwargs | {"time": None})
    assert by_row.test is not None
    assert by_row.train.x[:].max() == 6


def test_each_channel_is_scaled_by_the_rows_of_training_windows_each_once() -> None:
    data = prepared(split={"test": 0.4}, scale="standard")
    seen = np.arange(17.0)  # of 18 training rows, the last is only a target
    assert data.scaling.inputs is not None
    np.testing.assert_allclose(data.scaling.inputs.shift, [seen.mean(), -seen.mean()], rtol=1e-12)
    np.testing.assert_allclose(data.scaling.inputs.scale, [seen.std(), seen.std()], rtol=1e-12)


def test_categories_gaps_and_dates_become_channels() -> None:
    rng = np.random.default_rng(0)
    data = {
        "t": [f"2020-01-{k + 1:02}" for k in range(T)],
        "y": [None if k == 20 else float(k) for k in range(T)],
        "kind": ["ab"[k] for k in rng.integers(0, 2, T)],
    }
    found = prepared(data, inputs=["y", "kind"])
    assert found.features == ("y", "y=(missing)", "kind=a", "kind=b")
    assert len(found.train.x) == T - 4 - 1  # the window before the missing value has nothing to forecast
    assert found.description.endswith("1 window without a target left out")
    assert found.train.x[:, :, 1].sum() == 4
    assert found.times["train"].dtype == np.dtype("datetime64[us]")
    assert prepared(data).notes == ("left out: kind; to use non-numbers, name them in inputs",)


def test_windows_on_demand_are_those_in_memory_and_hold_no_copy_of_the_rows() -> None:
    options: dict[str, Any] = {"scale": "standard", "split": {"test": 0.4}}
    whole, lazy = prepared(**options), prepared(**options, in_memory=False, buffer_size=5)
    assert isinstance(lazy.train, DiskPart)
    np.testing.assert_array_equal(lazy.train.x[:], whole.train.x)
    np.testing.assert_array_equal(lazy.train.y[:], whole.train.y)
    assert lazy.scaling.to_json() == whole.scaling.to_json()
    assert isinstance(lazy.train.x.stored, Windows)
    assert lazy.train.x.stored.values.shape == (T, 2)


def test_windows_on_demand_train(tmp_path: Path) -> None:
    run = nnjit.fit(config(in_memory=False, buffer_size=8), data=COUNTS, output=tmp_path / "run")
    assert run.metrics["splits"]["test"]["examples"] == 2


def test_covered_rows_are_those_of_all_windows() -> None:
    starts = np.array([2, 2, 7, 5])
    expected = sorted({int(s) + k for s in starts for k in range(3)})
    np.testing.assert_array_equal(covered_rows(starts, 3, 12), expected)


def test_naive_forecasts_repeat_the_last_value_and_the_last_season() -> None:
    wave = {"t": np.arange(T), "y": np.arange(T) % 5 * 1.0}
    found = prepared(wave, horizon=7, season=5, window=5).naive
    assert found["last season"]["train"]["mae"] == (0.0,) * 7
    assert found["last value"]["train"]["mae"][4] == 0.0
    assert found["last value"]["train"]["mae"][0] > 1
    counts = prepared(horizon=2, split={"test": 0.4}).naive
    assert counts["last value"]["test"] == {"mae": (1.0, 2.0), "mse": (1.0, 4.0)}


def test_a_validation_series_of_its_own_is_encoded_like_the_data() -> None:
    data, rows = split_and_encode(series(), load(series(), Path()), seed=0)
    other = load_held_out(series({name: values[:9] for name, values in COUNTS.items()}), data, Path())
    assert other.x.shape == (5, 4, 2)
    assert rows.train is None
    with pytest.raises(DataError, match="a row has the shape"):
        load_held_out(series(window=3), data, Path())


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "window": ({"window": 40}, {}, r"a window of 40 steps and a horizon of 1 need 41 rows, but .* has 30"),
    "test": ({"split": {"test": 0.1}}, {}, r"the test part has 3 rows in a piece, but .* need 5 rows"),
    "train": ({"split": {"test": 0.9}}, {}, r"the training part has 3 rows in a piece.*hold out less"),
    "column": ({"target": "yy"}, {}, r'no column "yy"; did you mean "y"\?'),
    "input": ({"inputs": ["y", "zz"]}, {}, r'no column "zz"; did you mean "z"\?'),
    "order": ({}, {"t": [0, 2, 1, *range(3, T)]}, r'row 3, column "t": 1 comes after 2 of row 2 .*sort the'),
    "double": ({}, {"t": [0, 1, 1, *range(3, T)]}, r'row 3, column "t": 1 is the time of row 2 too'),
    "no time": ({}, {"t": [0, None, *range(2, T)]}, r'row 2, column "t": no value'),
    "text": ({}, {"y": ["a", "b", *["1"] * (T - 2)]}, r'row 1, column "y": expected a number, got "a"'),
    "the time": ({"target": "t"}, {}, r'column "t" is the time, so it cannot be a target'),
    "season": ({"season": 31}, {}, "a season of 31 rows is longer than the series, which has 30"),
    "drop": ({"columns": {"z": {"type": "number", "missing": "drop"}}}, {}, "missing: drop would remove"),
}  # fmt: skip


NUMBERS_ALONE = {
    "loss": ({"loss": "softmax_cross_entropy"}, "softmax_cross_entropy needs .* squared_error elsewhere"),
    "values": ({"metrics": ["accuracy"]}, "accuracy needs classes, .* such as mae or r2"),
    "metric": ({"metrics": ["matthews"]}, "matthews needs data with classes, .* mae or r2 elsewhere"),
}  # fmt: skip


@pytest.mark.parametrize("case", NUMBERS_ALONE)
def test_what_needs_classes_is_refused_without_naming_an_option_that_a_series_lacks(case: str) -> None:
    change, message = NUMBERS_ALONE[case]
    with pytest.raises(UserError, match=f"{message}$"):
        nnjit.fit(config() | change, data=COUNTS)


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_place(case: str) -> None:
    options, columns, message = BAD[case]
    with pytest.raises((DataError, ConfigError), match=message):
        nnjit.fit(config(**options), data=COUNTS | columns)


def test_a_series_is_never_shuffled() -> None:
    with pytest.raises(
        UserError, match=r"data\.split\.shuffle.*: a series is split in time order; remove shuffle"
    ):
        nnjit.fit(config(split={"test": 0.2, "shuffle": True}), data=COUNTS)


def test_a_run_keeps_the_times_of_its_predictions_and_the_naive_errors(tmp_path: Path) -> None:
    given = config(horizon=2) | {"model": ["flatten", {"type": "dense", "units": 2}]}
    run = nnjit.fit(given, data=COUNTS, output=tmp_path / "run", report=True)
    with np.load(run.path / "predictions.npz") as kept:
        np.testing.assert_array_equal(kept["times"], kept["target"].round())  # y counts like t
        np.testing.assert_array_equal(kept["rows"], kept["times"][:, 0])
    assert run.data.naive["last value"]["test"]["mae"] == (1.0, 2.0)
    assert 'id="forecast"' in (run.path / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on a series in groups, with a category as a channel."""
    k = np.arange(40)
    data = {
        "t": np.repeat(k, 2),
        "who": ["a", "b"] * 40,
        "y": np.stack([k, -k], axis=1).ravel() * 1.0,
        "kind": ["u" if each % 3 else "v" for each in np.repeat(k, 2)],
    }
    given = config(group="who", inputs=["y", "kind"])
    return nnjit.fit(given, data=data, output=tmp_path_factory.mktemp("series") / "run")


NEW = {
    "t": [3, 1, 4, 2, 5, 3, 6, 4, 7],
    "who": ["b", "a", "b", "a", "b", "a", "b", "a", "b"],
    "y": [30.0, 1, 40, 2, 50, 3, 60, 4, 70],
    "kind": list("uvuvuvuvu"),
}  # group b has two windows, group a one


def test_new_rows_are_forecast_window_by_window(trained: Run) -> None:
    names = {"u": [1.0, 0.0], "v": [0.0, 1.0]}
    assert trained.features == ("y", "kind=u", "kind=v")
    rows = list(zip(NEW["who"], NEW["y"], NEW["kind"], strict=True))
    b, a = ([[y, *names[kind]] for who, y, kind in rows if who == group] for group in "ba")
    x = np.array([b[:4], b[1:5], a])
    forecast = trained.predict(NEW)
    np.testing.assert_array_equal(forecast, trained.predict(x))
    assert forecast.shape == (3, 1)


def test_the_rows_of_a_file_are_forecast_with_the_number_and_time_of_the_last_of_each(
    trained: Run, tmp_path: Path
) -> None:
    lines = [",".join(NEW), *(",".join(map(str, row)) for row in zip(*NEW.values(), strict=True))]
    (tmp_path / "new.csv").write_text("\n".join(lines))
    (block,) = FilePrediction(trained, tmp_path / "new.csv", Reading()).blocks()
    assert list(block) == ["row", "t", "who", "y+1"]
    assert [list(block[name]) for name in ("row", "t", "who")] == [
        [7, 9, 8], ["6", "7", "4"], ["b", "b", "a"]
    ]  # fmt: skip
    np.testing.assert_array_equal(block["y+1"], trained.predict(NEW)[:, 0])
    np.save(tmp_path / "x.npy", np.zeros((2, 4, 3)))
    (block,) = FilePrediction(trained, tmp_path / "x.npy", Reading()).blocks()
    assert list(block) == ["row", "y+1"]


@pytest.mark.parametrize("size", [1, 2, 5, 8, 9])
def test_a_series_in_blocks_is_forecast_as_in_one(
    size: int, trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {name: list(values) for name, values in NEW.items()} | {"kind": list("uvuvuvuvx")}
    lines = [",".join(map(str, row)) for row in zip(*new.values(), strict=True)]
    (tmp_path / "new.csv").write_text("\n".join([",".join(new), *lines]))
    whole = FilePrediction(trained, tmp_path / "new.csv", Reading())
    (expected,) = whole.blocks()

    def in_blocks(path: Path, options: Reading) -> Iterator[Table]:
        table = read_table(path, options)
        for start in range(0, len(table), size):
            yield table.taken(np.arange(start, min(start + size, len(table))))

    monkeypatch.setattr(predicting, "read_blocks", in_blocks)
    parts = FilePrediction(trained, tmp_path / "new.csv", Reading())
    blocks = [block for block in parts.blocks() if len(block["row"])]
    found = {name: np.concatenate([block[name] for block in blocks]) for name in expected}
    by_row, order = np.argsort(np.asarray(expected["row"])), np.argsort(found["row"])
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name][order], np.asarray(values)[by_row])
    assert parts.unseen == whole.unseen == {"kind": 1}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"t": [3, 1, 4, 2, 5, 3, 6, 4, 6]},
            r'line 10, column "t": 6 is the time of line 8 of the group "b" too',
        ),
        ({"who": list("abcdefghi")}, "a window needs 4 rows, but the longest group has 1 row"),
    ],
)
def test_what_is_wrong_with_a_block_is_said_with_its_line(
    changed: dict[str, Any], message: str, trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = zip(*(NEW | changed).values(), strict=True)
    (tmp_path / "new.csv").write_text("\n".join([",".join(NEW), *(",".join(map(str, row)) for row in rows)]))

    def in_blocks(path: Path, options: Reading) -> Iterator[Table]:
        table = read_table(path, options)
        yield from (table.taken(np.arange(start, min(start + 4, len(table)))) for start in range(0, 9, 4))

    monkeypatch.setattr(predicting, "read_blocks", in_blocks)
    with pytest.raises(DataError, match=message):
        list(FilePrediction(trained, tmp_path / "new.csv", Reading()).blocks())


def test_the_test_part_is_evaluated_as_the_training_did(tmp_path: Path) -> None:
    data = {"t": np.arange(60), "y": np.sin(np.arange(60))}
    run = nnjit.fit(config(), data=data, output=tmp_path / "run")
    found = run.evaluate({name: values[48:] for name, values in data.items()})
    expected = run.metrics["splits"]["test"]
    assert found["examples"] == expected["examples"] == 8
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)  # both are float32


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y": None}, r'column "y": there is no such column'),
        (
            {"t": [3, 1, 4, 2, 5, 3, 6, 4, 6]},
            r'row 9, column "t": 6 is the time of row 7 of the group "b" too',
        ),
        ({"who": list("abcdefghi")}, r"a window needs 4 rows, but the longest group has 1 row"),
    ],
)
def test_new_rows_that_make_no_windows_are_refused(
    changed: dict[str, Any], message: str, trained: Run
) -> None:
    rows = {name: values for name, values in (NEW | changed).items() if values is not None}
    with pytest.raises(DataError, match=message):
        trained.predict(rows)
