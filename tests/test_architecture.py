"""The rooms of nnjit and who may enter which (ARCHITECTURE.md); and the form of its files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nnjit"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400  # lines of a file

# Each room imports only rooms before it; those of one line do not import each other.
ORDER = (
    ("cores", "errors", "lazy"), ("registry",), ("ir",), ("primitives",), ("numpy",), ("autodiff",),
    ("passes",), ("codegen",), ("nn", "optim"), ("data",), ("experiment", "runs"), ("training",), ("report",),
    ("config",), ("api",), ("cli",), ("train",),
)  # fmt: skip
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
FEW = {  # rooms that know less than their place would allow
    "nn": {"errors", "registry", "ir", "primitives", "numpy", "autodiff", "passes"},
    "optim": {"errors", "registry", "ir", "primitives", "numpy", "autodiff", "passes"},
    "data": {"errors", "registry"},
    "runs": {"errors"},
    "report": {"errors", "lazy", "runs"},
}
OWNERS = {  # library: the only rooms that may import it
    "numba": {"codegen"},
    "llvmlite": {"codegen"},
    "matplotlib": {"report"},
    "ruamel": {"config"},
    "typer": {"cli"},
    "polars": {"data"},
    "sklearn": {"data"},
}
MAY_NAME_VERSIONS = Path("runs/environment.py")  # it writes down the versions of what trained
MAY_ALSO = {Path("report/drawing.py"): {"ir", "primitives", "autodiff"}}  # which no page imports
SLOW = {"sklearn", "polars", "matplotlib", "scipy"}  # imported inside the function that uses them
SLOW_AT_THE_TOP = {"report"}  # which is itself imported only when a report is written


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each imported module with whether it is imported at the top of the file, for types or not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(n) for n in tree.body}
    checked = {
        id(n)
        for b in ast.walk(tree)
        if isinstance(b, ast.If) and "TYPE_CHECKING" in ast.dump(b.test)
        for n in ast.walk(b)
    }
    for node in ast.walk(tree):
        if id(node) in checked:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            whole = (
                [f"nnjit.{alias.name}" for alias in node.names]
                if node.module == "nnjit"
                else [node.module or ""]
            )
            yield from ((name, id(node) in top) for name in whole)


def shown(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


each_file = pytest.mark.parametrize("path", FILES, ids=shown)


@each_file
def test_room_imports_only_rooms_before_it(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return  # the public face: every name in it is imported when it is first used
    known = FEW.get(room, set(RANK)) | MAY_ALSO.get(path.relative_to(PACKAGE), set())
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] != "nnjit" or len(parts) == 1 or parts[1] in (room, "__version__"):
            continue
        assert parts[1] in RANK, f"{shown(path)} imports {module}, which is no room"
        assert RANK[parts[1]] < RANK[room], f"{shown(path)} imports {module}, a later room"
        assert parts[1] in known, f"{shown(path)} imports {module}, which {room} must not know"


@each_file
def test_library_is_imported_by_its_room_alone(path: Path) -> None:
    room = room_of(path)
    for module, at_the_top in imports(path):
        library = module.split(".")[0]
        names_versions = path.relative_to(PACKAGE) == MAY_NAME_VERSIONS and not at_the_top
        assert room in OWNERS.get(library, {room}) or names_versions, f"{shown(path)} imports {library}"
        assert library not in SLOW or not at_the_top or room in SLOW_AT_THE_TOP, (
            f"{shown(path)} imports {library} at once"
        )


@each_file
def test_file_is_short_finished_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    if path.name != "__main__.py":
        assert ast.get_docstring(ast.parse(text))


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} == set(RANK)
