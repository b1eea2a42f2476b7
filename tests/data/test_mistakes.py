"""Every fault in the data gives one message: where, what was given, what is allowed, the mend."""

# ruff: noqa: E501  a row is one mistake and its expected message

import gzip
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from nnjit.data import prepare, sources
from nnjit.data.encoding.kinds import Category, Number
from nnjit.errors import DataError

from .files import idx_bytes, images, write_npz

LABELS = np.array([0, 1, 0, 1], np.uint8)
IMAGES = "t10k-images-idx3-ubyte"
DIGIT_LABELS = "t10k-labels-idx1-ubyte"
ROWS = {"x": ((1,), (2,), (3,), (4,)), "y": (0, 0, 1, 1)}


def error_of(kind: str, folder: Path, options: dict, *, dtype: str = "float32") -> DataError:
    with pytest.raises(DataError) as error:
        prepare(sources[kind](**options), seed=0, dtype=dtype, folder=folder)
    return error.value


# fmt: off
CSV = [
    # content                            options                                        path             expected in the message
    ("",                                 {"target": "c"},                               ("file",),       ["a.csv", "empty"]),
    ("a,b\n",                            {"target": "b"},                               ("file",),       ["no rows below the header"]),
    ("a,b\n\n,\n",                       {"target": "b"},                               ("file",),       ["no rows below the header"]),
    ("a,b\n1,x\n2,y\n",                  {"target": "c"},                               ("target",),     ['no column "c"', "valid: a, b"]),
    ("age,b\n1,x\n2,y\n",                {"target": "agee"},                            ("target",),     ['did you mean "age"']),
    ("a,b\n1,x\n2,y\n",                  {"target": 2},                                 ("target",),     ["no column 2", "there are 2, counted from 0"]),
    ("a,b\n1,2\n2,3\n",                  {"target": ("a", "z")},                        ("target", 1),   ['no column "z"']),
    ("a,b\n1,2\n2,3\n",                  {"target": ("b", -1)},                         ("target", 1),   ['"b" is named twice']),
    ("a,b\n1,2\n2,3\n",                  {"target": ("a", "b")},                        ("features",),   ["no column is left", "a, b"]),
    ("a,b\n1,2\n2,3\n",                  {"target": "b", "features": ("a", "b")},       ("features", 1), ['"b" is a target']),
    ("a,b\n1,2\n2,3\n",                  {"target": "b", "features": ("a",), "ignore": ("a",)}, ("features", 0), ['"a" is ignored']),
    ("a,b\n1,2\n2,3\n",                  {"target": "b", "categorical": ("b",)},        ("categorical", 0), ['"b" is not among the features']),
    ("a,b\n1,2\n2,3\n",                  {"target": "b", "indexed": ("b",)},            ("indexed", 0),  ['"b" is not among the features']),
    ("a,b\n1,2\n2,3\n",                  {"target": "b", "indexed": ("a",), "categorical": ("a",)}, ("indexed", 0), ['"a" is categorical already', "choose one"]),
    ("a,b\nu,x\n?,y\nv,y\n",             {"target": "b", "indexed": ("a",), "missing": "error"}, ("file",),  ["line 3", 'column "a"', "no value", "set missing to say how"]),
    ("a,b,c\n1,2,3\n2,3,4\n",            {"target": ("b", "c"), "task": "classification"}, ("target",),  ["one target column, got 2"]),
    ("a,a\n1,x\n2,y\n",                  {"target": 1},                                 ("file",),       ["line 1", 'two columns are called "a"', "header: false"]),
    ("a,b\n1,x\n2,y\n3x,y\n4x,y\n",      {"target": "b"},                               ("file",),       ["a.csv: line 4", 'column "a"', '"3x"', "2 such values", "another kind in columns, such as category"]),
    ("\na,b\n\n1,x\n\n\n 3x ,y\n",       {"target": "b"},                               ("file",),       ["line 7", '"3x"']),
    ('a,b\n1,"x\n\nz"\n3x,y\n',          {"target": "b"},                               ("file",),       ["line 5", '"3x"']),
    ("1,x\n2x,y\n",                      {"target": 1, "header": False},                ("file",),       ["line 2", 'column "column_0"', '"2x"']),
    ("a,b\n1,1.5\n2,2.5x\n",             {"target": "b"},                               ("file",),       ["line 3", 'column "b"', '"2.5x"', "task: classification"]),
    ("a,b\n1,x\n2,y\n",                  {"target": "b", "task": "regression"},         ("file",),       ["line 2", 'column "b"', '"x"']),
    ("a,b\n1,x\n,y\n3,z\n",              {"target": "b", "missing": "error"},           ("file",),       ["line 3", 'column "a"', "no value", "1 such value", "set missing"]),
    ("a,b\n1,x\n2\n",                    {"target": "b"},                               (),              ["every row has x", "1 row without a target left out"]),
    ("a,b\n1,?\n2,?\n",                  {"target": "b"},                               ("file",),       ["no row is left, 2 rows without a target left out", "choose another target"]),
    ("a,b\n1,?\n?,x\n",                  {"target": "b", "missing": "drop"},            ("file",),       ["no row is left", "1 row with missing values left out", "drop apply to fewer"]),
    ("a,b\n?,x\n?,y\n",                  {"target": "b"},                               ("file",),       ["no column gives an input: a (constant)"]),
    ("a,b\n1,x\n2,y\n",                  {"target": "b", "columns": {"c": Category()}}, ("columns", "c"), ['no column "c"', "valid: a, b"]),
    ("a,b\n1,x\n2,y\n",                  {"target": "b", "columns": {"b": Category()}}, ("columns", "b"), ['"b" is not among the features']),
    ("a,b\n1,x\n2,y\n",                  {"target": "b", "columns": {"a": Number()}, "indexed": ("a",)}, ("indexed", 0), ['"a" is number already']),
    ("a,b\n1,x\ninf,y\n",                {"target": "b"},                               ("file",),       ["line 3", 'column "a"', "not finite"]),
    ("a,b\n1,x\n2,y,3\n",                {"target": "b"},                               ("file",),       ["line 3", "3 values, but 2 in the first line", "separator"]),
    ('a,b\n1,x\n"2,y\n',                 {"target": "b"},                               ("file",),       ["a.csv"]),
    (gzip.compress(b"a,b\n1,x\n", mtime=0)[:-9], {"target": "b"},                     ("file",),       ["compressed data is cut off or damaged"]),
    ("a,b\n1,0.5\n2,1\n",                {"target": "b", "task": "classification"},     ("file",),       ["labels are not classes", "line 2, column \"b\" has 0.5", "1 such row", "task: regression"]),
    ("a,b\n1,x\n2,x\n",                  {"target": "b"},                               (),              ["at least two classes", "every row has x", "a.csv"]),
    ("a,w,b\n1,1,x\n2,-2,y\n",          {"target": "b", "weights": "w"},               ("weights",),    ["a.csv: line 3 has the weight -2", "1 such row", "a number >= 0"]),
    ("a,w,b\n\n1,1,x\n2,inf,y\n",       {"target": "b", "weights": "w"},               ("weights",),    ["line 4 has the weight inf"]),
    ("a,w,b\n1,,x\n2,1,y\n",            {"target": "b", "weights": "w"},               ("file",),       ["line 2", 'column "w": no value']),
    ("a,w,b\n1,1,x\n2,?,y\n",           {"target": "b", "weights": 1, "missing": "mean"}, ("file",),    ["line 3", 'column "w": no value']),
    ("a,w,b\n1,u,x\n2,1,y\n",           {"target": "b", "weights": "w"},               ("file",),       ["line 2", 'column "w"', 'expected a number, got "u"']),
    ("a,w,b\n1,0,x\n2,0,y\n",           {"target": "b", "weights": "w"},               ("weights",),    ["every weight is 0"]),
    ("a,w,b\n1,0,x\n2,1,y\n",           {"target": "b", "weights": "w"},               (),              ["at least two classes", "every row has y"]),
    ("age,b\n1,x\n2,y\n",              {"target": "b", "weights": "agee"},            ("weights",),    ['no column "agee"', 'did you mean "age"']),
    ("a,b\n1,x\n2,y\n",                {"target": "b", "weights": "b"},               ("weights",),    ['"b" is a target']),
    ("a,w,b\n1,1,x\n2,1,y\n",           {"target": "b", "weights": 1, "ignore": ("w",)}, ("weights",),  ['"w" is ignored']),
    ("a,w,b\n1,1,x\n2,1,y\n",           {"target": "b", "weights": 1, "features": ("w",)}, ("features", 0), ['"w" is the weights']),
    ("a,b\n1,1\n2,1\n",                {"target": "b", "weights": "a"},               ("features",),   ["no column is left as features"]),
    ("a,b\n" + "".join(f"v{k},{k % 2}\n" for k in range(1001)), {"target": "b", "categorical": ("a",)}, ("file",), ["1001 categories", "at most 1000"]),
]
NPZ = [
    # arrays                                                  expected in the message
    ({"x": np.ones((2, 2))},                                  ['no array "y"', "it has x"]),
    ({"x": np.ones((2, 2)), "y": np.ones(3)},                 ["x has 2 rows and y has 3"]),
    ({"x": np.ones((0, 2)), "y": np.ones(0)},                 ["no data", "(0, 2)"]),
    ({"x": np.float64(1), "y": np.ones(1)},                   ["x is a single number"]),
    ({"x": np.array(["a", "b"]), "y": np.array([0, 1])},      ["x holds <U1", "real numbers"]),
    ({"x": np.ones(2, complex), "y": np.array([0, 1])},       ["x holds complex128"]),
    ({"x": np.array([{}, {}]), "y": np.array([0, 1])},        ['"x"', "pickled Python objects", "refused"]),
    ({"x": np.ones((2, 2)), "y": np.array([{}, {}])},         ['"y"', "pickled Python objects", "refused"]),
    ({"x": np.array([[1, 2], [3, np.nan]]), "y": np.ones(2)}, ["x holds 1 value that is not finite", "nan", 'row 2, column "x2"', "counted from 1"]),
    ({"x": np.array([[[1, np.inf]], [[np.nan, 2]]]), "y": np.ones(2)}, ["x holds 2 values that are not finite", "inf in row 1, place 1, 2"]),
    ({"x": np.ones((2, 2)), "y": np.array([1, -np.inf])},     ["y holds 1 value", '-inf in row 2, column "y"']),
    ({"x": np.ones((2, 2)), "y": np.ones((2, 2, 2))},         ["y has shape (2, 2, 2)", "(n, outputs)"]),
]
INLINE = [
    # options                                                        path           expected in the message
    ({"x": ((1, 2), (3,)), "y": (0, 1)},                             ("x", 1),      ["shape (1,)", "first in this list has (2,)"]),
    ({"x": ((1, 2), (3, "a")), "y": (0, 1)},                         ("x", 1, 1),   ["expected a number", "'a'"]),
    ({"x": ((1, True),), "y": (0,)},                                 ("x", 0, 1),   ["expected a number", "True"]),
    ({"x": (1, 2), "y": (0, None)},                                  ("y", 1),      ["expected a number", "None"]),
    ({"x": (1, 2), "y": (0, 1, 2)},                                  (),            ["x has 2 rows and y has 3"]),
    ({"x": ((), ()), "y": (0, 1)},                                   (),            ["no data"]),
    ({"x": (1, 2), "y": (0.5, 1), "task": "classification"},         (),            ["labels are not classes", "row 1", "0.5"]),
    ({"x": (1, 2), "y": ((0, 1), (1, 0)), "task": "classification"}, (),            ["one label per row", "one-hot"]),
    ({"x": (1, 2), "y": (0, 1), "weights": (1, -0.5)},               ("weights",),  ["row 2 (counted from 1) has the weight -0.5"]),
    ({"x": (1, 2), "y": (0, 1), "weights": (1, float("nan"))},       ("weights",),  ["row 2", "the weight nan"]),
    ({"x": (1, 2), "y": (0, 1), "weights": (1, 2, 3)},               ("weights",),  ["shape (3,)", "each of the 2 rows"]),
    ({"x": (1, 2), "y": (0, 1), "weights": (1, "a")},                ("weights", 1), ["expected a number", "'a'"]),
    ({"x": (1, 2), "y": (0, 1), "weights": (0, 0)},                  ("weights",),  ["every weight is 0", "> 0"]),
    ({"x": (1, 2), "y": (0, 1), "weights": (1, 1e-60)},              ("weights",),  ["from 1e-60 to 1", "range of float32"]),
    ({"x": (1, 2), "y": (0, 1, 2), "weights": (1, 1)},               (),            ["x has 2 rows and y has 3"]),
    ({"x": (1, 1e39), "y": (0, 1)},                                  (),            ['x in row 2, column "x1"', "1e+39", "range of float32", "float64"]),
    ({**ROWS, "task": "classification", "scale_target": "standard"}, ("scale_target",), ["classes", "cannot be scaled"]),
    ({**ROWS, "split": {"validation": 0.1}},                         ("split", "validation"), ["validation part is empty", "0.1 of 4 rows"]),
    ({**ROWS, "split": {"test": 0.1}},                               ("split", "test"), ["test part is empty", "0.1 of 4 rows"]),
    ({**ROWS, "split": {"validation": 0.9}},                         ("split",),    ["training part is empty", "of 4 rows 4 go to validation", "leaves 0"]),
    ({**ROWS, "task": "classification", "split": {"test": 0.75}},    ("split",),    ["smaller than the 2 classes", "leaves 1"]),
]
FILES: list[tuple[str, Callable[[Path], object], dict, str, list[str]]] = [
    # kind  folder contents                                                                options               option    expected in the message
    ("csv", lambda folder: None,                                                           {"file": "a.csv", "target": 0}, "file", ['no such file: "a.csv"', "looked for /"]),
    ("csv", lambda folder: (folder / "a").mkdir(),                                         {"file": "a", "target": 0}, "file", ['"a" is a folder']),
    ("npz", lambda folder: None,                                                           {"file": "a.npz"},    "file",   ['no such file: "a.npz"']),
    ("npz", lambda folder: (folder / "a.npz").write_bytes(b""),                            {"file": "a.npz"},    "file",   ["not an npz archive"]),
    ("npz", lambda folder: (folder / "a.npz").write_bytes(b"hello" * 30),                  {"file": "a.npz"},    "file",   ["not an npz archive", "numpy.savez"]),
    ("npz", lambda folder: np.save(folder / "a.npy", np.ones(3)),                          {"file": "a.npy"},    "file",   ["a single array (.npy)"]),
    ("idx", lambda folder: None,                                                           {},                   "folder", [f"looked for {IMAGES} and {IMAGES}.gz", "data/mnist, which is not a folder", "data.folder"]),
    ("idx", lambda folder: None,                                                           {"folder": "."},      "folder", [f"looked for {IMAGES} and {IMAGES}.gz in /", "data.folder"]),
    ("idx", lambda folder: (folder / IMAGES).write_bytes(idx_bytes(images(4))),            {"folder": "."},      "folder", ["no labels", DIGIT_LABELS]),
]
IDX: list[tuple[bytes, bytes, tuple[str, ...], list[str]]] = [
    # images                                           labels                              path         expected in the message
    (idx_bytes(images(4))[:-1],                        idx_bytes(LABELS),                  ("images",), ["cut off", "(4, 2, 3) asks for 40 bytes, got 39"]),
    (idx_bytes(images(4)),                             idx_bytes(LABELS)[:-1],             ("labels",), ["cut off", "12 bytes, got 11"]),
    (idx_bytes(images(4)) + b"x",                      idx_bytes(LABELS),                  ("images",), ["too long"]),
    (idx_bytes(images(4))[:9],                         idx_bytes(LABELS),                  ("images",), ["within its header"]),
    (b"",                                              idx_bytes(LABELS),                  ("images",), ["not an IDX file", "nothing"]),
    (b"\x89PNG" + b"0" * 40,                           idx_bytes(LABELS),                  ("images",), ["not an IDX file", "89 50 4e 47"]),
    (b"\0\0\x07\3" + b"0" * 40,                        idx_bytes(LABELS),                  ("images",), ["not an IDX file", "00 00 07 03"]),
    (b"\0\0\x08\3" + b"\xff" * 40,                     idx_bytes(LABELS),                  ("images",), ["cut off"]),
    (idx_bytes(LABELS),                                idx_bytes(LABELS),                  ("images",), ["1 axis", "other file"]),
    (idx_bytes(images(4)),                             idx_bytes(images(4)),               ("labels",), ["3 axes", "other file"]),
    (idx_bytes(images(3)),                             idx_bytes(LABELS),                  ("labels",), ["4 labels for the 3 images"]),
    (gzip.compress(idx_bytes(images(4)), mtime=0)[:-9],       idx_bytes(LABELS),                  ("images",), ["compressed data is cut off"]),
    (gzip.compress(idx_bytes(images(4)), mtime=0)[:12] + b"\xff" * 20, idx_bytes(LABELS),           ("images",), ["damaged"]),
    (idx_bytes(images(4)),                             idx_bytes(LABELS * 0),              (),          ["at least two classes"]),
    (idx_bytes(np.full((4, 2, 2), np.nan, np.float32)), idx_bytes(LABELS),                 ("folder",), ["16 values", "not finite"]),
]
# fmt: on


def check(error: DataError, path: tuple[str | int, ...], fragments: list[str]) -> None:
    assert error.path == path, error.message
    assert "\n" not in error.message
    for fragment in fragments:
        assert fragment in error.message


@pytest.mark.parametrize(("text", "options", "path", "fragments"), CSV)
def test_csv_says(text, options, path, fragments, tmp_path):
    (tmp_path / "a.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    check(error_of("csv", tmp_path, {"file": "a.csv", **options}), path, fragments)


@pytest.mark.parametrize(("arrays", "fragments"), NPZ)
def test_npz_says(arrays, fragments, tmp_path):
    write_npz(tmp_path / "a.npz", **arrays)
    check(error_of("npz", tmp_path, {"file": "a.npz"}), ("file",), ["a.npz", *fragments])


WEIGHTS = [
    # weights                          expected in the message
    (np.array([1, -2]),                ["row 2 (counted from 1) has the weight -2"]),
    (np.array([np.nan, 1]),            ["row 1", "the weight nan"]),
    (np.array(["a", "b"]),             ["weights hold <U1"]),
    (np.ones((2, 2)),                  ["shape (2, 2)", "each of the 2 rows"]),
]  # fmt: skip


@pytest.mark.parametrize(("weights", "fragments"), WEIGHTS)
def test_weights_in_an_npz_say(weights, fragments, tmp_path):
    write_npz(tmp_path / "a.npz", x=np.ones((2, 1)), y=np.ones(2), w=weights)
    check(error_of("npz", tmp_path, {"file": "a.npz", "weights": "w"}), ("weights",), ["a.npz", *fragments])


def test_weights_that_are_not_in_the_npz_are_an_error(tmp_path):
    write_npz(tmp_path / "a.npz", x=np.ones((2, 1)), y=np.ones(2))
    error = error_of("npz", tmp_path, {"file": "a.npz", "weights": "v"})
    check(error, ("weights",), ['no array "v"', "it has x, y"])


def test_npz_cut_off_anywhere_is_an_error(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.arange(60.0).reshape(30, 2), y=np.arange(30))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert error_of("npz", tmp_path, {"file": "a.npz"}).path == ("file",)


def test_npz_with_damaged_bytes_never_shows_a_traceback(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, x=np.arange(60.0).reshape(30, 2), y=np.arange(30) % 3)
    whole, source = path.read_bytes(), sources["npz"](file="a.npz")
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(DataError):  # changes in unread bytes go unnoticed
            source.load(tmp_path)


@pytest.mark.parametrize(("options", "path", "fragments"), INLINE)
def test_inline_and_preparation_say(options, path, fragments, tmp_path):
    check(error_of("inline", tmp_path, options), path, fragments)


@pytest.mark.parametrize(("kind", "make", "options", "option", "fragments"), FILES)
def test_missing_files_are_named(kind, make, options, option, fragments, tmp_path):
    make(tmp_path)
    check(error_of(kind, tmp_path, options), (option,), fragments)


@pytest.mark.parametrize(("image_bytes", "label_bytes", "path", "fragments"), IDX)
def test_idx_says(image_bytes, label_bytes, path, fragments, tmp_path):
    (tmp_path / IMAGES).write_bytes(image_bytes)
    (tmp_path / DIGIT_LABELS).write_bytes(label_bytes)
    check(error_of("idx", tmp_path, {"folder": "."}), path, fragments)
