"""Each shipped config loads, fits the JSON Schema, and reads back equal after being written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nnjit import config
from nnjit.config.document import Data
from nnjit.config.reading import read_file, read_text

FOLDER = Path(__file__).parents[2] / "configs"
SHIPPED = sorted(FOLDER.rglob("*.yaml"), key=lambda path: path.stem)
NAMES = [path.stem for path in SHIPPED]


def plain(data: Data) -> Any:
    """The data as JSON would represent it."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    return [plain(value) for value in data] if isinstance(data, tuple) else data


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(config.schema())
    return Draft202012Validator(config.schema())


def test_all_of_them_are_there() -> None:
    assert [path.stem for path in SHIPPED if path.parent == FOLDER] == [
        "adding", "breast_cancer", "diabetes", "digits", "embeddings", "lecture_chain", "lenet_mnist",
        "mnist", "moons", "nielsen", "residual", "search", "sunspots", "two_outputs", "wine", "xor",
        "xor_replicas",
    ]  # fmt: skip
    assert [path.stem for path in SHIPPED if path.parent.name == "optimizers"] == [
        "adam", "armijo", "conjugate_gradient", "gradient_descent", "lbfgs", "levenberg_marquardt",
        "newton_cg", "wolfe",
    ]  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_it_begins_with_what_it_is_and_has_its_own_name(path: Path) -> None:
    assert path.read_text().startswith("# ")
    assert config.load(path).name == path.stem


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_its_resolved_form_reads_back_as_the_same_experiment(path: Path, tmp_path: Path) -> None:
    experiment = config.load(path)
    text = config.dump(experiment)
    (tmp_path / "config.yaml").write_text(text)
    again = config.load(tmp_path / "config.yaml")
    assert again == experiment
    assert config.dump(again) == text
    assert config.resolve(experiment) == experiment


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_it_fits_the_schema_as_written_and_as_resolved(path: Path, validator: Draft202012Validator) -> None:
    validator.validate(plain(read_file(path).data))
    validator.validate(plain(read_text(config.dump(config.load(path)), "").data))


# fmt: off
NOT_IN_SCHEMA = [
    ("modle",               [],                                 "an unknown option"),
    ("seed",                "0",                                "a wrong type"),
    ("seed",                -1,                                 "out of range"),
    ("loss",                "huberr",                           "an unknown name"),
    ("model",               [],                                 "no layers"),
    ("model",               [{"units": 3}],                     "a layer without type"),
    ("model",               ["dropout"],                        "a name alone that needs an option"),
    ("model",               [{"type": "dense", "unit": 3}],     "an unknown option of a layer"),
    ("name",                "a/b",                              "no folder name"),
]
# fmt: on


@pytest.mark.parametrize(("key", "value", "what"), NOT_IN_SCHEMA)
def test_the_schema_rejects(key: str, value: object, what: str, validator: Draft202012Validator) -> None:
    good = plain(read_file(FOLDER / "digits.yaml").data)
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, key: value}), what


@pytest.mark.parametrize("key", ["data", "model", "loss"])
def test_the_schema_asks_for_what_has_no_default(key: str, validator: Draft202012Validator) -> None:
    good = plain(read_file(FOLDER / "digits.yaml").data)
    del good[key]
    assert not validator.is_valid(good)
    assert sorted(config.schema()["required"]) == ["data", "model"]  # and loss, without losses


def test_the_schema_asks_for_either_loss_or_losses(validator: Draft202012Validator) -> None:
    good = plain(read_file(FOLDER / "two_outputs.yaml").data)
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "loss": "huber"})
    assert not validator.is_valid({**good, "losses": None})


def test_every_option_in_the_schema_is_described() -> None:
    definitions = config.schema()["$defs"]
    silent = [
        f"{name}.{option}"
        for name, definition in definitions.items()
        for option, schema in definition["properties"].items()
        if "description" not in schema and option != "type"
    ]
    assert silent == []


ODD_TEXTS = ["no", "1e3", "1", "", " ", "~", "null", "a: b", "[x]", "{", "#x", "x #y", "'", '"', "é\n\t", "=", "<<", "-", "2024-01-31", "0o7", "*a", "&a", "!a", "%", "@", "\x85", "😀", "a" * 300, ("b " * 200).strip()]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_any_text_survives_writing(text: str, tmp_path: Path) -> None:
    experiment = config.load(FOLDER / "xor.yaml")
    model = experiment.model.model_copy(update={"initial_weights": text})
    odd = experiment.model_copy(update={"model": model})
    (tmp_path / "a.yaml").write_text(config.dump(odd), encoding="utf-8")
    assert config.load(tmp_path / "a.yaml") == odd


@pytest.mark.parametrize("number", [1e-300, 1e300, 0.1 + 0.2, 5e-324, 1.0, 123456789.0, 1e16, 1e22])
def test_any_number_survives_writing(number: float, tmp_path: Path) -> None:
    experiment = config.load(FOLDER / "xor.yaml")
    odd = config.resolve(experiment, [f"clip.norm={number!r}"])
    assert odd.clip.norm == number
    (tmp_path / "a.yaml").write_text(config.dump(odd), encoding="utf-8")
    assert config.load(tmp_path / "a.yaml") == odd


def test_a_config_file_needs_only_data_model_and_loss() -> None:
    experiment = config.load(FOLDER / "xor.yaml")
    least = config.resolve({"data": experiment.data, "model": experiment.model, "loss": experiment.loss})
    assert (least.name, least.seed, least.dtype, least.metrics) == ("experiment", 0, "float32", None)
    assert (least.training.epochs, least.training.batch_size, least.training.threads) == (100, 32, "auto")
    assert dataclasses.is_dataclass(config.read(experiment))
