"""Settings override the file, reach into lists, and expand shorthands on their path."""

from __future__ import annotations

import pytest

from nnjit.config.overrides import override
from nnjit.config.reading import read_text

TEXT = """\
model:
  - dense
  - {type: dense, units: 3}
optimizer: adam
metrics: [mae]
"""

# fmt: off
SETTINGS = [
    ("seed=3",                        ("seed",),                        3),
    ("seed = 3",                      ("seed",),                        3),
    ("name=no",                       ("name",),                        "no"),
    ("name=a=b",                      ("name",),                        "a=b"),
    ("optimizer.learning_rate=1e-2",  ("optimizer", "learning_rate"),   0.01),
    ("optimizer.beta1=1e-2",          ("optimizer",),                   {"type": "adam", "beta1": 0.01}),
    ("optimizer=momentum",            ("optimizer",),                   "momentum"),
    ("optimizer={type: momentum}",    ("optimizer",),                   {"type": "momentum"}),
    ("schedule.warmup=2",             ("schedule",),                    {"type": "constant", "warmup": 2}),
    ("training.epochs=5",             ("training",),                    {"epochs": 5}),
    ("training.early_stopping.patience=5", ("training", "early_stopping"),
        {"patience": 5}),
    ("model[1].units=10",             ("model", "layers", 1),           {"type": "dense", "units": 10}),
    ("model.layers[1].units=10",      ("model", "layers", 1),           {"type": "dense", "units": 10}),
    ("model[0].units=10",             ("model", "layers", 0),           {"type": "dense", "units": 10}),
    ("model[1]=flatten",              ("model", "layers"),              ("dense", "flatten")),
    ("model[1].from=[input, dense_1]", ("model", "layers", 1, "from"),  ("input", "dense_1")),
    ("model.initial_weights=w.st",    ("model", "initial_weights"),     "w.st"),
    ("model=[flatten]",               ("model",),                       ("flatten",)),
    ("metrics[0]=mse",                ("metrics",),                     ("mse",)),
    ("metrics=[]",                    ("metrics",),                     ()),
    ("training.early_stopping=null",  ("training",),                    {"early_stopping": None}),
]
# fmt: on


@pytest.mark.parametrize(("setting", "path", "value"), SETTINGS)
def test_a_setting_puts_its_value_in_place(setting: str, path: tuple[str | int, ...], value: object) -> None:
    document = override(read_text(TEXT, "a.yaml"), [setting])
    assert document.value(path) == value
    assert document.location(path).startswith(("--set", "a.yaml"))


def test_everything_else_stays_and_keeps_its_place() -> None:
    before = read_text(TEXT, "a.yaml")
    after = override(before, ["model[1].units=10"])
    assert after.data == {**before.data, "model": {"layers": ("dense", {"type": "dense", "units": 10})}}
    assert after.location(("model", 1, "units")) == "--set model[1].units=10"
    assert after.location(("model", 1, "type")) == "a.yaml:3"
    assert after.location(("model", 0)) == "a.yaml:2"


def test_the_last_of_two_settings_counts() -> None:
    document = override(read_text(TEXT, "a.yaml"), ["seed=1", "seed=2"])
    assert (document.data["seed"], document.location(("seed",))) == (2, "--set seed=2")


def test_what_a_setting_replaces_loses_its_places() -> None:
    document = override(read_text(TEXT, "a.yaml"), ["model=[dense, {type: dense, units: x}]"])
    assert document.location(("model", 1, "units")) == "--set model=[dense, {type: dense, units: x}]"
