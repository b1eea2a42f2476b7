"""The cache of generated source and machine code: names, folders, other processes."""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from numba import config
from numba.core import event

import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.codegen import Compiled, compile_graph
from nnjit.codegen.numba import cache, store
from nnjit.errors import UserError
from nnjit.ir import B, Graph, array_type

needs_jit = pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
X = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a new, empty cache folder."""
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def small_graph(shift: float) -> Graph:
    """A graph whose number makes its source unique among tests."""
    return trace(lambda x: nnp.tanh(x) + shift, [array_type("f64", (B, 3))])


def compilations(compiled: Compiled, *arguments: np.ndarray) -> int:
    """Count the functions that Numba compiles during a call."""
    with event.install_recorder("numba:compile") as recorder:
        compiled(*arguments)
    return len(recorder.buffer)


@needs_jit
def test_second_call_compiles_nothing(folder: Path) -> None:
    compiled = compile_graph(small_graph(101.0))
    assert compilations(compiled, X) > 0
    assert compilations(compiled, X) == 0
    assert compilations(compiled, X[:1]) == 0  # nor does another number of rows
    assert compilations(compiled, X[::-1]) == 0  # nor another layout
    assert len(compiled._run.signatures) == 1  # type: ignore[attr-defined]  # a dispatcher


@needs_jit
def test_equal_graphs_share_a_program_and_compile_it_once(folder: Path) -> None:
    first, second = (compile_graph(small_graph(102.0)) for _ in range(2))
    first(X)
    assert second.path == first.path
    assert compilations(second, X) == 0


def test_file_is_named_by_its_content_and_is_what_was_written(folder: Path) -> None:
    compiled = compile_graph(small_graph(103.0))
    text = f"{cache.environment_key()}\n{compiled.program.source}"
    assert compiled.path == folder / f"nnjit_kernels_{hashlib.sha256(text.encode()).hexdigest()[:24]}.py"
    assert compiled.path.read_text(encoding="utf-8") == compiled.program.source
    assert compile_graph(small_graph(104.0)).path != compiled.path


def test_another_machine_or_version_has_another_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = compile_graph(small_graph(105.0)).path
    monkeypatch.setattr(cache, "environment_key", lambda: "another CPU")
    assert compile_graph(small_graph(105.0)).path != here


def test_what_shapes_machine_code_is_in_the_key() -> None:
    import llvmlite
    import numba

    key = cache.environment_key()
    for part in (
        np.__version__,
        numba.__version__,
        llvmlite.__version__,
        sys.version,
        "def call_gemm",
        "def softplus(",
        "def philox(",
    ):
        assert part in key


def test_file_is_written_once(folder: Path) -> None:
    path = compile_graph(small_graph(106.0)).path
    os.utime(path, (1, 1))
    assert compile_graph(small_graph(106.0)).path == path
    assert path.stat().st_mtime == 1
    assert list(folder.glob("nnjit_kernels_*.py")) == [path]
    assert not list(folder.glob(".*"))  # no temporary file is left


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_folder_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(UserError, match=f"{folder}: others can write to the kernel cache; run chmod 700"):
        compile_graph(small_graph(107.0))
    assert list(folder.iterdir()) == []


def test_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(UserError, match="another user; set NNJIT_CACHE_DIR to a folder of your own"):
        store.cache_folder()


def test_new_folder_is_its_owners_alone(folder: Path) -> None:
    assert stat.S_IMODE(store.cache_folder().stat().st_mode) == 0o700


def test_without_the_variable_the_users_cache_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(store.VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    assert store.cache_folder() == tmp_path / "nnjit" / "kernels"
    (tmp_path / "nnjit" / "kernels").chmod(0o777)
    private = store.cache_folder()  # one that others could write is left alone
    assert tmp_path not in private.parents
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    private.rmdir()
    store._temporary.cache_clear()


SCRIPT = """
import json, sys
import numpy as np
from numba.core import event
import nnjit.numpy as nnp
from nnjit.autodiff import grad, trace
from nnjit.codegen import compile_graph
from nnjit.ir import B, array_type

def f(x, w):
    return nnp.tanh(x @ w), grad(lambda w: nnp.sum(nnp.tanh(x @ w) ** 2))(w)

with event.install_recorder("numba:compile") as recorder:
    compiled = compile_graph(trace(f, [array_type("f32", (B, 3)), array_type("f32", (3, 2))]))
    out, back = compiled(np.ones((5, 3), "f4"), np.full((3, 2), 0.1, "f4"))
stats = compiled._run.stats
numbers = [sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), len(recorder.buffer)]
print(json.dumps([*numbers, float(out.sum()), float(back.sum())]))
"""


def start(script: str = SCRIPT, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> list[float]:
    """Return the numbers printed; `SCRIPT` begins with cache hits, misses and functions compiled."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return [float(v) for v in json.loads(out)]


@needs_jit
def test_second_process_loads_every_kernel_from_the_cache(folder: Path) -> None:
    hits, misses, compiled, *values = finish(start())
    assert (hits, misses) == (0, 1)
    assert compiled > 0
    assert finish(start()) == [1, 0, 0, *values]


@needs_jit
def test_loading_makes_no_compiler_ready_and_compiling_afterwards_does(folder: Path) -> None:
    script = """
import json, sys
import numpy as np
import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.codegen import compile_graph
from nnjit.ir import B, array_type

compiler, x = "numba.cpython.setobj", np.ones((2, 3))
cached, new = (
    compile_graph(trace(lambda x, k=float(k): nnp.exp(x) * k, [array_type("f64", (B, 3))]))
    for k in sys.argv[1:]
)
numbers = [float(cached(x)[0].sum()), compiler in sys.modules]
print(json.dumps([*numbers, float(new(x)[0].sum()), compiler in sys.modules]))
"""
    first = finish(start(script, "2", "3"))
    second = finish(start(script, "2", "4"))
    assert first == [pytest.approx(12 * math.e), True, pytest.approx(18 * math.e), True]
    assert second == [pytest.approx(12 * math.e), False, pytest.approx(24 * math.e), True]


@needs_jit
def test_four_processes_that_start_cold_together_all_succeed(folder: Path) -> None:
    script = SCRIPT.replace(
        "nnp.tanh(x @ w), grad(lambda w: nnp.sum(nnp.tanh(x @ w) ** 2))(w)", "x * 2, w + 1"
    )
    processes = [start(script) for _ in range(4)]
    results = [finish(process) for process in processes]
    assert len({tuple(r[3:]) for r in results}) == 1
    assert finish(start(script))[:3] == [1, 0, 0]
    assert len(list(folder.glob("nnjit_kernels_*.py"))) == 1
