"""Propose a config for a folder of images that has a sub-folder for each class."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnjit.config.proposal.comments import WIDTH, Comments
from nnjit.config.proposal.layout import written
from nnjit.config.proposal.options import name_of
from nnjit.config.proposal.remarks import printable
from nnjit.config.proposal.targets import LOSSES, UNEVEN
from nnjit.data.images.decoding import read_header
from nnjit.data.images.listing import list_classes
from nnjit.errors import DataError, counted, shortened

_LONGEST_SIDE = 64  # of the images that are trained on; larger ones take longer than a first attempt should
_LEAST_SIDE = 8  # that is halved once more
_FILTERS = (8, 16, 32)
_LEAST_OF_CLASS = 4  # images on average; of fewer, none are held out
_MOST_NAMED = 6  # classes
_LONGEST_NAME = 24


@dataclass(frozen=True)
class _Sizes:
    """The sizes of a network and its training.

    Args:
        units: of the hidden dense layer.
        held_out: the fraction of images for validation, and again for testing; 0 if there are too few.
    """

    units: int
    epochs: int
    batch_size: int
    patience: int
    held_out: float


# fmt: off
_BY_IMAGES: Sequence[tuple[float, _Sizes]] = (  # up to so many
    (30,           _Sizes(32, 60, 8,   15, 0.0)),
    (1_000,        _Sizes(32, 100, 16, 15, 0.15)),
    (20_000,       _Sizes(64, 40, 32,  5,  0.15)),
    (float("inf"), _Sizes(64, 20, 64,  3,  0.1)),
)
# fmt: on


@dataclass(frozen=True)
class Survey:
    """The content of a folder of images.

    Args:
        folder: its name as given, which the config repeats.
        counts: the images of each class.
        shapes: the height and width of every image.
        are_grey: whether all are stored in greyscale.
    """

    folder: str
    counts: Mapping[str, int]
    shapes: Sequence[tuple[int, int]]
    are_grey: bool
    notes: Sequence[str] = ()

    @property
    def size(self) -> tuple[int, int]:
        """The height and width to train on: the images' own, or at most 64 for the longer side."""
        heights, widths = (sorted(side) for side in zip(*self.shapes, strict=True))
        height, width = heights[len(heights) // 2], widths[len(widths) // 2]
        factor = min(1.0, _LONGEST_SIDE / max(height, width))
        return max(1, round(factor * height)), max(1, round(factor * width))

    @property
    def is_resized(self) -> bool:
        """Whether any image has another size."""
        return set(self.shapes) != {self.size}


def survey_images(folder: str) -> Survey:
    """Survey a folder of images by reading only their headers.

    Raises:
        DataError: it has no images of at least two classes, or one of them cannot be read.
    """
    found = list_classes(Path(folder))
    counts = Counter(found.labels)
    if len(counts) < 2:
        raise DataError(
            f"{folder}: expected sub-folders of at least two classes, got {', '.join(counts)} alone"
        )
    headers = [read_header(path) for path in found.paths]
    shapes = [(height, width) for height, width, _ in headers]
    return Survey(folder, counts, shapes, all(is_grey for *_, is_grey in headers), found.notes)


def propose_for_images(folder: str, *, escaped: bool = False) -> str:
    """The text of a config that classifies images with a small convolutional network.

    Args:
        escaped: whether to write characters beyond ASCII as escapes.

    Raises:
        DataError: as `survey_images`.
    """
    survey = survey_images(folder)
    return written(_options(survey), _comments(survey), _head(survey), escaped=escaped)


def _options(survey: Survey) -> dict[str, Any]:
    sizes = _sizes(survey)
    holds = "two classes" if len(survey.counts) == 2 else "classes"
    loss, metrics = LOSSES[holds]
    is_uneven = holds == "classes" and max(survey.counts.values()) > UNEVEN * len(survey.shapes)
    data: dict[str, Any] = {"type": "images", "folder": survey.folder}
    data |= {"size": survey.size} if survey.is_resized else {}
    data |= {"split": {"validation": sizes.held_out, "test": sizes.held_out}} if sizes.held_out else {}
    training: dict[str, Any] = {"epochs": sizes.epochs, "batch_size": sizes.batch_size}
    training |= {"early_stopping": {"patience": sizes.patience}} if sizes.held_out else {}
    return {
        "name": name_of(str(Path(survey.folder).resolve())),
        "seed": 0,
        "data": data,
        "model": _model(survey.size, sizes.units, 1 if holds == "two classes" else len(survey.counts)),
        "loss": loss,
        "metrics": (*metrics, *(("balanced_accuracy",) if is_uneven else ())),
        "optimizer": {"type": "adam", "learning_rate": 1e-3},
        "training": training,
    }


def _model(size: tuple[int, int], units: int, outputs: int) -> tuple[Any, ...]:
    """Up to three convolutions, each followed by a pool that halves the sides; then two dense layers."""
    layers: list[Any] = []
    side = min(size)
    for filters in _FILTERS:
        if layers and side < _LEAST_SIDE:
            break
        convolution = {"type": "conv2d", "filters": filters, "kernel_size": 3, "padding": "same"}
        layers.append(convolution | {"activation": "relu"})
        if side >= _LEAST_SIDE:
            layers.append("max_pool")
        side //= 2
    dropout = {"type": "dropout", "rate": 0.25}
    hidden = {"type": "dense", "units": units, "activation": "relu"}
    return (*layers, "flatten", dropout, hidden, dropout, {"type": "dense", "units": outputs})


def _sizes(survey: Survey) -> _Sizes:
    images = len(survey.shapes)
    sizes = next(sizes for most, sizes in _BY_IMAGES if images <= most)
    return replace(sizes, held_out=0.0) if images < _LEAST_OF_CLASS * len(survey.counts) else sizes


def _comments(survey: Survey) -> Comments:
    return {
        ("data", "size"): f"height and width; the images have {_extent(survey)}",
        ("model",): "for photos, put random_flip first: it mirrors some in training",
        ("training", "epochs"): "at most" if _sizes(survey).held_out else "too few images to hold any out",
        ("training", "early_stopping"): "after so many epochs without a lower validation loss",
    }


def _head(survey: Survey) -> list[str]:
    named = [
        f"{shortened(name, _LONGEST_NAME)} ({count:,})"
        for name, count in list(survey.counts.items())[:_MOST_NAMED]
    ]
    more = ", …" if len(survey.counts) > _MOST_NAMED else ""
    colour = "grey" if survey.are_grey else "colour"
    lines = [
        f"{Path(survey.folder).resolve().name}: {counted(len(survey.shapes), 'image')} of {_extent(survey)} "
        f"in {colour}, to predict {len(survey.counts)} classes: {', '.join(named)}{more}",
        *survey.notes,
        "nnjit help NAME explains an option: nnjit help conv2d",
    ]
    return [part for line in lines for part in textwrap.wrap(printable(line), WIDTH)]


def _extent(survey: Survey) -> str:
    """The sizes of the images, from the smallest to the largest."""
    low, high = (of(survey.shapes, key=lambda s: s[0] * s[1]) for of in (min, max))
    sizes = [f"{height}×{width}" for height, width in (low, high)]
    return " to ".join(dict.fromkeys(sizes))
