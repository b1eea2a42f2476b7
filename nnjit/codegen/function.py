"""`jit`: compile a Python function, once for each combination of argument types."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from nnjit.autodiff import close, flatten
from nnjit.autodiff.tracing import standing_for
from nnjit.autodiff.tree import Rebuild, children, is_branch, key_of
from nnjit.codegen.clearing import clear_all
from nnjit.codegen.numba.cache import functions_in
from nnjit.codegen.program import Compiled
from nnjit.codegen.static_arguments import static_of
from nnjit.errors import GraphError
from nnjit.ir import Graph, Node, is_open, new_input, tracing, type_of

MOST_PROGRAMS = 256  # per function; one more drops the oldest
NUMBERS = (float, int, bool)
Key = tuple[Any, ...]


def jit(f: Callable[..., Any], *, static_argnums: Any = (), static_argnames: Any = ()) -> Callable[..., Any]:
    """Return `f` compiled, anew for each combination of argument shapes and dtypes.

    Arguments, positional or keyword, and the result may be nested dicts, lists and tuples of arrays and
    numbers. None and strings are not traced: a new one compiles anew. A Python number is traced as a scalar
    array of f64, i64 or b1, which adopts the dtype of the array it is combined with, as in NumPy. Numbers in
    the result are arrays. Everything else that `f` reads is fixed when it is compiled. Inside another trace,
    `f` itself runs, so `jit` composes with `grad` and its kin in either order. The programs of the last 256
    combinations are kept; `clear_cache` frees them.

    Args:
        static_argnums: the position of an argument, or several, passed to `f` unchanged instead of traced: a
            number of steps, a function, a tuple of sizes. They must be hashable; a new value compiles anew.
        static_argnames: the same by name. An argument that can be given both ways is static in either.

    Raises:
        GraphError: an argument is not an array, its dtype is not supported, or a static one is not hashable
            or is traced. CompileError: an operation has no kernel. numpy.linalg.LinAlgError: a matrix has no
            inverse, or no such decomposition.

    >>> from nnjit import grad
    >>> import nnjit.numpy as np
    >>> float(jit(grad(np.tanh))(0.0))
    1.0
    >>> jit(lambda x, *, scale: {"y": x * scale})(np.ones(2), scale=3.0)["y"].tolist()
    [3.0, 3.0]
    >>> float(jit(lambda x, n: x if n == 0 else x**n, static_argnums=1)(3.0, 2))
    9.0
    """
    static = static_of(f, static_argnums, static_argnames)
    compiled: dict[Key, _Native] = {}

    @wraps(f)
    def native(*args: Any, **kwargs: Any) -> Any:
        arrays: list[Any] = []
        parts: list[Any] = []
        function = f
        if static is not None:
            function, args, kwargs, own = static.split(f, args, kwargs)
            parts.append(own)
        for arg in args:
            _describe(arg, arrays, parts)
        if kwargs:
            _describe(kwargs, arrays, parts)
        key = tuple(parts)
        known = compiled.get(key)
        if known is None:
            if any(isinstance(x, Node) for x in arrays):
                return function(*args, **kwargs)
            traced = _trace(function, args, kwargs)
            if is_open(traced.outputs, traced.inputs):  # `f` reads values of an enclosing trace
                return traced.build(close(traced.outputs, traced.inputs, arrays))
            if len(compiled) >= MOST_PROGRAMS:
                compiled.pop(next(iter(compiled), ()), None)  # another thread may be first
            known = compiled[key] = _Native(_caller(traced), traced.build)
        return known.build(known.call(arrays))

    vars(native)["clear_cache"] = compiled.clear
    _jitted.add(native)
    return native


def clear_cache() -> None:
    """Free the compiled programs held in memory by `jit` functions and for further training runs.

    `f.clear_cache()` frees those of one function `f`. The cache on disk stays: the next call loads its
    program from there, or compiles it anew. A run's own programs are freed with the run. (JAX:
    `clear_caches`.)

    >>> double = jit(lambda x: 2 * x)
    >>> float(double(1.0))
    2.0
    >>> clear_cache()
    >>> float(double(2.0))
    4.0
    """
    for native in list(_jitted):
        vars(native)["clear_cache"]()
    clear_all()
    functions_in.cache_clear()
    gc.collect()  # the functions of a program refer to each other


_jitted: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()


class _Native(NamedTuple):
    """The native function for one combination of types, and one that builds the result of its outputs."""

    call: Callable[[Sequence[Any]], list[np.ndarray]]
    build: Rebuild


class _Traced(NamedTuple):
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    build: Rebuild


def _describe(tree: Any, arrays: list[Any], parts: list[Any]) -> None:
    """Append the arrays of `tree`, and the parts of the key that selects its program."""
    kind = type(tree)
    if kind is np.ndarray:
        arrays.append(tree)
        parts += (tree.dtype, tree.shape)
    elif kind in NUMBERS:
        arrays.append(tree)
        parts.append(kind)
    elif is_branch(tree):
        parts.append((kind, key_of(tree)))
        for child in children(tree):
            _describe(child, arrays, parts)
    elif _is_static(tree):
        parts.append((kind, tree))
    else:
        value = tree if isinstance(tree, Node) else _array(tree)
        arrays.append(value)
        parts += (value.dtype, value.shape, kind)


def _is_static(leaf: Any) -> bool:
    return leaf is None or isinstance(leaf, str)


def _array(leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    if array.dtype == object:
        raise GraphError(
            f"jit: an argument is a {type(leaf).__name__}; expected arrays, numbers, None and strings, and "
            "dicts, lists and tuples of them; let the function close over it, or make it static "
            "with static_argnums"
        )
    return array


def _trace(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Traced:
    """Call `f` with a fresh input for every array."""
    leaves, build = flatten((args, kwargs))
    nodes = [leaf if _is_static(leaf) else standing_for(leaf, new_input(type_of(leaf))) for leaf in leaves]
    new_args, new_kwargs = build(nodes)
    with tracing():
        results, build_result = flatten(f(*new_args, **new_kwargs))
    outputs = tuple(r for r in results if isinstance(r, Node))

    def whole(computed: Sequence[Any]) -> Any:
        new = iter(computed)
        return build_result([next(new) if isinstance(r, Node) else _constant(r) for r in results])

    inputs = tuple(n for n in nodes if isinstance(n, Node))
    return _Traced(inputs, outputs, build_result if len(outputs) == len(results) else whole)


def _constant(result: Any) -> Any:
    """Return a result that depends on no argument, as a new array at each call."""
    return result if _is_static(result) else np.array(result)


def _caller(traced: _Traced) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    if not traced.outputs:
        return lambda arrays: []
    return Compiled(Graph(traced.inputs, traced.outputs)).caller()
