"""Read new images as a network trained on images takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np

from nnjit.data.images.decoding import Colour, read_header, read_images
from nnjit.data.images.listing import Listing, list_classes, list_images
from nnjit.data.source import Source
from nnjit.data.sources.images import Images
from nnjit.data.tables.reading import SUFFIXES
from nnjit.errors import DataError

_OTHERS = frozenset({*SUFFIXES, ".npy", ".npz", ".gz", ".zst"})  # tables and arrays, also accepted


def holds_images(source: Source, path: Path) -> bool:
    """Whether a path holds images, for a network trained on the data of `source`."""
    return isinstance(source, Images) and (path.is_dir() or path.suffix.lower() not in _OTHERS)


def are_images(source: Source, x: object) -> TypeGuard[Sequence[str | Path]]:
    """Whether inputs are names of image files, for a network trained on the data of `source`."""
    is_list = isinstance(source, Images) and isinstance(x, list | tuple) and len(x) > 0
    return is_list and all(isinstance(each, str | Path) for each in x)  # type: ignore[attr-defined]  # a list


def read_known_images(source: Source, shape: tuple[int, ...], paths: Sequence[Path]) -> np.ndarray:
    """The pixels (n, H, W, C) of images in the size and colours used in training.

    Args:
        source: the data that the network was trained on.
        shape: shape of an example, (H, W, C).

    Raises:
        DataError: an image cannot be read; or its size differs, and training did not resize.
    """
    assert isinstance(source, Images)
    height, width, channels = shape
    for path in paths if source.size is None else ():
        own = read_header(path)[:2]
        if own != (height, width):
            raise DataError(
                f"{path}: {own[0]}×{own[1]} pixels, but the network takes {height}×{width}; resize the "
                "image, or train with data.size, which resizes all"
            )
    colour: Colour = "grey" if channels == 1 else "rgb"
    return read_images(paths, size=(height, width), colour=colour, option=())


def images_in(path: Path) -> tuple[Path, ...]:
    """An image file itself, or the images in a folder, or in its sub-folders if it has any."""
    if not path.is_dir():
        return (path,)
    has_folders = any(each.is_dir() and not each.name.startswith(".") for each in path.iterdir())
    return list_classes(path).paths if has_folders else list_images(path)


def labelled_images_in(path: Path) -> Listing:
    """The images in the sub-folders of a folder, with the sub-folder names as classes."""
    if not path.is_dir():
        raise DataError(f"{path}: an image has no target; give a folder with a sub-folder for each class")
    return list_classes(path)
