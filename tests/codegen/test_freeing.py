"""Programs are freed with their last user: machine code, modules, and Numba's records of them."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config
from numba.core import event
from numba.core.registry import cpu_target

import nnjit
import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.codegen import Compiled, compile_graph, function
from nnjit.codegen.numba import cache, engine, store
from nnjit.ir import array_type

pytestmark = [
    pytest.mark.exact,  # compares values at exact inputs
    pytest.mark.skipif(
        config.DISABLE_JIT or bool(config.BOUNDSCHECK), reason="nothing is compiled, or Numba's own way"
    ),
]
X = np.arange(3.0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a new, empty cache folder."""
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "kernels"))
    return tmp_path / "kernels"


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> weakref.WeakSet[Any]:
    """The engines made during a test that still live."""
    made: weakref.WeakSet[Any] = weakref.WeakSet()
    make = engine.JITCPUCodegen

    def make_known(name: str) -> Any:
        codegen = make(name)
        made.add(codegen._engine._ee)
        return codegen

    monkeypatch.setattr(engine, "JITCPUCodegen", make_known)
    return made


def compiled_and_called(factor: float) -> Compiled:
    compiled = compile_graph(trace(lambda x: nnp.exp(x) * factor, [array_type("f64", (3,))]))
    np.testing.assert_allclose(compiled(X)[0], np.exp(X) * factor, rtol=1e-14)
    return compiled


def compiled_functions() -> int:
    """Count the compiled functions that Numba can call."""
    return len(cpu_target.target_context._defns)


def kernel_modules() -> set[str]:
    """The names of the modules of generated kernels that Python knows."""
    return {name for name in sys.modules if name.startswith("nnjit_kernels_")}


@pytest.mark.parametrize("is_cached", [False, True])
def test_a_program_is_freed_with_its_last_user(is_cached: bool, engines: weakref.WeakSet[Any]) -> None:
    compiled_and_called(501.0)  # creates what all programs share
    if not is_cached:
        for path in store.cache_folder().glob("nnjit_kernels_*.code"):
            path.unlink()
    gc.collect()
    engines.clear()
    modules, functions = kernel_modules(), compiled_functions()
    first = compiled_and_called(501.0)
    second = compiled_and_called(501.0)
    assert bool(first._run.stats.cache_hits) == is_cached  # type: ignore[attr-defined]  # a dispatcher
    assert len(engines) == 1
    assert kernel_modules() - modules == {first.path.stem}
    del first
    gc.collect()
    np.testing.assert_allclose(second(X)[0], np.exp(X) * 501.0, rtol=1e-14)
    assert len(engines) == 1
    del second
    gc.collect()
    assert len(engines) == 0
    assert kernel_modules() == modules
    assert compiled_functions() == functions


def test_a_jitted_function_keeps_its_programs_and_frees_them_when_it_goes(
    engines: weakref.WeakSet[Any],
) -> None:
    f = nnjit.jit(lambda x: x * 502.0)
    for size in (1, 2, 3):
        f(np.ones(size))
    gc.collect()
    assert len(engines) == 3
    del f
    gc.collect()
    assert len(engines) == 0


def test_a_jitted_function_keeps_the_programs_of_its_last_types(
    engines: weakref.WeakSet[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function, "MOST_PROGRAMS", 2)
    f = nnjit.jit(lambda x: x * 503.0)
    for size in (1, 2, 3, 4):
        np.testing.assert_array_equal(f(np.ones(size)), 503.0 * np.ones(size))
    gc.collect()
    assert len(engines) == 2
    assert compilations(lambda: (f(np.ones(3)), f(np.ones(4)))) == 0
    np.testing.assert_array_equal(f(np.ones(1)), [503.0])


def compilations(call: Callable[[], object]) -> int:
    with event.install_recorder("numba:compile") as recorder:
        call()
    return len(recorder.buffer)


def test_clear_cache_frees_all_programs_and_functions_work_on(engines: weakref.WeakSet[Any]) -> None:
    f, g = nnjit.jit(lambda x: x * 504.0), nnjit.jit(nnjit.grad(lambda x: x * x * 505.0))
    f(X), g(1.0)
    gc.collect()
    assert len(engines) == 2
    f.clear_cache()  # type: ignore[attr-defined]  # a function's own attribute
    gc.collect()
    assert len(engines) == 1
    f(X)
    nnjit.clear_cache()
    assert len(engines) == 0
    assert cache.functions_in.cache_info().currsize == 0

    def call_both() -> None:
        np.testing.assert_array_equal(f(X), X * 504.0)
        assert g(1.0) == 1010.0

    assert compilations(call_both) == 0  # the cache on disk stays


def test_passes_of_llvm_are_freed() -> None:
    import llvmlite.binding as llvm

    codegen = engine.new_codegen()
    builder = llvm.create_pass_builder(codegen._tm, llvm.create_pipeline_tuning_options())
    passes = builder.getModulePassManager()
    engine.free_passes(passes)
    assert passes.closed
