"""Rows on disk equal rows in memory; arrays that cannot be read row by row are refused."""

# ruff: noqa: E501  a row is one file and its expected message

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nnjit.data import DiskPart, DiskRows, Part, dataset, digest, load, load_held_out, prepare, sources
from nnjit.data.storage import file_rows
from nnjit.data.storage.array_file import npy_file
from nnjit.errors import DataError

N = 503
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 5)) * [1, 10, 100, 1e-3, 1] + 7
KINDS, VALUES = RNG.integers(0, 3, N), RNG.normal(size=(N, 2))
ON_DISK = {"in_memory": False, "buffer_size": 40}


def stored(path: Path, array: np.ndarray) -> DiskRows:
    np.save(path, array)
    return DiskRows.of(npy_file(path, ("x",)), 40)


# fmt: off
CHOICES: dict[str, slice | np.ndarray] = {
    "all":         slice(None),
    "some":        slice(100, 207),
    "every third": slice(5, 400, 3),
    "none":        slice(9, 3),
    "scattered":   np.array([3, 4, 5, 100, 298, 299]),
    "any order":   np.array([299, 0, 17, 16, 298, 0]),
    "no index":    np.zeros(0, np.int64),
}
# fmt: on


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 5)], ids=str)
@pytest.mark.parametrize("sizes", [(2**16, 2**20), (100, 150)], ids=str)
def test_chosen_rows_are_those_of_the_array(
    choice: slice | np.ndarray,
    shape: tuple[int, ...],
    sizes: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(file_rows, "_GAP", sizes[0])
    monkeypatch.setattr(file_rows, "_PIECE", sizes[1])
    array = np.arange(300 * np.prod(shape, dtype=int)).reshape(300, *shape)
    rows = stored(tmp_path / "x.npy", array)
    np.testing.assert_array_equal(rows[choice], array[choice], strict=True)
    assert (rows.shape, rows.ndim, rows.size, rows.dtype) == (
        array.shape,
        array.ndim,
        array.size,
        array.dtype,
    )


@pytest.mark.parametrize("dtype", ["u1", "f2", ">f4", "b1", "U3"])
def test_rows_of_any_type_are_read(dtype: str, tmp_path: Path) -> None:
    array = (np.arange(60) % 7).reshape(20, 3).astype(dtype)
    np.testing.assert_array_equal(stored(tmp_path / "x.npy", array)[3:9], array[3:9], strict=True)


def test_rows_are_selected_again_and_converted_when_they_are_read(tmp_path: Path) -> None:
    array = np.arange(60).reshape(30, 2)
    chosen = np.array([1, 4, 9, 20, 29])
    rows = stored(tmp_path / "x.npy", array).select(chosen).select(np.array([0, 2, 4]))
    seen: list[int] = []

    def halved(block: np.ndarray, indices: np.ndarray) -> np.ndarray:
        seen.extend(indices)
        return block / 2

    made = rows.map(halved, dtype="float64", row_shape=(2,)).astype("float32").reshape(3, 1, 2)
    expected = (array[chosen[[0, 2, 4]]] / 2).astype("float32").reshape(3, 1, 2)
    np.testing.assert_array_equal(made[:], expected, strict=True)
    assert seen == [1, 9, 29]


def test_a_mapped_array_can_be_what_is_stored(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    rows = DiskRows.of(np.load(tmp_path / "x.npy", mmap_mode="r"), 40)
    np.testing.assert_array_equal(rows.select(np.arange(3, 40, 2))[2:7], X[7:17:2], strict=True)


@pytest.mark.parametrize("array", [np.tile(X, (9, 1)), X.astype("f2"), KINDS, np.zeros((3, 2))], ids=range(4))
def test_the_digest_of_rows_on_the_disk_is_that_of_the_array(
    array: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = digest(array)
    monkeypatch.setattr(dataset, "_BLOCK", 700)  # blocks end inside the words that are reduced
    assert digest(stored(tmp_path / "x.npy", array)) == wanted


def write(folder: Path) -> None:
    np.savez(folder / "kinds.npz", x=X, y=KINDS, w=RNG.integers(0, 3, N))
    np.savez(folder / "values.npz", x=X.astype(np.float32).reshape(N, 5, 1), y=VALUES)
    np.save(folder / "x.npy", X)
    np.save(folder / "kinds.npy", KINDS)
    np.save(folder / "values.npy", VALUES)


SPLIT = {"split": {"validation": 0.2, "test": 0.1}}
# fmt: off
DATA: list[tuple[str, dict[str, Any]]] = [
    # source  options
    ("npz",   {"file": "kinds.npz"}),
    ("npz",   {"file": "kinds.npz", **SPLIT, "scale": "standard"}),
    ("npz",   {"file": "kinds.npz", **SPLIT, "scale": "unit", "weights": "w"}),
    ("npz",   {"file": "kinds.npz", "split": {"validation": 0.2, "shuffle": False}}),
    ("npz",   {"file": "values.npz", **SPLIT, "scale": "min_max", "scale_target": "standard"}),
    ("npz",   {"file": "kinds.npz", "task": "regression", "split": {"fold": {"number": 2, "of": 3}}}),
    ("npy",   {"x": "x.npy", "y": "kinds.npy", "scale": "standard"}),
    ("npy",   {"x": "x.npy", "y": "values.npy", **SPLIT}),
    ("npy",   {"x": "kinds.npy", "y": "kinds.npy", **SPLIT}),
]
# fmt: on


@pytest.mark.parametrize(("kind", "options"), DATA, ids=range(len(DATA)))
def test_parts_on_the_disk_have_the_rows_of_those_in_memory(
    kind: str, options: dict[str, Any], tmp_path: Path
) -> None:
    write(tmp_path)
    in_memory, on_disk = (
        prepare(sources[kind].model_validate(given), seed=3, dtype="float32", folder=tmp_path)
        for given in (options, options | ON_DISK)
    )
    for name in ("train", "validation", "test"):
        wanted, found = getattr(in_memory, name), getattr(on_disk, name)
        if wanted is None:
            assert found is None
            continue
        assert isinstance(found, DiskPart)
        assert (len(found), found.x.shape, found.most_at_once) == (len(wanted), wanted.x.shape, 40)
        rows = np.arange(N) if wanted.rows is None else wanted.rows
        blocks = list(found.blocks(7))
        assert {len(block) for block in blocks[:-1]} <= {35}  # the largest multiple of 7 in a buffer
        for attribute, array in (("x", wanted.x), ("y", wanted.y), ("w", wanted.w), ("rows", rows)):
            parts = [getattr(block, attribute) for block in blocks]
            np.testing.assert_array_equal(np.concatenate(parts), array, strict=True)
            assert all(part.flags.c_contiguous for part in parts)
        np.testing.assert_array_equal(np.concatenate(list(found.targets())), wanted.y, strict=True)
        spread = found.spread()
        assert (len(spread), *spread.rows[[0, -1]]) == (min(40, len(found)), rows[0], rows[-1])
    assert in_memory.scaling.to_json() == on_disk.scaling.to_json()
    assert (in_memory.description, in_memory.features) == (on_disk.description, on_disk.features)


def test_data_with_no_more_rows_than_a_buffer_is_read_into_memory(tmp_path: Path) -> None:
    write(tmp_path)
    for size in (N, "auto"):
        given = sources["npz"](file="kinds.npz", in_memory=False, buffer_size=size)
        assert isinstance(prepare(given, seed=0, dtype="float32", folder=tmp_path).train, Part)


def test_of_several_targets_the_inputs_stay_on_the_disk(tmp_path: Path) -> None:
    write(tmp_path)
    source = sources["npy"](x="x.npy", y={"kind": "kinds.npy", "x": "values.npy"}, **ON_DISK)
    assert source.targets(tmp_path) == {"kind": ("y", "kind"), "x": ("y", "x")}
    assert source.files(tmp_path).keys() == {"x", "y.kind", "y.x"}
    data = load(source, tmp_path, {"x": "regression", "kind": "classification"})
    assert isinstance(data.x, DiskRows)
    np.testing.assert_array_equal(data.y[:, :2], VALUES)
    np.testing.assert_array_equal(data.labels, KINDS)


def test_held_out_data_stays_on_the_disk(tmp_path: Path) -> None:
    write(tmp_path)
    np.savez(tmp_path / "flat.npz", x=X, y=VALUES)
    data = load(sources["npz"](file="kinds.npz"), tmp_path)
    found = load_held_out(sources["npz"](file="kinds.npz", **ON_DISK), data, tmp_path)
    assert isinstance(found.x, DiskRows)
    images = load(sources["npz"](file="values.npz"), tmp_path)
    flat = load_held_out(sources["npz"](file="flat.npz", **ON_DISK), images, tmp_path)
    assert isinstance(flat.x, DiskRows)
    np.testing.assert_array_equal(flat.x[4:9], X[4:9].reshape(5, 5, 1))


def npy(path: Path, array: np.ndarray, cut: int = 0) -> None:
    file = io.BytesIO()
    np.save(file, array)
    path.write_bytes(file.getvalue()[: len(file.getvalue()) - cut])


HUGE, HOLE = X.copy(), X.copy()
HUGE[401, 2], HOLE[402, 1] = 1e300, np.nan
NPZ, NPY = {"file": "a.npz"}, {"x": "a.npy", "y": "y.npy"}
# fmt: off
REFUSED: list[tuple[str, dict[str, Any], Callable[[Path], object], tuple[str, ...], list[str]]] = [
    # source  options  contents                                                    option          expected in the message
    ("npz",   NPZ,     lambda d: np.savez_compressed(d / "a.npz", x=X, y=KINDS),   ("in_memory",), ['a.npz: array "x" is compressed', "numpy.savez", "in_memory: true"]),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=X.T.copy().T, y=KINDS),   ("in_memory",), ["stored column by column", "ascontiguousarray"]),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=X.astype(object), y=KINDS), ("file",),    ["pickled Python objects", "np.array(list, dtype=float)"]),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=3.0, y=KINDS),            ("file",),      ["a single number"]),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", y=KINDS),                   ("file",),      ['no array "x"; it has y']),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=X, y=KINDS[1:]),          ("file",),      ["a.npz: x has 503 rows and y has 502"]),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=HOLE, y=KINDS),           ("file",),      ["1 value that is not finite", 'row 403, column "x2"']),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=HUGE, y=KINDS),           (),             ['x in row 402, column "x3"', "1e+300, beyond the range of float32"]),
    ("npz",   NPZ,     lambda d: np.savez(d / "a.npz", x=X.astype("U8"), y=KINDS), ("file",),      ["x holds <U8", "real numbers"]),
    ("npy",   NPY,     lambda d: npy(d / "a.npy", X, cut=3),                       ("x",),         ["a.npy: cut off or damaged: the shape (503, 5) of float64 asks for 20,120 bytes, got 20,117"]),
    ("npy",   NPY,     lambda d: npy(d / "a.npy", np.asfortranarray(X)),           ("in_memory",), ["a.npy is stored column by column"]),
    ("npy",   NPY,     lambda d: (d / "a.npy").write_bytes(b"hello"),              ("x",),         ["a.npy cannot be read"]),
    ("npy",   NPY,     lambda d: (d / "a.npy").mkdir(),                            ("x",),         ['"a.npy" is a folder']),
    ("npy",   NPY,     lambda d: None,                                             ("x",),         ['no such file: "a.npy"']),
    ("npy",   {"x": "y.npy", "y": {"a": "y.npy"}}, lambda d: None,                 ("y",),         ["several targets (a) are for losses"]),
]
# fmt: on


@pytest.mark.parametrize(("kind", "options", "make", "path", "fragments"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_read_row_by_row_is_refused(
    kind: str,
    options: dict[str, Any],
    make: Callable[[Path], object],
    path: tuple[str, ...],
    fragments: list[str],
    tmp_path: Path,
) -> None:
    np.save(tmp_path / "y.npy", KINDS)
    make(tmp_path)
    with pytest.raises(DataError) as caught:
        prepare(sources[kind](**options, **ON_DISK), seed=0, dtype="float32", folder=tmp_path)
    assert caught.value.path == path
    assert all(fragment in caught.value.message for fragment in fragments), caught.value.message


def test_npy_may_be_stored_column_by_column_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asfortranarray(X))
    np.save(tmp_path / "y.npy", KINDS)
    data = sources["npy"](x="x.npy", y="y.npy").load(tmp_path)
    np.testing.assert_array_equal(data.x, X, strict=True)


def test_a_size_of_the_buffer_without_one_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"buffer_size: 40 limits the rows .*; set in_memory: false"):
        sources["npz"](file="a.npz", buffer_size=40)


def test_a_file_that_changes_is_noticed_when_it_is_read_again(tmp_path: Path) -> None:
    rows = stored(tmp_path / "x.npy", X)
    os.utime(tmp_path / "x.npy", (1, 1))
    with pytest.raises(DataError, match=r"x\.npy has changed since it was opened"):
        rows[:3]
    (tmp_path / "x.npy").unlink()
    with pytest.raises(DataError, match=r"cannot read .*x\.npy: No such file"):
        rows[:3]


def test_an_archive_with_damaged_bytes_never_shows_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(60.0).reshape(30, 2), y=np.arange(30) % 3)
    whole, source = path.read_bytes(), sources["npz"](file="a.npz", in_memory=False, buffer_size=4)
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(DataError):  # changes in unread bytes go unnoticed
            source.load(tmp_path)


def test_members_of_an_archive_are_found_whatever_lies_before_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("notes.txt", "x" * 1000)
        for name, array in (("y", KINDS), ("x", X)):
            file = io.BytesIO()
            np.save(file, array)
            archive.writestr(f"{name}.npy", file.getvalue())
    data = sources["npz"](file="a.npz", **ON_DISK).load(tmp_path)
    np.testing.assert_array_equal(data.x[:], X, strict=True)
