"""The private parts of Numba: which are used, that they exist, and what happens if they do not."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numba import config
from numba.core import cgutils, typing
from numba.core.codegen import JITCodeLibrary

import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.codegen import Compiled, compile_graph
from nnjit.codegen.numba import cache, function_cache, privates, program_compiler, store
from nnjit.ir import B, Graph, array_type

PACKAGE = Path(privates.__file__).parents[2]
ROOM = Path(privates.__file__).parent
needs_jit = pytest.mark.skipif(
    config.DISABLE_JIT or bool(config.BOUNDSCHECK), reason="nothing is compiled, or Numba's own way"
)


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use a new, empty cache folder, with no warning given before."""
    monkeypatch.setattr(privates, "_warned", set())
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "kernels"))


@pytest.mark.parametrize("row", privates.PRIVATES, ids=lambda row: row.partition("(")[0])
def test_part_is_there_and_takes_these_arguments(row: str) -> None:
    assert privates._problem(row) == ""


def imported(path: Path) -> Iterator[str]:
    """The names that a file imports from Numba and llvmlite, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_private(name: str) -> bool:
    """Whether a name is not among those that Numba and llvmlite document for extensions."""
    words = name.split(".")
    public = {"numba": ("extending", "types", "config"), "llvmlite": ("ir", "binding")}
    return words[0] in public and len(words) > 2 and words[1] not in public[words[0]]


def test_private_parts_are_imported_in_their_room_alone() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if ROOM not in path.parents]
    assert {name for path in files for name in imported(path) if is_private(name)} == set()


def test_every_private_import_has_its_row() -> None:
    rows = "\n".join(privates.PRIVATES)
    for path in ROOM.glob("*.py"):
        for name in filter(is_private, imported(path)):
            assert re.search(rf"^{re.escape(name)}\b", rows, re.MULTILINE), f"{path.name}: {name}"


def test_part_that_is_missing_or_called_otherwise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert privates.changes() == {}
    monkeypatch.delattr(cgutils, "alloca_once")
    monkeypatch.setattr(typing, "signature", lambda: None)
    monkeypatch.setattr(JITCodeLibrary, "enable_object_caching", lambda self, folder: None)
    changes = privates.changes()
    assert list(changes) == [
        "numba.core.codegen.JITCodeLibrary.enable_object_caching",
        "numba.core.typing.signature",
        "numba.core.cgutils.alloca_once",
    ]
    assert list(changes.values()) == [
        "missing a required argument: 'folder'",
        "too many positional arguments",
        "module 'numba.core.cgutils' has no attribute 'alloca_once'",
    ]


def graph_of(shift: float) -> Graph:
    """A graph whose number makes its source unique among tests."""
    return trace(lambda x: nnp.tanh(x) * shift, [array_type("f64", (B, 3))])


def call_fresh(graph: Graph) -> tuple[Compiled, np.ndarray]:
    """Compile a graph, loading its program anew, as in another process; return it and its results."""
    cache._modules.clear()
    compiled = compile_graph(graph)
    return compiled, compiled(X)[0]


X = np.arange(6.0).reshape(2, 3)
SLOW = r"^Numba [\d.]+ differs from the versions nnjit knows, so compiling a new program takes several times"


def break_import(monkeypatch: pytest.MonkeyPatch) -> str:
    """Make an import of the direct compiler fail; a part in the table is gone."""
    monkeypatch.setitem(sys.modules, program_compiler.__name__, None)
    monkeypatch.setattr(privates, "PRIVATES", ("numba.core.cgutils.gone(builder)", *privates.PRIVATES))
    return r"\(numba\.core\.cgutils\.gone: module 'numba.core.cgutils' has no attribute 'gone'\)"


def break_call(monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a part that the direct compiler calls expect other arguments."""
    monkeypatch.setattr(program_compiler, "compile_result", lambda state: None)
    return r"\(TypeError: .*unexpected keyword argument"


def break_attribute(monkeypatch: pytest.MonkeyPatch) -> str:
    """Remove an attribute of an object."""
    monkeypatch.setattr(program_compiler, "ConfigStack", object)
    return r"\(AttributeError: 'object' object has no attribute 'enter'\)"


@needs_jit
@pytest.mark.parametrize("change", [break_import, break_call, break_attribute])
def test_numba_compiles_a_program_where_a_part_of_the_compiler_has_changed(
    change: Callable[[pytest.MonkeyPatch], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    want = [compile_graph(graph_of(x))(X)[0] for x in (301.0, 302.0)]
    monkeypatch.setenv(store.VARIABLE, str(store.cache_folder() / "another"))
    problem = change(monkeypatch)
    with pytest.warns(RuntimeWarning, match=f"{SLOW}.*{problem}"):
        _, first = call_fresh(graph_of(301.0))
    _, second = call_fresh(graph_of(302.0))  # without another warning, which would be an error
    np.testing.assert_allclose([first, second], want, rtol=1e-13)


@needs_jit
def test_a_program_is_loaded_where_a_part_of_the_loader_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(303.0)
    (want,) = compile_graph(graph)(X)
    monkeypatch.setattr(function_cache, "runtime", None)
    function_cache.name_runtime.cache_clear()
    with pytest.warns(RuntimeWarning, match="so loading a compiled program takes 0.1 s longer"):
        loaded, got = call_fresh(graph)
    assert sum(loaded._run.stats.cache_hits.values()) == 1  # type: ignore[attr-defined]  # a dispatcher
    np.testing.assert_allclose(got, want, rtol=1e-13)


def break_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an import of the function cache fail."""
    monkeypatch.setitem(sys.modules, function_cache.__name__, None)


def break_rebuilding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a part that rebuilds a function expect other arguments; it is in the table."""
    monkeypatch.setattr(function_cache.Result, "_rebuild", lambda context: None)


def break_reducing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a part that serialises a function expect other arguments."""
    monkeypatch.setattr(function_cache.Result, "_reduce", lambda result, other: None)
    for path in store.cache_folder().glob("*.run.*"):
        path.unlink()


@needs_jit
@pytest.mark.parametrize("change", [break_module, break_rebuilding, break_reducing])
def test_a_program_is_compiled_anew_where_a_part_of_the_cache_has_changed(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(304.0)
    (want,) = compile_graph(graph)(X)
    change(monkeypatch)
    with pytest.warns(RuntimeWarning, match="so each process compiles its programs anew"):
        loaded, got = call_fresh(graph)
    assert sum(loaded._run.stats.cache_hits.values()) == 0  # type: ignore[attr-defined]  # a dispatcher
    np.testing.assert_allclose(got, want, rtol=1e-13)
