"""`nnjit init` for a folder of images: a convolutional network that trains unchanged."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nnjit
from nnjit import config
from nnjit.config.reading import read_text
from tests.cli.command import run
from tests.cli.test_init import proposed, refused

MNIST_IMAGES, MNIST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
FEW = 2500  # of MNIST's 10,000 images, enough for 0.95


def images(folder: Path, counts: dict[str, int], *shapes: tuple[int, ...]) -> str:
    """Write a folder of random images, with these shapes in turn."""
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for k in range(count):
            pixels = rng.integers(0, 255, shapes[k % len(shapes)], np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{k:03}.png")
    return str(folder)


def test_the_config_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    images(tmp_path / "pets", {"cat": 30, "dog": 12}, (20, 30, 3), (200, 100, 3), (200, 100, 3))
    assert (
        proposed(capsys, "pets")
        == """\
# pets: 42 images of 20×30 to 200×100 in colour, to predict 2 classes: cat (30), dog (12)
# nnjit help NAME explains an option: nnjit help conv2d
name: pets
seed: 0
data:
  type: images
  folder: pets
  size: [64, 32]                  # height and width; the images have 20×30 to 200×100
  split: {validation: 0.15, test: 0.15}
model:                            # for photos, put random_flip first: it mirrors some in training
  - {type: conv2d, filters: 8, kernel_size: 3, padding: same, activation: relu}
  - max_pool
  - {type: conv2d, filters: 16, kernel_size: 3, padding: same, activation: relu}
  - max_pool
  - {type: conv2d, filters: 32, kernel_size: 3, padding: same, activation: relu}
  - max_pool
  - flatten
  - {type: dropout, rate: 0.25}
  - {type: dense, units: 32, activation: relu}
  - {type: dropout, rate: 0.25}
  - {type: dense, units: 1}
loss: binary_cross_entropy
metrics: [accuracy, roc_auc]
optimizer: {type: adam, learning_rate: 0.001}
training:
  epochs: 100                     # at most
  batch_size: 16
  early_stopping: {patience: 15}  # after so many epochs without a lower validation loss
"""
    )


@pytest.mark.parametrize(
    ("counts", "shape"),
    [
        ({"a": 1, "b": 1}, (1, 1)),
        ({"a: 1": 40, "# b": 3, "null": 3}, (9, 4)),
        ({str(k): 1 for k in range(40)}, (12, 12, 3)),
    ],
    ids=["least", "names", "classes"],
)
def test_the_config_trains_as_it_stands(
    counts: dict[str, int], shape: tuple[int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = proposed(capsys, images(tmp_path / "in", counts, shape))
    document = read_text(text, "init").data
    config.resolve(document)
    trained = nnjit.fit(document, ["training.epochs=1"], output=tmp_path / "run")
    assert trained.classes == tuple(sorted(counts))
    assert ("balanced_accuracy" in text) == ("null" in counts)


REFUSED = [
    # folders with a number of images, further words, what the message says
    ({}, (), "no sub-folders; expected one per class"),
    ({"a": 2}, (), "expected sub-folders of at least two classes, got a alone"),
    ({"a": 2, "b": 0}, (), "b: the folder of this class has no images"),
    ({"a": 2, "b": 2}, ("--target", "a"), "--target is for a table, and"),
    ({"a": 2, "b": 2}, ("--set", "data.header=false"), "--set is for a table, and"),
]


@pytest.mark.parametrize(("counts", "words", "message"), REFUSED)
def test_a_folder_that_cannot_be_learned_from_is_one_message(
    counts: dict[str, int],
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = refused(capsys, images(tmp_path, counts, (3, 4)), *words)
    assert message in said
    assert said.count("\n") == 0


def test_mnist_as_folders_is_learned_without_an_edit(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (real_data / "mnist" / MNIST_IMAGES).is_file():
        pytest.skip(f"no {MNIST_IMAGES} in {real_data / 'mnist'}")
    raw = [
        gzip.decompress((real_data / "mnist" / name).read_bytes()) for name in (MNIST_IMAGES, MNIST_LABELS)
    ]
    pixels = np.frombuffer(raw[0], np.uint8, offset=16).reshape(-1, 28, 28)[:FEW]
    for k, (image, label) in enumerate(zip(pixels, raw[1][8:], strict=False)):
        (tmp_path / "mnist" / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "mnist" / str(label) / f"{k:04}.png", compress_level=0)
    made = tmp_path / "mnist.yaml"
    assert run("init", str(tmp_path / "mnist"), "--output", str(made)) == 0
    trained = nnjit.fit(made, output=tmp_path / "run")
    assert trained.metrics["splits"]["test"]["accuracy"] >= 0.95
