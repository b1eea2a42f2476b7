"""Every entry that a name selects is in the schema with its help, and a misspelt name suggests it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nnjit import config
from nnjit.errors import ConfigError
from nnjit.nn import initializers, layers, losses, metrics
from nnjit.optim import averagings, optimizers, schedules

LEAST = {"data": {"type": "sklearn", "dataset": "digits"}, "model": [{"type": "dense"}], "loss": "hinge"}
CATALOGUE: dict[str, Mapping[str, type]] = {
    "averaging": averagings,
    "initializer": initializers,
    "layer": layers,
    "loss": losses,
    "metric": metrics,
    "optimizer": optimizers,
    "schedule": schedules,
}
ENTRIES = [(kind, name) for kind, entries in CATALOGUE.items() for name in entries]


def place(kind: str, value: Any) -> dict[str, Any]:
    """Options with `value` as an entry of this kind."""
    places: dict[str, dict[str, Any]] = {
        "initializer": {"model": [{"type": "dense", "weight_initializer": value}]},
        "layer": {"model": [value]},
        "metric": {"metrics": [value]},
    }
    return places.get(kind, {kind: value})


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return config.schema()


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_it_is_in_the_schema_with_its_help(kind: str, name: str, schema: dict[str, Any]) -> None:
    cls = CATALOGUE[kind][name]
    (found,) = (
        definition
        for definition in schema["$defs"].values()
        if definition["properties"].get("type", {}).get("const") == name
        and definition.get("description", "").split() == (cls.__doc__ or "").split()
    )
    assert found["description"]
    assert {key for key, option in found["properties"].items() if not option.get("description")} <= {"type"}
    assert "type" in found["required"]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_a_slip_of_the_pen_finds_it(kind: str, name: str) -> None:
    message = f'unknown {kind} "{name}{name[-1]}"; did you mean "{name}"?'
    with pytest.raises(ConfigError, match=re.escape(message)):
        CATALOGUE[kind][name + name[-1]]


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_slip_of_the_pen_in_a_config_is_told_with_its_place(kind: str) -> None:
    name = list(CATALOGUE[kind])[-1]
    with pytest.raises(ConfigError, match=rf'^\w.*: unknown {kind} ".*"; did you mean "{name}"'):
        config.resolve(LEAST | place(kind, name + name[-1]))


ELSEWHERE = [  # its name in other libraries, and here
    ("optimizer", "SGD", "gradient_descent"),
    ("loss", "MSELoss", "mean_squared_error"),
    ("loss", "CrossEntropyLoss", "softmax_cross_entropy"),
    ("layer", "Linear", "dense"),
    ("layer", "MaxPooling2D", "max_pool"),
    ("layer", "relu", "activation"),
    ("metric", "auc", "roc_auc"),
    ("schedule", "CosineAnnealingLR", "cosine"),
    ("averaging", "polyak", "ema"),
]


@pytest.mark.parametrize(("kind", "name", "here"), ELSEWHERE)
def test_the_name_that_it_has_elsewhere_finds_it(kind: str, name: str, here: str) -> None:
    with pytest.raises(ConfigError, match=f'unknown {kind} "{name}"; it is called "{here}" here'):
        config.resolve(LEAST | place(kind, name))


@pytest.mark.parametrize(("kind", "name"), [("layer", "Conv1D"), ("optimizer", "AdamW"), ("layer", "LSTM")])
def test_a_name_with_capitals_finds_it(kind: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f'unknown {kind} "{name}"; did you mean "{name.lower()}"?'):
        config.resolve(LEAST | place(kind, name))


def test_no_two_entries_are_called_alike() -> None:
    for entries in CATALOGUE.values():
        names = [n for key, e in entries.items() for n in {key, *e.__dict__.get("also_called", ())}]
        assert len(set(names)) == len(names)


def test_a_repeat_is_in_the_schema_with_its_help(schema: dict[str, Any]) -> None:
    found = schema["$defs"]["Repeat"]
    assert found["required"] == ["type", "times", "layers"]
    assert {key for key, option in found["properties"].items() if not option.get("description")} == {"type"}
    kinds = {
        layer.get("$ref", "").rpartition("/")[2] for layer in found["properties"]["layers"]["items"]["anyOf"]
    }
    assert {"Repeat", "RepeatInShort", "Dense", "BatchNorm"} <= kinds


def test_a_repeat_in_short_is_the_same(schema: dict[str, Any]) -> None:
    dense: dict[str, Any] = {"type": "dense", "units": 3}
    inner: dict[str, Any] = {"times": 2, "layers": [dense, "flatten"]}
    short = LEAST | {
        "model": [{"repeat": {"times": 3, "layers": [{"repeat": inner, "from": "input"}]}}, dense]
    }
    written_out = {"type": "repeat", "times": 3, "layers": [{"type": "repeat", **inner, "from": "input"}]}
    assert config.resolve(short) == config.resolve(LEAST | {"model": [written_out, dense]})
    validator = Draft202012Validator(schema)
    assert validator.is_valid(short)
    assert not validator.is_valid(LEAST | {"model": [{"repeat": {"times": 3}}]})
    assert not validator.is_valid(LEAST | {"model": [{"repeat": inner | {"time": 1}}]})


def test_a_repeat_survives_writing(tmp_path: Path) -> None:
    inner = {"type": "repeat", "times": 2, "layers": [{"type": "dense", "units": 3}, "flatten"]}
    outer = {
        "type": "repeat",
        "times": 3,
        "from": "input",
        "layers": [inner, {"type": "flatten", "name": "x"}],
    }
    given: dict[str, Any] = LEAST | {"model": [outer, {"type": "dense"}]}
    experiment = config.resolve(given, ["model[0].layers[0].times=4"])
    assert experiment.model.layers[0].layers[0].times == 4
    (tmp_path / "a.yaml").write_text(config.dump(experiment))
    assert config.load(tmp_path / "a.yaml") == experiment


def test_a_table_of_factors_survives_writing(tmp_path: Path) -> None:
    text = "{type: piecewise, warmup: 2, factors: [[30, 0.1], [60, 0.01]]}"
    experiment = config.resolve(LEAST, [f"schedule={text}"])
    (tmp_path / "a.yaml").write_text(config.dump(experiment))
    assert config.load(tmp_path / "a.yaml") == experiment
    (tmp_path / "b.yaml").write_text(config.dump(experiment).replace("warmup: 2", "warmup: 200"))
    with pytest.raises(ConfigError, match=r"b\.yaml:\d+: schedule: the peak would end with epoch 30, b"):
        config.load(tmp_path / "b.yaml")
