"""Separate data as a held-out part: fitted to the training data, or a message about what does not fit."""

# ruff: noqa: E501  a row is one mistake and its expected message

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit.data import Dataset, load, load_held_out, sources, split_and_scale
from nnjit.data.encoding.kinds import Category
from nnjit.errors import DataError

from .files import idx_bytes, images

PEOPLE = "age,job,town,pay\n30,cook,Bonn,low\n40,nurse,Ulm,high\n50,smith,Trier,low\n60,cook,Ulm,mid\n"
CSV: dict[str, Any] = {"file": "train.csv", "target": "pay", "indexed": ("job",), "categorical": ("town",)}
ROWS = {"x": ((1, 2), (3, 5)), "y": (1, 2), "task": "regression"}


def source(kind: str, options: dict[str, Any]) -> Any:
    return sources[kind](**options)


def people(folder: Path, text: str, **options: Any) -> tuple[Dataset, Dataset]:
    """The data of some people, and separate data of others."""
    (folder / "train.csv").write_text(PEOPLE)
    (folder / "test.csv").write_text(text)
    own = source("csv", CSV)
    data = load(own, folder).encoded(None)
    other = source("csv", CSV | {"file": "test.csv"} | options)
    return data, load_held_out(other, data, folder, own=own)


def test_columns_are_found_by_name_and_categories_have_their_numbers(tmp_path: Path) -> None:
    data, other = people(tmp_path, "town,pay,job,age\nTrier,mid,smith,1\nUlm,low,nurse,2\n")
    assert data.features == other.features == ("age", "job", "town=Bonn", "town=Trier", "town=Ulm")
    assert other.x[:].tolist() == [[1, 2, 0, 1, 0], [2, 1, 0, 0, 1]]
    assert data.classes == other.classes == ("high", "low", "mid")
    assert other.y.tolist() == [2, 1]
    assert data.codes == {"job": ("cook", "nurse", "smith", "(other)")}


def test_categories_that_the_training_rows_lack_are_other(tmp_path: Path) -> None:
    _, other = people(tmp_path, "town,pay,job,age\nTriers,mid,mason,1\n")
    assert other.x[:].tolist() == [[1, 3, 0, 0, 0]]


def test_a_single_class_is_enough_to_test_on(tmp_path: Path) -> None:
    _, other = people(tmp_path, "town,pay,job,age\nTrier,mid,smith,1\n")
    assert other.y.tolist() == [2]


def test_scaling_is_that_of_the_training_part(tmp_path: Path) -> None:
    own = source("inline", ROWS | {"scale": "standard", "scale_target": "min_max"})
    data = load(own, tmp_path)
    other = load_held_out(source("inline", {"x": ((5, 8),), "y": (4.0,), "weights": (2,)}), data, tmp_path)
    made = split_and_scale(own, data, seed=0, dtype="float64", held_out={"test": other})
    assert made.test is not None
    np.testing.assert_allclose(made.test.x, [[3, 3]])
    np.testing.assert_allclose(made.test.y, [[3]])
    assert (len(made.train.x), made.validation, made.is_weighted) == (2, None, True)
    assert made.description.endswith("; test: table of 1 row written in the config, weighted")


def test_images_are_rows_of_as_many_numbers(tmp_path: Path) -> None:
    pixels, labels = images(8), np.arange(8, dtype=np.uint8) % 3
    (tmp_path / "i").write_bytes(idx_bytes(pixels))
    (tmp_path / "l").write_bytes(idx_bytes(labels))
    idx = source("idx", {"folder": ".", "images": "i", "labels": "l"})
    table = np.hstack([pixels.reshape(8, -1), labels[:, None]])
    np.savetxt(tmp_path / "a.csv", table, fmt="%d", delimiter=",")
    csv = source("csv", {"file": "a.csv", "header": False, "target": -1})
    flat = load_held_out(idx, load(csv, tmp_path).encoded(None), tmp_path)
    whole = load_held_out(csv, load(idx, tmp_path).encoded(None), tmp_path)
    np.testing.assert_array_equal(flat.x, table[:, :-1])
    np.testing.assert_array_equal(whole.x, pixels)
    np.testing.assert_array_equal(flat.y, whole.y)


def test_several_targets_keep_their_order_and_classes(tmp_path: Path) -> None:
    problem_types: dict[str, Any] = {"kind": None, "size": None}
    data = load(
        source("inline", {"x": (1, 2, 3), "y": {"size": (1, 2, 3), "kind": ("b", "c", "a")}}),
        tmp_path,
        problem_types,
    )
    other = load_held_out(
        source("inline", {"x": (5, 6), "y": {"kind": ("c", "b"), "size": (7, 8)}}),
        data,
        tmp_path,
        problem_types,
    )
    assert other.y.tolist() == [[2, 7], [1, 8]]
    assert other.target_layout == data.target_layout


# fmt: off
OF_PEOPLE = [
    # the text of the test file                    options                expected in the message
    ("age,job,town,pay\n1,cook,Ulm,low\n2,cook,Ulm,lows\n", {},         ["line 3: ", 'the target has "lows"', 'did you mean "low"?']),
    ("age,job,town,pay\n1,cook,Ulm,low\n", {"columns": {"age": Category()}}, ["differs from data, which determines the kinds of columns; remove it here"]),
    ("age,job,town,pay\n1,cook,Ulm,low\n", {"missing": "mean"},         ["differs from data"]),
    ("ages,job,town,pay\n1,cook,Ulm,low\n2,cook,Ulm,mid\n", {},         ['test.csv: column "age": there is no such column; did you mean "ages"?']),
    ("ages,jobs,town,pay\n1,cook,Ulm,low\n2,cook,Ulm,mid\n", {"indexed": ()}, ["2 columns cannot be read", 'column "age"', 'column "job"']),
    ("age,job,town,pay\n1,cook,Ulm,low\nold,cook,Ulm,mid\n", {},        ['test.csv: line 3, column "age": expected a number, got "old"']),
    ("job,town,pay\ncook,Ulm,low\ncook,Ulm,mid\n",          {},         ['column "age": there is no such column']),
    ("age,job,town,pay\n1,cook,Ulm,1.5\n2,cook,Ulm,2\n",    {},         ["of data holds classes, here it holds values", "set task for both"]),
]
OF_ROWS = [
    # options of the other data                                             path                expected in the message
    ({"x": ((1, 2, 3),), "y": (1,)},                                        (),                 ['no column "x3"', "valid: x1, x2"]),
    ({"x": (((1,), (2,), (3,)),), "y": (1,)},                               (),                 ["a row has the shape (3, 1), but in data (2,)"]),
    ({"x": ((1, 2),), "y": ((1, 2),)},                                      (),                 ["the target of data has 1 values a row, here it has 2"]),
    ({"x": ((1, 2), (1, 2)), "y": (0, 1), "task": "classification"},        (),                 ["the target of data holds values, here it holds classes"]),
    (ROWS | {"scale": "standard"},                                          ("scale",),         ["is set by data", "remove it here"]),
    (ROWS | {"split": {"test": 0.5}},                                       ("split",),         ["is set by data"]),
]
OF_SEVERAL = [
    ({"a": (1, 2)},                                                         (),                 ['no target "b"; valid: a; losses give the names']),
    ({"a": (1, 2), "b": (3, 4), "c": (3, 4)},                               ("y", "c"),         ['no loss is for the target "c"; remove it here']),
]
# fmt: on


@pytest.mark.parametrize(("text", "options", "phrases"), OF_PEOPLE)
def test_other_people_that_do_not_fit_are_told(
    text: str, options: dict[str, Any], phrases: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError) as error:
        people(tmp_path, text, **options)
    assert [phrase for phrase in phrases if phrase not in error.value.message] == []


@pytest.mark.parametrize(("options", "path", "phrases"), OF_ROWS)
def test_other_rows_that_do_not_fit_are_told(
    options: dict[str, Any], path: tuple[str, ...], phrases: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError) as error:
        load_held_out(source("inline", options), load(source("inline", ROWS), tmp_path), tmp_path)
    assert error.value.path == path
    assert [phrase for phrase in phrases if phrase not in error.value.message] == []


@pytest.mark.parametrize(("y", "path", "phrases"), OF_SEVERAL)
def test_other_targets_that_do_not_fit_are_told(
    y: dict[str, Any], path: tuple[str, ...], phrases: list[str], tmp_path: Path
) -> None:
    problem_types: dict[str, Any] = {"a": None, "b": None}
    data = load(source("inline", {"x": (1, 2), "y": {"a": (1, 2), "b": (3, 4)}}), tmp_path, problem_types)
    with pytest.raises(DataError) as error:
        load_held_out(source("inline", {"x": (1, 2), "y": y}), data, tmp_path, problem_types)
    assert error.value.path == path
    assert [phrase for phrase in phrases if phrase not in error.value.message] == []
