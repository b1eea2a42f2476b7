"""A registry imports a module only when one of its types is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from nnjit.config.schema import registries
from nnjit.errors import ConfigError
from nnjit.registry import Options, Registry

LISTED = [registry for registry in registries() if registry._modules]


@pytest.mark.parametrize("registry", registries(), ids=lambda registry: registry.kind)
def test_each_type_is_that_of_its_class(registry: Registry[Options]) -> None:
    assert len(registry) == len(set(registry)) == len(registry.values()) > 1
    for name, cls in registry.items():
        assert cls.model_fields["type"].default == name
        assert name in registry
    assert "nothing_is_called_so" not in registry


@pytest.mark.parametrize("registry", LISTED, ids=lambda registry: registry.kind)
def test_each_type_is_listed_at_the_module_that_defines_it(registry: Registry[Options]) -> None:
    assert registry._modules == {name: registry[name].__module__ for name in registry._modules}


@pytest.mark.parametrize("registry", LISTED, ids=lambda registry: registry.kind)
def test_each_file_of_entries_is_listed(registry: Registry[Options]) -> None:
    modules = set(registry._modules.values())
    folder = Path(sys.modules[next(iter(modules)).rpartition(".")[0]].__file__ or "").parent
    files = [file for file in folder.glob("*.py") if ".register\n" in file.read_text(encoding="utf-8")]
    assert {module.rpartition(".")[2] for module in modules} == {file.stem for file in files}


def test_one_entry_imports_no_other() -> None:
    program = (
        "import sys; from nnjit.nn import layers; assert layers['dense'](units=1).units == 1\n"
        "print(sorted(m for m in sys.modules if m in set(layers._modules.values())))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "nnjit.nn.layers.dense" in done.stdout
    assert "lstm" not in done.stdout


class Shape(Options):
    type: Literal["shape"] = "shape"
    sides: int


class Round(Options):
    type: Literal["round"] = "round"


shapes: Registry[Shape] = Registry("shape")
shapes.register(Shape)
more_shapes: Registry[Options] = Registry("shape", shapes)
more_shapes.register(Round)


class Drawing(Options):
    first: more_shapes.field()  # type: ignore[valid-type]
    others: tuple[more_shapes.field(), ...] = ()  # type: ignore[valid-type]


def test_a_field_takes_an_entry_its_options_or_its_name() -> None:
    square = Shape(sides=4)
    drawing = Drawing.model_validate({"first": "round", "others": (square, {"type": "shape", "sides": 3})})
    assert drawing == Drawing(first=Round(), others=(square, Shape(sides=3)))
    assert drawing.model_dump() == {
        "first": {"type": "round"},
        "others": ({"type": "shape", "sides": 4}, {"type": "shape", "sides": 3}),
    }


# fmt: off
WRONG = [  # value of `others`, path of the mistake, its kind
    (({"type": "shape"},),                         (0, "sides"), "missing"),
    (({"type": "shape", "sides": "4"},),           (0, "sides"), "int_type"),
    ((Round(), {"type": "shape", "size": 4}),      (1, "sides"), "missing"),
    ((Round(), {"type": "round", "size": 4}),      (1, "size"),  "extra_forbidden"),
    (("shap",),                                    (0,),         "value_error"),
    (({"sides": 4},),                              (0,),         "union_tag_not_found"),
    (({"type": 4},),                               (0,),         "union_tag_invalid"),
    ((4,),                                         (0,),         "model_type"),
]
# fmt: on


@pytest.mark.parametrize(("others", "place", "kind"), WRONG)
def test_a_mistake_in_an_entry_has_its_place(others: object, place: tuple[object, ...], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate({"first": "round", "others": others})
    found = caught.value.errors()[0]
    assert (found["loc"], found["type"]) == (("others", *place), kind)


def test_an_unknown_entry_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match='unknown shape "shap"; did you mean "shape"'):
        more_shapes["shap"]
