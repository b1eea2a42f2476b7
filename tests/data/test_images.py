"""Images in one folder per class, or listed in a table: pixels, classes and errors."""

# ruff: noqa: E501  a row is one mistake and its expected message

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnjit.data import Dataset, contents_of, load, load_held_out, prepare, sources
from nnjit.errors import DataError, TooLarge

GREY = np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4)
COLOUR = np.stack([GREY, GREY[::-1], GREY // 2], axis=-1)


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def classes_in(folder: Path, pixels: np.ndarray = GREY) -> Path:
    """Two classes of two images."""
    for k, name in enumerate(("cat/b.png", "cat/a.png", "ant/z.png", "ant/c.png")):
        save(folder / name, pixels + np.uint8(k))
    return folder


def read(folder: Path, /, **options: Any) -> Dataset:
    made = load(sources["images"](**({"folder": "."} | options)), folder)
    assert isinstance(made, Dataset)
    return made


def one(path: Path, **options: Any) -> np.ndarray:
    """The pixels of one image, read together with another class of the same size."""
    with Image.open(path) as image:
        save(path.parents[1] / "b" / "0.png", np.zeros(image.size[::-1], np.uint8))
    return np.asarray(read(path.parents[1], size=GREY.shape, **options).x[0])


def test_folders_are_classes_and_files_go_by_name(tmp_path: Path) -> None:
    classes_in(tmp_path)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "cat" / ".DS_Store").write_bytes(b"no image")
    (tmp_path / "README").write_text("about")
    data = read(tmp_path)
    assert (data.classes, data.y.tolist(), data.x.dtype) == (("ant", "cat"), [0, 0, 1, 1], np.uint8)
    np.testing.assert_array_equal(data.x[..., 0], [GREY + k for k in (3, 2, 1, 0)])
    assert data.description == f"images of {tmp_path}: 4 of 3×4 in grey"
    assert data.notes == (f"{tmp_path}: 1 file next to the class folders not used",)


def test_a_table_names_images_and_labels(tmp_path: Path) -> None:
    classes_in(tmp_path / "all")
    (tmp_path / "labels.csv").write_text(
        f"file,kind,weight\ncat/b.png,x,3.5\n{tmp_path / 'all/ant/z.png'},y,1\ncat/a.png,,2\n"
    )
    options = {"file": "labels.csv", "folder": "all", "path": "file"}
    data = read(tmp_path, **options, target="kind")
    np.testing.assert_array_equal(data.x[..., 0], [GREY, GREY + 2])
    assert (data.classes, data.targets, data.y.tolist()) == (("x", "y"), ("kind",), [0, 1])
    assert data.notes[-1].endswith("labels.csv: 1 row without a target left out")
    values = read(tmp_path, **options, target=-1, task="regression")
    assert (values.classes, values.y.tolist()) == (None, [[3.5], [1.0], [2.0]])


def test_the_pixels_of_a_training_are_between_0_and_1(tmp_path: Path) -> None:
    classes_in(tmp_path)
    made = prepare(sources["images"](folder="."), seed=0, dtype="float32", folder=tmp_path)
    assert made.input_shape == (3, 4, 1)
    np.testing.assert_allclose(made.train.x[0][..., 0], (GREY + 3) / 223, rtol=1e-6)


def as_mode(mode: str) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(COLOUR).convert(mode).save(path)


def see_through(path: Path) -> None:
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    Image.fromarray(np.dstack([COLOUR, alpha])).save(path)


# fmt: off
STORED = [
    # file, writer, colour, pixels
    ("a.png", lambda p: save(p, GREY),                                      "auto", GREY[..., None]),
    ("a.png", lambda p: save(p, COLOUR),                                    "auto", COLOUR),
    ("a.png", lambda p: save(p, GREY),                                      "rgb",  np.dstack([GREY] * 3)),
    ("a.png", lambda p: save(p, GREY.astype(np.uint16) * 256 + 7),          "auto", GREY[..., None]),
    ("a.tif", lambda p: save(p, GREY.astype(np.uint16) * 256 + 7),          "grey", GREY[..., None]),
    ("a.png", lambda p: save(p, np.where(GREY > 100, True, False)),         "auto", np.where(GREY > 100, 255, 0)[..., None]),
    ("a.gif", lambda p: save(p, GREY),                                      "grey", GREY[..., None]),
    ("a.png", see_through,                                                  "auto", np.where(GREY[..., None] > 100, COLOUR, 255)),
    ("a.png", as_mode("L"),                                                 "auto", np.asarray(Image.fromarray(COLOUR).convert("L"))[..., None]),
    ("a.png", lambda p: save(p, COLOUR),                                    "grey", np.asarray(Image.fromarray(COLOUR).convert("L"))[..., None]),
    ("a.tif", as_mode("CMYK"),                                              "auto", COLOUR),
    ("a.bmp", lambda p: save(p, COLOUR),                                    "auto", COLOUR),
]
# fmt: on


@pytest.mark.parametrize(("name", "make", "colour", "pixels"), STORED)
def test_pixels_are_those_that_are_stored(
    name: str, make: Callable[[Path], Any], colour: str, pixels: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    make(tmp_path / "a" / name)
    np.testing.assert_array_equal(one(tmp_path / "a" / name, colour=colour), pixels)


@pytest.mark.parametrize(
    ("orientation", "turn"), [(1, lambda x: x), (3, lambda x: x[::-1, ::-1]), (6, lambda x: np.rot90(x, -1))]
)
def test_images_are_turned_as_they_say(orientation: int, turn: Callable, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a", "b"):
        save(tmp_path / name / "0.png", GREY, exif=exif)
    np.testing.assert_array_equal(read(tmp_path).x[0, ..., 0], turn(GREY))


def test_size_resizes_all(tmp_path: Path) -> None:
    classes_in(tmp_path)
    save(tmp_path / "cat" / "large.png", np.full((40, 20), 50, np.uint8))
    data = read(tmp_path, size=(6, 8))
    assert data.x.shape == (5, 6, 8, 1)
    assert (data.x[-1] == 50).all()
    assert read(tmp_path, size=2).x.shape == (5, 2, 2, 1)


def test_held_out_images_have_the_classes_of_the_training(tmp_path: Path) -> None:
    data = read(classes_in(tmp_path / "train"))
    save(tmp_path / "test" / "cat" / "0.png", GREY)
    other = load_held_out(sources["images"](folder="test"), data, tmp_path)
    assert (other.classes, other.y.tolist()) == (("ant", "cat"), [1])
    save(tmp_path / "turned" / "cat" / "0.png", GREY.T)
    with pytest.raises(DataError, match=r"a row has the shape \(4, 3, 1\), but in data \(3, 4, 1\)"):
        load_held_out(sources["images"](folder="turned"), data, tmp_path)
    save(tmp_path / "test" / "cow" / "0.png", GREY)
    with pytest.raises(DataError, match='"cow", which does not occur in data'):
        load_held_out(sources["images"](folder="test"), data, tmp_path)


def test_a_changed_pixel_changes_the_digest(tmp_path: Path) -> None:
    before = contents_of(read(classes_in(tmp_path)), is_computed=False)
    save(tmp_path / "cat" / "a.png", GREY + np.uint8(9))
    after = contents_of(read(tmp_path), is_computed=False)
    assert (before.inputs != after.inputs, before.targets) == (True, after.targets)


def cut(folder: Path) -> None:
    path = classes_in(folder, np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)) / "cat" / "b.png"
    path.write_bytes(path.read_bytes()[:-300])


def bomb(folder: Path) -> None:
    """A PNG of a few bytes whose header claims 30,000 × 30,000 pixels."""
    parts = (b"IHDR" + struct.pack(">2I5B", 30_000, 30_000, 8, 0, 0, 0, 0), b"IDAT" + zlib.compress(b""))
    chunks = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts]
    (classes_in(folder) / "cat" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def with_table(text: str) -> Callable[[Path], Any]:
    return lambda folder: (classes_in(folder) / "l.csv").write_text(text)


TABLE = {"file": "l.csv", "folder": None, "path": "p", "target": "t"}
# fmt: off
MISTAKES = [
    # folder contents, options, path, expected in the message
    (lambda f: None,                                            {"folder": "no"},   ("folder",), ["/no: no such folder"]),
    (lambda f: save(f / "a.png", GREY),                         {"folder": "a.png"}, ("folder",), ["a.png: a file; expected a folder"]),
    (lambda f: save(f / "a.png", GREY),                         {},                 ("folder",), ["no sub-folders; expected one per class", "(1) have no class", "set file, path and target"]),
    (lambda f: (classes_in(f) / "dog").mkdir(),                 {},                 ("folder",), ["dog: the folder of this class has no images"]),
    (lambda f: classes_in(f / "train"),                         {},                 ("folder",), ["train/ant: a folder inside a class folder", "train, set folder to it"]),
    (lambda f: save(f / "cat" / "a.png", GREY),                 {},                 (),          ["at least two classes, got 1: every row has cat"]),
    (lambda f: (classes_in(f) / "cat/x.txt").write_text("hi"),  {},                 ("folder",), ["cat/x.txt: not an image that Pillow can read"]),
    (lambda f: (classes_in(f) / "cat/x.png").symlink_to("no"),  {},                 ("folder",), ["cat/x.png: no such image"]),
    (cut,                                                       {},                 ("folder",), ["cat/b.png: the image is cut off or damaged"]),
    (bomb,                                                      {},                 ("folder",), ["cat/b.png: more than 89,478,485 pixels"]),
    (lambda f: save(classes_in(f) / "cat/c.png", GREY.T),       {},                 ("size",),   ["cat/c.png: 4×3 pixels, but", "ant/c.png has 3×4; set size, such as [3, 4]"]),
    (lambda f: save(classes_in(f) / "cat/x.tif", GREY.astype(np.float32)), {},      ("folder",), ["x.tif: its pixels are 32-bit numbers"]),
    (with_table("p,t\ncat/a.png,1\nno.png,2\n"),                TABLE,              ("path",),   ["l.csv: line 3, column \"p\": no such image: \"no.png\"; looked for"]),
    (with_table("p,t\ncat/a.png,1\n,2\n"),                      TABLE,              ("path",),   ["line 3, column \"p\" names no image"]),
    (with_table("p,t\ncat/a.png,1\nant/c.png,2\n"),             TABLE | {"target": "y"}, ("target",), ['no column "y"']),
    (with_table("p,t\ncat/a.png,\nant/c.png,\n"),               TABLE,              ("target",), ['column "t" has no value']),
]
WRONG = [
    ({},                                         "give folder, with one sub-folder per class"),
    ({"folder": "a", "target": "b"},             "target: needs file"),
    ({"file": "a", "target": "b"},               "file needs path and target"),
    ({"folder": "a", "size": (0, 3)},            "greater than or equal to 1"),
]
# fmt: on


@pytest.mark.parametrize(("make", "options", "path", "fragments"), MISTAKES)
def test_a_mistake_is_one_message(
    make: Callable[[Path], Any], options: dict, path: tuple, fragments: list[str], tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(DataError) as caught:
        read(tmp_path, **options)
    assert caught.value.path == path
    for fragment in fragments:
        assert fragment in caught.value.message


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_options_that_do_not_go_together_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sources["images"](**options)


def problem_of(folder: Path, without: str) -> str:
    """The error about the images in a folder; `without` if a changed byte does no harm."""
    try:
        read(folder, size=4)
    except DataError as error:
        return error.message
    return without


def test_damaged_bytes_never_show_a_traceback(tmp_path: Path) -> None:
    for suffix in ("png", "jpg", "tif", "gif"):
        path = save(tmp_path / "a" / f"0.{suffix}", COLOUR)
        whole = path.read_bytes()
        save(tmp_path / "b" / "0.png", COLOUR)
        for at in range(0, len(whole), max(1, len(whole) // 25)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
            assert str(path) in problem_of(tmp_path, str(path))
        path.unlink()


def test_too_many_images_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes_in(tmp_path)
    monkeypatch.setattr("nnjit.memory.usable_memory", lambda: 2**30)
    with pytest.raises(TooLarge, match="4 images of 16000×16000 would take"):
        read(tmp_path, size=16000)


def test_without_pillow_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"pip install 'nnjit\[images\]'"):
        read(tmp_path)
