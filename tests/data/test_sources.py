"""The data of each source: shapes, types, classes, names."""

# ruff: noqa: E501  a row is one file or set of options and its result

import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.data import Dataset, prepare, sources
from nnjit.data.encoding.kinds import Category
from nnjit.errors import DataError

from .files import idx_bytes, images, write_idx, write_npz

# fmt: off
SKLEARN = [
    # options                                                      x shape    classes or targets
    ({"dataset": "digits"},                                        (1797, 64), tuple("0123456789")),
    ({"dataset": "iris"},                                          (150, 4),   ("setosa", "versicolor", "virginica")),
    ({"dataset": "wine"},                                          (178, 13),  ("class_0", "class_1", "class_2")),
    ({"dataset": "breast_cancer"},                                 (569, 30),  ("malignant", "benign")),
    ({"dataset": "diabetes"},                                      (442, 10),  None),
    ({"dataset": "moons"},                                         (500, 2),   ("0", "1")),
    ({"dataset": "moons", "n_samples": 10, "noise": 0.0},          (10, 2),    ("0", "1")),
    ({"dataset": "circles", "factor": 0.3},                        (500, 2),   ("0", "1")),
    ({"dataset": "blobs", "centers": 4, "n_features": 5},          (500, 5),   ("0", "1", "2", "3")),
]
TEXT = [
    # content                                 options                                x                      y                       classes, features
    ("a,b,c\n1,2,x\n3,4,y\n",                 {"target": "c"},                       [[1, 2], [3, 4]],      [0, 1],                 "xy", "ab"),
    ("a,b,c\n1,2,0.5\n3,4,7\n",               {"target": "c"},                       [[1, 2], [3, 4]],      [[0.5], [7]],           None, "ab"),
    ("a,b,c\n1,2,5\n3,4,3\n",                 {"target": "c"},                       [[1, 2], [3, 4]],      [1, 0],                 "35", "ab"),
    ("a,b,c\n1,2,5\n3,4,3\n",                 {"target": "c", "task": "regression"}, [[1, 2], [3, 4]],      [[5], [3]],             None, "ab"),
    ("a,b,c\n1,2,true\n3,4,false\n",          {"target": "c"},                       [[1, 2], [3, 4]],      [1, 0],                 ("false", "true"), "ab"),
    ("a,b,c\n1,2,-1\n3,4,1\n",                {"target": "c"},                       [[1, 2], [3, 4]],      [0, 1],                 ("-1", "1"), "ab"),
    ("a,b,c\n1,2,3\n4,5,6\n",                 {"target": ("b", "c")},                [[1], [4]],            [[2, 3], [5, 6]],       None, "a"),
    ("a,b,c\n1,2,x\n3,4,y\n",                 {"target": -1, "features": (1,)},      [[2], [4]],            [0, 1],                 "xy", "b"),
    ("a,b,c\n1,2,x\n3,4,y\n",                 {"target": "c", "ignore": ("a",)},     [[2], [4]],            [0, 1],                 "xy", "b"),
    (" a , b , c \n 1 , 2 , x \n 3 , 4 , y ", {"target": "c"},                       [[1, 2], [3, 4]],      [0, 1],                 "xy", "ab"),
    ("\na;b;c\n\n1;2;x\n\n3;4;y\n\n",         {"target": "c", "separator": ";"},     [[1, 2], [3, 4]],      [0, 1],                 "xy", "ab"),
    ("1,2,x\n3,4,y\n",                        {"target": 2, "header": False},        [[1, 2], [3, 4]],      [0, 1],                 "xy", ("column_0", "column_1")),
    ("a,b,c\nu,2,x\nv,4,y\nu,6,x\n",          {"target": "c", "categorical": ("a",)},[[1, 0, 2], [0, 1, 4], [1, 0, 6]], [0, 1, 0], "xy", ("a=u", "a=v", "b")),
    ("a,b,c\n10,2,x\n9,4,y\n",                {"target": "c", "categorical": ("a",)},[[0, 1, 2], [1, 0, 4]],[0, 1],                 "xy", ("a=9", "a=10", "b")),
    ("a,b,c\nv,2,x\nu,4,y\nv,6,x\n",          {"target": "c", "indexed": ("a",)},    [[1, 2], [0, 4], [1, 6]], [0, 1, 0],             "xy", "ab"),
    ("a,b,c\n10,2,x\n9,?,y\n",                {"target": "c", "indexed": ("a",), "missing": "mean"}, [[1, 2, 0], [0, 2, 1]], [0, 1],   "xy", ("a", "b", "b=(missing)")),
    ("a,b,c\n?,2,x\nu,4,y\n",                {"target": "c", "indexed": ("a",), "missing_marks": ()}, [[0, 2], [1, 4]], [0, 1],        "xy", "ab"),
    ("a,b,c\n1,2,x\n?,4,y\n5,6,y\n",          {"target": "c", "missing": "drop"},    [[1, 2], [5, 6]],      [0, 1],                 "xy", "ab"),
    ("a,b,c\n1,2,x\n ? ,4,y\n5,6,y\n",        {"target": "c", "missing": "mean"},    [[1, 0, 2], [3, 1, 4], [5, 0, 6]], [0, 1, 1],  "xy", ("a", "a=(missing)", "b")),
    ("a,b\nu,x\n,y\nv,y\nu,x\nu,x\n",         {"target": "b", "categorical": (0,), "missing": "mean"}, [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0]], [0, 1, 1, 0, 0], "xy", ("a=u", "a=v", "a=(missing)")),
    ("a,b\n-9, x\n -9,\n1,y\n2,z\n",          {"target": "b", "missing": "drop", "missing_marks": ("-9",)}, [[1], [2]], [0, 1],                 "yz", "a"),
    ("a,b\ntrue,1.5\nFALSE,2.5\n",            {"target": "b"},                       [[1], [0]],            [[1.5], [2.5]],         None, "a"),
    ('a,b\n"1","x,\ny"\n2,z\n',               {"target": "b"},                       [[1], [2]],            [0, 1],                 ("x,\ny", "z"), "a"),
    ("a,b\n1,1\n2,2.0\n3,x\n",                {"target": "b", "task": "classification"}, [[1], [2], [3]],   [0, 1, 2],              ("1", "2", "x"), "a"),
]
TEXT += [  # leading zeros mean text, and whole numbers keep all digits
    ("a,b\n1,01\n2,1\n3,001\n",               {"target": "b"},                       [[1], [2], [3]],       [1, 2, 0],              ("001", "01", "1"), "a"),
    (f"a,b\n1,{2**53}\n2,{2**53 + 1}\n",      {"target": "b"},                       [[1], [2]],            [0, 1],                 (str(2**53), str(2**53 + 1)), "a"),
    ("a,b\n01,x\n1,y\n",                      {"target": "b", "columns": {"a": Category()}}, [[1, 0], [0, 1]], [0, 1],              "xy", ("a=01", "a=1")),
]
INLINE = [
    # options                                                        x                   y             classes
    ({"x": ((0, 0), (0, 1)), "y": (0, 1)},                           [[0, 0], [0, 1]],   [0, 1],       "01"),
    ({"x": ((0, 0), (0, 1)), "y": (0, 1), "task": "regression"},     [[0, 0], [0, 1]],   [[0], [1]],   None),
    ({"x": (0.5, 1), "y": ((0, 1), (1, 0))},                         [[0.5], [1]],       [[0, 1], [1, 0]], None),
    ({"x": ((0, 0), (0, 1)), "y": (3, 7), "task": "classification"}, [[0, 0], [0, 1]],   [0, 1],       "37"),
    ({"x": (1, 2), "y": ("no", "yes"), "task": "classification"},    [[1], [2]],         [0, 1],       ("no", "yes")),
    ({"x": (((1, 2), (3, 4)),), "y": (0.5,)},                        [[[1, 2], [3, 4]]], [[0.5]],      None),
]
FUNCTION = [
    # options                                                x                    y
    ({"function": "sinc", "points": 3, "low": -2.0, "high": 2.0}, [-2, 0, 2],     [np.sin(2) / 2, 1, np.sin(2) / 2]),
    ({"function": "sine", "points": 2, "low": 0.0},          [0, 1],              [0, np.sin(1)]),
    ({"function": "runge", "points": 3},                     [-1, 0, 1],          [1 / 26, 1, 1 / 26]),
    ({"function": "step", "points": 5},                      [-1, -0.5, 0, 0.5, 1], [0, 0, 0, 1, 1]),
]
NPZ = [
    # x, y                                                                    options                   x type       y shape  classes
    (np.ones((2, 3), np.float32), np.array([4, 2]),                           {},                       np.float32,  (2,),    "24"),
    (np.ones((2, 3), np.float64), np.array([4, 2]),                           {"task": "regression"},   np.float64,  (2, 1),  None),
    (np.ones((2, 3), np.float64), np.array([0.5, 2]),                         {},                       np.float64,  (2, 1),  None),
    (np.ones((2, 3), np.uint8),   np.array([[1, 2], [3, 4]]),                 {},                       np.uint8,    (2, 2),  None),
    (np.ones((2, 3, 4), np.int16), np.array(["b", "a"]),                      {},                       np.int16,    (2,),    "ab"),
    (np.ones(2),                  np.array([[1], [0]]),                       {},                       np.float64,  (2,),    "01"),
    (np.ones(2),                  np.array([1.0, 0.0]),   {"task": "classification"},                   np.float64,  (2,),    "01"),
]
# fmt: on


def load(kind: str, start: Path, /, **options: object) -> Dataset:
    data = sources[kind](**options).load(start).encoded(None)
    return replace(data, x=data.x[:])


@pytest.mark.parametrize(("options", "shape", "classes"), SKLEARN, ids=lambda value: str(value)[:40])
def test_sklearn_gives(options, shape, classes, tmp_path):
    data = load("sklearn", tmp_path, **options)
    assert (data.x.shape, data.x.dtype, data.classes) == (shape, np.float64, classes)
    assert (data.y.shape, data.y.dtype) == (
        ((len(data.x), 1), np.float64) if classes is None else ((len(data.x),), np.int32)
    )
    assert len(data.features) == shape[1]
    assert str(len(data.x)) in data.description


@pytest.mark.parametrize(("options", "x", "y"), FUNCTION, ids=lambda value: str(value)[:40])
def test_function_gives(options, x, y, tmp_path):
    data = load("function", tmp_path, **options)
    np.testing.assert_allclose(data.x, np.array(x, float)[:, None], rtol=1e-15)
    np.testing.assert_allclose(data.y, np.array(y, float)[:, None], rtol=1e-15)
    assert (data.classes, data.features, data.targets) == (None, ("x",), ("y",))
    assert options["function"] in data.description


def test_noise_on_a_function_is_drawn_from_its_seed(tmp_path):
    options = {"function": "sine", "points": 2000}
    exact = load("function", tmp_path, **options).y
    first, again, other = (
        load("function", tmp_path, **options, noise=0.1, seed=seed).y for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.std(first - exact) == pytest.approx(0.1, rel=0.05)  # 2000 draws: 3 deviations are 0.005
    assert "noise of deviation 0.1" in load("function", tmp_path, **options, noise=0.1).description


def test_diabetes_is_in_its_own_units(tmp_path):
    data = load("sklearn", tmp_path, dataset="diabetes")
    assert data.targets == ("disease_progression",)
    assert 40 < data.x[:, data.features.index("age")].mean() < 60


def test_generators_have_a_seed_of_their_own(tmp_path):
    first, again, other = (load("sklearn", tmp_path, dataset="moons", seed=seed).x for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("steps", [3, 5, 50])
def test_adding_marks_a_number_in_each_half_and_asks_for_their_sum(steps, tmp_path):
    data = load("adding", tmp_path, examples=400, steps=steps, seed=1)
    numbers, marks = data.x[..., 0], data.x[..., 1]
    assert (data.x.shape, data.targets, data.classes) == ((400, steps, 2), ("sum",), None)
    assert set(np.unique(marks)) == {0, 1}
    for half in (marks[:, : steps // 2], marks[:, steps // 2 :]):
        assert (half.sum(axis=1) == 1).all()
        assert half.any(axis=0).all()  # every step occurs, except in one of e¹⁵ draws
    assert (numbers >= 0).all()
    assert (numbers < 1).all()
    np.testing.assert_allclose(data.y[:, 0], (numbers * marks).sum(axis=1), rtol=1e-15)


def test_adding_draws_by_the_seed_of_the_experiment_unless_it_has_its_own(tmp_path):
    def drawn(seed, /, **options):
        source = sources["adding"](examples=5, **options)
        return prepare(source, seed=seed, dtype="float64", folder=tmp_path).train.x

    assert (drawn(1) == drawn(1)).all()
    assert (drawn(1) != drawn(2)).any()
    assert (drawn(1) == drawn(2, seed=1)).all()


@pytest.mark.parametrize(("text", "options", "x", "y", "classes", "features"), TEXT)
def test_csv_gives(text, options, x, y, classes, features, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    data = load("csv", tmp_path, file="a.csv", **options)
    np.testing.assert_array_equal(data.x, np.array(x, np.float64), strict=True)
    np.testing.assert_array_equal(data.y, np.array(y, np.int32 if classes else np.float64), strict=True)
    assert data.classes == (tuple(classes) if classes else None)
    assert data.features == tuple(features)


def test_csv_whose_types_show_late_is_read_as_well(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c,d\n" + "1,10,,x\n" * 200 + "2.5,u,3,y\n1,9,4,y\n")
    data = load("csv", tmp_path, file="a.csv", target="d", categorical=("b",), missing="mean")
    assert data.features == ("a", "b=9", "b=10", "b=u", "c", "c=(missing)")
    np.testing.assert_array_equal(
        data.x[[0, -2, -1]], [[1, 0, 1, 0, 3.5, 1], [2.5, 0, 0, 1, 3, 0], [1, 1, 0, 0, 4, 0]]
    )


def test_compressed_csv_is_read_as_plain(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n2,y\n", mtime=0))
    assert load("csv", tmp_path, file="a.csv.gz", target="b").classes == ("x", "y")


# fmt: off
DECIDED = [
    # y of the rows             is it classes to a loss of classes, of either, of values?
    ((0, 1, 5),                 (True,  True,  False)),
    ((-1, 1, -1),               (True,  True,  False)),
    ((0.5, 1, 0.25),            (None,  False, False)),   # None: an error that names task
    (("a", "b", "a"),           (True,  True,  True)),
    (((0, 1), (1, 0), (1, 1)),  (False, False, False)),
]
# fmt: on


@pytest.mark.parametrize("kind", ["csv", "npz", "inline"])
@pytest.mark.parametrize(("values", "expected"), DECIDED)
def test_the_loss_decides_what_a_target_holds(kind, values, expected, tmp_path):
    columns = [f"y{k}" for k in range(np.array(values)[0].size)]
    rows = np.array(values).reshape(len(values), -1).tolist()
    lines = [",".join(map(str, (k, *row))) for k, row in enumerate(rows)]
    (tmp_path / "a.csv").write_text("\n".join([",".join(("x", *columns)), *lines]))
    write_npz(tmp_path / "a.npz", x=np.arange(3), y=np.array(values))
    options = {
        "csv": {"file": "a.csv", "target": tuple(columns) if len(columns) > 1 else "y0"},
        "npz": {"file": "a.npz"},
        "inline": {"x": (0, 1, 2), "y": values},
    }[kind]
    for takes, is_class in zip(("classes", "either", "values"), expected, strict=True):
        source = sources[kind](**options).suited(takes)
        if is_class is None:
            with pytest.raises(DataError, match=r"labels are not classes: .*0\.5.* task: regression"):
                source.load(tmp_path)
        else:
            assert (source.load(tmp_path).classes is not None) == is_class


@pytest.mark.parametrize(("options", "x", "y", "classes"), INLINE)
def test_inline_gives(options, x, y, classes, tmp_path):
    data = load("inline", tmp_path, **options)
    np.testing.assert_array_equal(data.x, np.array(x, np.float64), strict=True)
    np.testing.assert_array_equal(data.y, np.array(y, np.int32 if classes else np.float64), strict=True)
    assert data.classes == (tuple(classes) if classes else None)


@pytest.mark.parametrize(("x", "y", "options", "dtype", "y_shape", "classes"), NPZ)
def test_npz_gives(x, y, options, dtype, y_shape, classes, tmp_path):
    write_npz(tmp_path / "a.npz", x=x, y=y)
    data = load("npz", tmp_path, file="a.npz", **options)
    assert (data.x.dtype, data.x.shape) == (dtype, x.shape if x.ndim > 1 else (len(x), 1))
    assert (data.y.shape, data.classes) == (y_shape, tuple(classes) if classes else None)
    assert data.features == (("x1", "x2", "x3")[: data.x.shape[1]] if data.x.ndim == 2 else ())


TABLE = "a,w,b\n1,2,x\n2,0,y\n3,?,y\n4,0.5,y\n"
WEIGHTED: list[tuple] = [
    # kind    options
    ("csv",    {"file": "a.csv", "target": "b", "weights": "w", "missing": "drop"}),
    ("npz",    {"file": "a.npz", "weights": "v"}),
    ("npy",    {"x": "x.npy", "y": "y.npy", "weights": "v.npy"}),
    ("inline", {"x": (1, 2, 4), "y": ("x", "y", "y"), "weights": (2, 0, 0.5), "task": "classification"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options"), WEIGHTED)
def test_weights_are_no_features_and_rows_of_weight_zero_are_left_out(kind, options, tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    arrays = {"x": np.array([1, 2, 4]), "y": np.array(["x", "y", "y"]), "v": np.array([2, 0, 0.5])}
    write_npz(tmp_path / "a.npz", **arrays)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    data = load(kind, tmp_path, **options)
    assert (data.x.tolist(), data.y.tolist(), data.classes) == ([[1], [4]], [0, 1], ("x", "y"))
    np.testing.assert_array_equal(data.weights, np.array([2.0, 0.5]), strict=True)
    assert data.description.endswith(", weighted (1 of weight 0 left out)")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_idx_gives_images_of_their_own_type(compressed, dtype, tmp_path):
    write_idx(tmp_path, images(4).astype(dtype), np.array([1, 0, 7, 1], np.uint8), compressed=compressed)
    data = load("idx", tmp_path, folder=".")
    np.testing.assert_array_equal(data.x, images(4).astype(dtype), strict=True)
    assert (data.y.tolist(), data.classes, data.features) == ([1, 0, 2, 1], ("0", "1", "7"), ())


def test_idx_finds_the_plain_file_of_a_compressed_name(tmp_path):
    (tmp_path / "i").write_bytes(idx_bytes(images(2)))
    (tmp_path / "l.gz").write_bytes(gzip.compress(idx_bytes(np.array([0, 1], np.uint8)), mtime=0))
    assert load("idx", tmp_path, folder=str(tmp_path), images="i.gz", labels="l").x.shape == (2, 2, 3)


def test_real_mnist_has_its_known_sizes(real_data):
    data = load("idx", real_data, folder="mnist")
    assert (data.x.shape, data.x.dtype, data.x.max()) == ((10_000, 28, 28), np.uint8, 255)
    assert np.bincount(data.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_real_mnist_csv_without_header_is_read(real_data):
    data = load("csv", real_data, file="mnist/train-5k.csv.gz", header=False, target=-1)
    assert data.x.shape == (5000, 784)
    assert np.bincount(data.y).tolist() == [500] * 10


def test_real_adult_is_read_with_its_blanks_and_gaps(real_data):
    text = (1, 3, 5, 6, 7, 8, 9, 13)
    adult = {"file": "adult/train.csv", "header": False, "target": -1, "categorical": text}
    data = load("csv", real_data, **adult, missing="drop")
    assert (data.x.shape[0], data.classes) == (30_162, ("<=50K", ">50K"))
    more = 4  # three columns have gaps, and one category occurs only in rows with gaps
    assert load("csv", real_data, **adult, missing="mean").x.shape == (32_561, data.x.shape[1] + more)
    assert len(load("csv", real_data, **adult, missing_marks=()).x) == 32_561


@pytest.mark.parametrize(
    ("kind", "options", "fragments"),
    [
        ("sklearn", {"dataset": "irs"}, ["iris"]),
        ("sklearn", {"dataset": "iris", "noise": 0.1}, ["fixed table", "remove noise"]),
        ("sklearn", {"dataset": "moons", "centers": 3}, ["takes n_samples, noise, seed", "remove centers"]),
        ("function", {"function": "sink"}, ["sinc"]),
        ("function", {"function": "sinc", "low": 2.0, "high": 2.0}, ["low < high", "low 2 and high 2"]),
        ("function", {"function": "sinc", "points": 1}, ["points"]),
        ("adding", {"steps": 1}, ["steps", "greater than or equal to 2"]),
        ("adding", {"examples": 0}, ["examples", "greater than or equal to 1"]),
        ("adding", {"seed": -1}, ["seed", "greater than or equal to 0"]),
        ("openml", {}, ["either name or id"]),
        ("openml", {"id": 61, "version": 1}, ["version goes with name"]),
        ("csv", {"file": "a", "target": "b", "separator": ",,"}, ["separator"]),
        ("inline", {"x": (), "y": (1,)}, ["x"]),
        (
            "inline",
            {"x": (1,), "y": (1,), "split": {"validation": 0.6, "test": 0.4}},
            ["nothing to train on"],
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(kind, options, fragments):
    with pytest.raises(ValidationError) as error:
        sources[kind].model_validate(options)
    assert all(fragment in str(error.value) for fragment in fragments)


def test_a_table_in_a_forked_process_is_an_error_and_no_hang(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1.5,2\n", encoding="utf-8")
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom nnjit.data.tables.reading import Reading, read_table\n"
        "from nnjit.errors import DataError\n"
        "def read(): return read_table(Path('a.csv'), Reading())\n"
        "read(), read()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    signal.alarm(60)\n"
        "    try: read()\n"
        "    except DataError as error: os._exit('was forked' in str(error))\n"
        "    os._exit(2)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout == b"1\n"
