"""Every number in a config has bounds; huge, deep or broken input ends in one message."""

# ruff: noqa: E501  a row is one case and its message

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import nnjit.config.problems as problems
from nnjit import config
from nnjit.config.expectation import Expectation
from nnjit.config.reading import parse, read_text
from nnjit.config.schema import structure
from nnjit.data.sources.inline import Inline
from nnjit.errors import ConfigError
from nnjit.registry import MOST, Options

LEAST: dict[str, Any] = {
    "data": {"type": "inline", "x": [[0.0], [1.0]], "y": [[1.0], [0.0]]},
    "model": [{"type": "dense", "units": 1}],
    "loss": "squared_error",
}
HALF = "\ud800"


def numbers(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each place in the schema that takes such numbers, with its name."""
    root = structure()

    def walk(node: object, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            if node.get("type") == kind:
                yield name, node
            for key, inner in node.items():
                yield from walk(inner, name if key in ("anyOf", "items", "properties") else f"{name}.{key}")
        elif isinstance(node, list):
            for inner in node:
                yield from walk(inner, name)

    for title, definition in root["$defs"].items():
        yield from walk(definition.get("properties", {}), title)
    yield from walk(root["properties"], "experiment")


def descendants(cls: type[Options]) -> Iterator[type[Options]]:
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


OPTIONS = [
    (options, name, field)
    for options in dict.fromkeys(descendants(Options))
    if options.__module__.startswith("nnjit.") and options.__name__ != "Altered"  # not part of a config
    for name, field in options.model_fields.items()
    if not (isinstance(field.annotation, type) and issubclass(field.annotation, Options))
    if "ForwardRef" not in repr(field.annotation)
]
EXTREMES = (
    0,
    -1,
    MOST,
    MOST + 1,
    2**31,
    2**63,
    10**30,
    -(10**30),
    10**400,
    1e300,
    5e-324,
    math.inf,
    math.nan,
)


def test_every_whole_number_has_a_largest_value() -> None:
    integers = list(numbers("integer"))
    assert len(integers) > 60
    assert [n for n, node in integers if not {"maximum", "exclusiveMaximum"} & node.keys()] == []
    assert [n for n, node in integers if not {"minimum", "exclusiveMinimum"} & node.keys()] == []


@pytest.mark.parametrize(
    ("options", "name", "field"), OPTIONS, ids=[f"{options.__name__}.{name}" for options, name, _ in OPTIONS]
)
def test_an_option_takes_an_extreme_or_refuses_it(options: type[Options], name: str, field: Any) -> None:
    adapter = TypeAdapter(field.rebuild_annotation(), config=options.model_config)
    for value in EXTREMES:
        try:
            taken = adapter.validate_python(value)
        except ValidationError:
            continue
        assert isinstance(taken, int | float)
        assert math.isfinite(taken)
        assert isinstance(taken, float) or abs(taken) < 2**63


# fmt: off
COUNTS = [  # setting, the end of the message
    ("training.epochs=1000000001",      "expected a whole number >= 1 and <= 1,000,000,000, got 1000000001"),
    ("training.epochs=0",               "expected a whole number >= 1, got 0"),
    ("training.threads=1000000",        'expected a whole number >= 1 and <= 256 or "auto", got 1000000'),
    ("training.replicas=10001",         "expected a whole number >= 2 and <= 10,000, got 10001"),
    ("training.early_stopping.patience=99999999999999999999",
        "expected a whole number >= 1 and <= 1,000,000,000, got 99999999999999999999"),
    ("data={type: function, function: sine, points: 1000000000000000000}",
        "expected a whole number >= 2 and <= 1,000,000,000, got 1000000000000000000"),
    ("model[0].units=4294967296",       "expected a whole number >= 1 and <= 1,000,000,000, got 4294967296"),
    ("seed=9223372036854775808",
        "expected a whole number >= 0 and < 9,223,372,036,854,775,808, got 9223372036854775808"),
    (f"model[0].units={'9' * 299}",
        "expected a whole number >= 1 and <= 1,000,000,000, got a number of more than 30 digits"),
]
# fmt: on


@pytest.mark.parametrize(("setting", "message"), COUNTS)
def test_a_count_beyond_its_bounds_is_told_with_them(setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(LEAST, [setting])
    assert str(caught.value).endswith(message)


def test_a_number_too_long_to_be_printed_is_refused() -> None:
    with pytest.raises(ConfigError, match="got a number of more than 30 digits"):
        config.resolve(LEAST | {"seed": 10**5000})


def test_repeats_of_repeats_are_counted_before_they_are_made() -> None:
    layers: Any = ["flatten"]
    for _ in range(3):
        layers = [{"repeat": {"times": 1000, "layers": layers}}]
    with pytest.raises(ConfigError, match=r"^model: 1,000,000,001 layers, repeats included; at most 10,000"):
        config.resolve(LEAST | {"model": [*layers, "dense"]})


FLOODS = [  # further options, the first line of the message, and how many mistakes follow
    ({f"key_{k}": k for k in range(16_000)}, 'unknown option "key_0"; valid: ', "15,980"),
    ({"model": [{"type": "dense", "unit": 3}] * 5000}, 'model[0]: unknown option "unit"; did you', "4,980"),
    ({"model": ["dens"] * 5000}, 'model[0]: unknown layer "dens"; did you mean "dense"?', "4,980"),
]


@pytest.mark.parametrize(("given", "first", "more"), FLOODS, ids=["options", "layers", "types"])
def test_thousands_of_mistakes_are_counted_and_twenty_are_told(
    given: dict[str, Any], first: str, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    class Counted(Expectation):
        def __init__(self, *arguments: Any) -> None:
            told.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(problems, "Expectation", Counted)
    with pytest.raises(ConfigError) as caught:
        config.resolve(LEAST | given)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[0].startswith(first)
    assert lines[-1] == f"and {more} more mistakes"
    assert len(told) <= 40  # each compares a name with all valid ones


# fmt: off
TEXTS = [  # further options, and the message
    ({"name": f"a{HALF}"},                                  r"name: 'a\ud800' holds half a character"),
    ({HALF: 1},                                             r"'\ud800' holds half a character"),
    ({"training": {HALF: 1}},                               r"training: '\ud800' holds half a character"),
    ({"loss": HALF},                                        r"loss: '\ud800' holds half a character"),
    ({"model": [HALF]},                                     r"model[0]: '\ud800' holds half a character"),
    ({"data": {"type": "csv", "file": HALF, "target": 0}},  r"data.file: '\ud800' holds half a character"),
]
# fmt: on


@pytest.mark.parametrize(("given", "message"), TEXTS)
def test_half_a_character_is_refused_where_it_stands(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(LEAST | given)
    assert str(caught.value) == f"{message} (a lone surrogate); remove it"


def test_both_halves_of_a_character_are_one_as_in_json() -> None:
    assert parse(r'"\ud83d\ude00"', str)[0] == "\N{GRINNING FACE}"
    assert parse(r'"\ud83d"', str)[0] == "\ud83d"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def endless() -> Any:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


@pytest.mark.parametrize("make", [lambda: nested(10_000), endless], ids=["deep", "endless"])
def test_what_is_too_deep_to_read_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError, match="nested too deeply, or inside itself"):
        config.resolve(LEAST | {"training": make()})


# fmt: off
LARGE = [  # a text, and the message
    ("a: " + "[" * 10_000,               "f.yaml:1: not a usable config: nested too deeply, or inside itself"),
    ("a: " + "{a: " * 10_000,            "f.yaml:1: not a usable config: nested too deeply, or inside itself"),
    ("a: [" + "1," * 100_001 + "1]",     "f.yaml:1: 200,008 characters and 100,001 lines and commas are too many"),
    ("a: " + "1" * 2_000_000,            "f.yaml:1: 2,000,003 characters and 0 lines and commas are too many"),
]
# fmt: on


@pytest.mark.parametrize(("text", "message"), LARGE, ids=["lists", "mappings", "values", "characters"])
def test_a_text_too_large_for_a_config_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "f.yaml")
    assert str(caught.value).startswith(message)


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "given",
    [{"loss": LONG}, {"model": [LONG]}, {LONG: 1}, {"name": LONG}, {"dtype": LONG}, {"seed": LONG}],
    ids=["loss", "layer", "option", "name", "word", "number"],
)
def test_a_long_text_is_cut_in_the_message(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(LEAST | given)
    assert len(str(caught.value)) < 1600


def test_a_long_message_keeps_its_beginning_and_its_end() -> None:
    message = str(ConfigError(f"begin {LONG} end\nshort"))
    assert len(message) < 1600
    assert message.startswith("begin xxx")
    assert message.endswith("xxx end\nshort")


def test_a_config_of_numbers_is_read(folder: Path) -> None:
    Path("a.yaml").write_text("data: {type: inline, x: [[0], [1]], y: [0, 1]}\nmodel: [dense]\nloss: hinge\n")
    assert config.load("a.yaml").training.epochs == 100


class Word(StrEnum):
    A = "a"


# fmt: off
KINDS = [  # an entry of data given from Python
    1j, object(), b"a", {1}, Decimal(1), date(2020, 1, 1), np.int64(1), np.array([1.0]),
]
# fmt: on


@pytest.mark.parametrize("value", KINDS, ids=lambda value: type(value).__name__)
def test_a_value_that_yaml_cannot_write_is_refused_where_it_stands(value: object) -> None:
    options: dict[str, Any] = {"x": ((0.0,), (value,)), "y": (1.0, 0.0)}
    for data in ({"type": "inline", **options}, Inline(**options)):
        with pytest.raises(ConfigError) as caught:
            config.resolve(LEAST | {"data": data})
        message = f"expected a number, a text, true, false or null, got a {type(value).__name__}"
        assert str(caught.value) == f"data.x[1][0]: {message}"


def test_a_subclass_of_a_number_or_a_text_is_written_as_that() -> None:
    data = {
        "type": "inline",
        "x": [[np.float64(0.5)], [1.0]],
        "y": [Word.A, np.str_("b")],
        "task": "classification",
    }
    text = config.dump(config.resolve(LEAST | {"data": data, "loss": "hinge"}))
    assert "x: [[0.5], [1.0]]" in text
    assert "y: [a, b]" in text
