"""Functions of functions and of conditions, under NumPy's names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir.context import is_tracing
from nnjit.numpy.elementwise import logical_not, logical_or, stop_gradient, where
from nnjit.numpy.indexing.reading import take
from nnjit.numpy.promotion import (
    Array,
    as_array,
    astype,
    broadcast_shapes,
    broadcast_to,
    filled,
    has_node,
    promote,
)
from nnjit.numpy.reduction.extrema import argmax
from nnjit.numpy.shaping.axes import axis_last, moveaxis, one_axis, ravel, reshape, shape

Function = Callable[..., Any]

# Filled with `vmap` by `nnjit.autodiff`, which imports this package.
TRANSFORMS: dict[str, Function] = {}


def select(condlist: Sequence[Array], choicelist: Sequence[Array], default: Array = 0) -> Any:
    """The first of `choicelist` whose condition holds, else `default`."""
    if len(condlist) != len(choicelist) or not condlist:
        raise GraphError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; give one for each choice"
        )
    *choices, out = promote(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        out = where(condition, choice, out)
    return out


def piecewise(x: Array, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """For each element, the value of the last function whose condition holds; 0 if none does.

    A function must compute each element independently. It gets all elements, but where its condition fails,
    another element where it holds instead: so it is neither evaluated nor differentiated there.

    Args:
        condlist: truth values in the shape of `x`, an array for each function.
        funclist: functions of `x`, `*args` and `**kw`, or values; one beyond the conditions is for the rest.

    Raises:
        GraphError: the numbers of functions and conditions do not match.
    """
    array = as_array(x)
    conditions = [broadcast_to(astype(c, "b1"), shape(array)) for c in _conditions(condlist, array.ndim)]
    if len(funclist) == len(conditions) + 1:
        conditions.append(logical_not(_any_of(conditions)))
    if len(funclist) != len(conditions):
        raise GraphError(
            f"piecewise: {len(conditions)} conditions for {len(funclist)} functions; give as many, or one "
            "function more for the rest"
        )
    out = filled(array, 0)
    for condition, function in zip(conditions, funclist, strict=True):
        if 0 in shape(array) or (isinstance(condition, np.ndarray) and not condition.any()):
            continue  # a function without elements is not called
        value = function(_inside(array, condition), *args, **kw) if callable(function) else function
        out = where(condition, astype(value, array.dtype), out)
    return out


def _conditions(condlist: Any, ndim: int) -> list[Any]:
    """The conditions; a single one need not be in a list."""
    if isinstance(condlist, (list, tuple)):
        is_one = ndim > 0 and not isinstance(condlist[0], list) and not np.ndim(condlist[0])
    else:
        is_one = np.ndim(condlist) == 0 or (np.ndim(condlist) == 1 and ndim > 0)
    return [condlist] if is_one else list(condlist)


def _any_of(conditions: Sequence[Any]) -> Any:
    out = conditions[0]
    for condition in conditions[1:]:
        out = logical_or(out, condition)
    return out


def _inside(x: Any, condition: Any) -> Any:
    """`x` where the condition holds, elsewhere the first such element, without a derivative."""
    first = take(ravel(x), argmax(ravel(condition)))
    return where(condition, x, stop_gradient(first))


def apply_along_axis(func1d: Function, axis: int, arr: Array, *args: Any, **kwargs: Any) -> Any:
    """Apply a function to each line along `axis`; its results' axes replace that axis.

    For traced values it is mapped (`nnjit.vmap`): traced once, however many lines there are.

    Args:
        func1d: (line, *args, **kwargs) -> array.
    """
    place = one_axis(axis, as_array(arr).ndim)
    lines = axis_last(arr, place)
    front = shape(lines)[:-1]
    if 0 in front:
        raise GraphError("apply_along_axis: there are no lines")

    def one(line: Any) -> Any:
        return func1d(line, *args, **kwargs)

    if not has_node((arr, *args, *kwargs.values())) and not _gives_nodes(one, lines[(0,) * len(front)]):
        return np.apply_along_axis(one, place, arr)
    out = TRANSFORMS["vmap"](one)(reshape(lines, (-1, shape(lines)[-1])))
    rest = shape(out)[1:]
    whole = reshape(out, (*front, *rest))
    return moveaxis(whole, range(len(front), len(front) + len(rest)), range(place, place + len(rest)))


def vectorize(
    pyfunc: Function | None = None,
    otypes: Any = None,
    doc: str | None = None,
    excluded: Iterable[Any] | None = None,
    cache: bool = False,
    signature: str | None = None,
) -> Function:
    """Turn a function of numbers into a function of arrays, which broadcast.

    For traced values it is mapped (`nnjit.vmap`): traced once, however many elements there are.

    Args:
        pyfunc: the function; if None, a decorator is returned.
        otypes: the results' dtypes, as a string of characters or a list; the function's own if None.
        doc: the docstring; the function's own if None.
        excluded: positions and names of arguments not to map over.
        cache: accepted for compatibility; ignored for traced values.
        signature: the axes the function takes and returns, as "(m,n),(n)->(m)"; none if None.

    >>> import numpy
    >>> vectorize(lambda x, y: x if x > y else y)([1, 4], [[2], [3]]).tolist()
    [[2, 4], [3, 4]]
    """
    if pyfunc is None:
        return partial(vectorize, otypes=otypes, doc=doc, excluded=excluded, cache=cache, signature=signature)
    fixed = set(excluded or ())

    @wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        if not has_node((*args, *kwargs.values())) and not is_tracing():
            return np.vectorize(pyfunc, otypes, doc, fixed, cache, signature)(*args, **kwargs)
        return _mapped(pyfunc, args, kwargs, fixed, otypes, signature)

    vectorized.__doc__ = pyfunc.__doc__ if doc is None else doc
    return vectorized


def _mapped(
    pyfunc: Function,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    excluded: set[Any],
    otypes: Any,
    signature: str | None,
) -> Any:
    given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
    over = {key: as_array(x) for key, x in given.items() if key not in excluded}
    cores = _core_axes(signature, len(over))
    own = [shape(x)[x.ndim - k :] for x, k in zip(over.values(), cores, strict=True)]
    lead = broadcast_shapes(*(shape(x)[: x.ndim - k] for x, k in zip(over.values(), cores, strict=True)))

    def one(*elements: Any) -> Any:
        values = given | dict(zip(over, elements, strict=True))
        return pyfunc(*(values[k] for k in range(len(args))), **{name: values[name] for name in kwargs})

    if 0 not in lead and not has_node(list(over.values())):
        first = [x[(0,) * (x.ndim - k)] for x, k in zip(over.values(), cores, strict=True)]
        if not _gives_nodes(one, *first):
            return np.vectorize(pyfunc, otypes, None, excluded, False, signature)(*args, **kwargs)
    if not lead:
        return _typed(one(*over.values()), otypes)
    wholes = [broadcast_to(x, (*lead, *core)) for x, core in zip(over.values(), own, strict=True)]
    stacks = [reshape(x, (-1, *core)) for x, core in zip(wholes, own, strict=True)]
    return _typed(TRANSFORMS["vmap"](one)(*stacks), otypes, lead)


def _core_axes(signature: str | None, count: int) -> list[int]:
    """The number of axes the function takes of each argument."""
    if signature is None:
        return [0] * count
    inputs = signature.replace(" ", "").partition("->")[0]
    groups = re.findall(r"\(([^()]*)\)", inputs)
    if "->" not in signature or len(groups) != count:
        raise GraphError(f"vectorize: signature {signature!r} for {count} arguments")
    return [len(group.split(",")) if group else 0 for group in groups]


def _typed(results: Any, otypes: Any, lead: tuple[Any, ...] | None = None) -> Any:
    """Convert the results to the requested shape and dtypes."""
    is_many = isinstance(results, (tuple, list))
    parts = list(results) if is_many else [results]
    if lead is not None:
        parts = [reshape(x, (*lead, *shape(x)[1:])) for x in parts]
    if otypes is not None:
        parts = [astype(x, np.dtype(t)) for x, t in zip(parts, otypes, strict=True)]
    return tuple(parts) if is_many else parts[0]


def _gives_nodes(function: Function, *first: Any) -> bool:
    """Whether a function of known arrays closes over traced values, so its result is traced."""
    return is_tracing() and has_node(function(*first))
