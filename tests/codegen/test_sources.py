"""Files of nnjit in the key of compiled programs: those that shape machine code, and no others."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnjit
from nnjit.codegen.numba import cache
from nnjit.codegen.numba.sources import COMPILED, sources
from nnjit.codegen.source.program import FROM

PACKAGE = Path(nnjit.__file__).parent
ROOMS = tuple(f"codegen/{room}/" for room in COMPILED)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of nnjit to edit."""
    folder = tmp_path_factory.mktemp("copy") / "nnjit"
    return Path(shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__")))


def edit(package: Path, name: str) -> None:
    with open(package / name, "a", encoding="utf-8") as file:
        file.write("\n# edited\n")


@pytest.mark.parametrize(
    "name",
    [
        "primitives/philox.py",  # compiled into kernels
        "ir/types.py",
        "codegen/maths/functions.py",
        "codegen/maths/f32.py",
        "codegen/maths/machine.py",
        "codegen/library/matrix_product.py",
        "codegen/runtime/lapack.py",
        "codegen/numba/lowering.py",
        "codegen/numba/program_compiler.py",
    ],
)
def test_file_that_shapes_machine_code_is_in_the_key(package: Path, name: str) -> None:
    before = sources(package)
    edit(package, name)
    assert sources(package) != before


@pytest.mark.parametrize("name", ["report/page.py", "nn/losses/entropies.py", "passes/simplify.py", "api.py"])
def test_file_that_shapes_only_source_or_nothing_is_not(package: Path, name: str) -> None:
    before = sources(package)
    edit(package, name)
    assert sources(package) == before


def test_key_has_the_text_of_every_such_file() -> None:
    key = cache.environment_key()
    assert all(text in key for text in sources(PACKAGE).values())


def test_little_of_other_rooms_is_in_the_key() -> None:
    """Any edit of another module imported at the top of one there would recompile all programs."""
    others = [name for name in sources(PACKAGE) if not name.startswith(ROOMS)]
    assert others == ["durable.py", "errors.py", "ir/types.py", "primitives/philox.py", "version.py"]


def test_all_that_generated_source_imports_is_in_the_key() -> None:
    for module in FROM:
        place = module.removeprefix("nnjit.").replace(".", "/")
        assert {f"{place}.py", f"{place}/__init__.py"} & set(sources(PACKAGE)), module


def inner_imports(text: str) -> Iterator[tuple[str, str]]:
    """The function and the module of each import of nnjit inside a function."""
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("nnjit"):
                    yield function.name, str(node.module)


def test_imports_inside_functions_are_for_plain_twins_or_for_files_that_are_in_the_key() -> None:
    found = sources(PACKAGE)
    for name, text in found.items():
        for function, module in inner_imports(text):
            file = module.removeprefix("nnjit.").replace(".", "/") + ".py"
            assert function.endswith("_plain") or file in found, f"{name}: {function} imports {module}"
