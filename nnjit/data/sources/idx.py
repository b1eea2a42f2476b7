"""`idx`: images and labels in MNIST's format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.files import largest_size, open_file, path_of
from nnjit.data.source import Source, sources
from nnjit.errors import DataError
from nnjit.memory import check_fits

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_MOST_AXES = 32


@sources.register
class Idx(Source):
    """Images (n, H, W) and their labels from two IDX files, plain or gzipped, as MNIST is distributed.

    Format: LeCun, Cortes & Burges, the MNIST database.
    """

    type: Literal["idx"] = "idx"
    folder: str = "data/mnist"
    """The folder of both files; a relative path starts at the working directory."""
    images: str = "t10k-images-idx3-ubyte"
    """The file of images, with or without `.gz`."""
    labels: str = "t10k-labels-idx1-ubyte"
    """The file of labels, with or without `.gz`."""

    def load(self, folder: Path) -> Dataset:
        images = _read(self._find(folder, "images"), "images")
        labels = _read(self._find(folder, "labels"), "labels")
        if len(images) != len(labels):
            raise DataError(
                f"{self.labels} has {len(labels)} labels for the {len(images)} images of {self.images}; "
                "name two files that belong together",
                ("labels",),
            )
        size = "×".join(map(str, images.shape[1:]))
        description = f"IDX {self.images}: {len(images)} images of {size}"
        try:
            return make_dataset(
                images, labels, problem_type="classification", description=description, targets=("label",)
            )
        except DataError as error:
            raise DataError(f"{self.images}, {self.labels}: {error.message}", ("folder",)) from None

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {"images": self._find(folder, "images"), "labels": self._find(folder, "labels")}

    def _find(self, folder: Path, option: Literal["images", "labels"]) -> Path:
        inside = path_of(folder, self.folder, ("folder",))
        name = getattr(self, option)
        wanted = (name, name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz")
        for path in (path_of(inside, each, (option,)) for each in wanted):
            if path.is_file():
                return path
        raise DataError(
            f'no {option} in "{self.folder}": looked for {" and ".join(wanted)} in {inside.resolve()}'
            f"{'' if inside.is_dir() else ', which is not a folder'}; "
            "set data.folder to the folder that has them, or download them there",
            ("folder",),
        )


def _read(path: Path, option: Literal["images", "labels"]) -> np.ndarray:
    """The array of an IDX file: 0, 0, type, number of axes; each axis length in 4 bytes; the numbers."""
    with open_file(path, option) as file:
        return _array(file, path, option)


def _array(file: BinaryIO, path: Path, option: Literal["images", "labels"]) -> np.ndarray:
    """The array; reads no more than the header says and the file can hold."""
    raw = file.read(4)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES or not 0 < raw[3] <= _MOST_AXES:
        file.read(1000)  # raises a clearer error if compressed data is damaged
        raise DataError(f"{path}: not an IDX file: it begins with {raw[:4].hex(' ') or 'nothing'}", (option,))
    axes, dtype = raw[3], np.dtype(_TYPES[raw[2]])
    if (axes == 1) != (option == "labels"):
        raise DataError(
            f"{path}: {axes} ax{'e' if axes > 1 else 'i'}s in an IDX file of {option}; is it the other file?",
            (option,),
        )
    start = 4 + 4 * axes
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise DataError(f"{path}: cut off within its header of {start} bytes", (option,))
    shape = tuple(int(length) for length in np.frombuffer(lengths, ">u4"))
    expected = start + math.prod(shape) * dtype.itemsize
    most = largest_size(path)
    if expected <= most:
        check_fits(expected, f"{path}: {shape}", "take a smaller file", (option,))
        numbers = file.read(expected - start)
        most = start + len(numbers) + len(file.read(1))
    if most != expected:
        state, got = ("cut off", f"got {most}") if most < expected else ("too long", "got more")
        raise DataError(f"{path}: {state}: {shape} asks for {expected} bytes, {got}", (option,))
    return np.frombuffer(numbers, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
