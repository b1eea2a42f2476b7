"""Splits, scaling, types and memory of training data."""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from nnjit import data
from nnjit.data import Dataset, Prepared, Scaling, Source, Split, prepare, sources
from nnjit.data.dataset import make_dataset
from nnjit.data.splits import split_rows
from nnjit.errors import DataError


class Given(Source):
    """Arrays from a test, as a source."""

    type: Literal["given"] = "given"
    data: object

    def load(self, folder: Path) -> Dataset:
        assert isinstance(self.data, Dataset)
        return self.data


def given(
    x: np.ndarray, y: np.ndarray, task: str = "regression", *, dtype: str = "float64", **options: object
) -> Prepared:
    data = make_dataset(x, y, problem_type=task, description="of a test")
    return prepare(Given(data=data, **options), seed=3, dtype=dtype, folder=Path())


def numbered(n: int) -> np.ndarray:
    """Rows that contain their own number."""
    return np.arange(n, dtype=np.float64)[:, None]


def parts(prepared: Prepared) -> list[np.ndarray]:
    return [part.x[:, 0].astype(int) for part in (prepared.train, prepared.validation, prepared.test) if part]


# fmt: off
SPLITS = [
    # rows of each class  validation  test   sizes of the parts
    ((50, 50, 50),        0.2,        0.2,   (90, 30, 30)),
    ((50, 50, 50),        0.2,        0.0,   (120, 30)),
    ((50, 50, 50),        0.0,        0.2,   (120, 30)),
    ((90, 9, 1),          0.2,        0.2,   (60, 20, 20)),
    ((1, 1, 98),          0.45,       0.45,  (10, 45, 45)),
    ((7, 5),              0.15,       0.15,  (8, 2, 2)),
    ((2, 2),              0.5,        0.0,   (2, 2)),
]
# fmt: on


@pytest.mark.parametrize(("members", "validation", "test", "sizes"), SPLITS)
def test_parts_are_disjoint_in_order_and_have_their_share_of_each_class(members, validation, test, sizes):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(members)), members))
    split = {"validation": validation, "test": test}
    rows = parts(given(numbered(len(labels)), labels, "classification", split=Split(**split)))
    assert tuple(len(part) for part in rows) == sizes
    assert sorted(np.concatenate(rows)) == list(range(len(labels)))
    assert all((np.diff(part) > 0).all() for part in rows)
    counts = np.array([np.bincount(labels[part], minlength=len(members)) for part in rows])
    expected = np.outer(sizes, members) / len(labels)
    assert (
        np.abs(counts - expected).max() < 2
    )  # one row for rounding, and one for a class that must be trained on
    assert counts[0].min() >= 1


# fmt: off
RARE = [
    # rows of each class  validation  test   fold   rows of the rare classes in each part
    ((94, 3, 3),          0.2,        0.2,   None,  [(1, 1), (1, 1), (1, 1)]),
    ((97, 3),             0.02,       0.02,  None,  [(1,), (1,), (1,)]),
    ((98, 2),             0.0,        0.05,  None,  [(1,), (1,)]),
    ((96, 4),             0.0,        0.04,  2,     [(1,), (2,), (1,)]),
    ((20, 3, 3, 3),       0.15,       0.15,  None,  [(1, 1, 1), (1, 1, 1), (1, 1, 1)]),
]
# fmt: on


@pytest.mark.parametrize(("members", "validation", "test", "fold", "counts"), RARE)
@pytest.mark.parametrize("seed", range(3))
def test_a_class_with_a_row_for_each_part_is_in_all_of_them(members, validation, test, fold, counts, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(members)), members))
    of = None if fold is None else {"number": 1, "of": fold}
    split = Split.model_validate({"validation": validation, "test": test, "fold": of})
    found = split_rows(split, len(labels), labels, seed=seed)
    parts = [part for part in (found.train, found.validation, found.test) if part is not None]
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    assert {len(part) for part in parts[-1:]} == {round(test * len(labels))}
    rare = [tuple(np.bincount(labels[part], minlength=len(members))[1:].tolist()) for part in parts]
    assert sorted(rare) == sorted(counts)
    assert found.warning == ""


def test_classes_that_cannot_be_in_each_part_are_named_with_their_rows():
    labels = np.repeat([0, 1, 2], [97, 2, 1])
    found = split_rows(Split(validation=0.2, test=0.2), 100, labels, seed=0, names=("a", "b", "c"))
    assert found.warning == (
        'not every class is in each part: class "b" (2 rows) has none in the test part; class "c" (1 row) '
        "has none in the validation and test part; the metrics of a part say nothing about classes that it "
        "lacks"
    )
    assert split_rows(Split(test=0.2), 98, labels[:98], seed=0).warning.startswith(
        "not every class is in each part: class 2 (counted from 1) (1 row) has none in the test part"
    )


def test_of_many_absent_classes_some_are_named():
    labels = np.concatenate([np.zeros(100, int), np.arange(1, 10)])
    assert (
        "; and 4 more such classes; the metrics" in split_rows(Split(test=0.2), 109, labels, seed=0).warning
    )


def test_a_split_in_order_says_which_classes_a_part_lacks():
    labels = np.array([0, 1, 2] * 10 + [0, 1] * 5)
    split = Split(test=0.25, shuffle=False)
    assert (
        "class 3 (counted from 1) (10 rows) has none in the test part"
        in split_rows(split, 40, labels, seed=0).warning
    )


def test_the_seed_alone_decides_which_rows_are_held_out():
    labels = np.arange(100) % 3
    first, again, other = (split_rows(Split(test=0.3), 100, labels, seed=seed).test for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_held_out_values_are_drawn_from_everywhere():
    (train, held) = parts(given(numbered(1000), numbered(1000), split=Split(validation=0.3)))
    assert (len(train), len(held)) == (700, 300)
    assert 450 < held.mean() < 550  # 3 deviations of the mean of 300 of 1000 are 42


@pytest.mark.parametrize("method", ["standard", "min_max", "unit"])
@pytest.mark.parametrize("shape", [(5,), (4, 3)])
def test_scaling_is_fitted_on_the_training_part_alone(method, shape):
    x = np.random.default_rng(0).normal(3, 10, (200, *shape))
    train = split_rows(Split(test=0.5), 200, None, seed=3).train
    x[np.setdiff1d(np.arange(200), train)] *= 100
    prepared = given(x, x[:, 0].reshape(200, -1), scale=method, split=Split(test=0.5))
    part = x[train]
    expected = {
        "standard": lambda: (x - part.mean(axis=0)) / part.std(axis=0),
        "min_max": lambda: (x - part.min(axis=0)) / np.ptp(part, axis=0),
        "unit": lambda: x / np.abs(part).max(),
    }[method]()
    np.testing.assert_allclose(prepared.train.x, expected[train], rtol=1e-12, atol=1e-13)  # rounding in sums
    np.testing.assert_array_equal(prepared.scaling.transform_inputs(part), prepared.train.x)
    np.testing.assert_allclose(
        prepared.scaling.inverse_inputs(prepared.train.x), part, rtol=1e-12, atol=1e-12
    )
    assert np.abs(prepared.test.x).max() > 20


@pytest.mark.parametrize("method", ["standard", "min_max"])
def test_target_values_come_back_in_their_own_unit(method):
    y = np.random.default_rng(0).normal(150, 70, (80, 2))
    prepared = given(numbered(80), y, scale_target=method, dtype="float32")
    assert prepared.train.y.dtype == np.float32
    assert np.abs(prepared.train.y).max() < 5
    np.testing.assert_allclose(prepared.scaling.inverse_targets(prepared.train.y), y, rtol=1e-5)
    np.testing.assert_array_equal(prepared.scaling.transform_targets(y).astype(np.float32), prepared.train.y)


@pytest.mark.parametrize("method", ["standard", "min_max", "unit"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e8 / 3])
def test_constant_columns_are_divided_by_one(method, value):
    scaling = given(np.full((1001, 1), value), numbered(1001), scale=method).scaling
    expected = value if method == "unit" and value else 1.0
    assert scaling.to_json()["inputs"]["scale"] == (expected if method == "unit" else [expected])


def test_scaling_survives_json_bit_for_bit():
    x = np.random.default_rng(0).normal(0, 1, (20, 3, 2)) / 3
    scaling = given(x, x[:, 0], scale="standard", scale_target="min_max").scaling
    back = Scaling.from_json(json.loads(json.dumps(scaling.to_json())))
    np.testing.assert_array_equal(back.transform_inputs(x), scaling.transform_inputs(x))
    np.testing.assert_array_equal(back.inverse_targets(x[:, 0]), scaling.inverse_targets(x[:, 0]))
    assert Scaling.from_json(json.loads(json.dumps(Scaling().to_json()))).transform_inputs(x) is x


def test_scaling_does_not_change_the_data_of_the_source():
    x = np.arange(12.0).reshape(6, 2)
    given(x, x, scale="standard", scale_target="standard", split=Split(test=0.5))
    np.testing.assert_array_equal(x, np.arange(12.0).reshape(6, 2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("source_type", [np.uint8, np.int64, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("split", [Split(), Split(test=0.25)])
def test_parts_have_the_type_of_the_training(dtype, source_type, split):
    images = np.asfortranarray(np.arange(48).reshape(8, 2, 3).astype(source_type))
    prepared = given(images, np.arange(8) % 2, "classification", dtype=dtype, split=split)
    for part in (prepared.train, prepared.test):
        if part:
            assert (part.x.dtype, part.y.dtype, part.x.shape[1:]) == (np.dtype(dtype), np.int32, (2, 3))
            assert part.x.flags.c_contiguous
            assert part.x.flags.writeable
    assert (prepared.input_shape, prepared.output_size) == ((2, 3), 2)
    assert prepared.train.x[-1, 1, 2] == images[-1, 1, 2] or split.test


def test_unscaled_images_are_divided_by_their_largest_value():
    x = np.array([[[0, 51]], [[255, 102]]], np.uint8)
    prepared = given(x, numbered(2), scale="unit", dtype="float32")
    np.testing.assert_array_equal(prepared.train.x, np.array([[[0, 0.2]], [[1, 0.4]]], np.float32))


def test_value_beyond_float32_names_its_row_in_the_data():
    x = np.ones((10, 2))
    x[7, 1] = -1e300
    for split in (Split(), Split(test=0.5)):
        with pytest.raises(
            DataError, match=r'x in row 8, column "x2" .* is -1e\+300, beyond the range of float32'
        ):
            given(x, numbered(10), dtype="float32", split=split)
    assert given(x, numbered(10), dtype="float64").train.x.min() == -1e300


@dataclass(frozen=True)
class Memory:
    """The most memory for preparing a float32 table of 16 MB, in tables."""

    options: dict[str, object]
    most: float


@pytest.mark.parametrize(
    "case",
    [
        # one weight per row is a hundredth of this table
        Memory({}, 0.02),
        Memory({"split": Split(validation=0.2, test=0.2)}, 1.3),
        Memory({"scale": "standard"}, 1.3),
        Memory({"scale": "min_max", "split": Split(test=0.2)}, 1.3),
    ],
    ids=lambda case: str(case.options),
)
def test_a_table_is_copied_at_most_once(case):
    # A few 1 MB blocks of rows come on top: 0.3 tables here, negligible for a large one.
    x = np.ones((40_000, 100), np.float32)
    data = make_dataset(x, np.ones(40_000, np.float32), problem_type="regression", description="large")
    tracemalloc.start()
    try:
        prepared = prepare(Given(data=data, **case.options), seed=0, dtype="float32", folder=Path())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < case.most * x.nbytes
    assert (prepared.train.x is x) == (not case.options)


def test_every_source_is_registered():
    files = Path(data.__file__).with_name("sources").glob("[!_]*.py")
    assert sorted(sources) == sorted(["csv", *(file.stem for file in files)])  # another name for table


def test_a_table_in_the_config_needs_no_slow_library():
    program = """
import sys
from pathlib import Path
from nnjit.data import prepare, sources
xor = {"x": ((0, 0), (0, 1), (1, 0), (1, 1)), "y": (0, 1, 1, 0), "split": {"test": 0.25}, "scale": "unit"}
assert prepare(sources["inline"](**xor), seed=0, dtype="float32", folder=Path()).train.x.shape == (3, 2)
print([name for name in ("sklearn", "polars", "scipy", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_go_with_their_rows_and_are_one_on_average(dtype: str) -> None:
    weights = np.arange(1.0, 41.0) * 1e300
    data = make_dataset(
        numbered(40), numbered(40), problem_type="regression", description="", weights=weights
    )
    split = Split(validation=0.25, test=0.25)
    prepared = prepare(Given(data=data, split=split), seed=3, dtype=dtype, folder=Path())
    for part in (prepared.train, prepared.validation, prepared.test):
        assert part.w.dtype == dtype
        np.testing.assert_allclose(part.w, (part.x[:, 0] + 1) / 20.5, rtol=1e-6)  # 6e-8, with a margin


def test_without_weights_every_row_counts_one() -> None:
    assert given(numbered(3), numbered(3), dtype="float32").train.w.tolist() == [1, 1, 1]
