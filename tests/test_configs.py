"""The shipped configs reach the results that they promise, trained as by a user."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nnjit
from nnjit.runs import file_names
from nnjit.training import Run

CONFIGS = Path(__file__).parents[1] / "configs"

# fmt: off
REACHES = {  # config: (split, metric, least value; for an error, largest)
    "xor":           ("train", "accuracy", 1.0),
    "digits":        ("test",  "accuracy", 0.97),
    "breast_cancer": ("test",  "accuracy", 0.95),
    "wine":          ("test",  "accuracy", 0.95),
    "diabetes":      ("test",  "r2",       0.40),
    "moons":         ("test",  "accuracy", 0.95),
    "residual":      ("test",  "accuracy", 0.95),
    "mnist":         ("test",  "accuracy", 0.95),
    "two_outputs":   ("test",  "width_r2", 0.90),
    "nielsen":       ("test",  "accuracy", 0.90),
    "lenet_mnist":   ("test",  "accuracy", 0.96),
    "embeddings":    ("test",  "accuracy", 0.84),
    "adding":        ("test",  "mse",      0.01),
    "sunspots":      ("test",  "mae",      18),
    "search":        ("test",  "accuracy", 0.94),
}
FILES = {  # config: the option for the path of its real data, and the path
    "mnist":         ("data.folder", "mnist"),
    "nielsen":       ("data.folder", "mnist"),
    "lenet_mnist":   ("data.folder", "mnist"),
    "embeddings":    ("data.file",   "adult/train.csv"),
    "sunspots":      ("data.file",   "tables/sunspots.csv"),
}
OPTIMIZERS = {  # configs/optimizers: the training loss that each of the seeds 0 to 9 reaches
    "gradient_descent":    3e-4,
    "armijo":              1e-2,
    "wolfe":               1e-2,
    "conjugate_gradient":  5e-4,
    "lbfgs":               2e-4,
    "newton_cg":           1e-7,
    "levenberg_marquardt": 1e-8,
    "adam":                1e-5,
}
# fmt: on


def fit(name: str, output: Path, request: pytest.FixtureRequest) -> Run:
    files = []
    if name in FILES:
        option, inside = FILES[name]
        files = [f"{option}={request.getfixturevalue('real_data') / inside}"]
    files += ["training.epochs=6"] if name == "lenet_mnist" else []  # of 20, to save time
    return nnjit.fit(CONFIGS / f"{name}.yaml", files, output=output, report=True)


@pytest.mark.parametrize("name", REACHES)
def test_it_reaches(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run = fit(name, tmp_path / "run", request)
    split, metric, limit = REACHES[name]
    reached = run.metrics["splits"][split][metric]
    assert reached <= limit if metric in ("mse", "mae") else reached >= limit
    assert run.history["train_loss"][-1] < run.history["train_loss"][0]
    page = (run.path / file_names.REPORT).read_text(encoding="utf-8")
    assert "<html" in page
    if name == "residual":
        assert all(word in page for word in ("stem", "inner", "outer", "block", "both", "scores"))


def test_the_cost_of_the_lecture_chain_falls_at_every_epoch(tmp_path: Path) -> None:
    run = nnjit.fit(CONFIGS / "lecture_chain.yaml", output=tmp_path / "run")
    losses = run.history["train_loss"]
    assert (np.diff(losses) < 0).all()
    assert losses[-1] < 1e-3  # a good fit: the variance of the targets is 0.036


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_lowers_the_cost_of_the_regression(name: str, tmp_path: Path) -> None:
    run = nnjit.fit(CONFIGS / "optimizers" / f"{name}.yaml", output=tmp_path / "run")
    losses = run.history["train_loss"]
    assert losses.min() < OPTIMIZERS[name]
    # Levenberg-Marquardt gets further than adam in fifty times as many epochs
    assert (losses.min() < 1e-8) == (name in ("levenberg_marquardt", "newton_cg"))


def test_most_seeds_of_xor_find_it(tmp_path: Path) -> None:
    study = nnjit.fit(
        CONFIGS / "xor_replicas.yaml", ["training.replicas=24"], output=tmp_path / "run", report=True
    )
    right = [row["splits"]["train"]["accuracy"] == 1 for row in study.metrics["runs"]]
    assert 12 <= sum(right) < 24
    page = (study.path / file_names.REPORT).read_text(encoding="utf-8")
    assert f"{sum(right)} of them classify every training example correctly" in page


def test_every_config_has_its_row() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == {*REACHES, "lecture_chain", "xor_replicas"}
    assert {path.stem for path in (CONFIGS / "optimizers").glob("*.yaml")} == set(OPTIMIZERS)
