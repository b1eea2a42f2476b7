"""Decode image files with Pillow into one uint8 array, all with the same size and channels."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from nnjit.data.files import unreadable
from nnjit.errors import ConfigPath, DataError
from nnjit.memory import check_fits

if TYPE_CHECKING:
    from PIL import Image

Colour = Literal["auto", "grey", "rgb"]
T = TypeVar("T")

_CHANNELS = {"grey": 1, "rgb": 3}
_MODES = {"grey": "L", "rgb": "RGB"}
_GREY_MODES = ("1", "L", "LA", "La")
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)  # EXIF tag, and its values that swap the axes
_BYTES = 5  # per channel of a pixel: one as read, four as float32 in training
# Raised by decoders for damaged files, besides OSError.
_DAMAGED = (
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


def read_images(
    paths: Sequence[Path], *, size: tuple[int, int] | None, colour: Colour, option: ConfigPath
) -> np.ndarray:
    """The pixels (n, H, W, C) uint8 of image files, C = 1 or 3.

    Images are turned by their EXIF orientation; transparency becomes white; 16-bit grey becomes 8-bit.

    Args:
        size: (height, width) that all images are resized to; None if they share a size.
        colour: `auto` is grey if all files are stored so.
        option: the option to name in errors.

    Raises:
        DataError: Pillow is not installed, an image is damaged, or differs in size from the first.
        TooLarge: the images do not fit into memory.
    """
    check_pillow()
    modes = [_decoded(path, _stored_mode, option) for path in paths] if colour == "auto" else []
    chosen = colour if colour != "auto" else "grey" if all(map(_is_grey, modes)) else "rgb"
    height, width = size or _decoded(paths[0], size_of, option)
    count = len(paths) * height * width * _CHANNELS[chosen]
    check_fits(
        _BYTES * count,
        f"{len(paths):,} images of {height}×{width}",
        "set a smaller size, or give fewer",
        ("size",),
    )
    pixels = np.empty((len(paths), height, width, _CHANNELS[chosen]), np.uint8)
    for k, path in enumerate(paths):
        read = partial(_pixels, path=path, colour=chosen, size=size, option=option)
        image = _decoded(path, read, option)
        if image.shape[:2] != (height, width):
            raise DataError(
                f"{path}: {image.shape[0]}×{image.shape[1]} pixels, but {paths[0]} has {height}×{width}; "
                f"set size, such as [{height}, {width}], to resize all",
                ("size",),
            )
        pixels[k] = image.reshape(pixels.shape[1:])
    return pixels


def check_pillow() -> None:
    """Raise a DataError if Pillow is not installed."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise DataError(
            "images are read by Pillow, which is not installed; pip install 'nnjit[images]'", ("type",)
        ) from None


def read_header(path: Path, option: ConfigPath = ()) -> tuple[int, int, bool]:
    """The height and width of an image as displayed, and whether it is stored in grey.

    Raises:
        DataError: see `read_images`.
    """
    check_pillow()
    return _decoded(path, lambda image: (*size_of(image), _is_grey(image.mode)), option)


def size_of(image: Image.Image) -> tuple[int, int]:
    """The height and width of an image, turned by its orientation."""
    width, height = image.size
    return (width, height) if image.getexif().get(_ORIENTATION) in _TURNED else (height, width)


def _stored_mode(image: Image.Image) -> str:
    return image.mode


def _is_grey(mode: str) -> bool:
    return mode in _GREY_MODES or mode.startswith("I")


def _decoded(path: Path, use: Callable[[Image.Image], T], option: ConfigPath) -> T:
    """Apply `use` to an open image; any fault of the file becomes a DataError that names it."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise DataError(f"{path}: {'not a file' if path.exists() else 'no such image'}", option)
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged metadata, which is not used
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return use(image)
    except bombs:
        limit = f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        raise DataError(
            f"{path}: {limit}, which only a damaged or hostile file has; remove it", option
        ) from None
    except UnidentifiedImageError:
        mend = "remove it, or convert it to PNG or JPEG"
        raise DataError(f"{path}: not an image that Pillow can read; {mend}", option) from None
    except OSError as error:
        if error.errno is not None:
            raise unreadable(path, error, str(option[0]) if option else "file") from None
        raise _damaged(path, error, option) from None
    except _DAMAGED as error:
        raise _damaged(path, error, option) from None


def _damaged(path: Path, error: Exception, option: ConfigPath) -> DataError:
    return DataError(f"{path}: the image is cut off or damaged ({error}); replace or remove it", option)


def _pixels(
    image: Image.Image, *, path: Path, colour: str, size: tuple[int, int] | None, option: ConfigPath
) -> np.ndarray:
    """The pixels (H, W) or (H, W, 3) of an open image."""
    from PIL import Image, ImageOps

    has_16_bits = image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG")
    if image.mode in ("I", "F") and not has_16_bits:
        raise DataError(f"{path}: its pixels are 32-bit numbers; convert them to 8 or 16 bits", option)
    image.load()
    shown = ImageOps.exif_transpose(image)
    if has_16_bits:
        shown = Image.fromarray((np.asarray(shown) >> 8).astype(np.uint8))
    if shown.has_transparency_data:
        layers = shown.convert("RGBA")
        shown = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    shown = shown.convert(_MODES[colour])
    if size is not None and shown.size != size[::-1]:
        shown = shown.resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(shown)
