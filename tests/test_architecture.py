"""Check the imports between nnjit's rooms (ARCHITECTURE.md), and the form of its files."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nnjit"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400  # lines of a file
BINARY = ("os.open", "Image.open", "archive.open")  # not text files

# Each room imports only rooms before it; rooms on one line do not import each other.
ORDER = (
    ("durable", "errors", "lazy", "cores", "version"), ("cluster", "memory", "progress", "registry"), ("ir",),
    ("primitives",), ("numpy",), ("scipy",), ("autodiff",), ("passes",), ("codegen",),
    ("nn", "optim", "ranks"),
    ("data",), ("experiment", "runs"), ("report",), ("training",), ("export",), ("tracking",), ("config",),
    ("api",), ("searching", "sklearn"), ("cli",), ("train",),
)  # fmt: skip
# The same for the folders and files of a room; rooms that are not listed have no order.
INSIDE = {
    "codegen": (
        ("clearing", "memory"), ("rewrite",), ("plan",), ("numba",), ("library",), ("maths",), ("runtime",),
        ("source.layouts",), ("code",), ("source",), ("call", "code_files", "lowering"), ("writing",),
        ("program",), ("static_arguments",), ("function",),
    ),
    "nn": (
        ("array",), ("formula", "functional", "initializers", "targets"), ("activations", "links"),
        ("losses", "metrics", "layers.shared"), ("layers",), ("model",), ("notation",),
    ),
    "training": (
        ("graphs",), ("structure",), ("setup",), ("results",),
        ("contents", "description", "evaluation", "gradient_check", "inputs"), ("run",), ("loop",),
        ("continuing", "study"), ("columns",), ("predicting",),
    ),
    "report": (
        ("files", "formatting", "side_by_side"), ("decisions",), ("pictures",), ("drawing",), ("pages",),
        ("search", "study"), ("comparison",), ("page",), ("evaluation",), ("__main__",),
    ),
}  # fmt: skip
FEW = {  # rooms that import less than their place allows
    "nn": {"errors", "registry", "ir", "primitives", "numpy", "autodiff", "passes"},
    "optim": {"errors", "registry", "ir", "primitives", "numpy", "autodiff", "passes"},
    "data": {"errors", "memory", "registry"},
    "runs": {"cores", "durable", "errors", "version"},
    "report": {"cores", "durable", "errors", "lazy", "progress", "runs"},
}
MORE = {"report/drawing.py": {"ir", "primitives", "autodiff"}}  # files that import more than their room may
OWNERS = {  # library: the only rooms that may import it
    "numba": {"codegen"},
    "llvmlite": {"codegen"},
    "matplotlib": {"report"},
    "ruamel": {"config"},
    "typer": {"cli"},
    "polars": {"data"},
    "fastexcel": {"data"},
    "sklearn": {"data", "sklearn"},
    "PIL": {"data"},
    "onnx": {"export"},
    "optuna": {"searching"},
    "distributed": {"cluster"},
    "mpi4py": {"ranks"},
}
MAY_NAME_VERSIONS = Path("runs/environment.py")  # it records library versions
SLOW = {
    "onnx",
    "sklearn",
    "PIL",
    "polars",
    "fastexcel",
    "matplotlib",
    "mpi4py",
    "scipy",
}  # imported inside the function that uses them
SLOW_AT_THE_TOP = {"report", "sklearn"}  # which are themselves imported only on demand


MOST_FILES = 15  # in a folder, except folders of similar entries:
ALIKE = {"nn/layers", "report/pictures", "runs", "data/sources", "cli", "primitives"}


def ranks(order: Iterable[Iterable[str]]) -> dict[str, int]:
    """The line number of each name."""
    return {name: rank for rank, names in enumerate(order) for name in names}


RANK = ranks(ORDER)


def module_of(path: Path) -> str:
    """`nnjit/nn/layers/dense.py` as `nn.layers.dense`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {f"nnjit.{module_of(path)}" for path in FILES}


def room_of(path: Path) -> str:
    return module_of(path).split(".")[0]


def part_of(module: str) -> tuple[str, int] | None:
    """The part of a room that a module is in, and its line; None if the room has no order."""
    room, _, rest = module.partition(".")
    known = ranks(INSIDE.get(room, ()))
    parts = [part for part in known if rest == part or rest.startswith(f"{part}.")]
    return (part := max(parts, key=len), known[part]) if parts else None


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each imported module, and whether the import is at the top of the file; not imports for types."""
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
            assert node.module
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = names & MODULES or ({node.module} if node.module != "nnjit" else names)
            yield from ((name, id(node) in top) for name in sorted(modules))


def shown(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


each_file = pytest.mark.parametrize("path", FILES, ids=shown)


@each_file
def test_room_imports_only_rooms_before_it(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return  # the public face: every name in it is imported when it is first used
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] != "nnjit" or len(parts) == 1 or parts[1] == room:
            continue
        assert parts[1] in RANK, f"{shown(path)} imports {module}, which is not a room"
        assert RANK[parts[1]] < RANK[room], f"{shown(path)} imports {module}, a later room"
        allowed = FEW.get(room, set(RANK)) | MORE.get(shown(path), set())
        assert parts[1] in allowed, f"{shown(path)} imports {module}, which {room} must not know"


@each_file
def test_part_of_a_room_imports_only_parts_before_it(path: Path) -> None:
    own = part_of(module_of(path))
    if own is None or path.name == "__init__.py":
        return
    for module, _ in imports(path):
        other = part_of(module.removeprefix("nnjit."))
        if other is None or room_of(path) != module.split(".")[1] or other[0] == own[0]:
            continue
        assert other[1] < own[1], f"{shown(path)} imports {module}, a later part of its room"


@pytest.mark.parametrize("room", INSIDE)
def test_every_part_of_a_room_has_its_place_in_the_order(room: str) -> None:
    modules = [module_of(path) for path in FILES if room_of(path) == room]
    assert [m for m in modules if m != room and part_of(m) is None] == []


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {f"nnjit.{module_of(path)}": path for path in FILES if path.name != "__init__.py"}
    reads = {name: {m for m, _ in imports(path)} & files.keys() for name, path in files.items()}
    while free := [name for name, others in reads.items() if not others]:
        for name in free:
            del reads[name]
        for others in reads.values():
            others.difference_update(free)
    assert not reads, "these files import each other, or files that do"


def test_no_folder_holds_too_many_files() -> None:
    counts = Counter(shown(path.parent) for path in FILES if path.name != "__init__.py")
    assert [f for f, count in counts.items() if count > MOST_FILES and f not in ALIKE] == []


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


def test_text_names_its_encoding() -> None:
    """Without one, the locale would decide."""
    scripts = (PACKAGE.parent / "scripts").rglob("*.py")
    calls = {(path.name, ast.unparse(call)) for path in (*FILES, *scripts) for call in text_calls(path)}
    assert {call for call in calls if "encoding=" not in call[1]} == set()


def text_calls(path: Path) -> Iterator[ast.Call]:
    """Calls that open a file, or the pipes of a process, as text."""
    text = path.read_text(encoding="utf-8")
    if not re.search(r"(read_text|write_text|open)\(|text=", text):
        return
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name, words = ast.unparse(node.func), {word.arg for word in node.keywords}
        if name.endswith((".read_text", ".write_text")):
            yield node
        elif name.split(".")[-1] in ("open", "fdopen") and name not in BINARY:
            modes = [ast.unparse(argument) for argument in node.args]
            if not {"'rb'", "'wb'", "'ab'"} & set(modes):
                yield node
        elif name.startswith("subprocess.") and "text" in words:
            yield node


def test_every_room_has_its_place_in_the_order() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} == set(RANK)
