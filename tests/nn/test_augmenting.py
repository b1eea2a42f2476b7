"""Layers that change images in training: each image by its own draw, compiled as interpreted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit.autodiff import check_grads
from nnjit.nn import Context
from nnjit.runs import file_names
from tests.nn.test_layers import build, draw
from tests.training.test_equality import close, interpret_trainings

IMAGES = np.arange(1.0, 61.0).reshape(3, 4, 5)
U = np.array([[0.1, 0.9, 0.2], [0.5, 0.4, 0.6], [0.99, 0.0, 0.9]])

Draws = np.ndarray


def flipped(x: np.ndarray, u: Draws) -> np.ndarray:
    x = x[::-1] if u[0] < 0.5 else x
    return x[:, ::-1] if u[1] < 0.5 else x


def window(x: np.ndarray, top: int, left: int, size: tuple[int, int]) -> np.ndarray:
    """A window of an image surrounded by -1."""
    around = np.pad(x, 9, constant_values=-1)
    return around[9 + top : 9 + top + size[0], 9 + left : 9 + left + size[1]]


def shifted(x: np.ndarray, u: Draws) -> np.ndarray:
    return window(x, int(u[0] * 5) - 2, int(u[1] * 3) - 1, x.shape)


def shifted_by_half(x: np.ndarray, u: Draws) -> np.ndarray:
    return window(x, int(u[0] * 5) - 2, int(u[1] * 5) - 2, x.shape)  # the half of 5, even when rounded


def cropped(x: np.ndarray, u: Draws) -> np.ndarray:
    return window(x, int(u[0] * 5) - 1, int(u[1] * 4) - 1, (2, 4))


def cut(x: np.ndarray, u: Draws) -> np.ndarray:
    if u[2] >= 0.7:
        return x
    top, left, out = int(u[0] * 4) - 1, int(u[1] * 5) - 1, x.copy()
    out[max(top, 0) : max(top + 2, 0), max(left, 0) : max(left + 3, 0)] = -1
    return out


# fmt: off
CHANGES = [  # options, and the same for one image and its draws
    ({"type": "random_flip", "direction": "both"},                               flipped),
    ({"type": "random_flip", "direction": "horizontal", "rate": 1.0},            lambda x, u: x[:, ::-1]),
    ({"type": "random_flip", "direction": "vertical", "rate": 1.0},              lambda x, u: x[::-1]),
    ({"type": "random_shift", "pixels": (2, 1), "fill": -1.0},                   shifted),
    ({"type": "random_shift", "fraction": 0.5, "fill": -1.0},                    shifted_by_half),
    ({"type": "random_crop", "size": (2, 4), "padding": 1, "fill": -1.0},        cropped),
    ({"type": "cutout", "size": (2, 3), "rate": 0.7, "fill": -1.0},              cut),
]
# fmt: on
change = pytest.mark.parametrize(("options", "of"), CHANGES, ids=[str(c[0]) for c in CHANGES])


def uniform(shape: tuple[int, ...]) -> np.ndarray:
    return U[:, : shape[-1]].reshape(shape)


@change
@pytest.mark.parametrize("channels", [None, 2])
def test_each_image_is_changed_by_its_own_draw(
    options: dict[str, Any], of: Any, channels: int | None
) -> None:
    x = IMAGES if channels is None else np.stack([IMAGES, 100 + IMAGES], axis=-1)
    found = build(options)({}, x, context=Context(True, uniform))
    for k in range(len(IMAGES)):
        for c in range(channels or 1):
            one = x[k] if channels is None else x[k, ..., c]
            np.testing.assert_array_equal(found[k] if channels is None else found[k, ..., c], of(one, U[k]))


@change
def test_slopes_go_back_to_where_pixels_came_from(options: dict[str, Any], of: Any) -> None:
    layer = build(options)
    check_grads(lambda x: layer({}, x, context=Context(True, uniform)), draw([IMAGES.shape]))


def config_of(*layers: dict[str, Any]) -> dict[str, Any]:
    return {
        "dtype": "float64",
        "data": {"type": "sklearn", "dataset": "digits", "split": {"validation": 0.8}, "scale": "unit"},
        "model": [
            {"type": "reshape", "shape": [8, 8, 1]},
            {"type": "conv2d", "filters": 2, "kernel_size": 3, "activation": "tanh"},
            *layers,
            "flatten",
            {"type": "dense", "units": 10},
        ],
        "loss": "softmax_cross_entropy",
        "optimizer": {"type": "momentum", "learning_rate": 0.05},
        "training": {"epochs": 2, "batch_size": 50},
    }


ALL = config_of(
    {"type": "random_flip", "direction": "both"},
    {"type": "random_shift", "pixels": [1, 2]},
    {"type": "random_crop", "size": 5, "padding": 1},
    {"type": "cutout", "size": 2, "rate": 0.8},
)


@pytest.mark.kernels
def test_a_compiled_training_is_the_interpreted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = nnjit.fit(ALL, output=tmp_path / "compiled")
    interpret_trainings(monkeypatch)
    interpreted = nnjit.fit(ALL, output=tmp_path / "interpreted")
    for column in compiled.history.keys() - {"train_seconds"}:
        close(compiled.history[column], interpreted.history[column], column)
    ours, theirs = load_file(compiled.path / file_names.LAST), load_file(interpreted.path / file_names.LAST)
    for name, array in ours.items():
        close(array, theirs[name], name)
