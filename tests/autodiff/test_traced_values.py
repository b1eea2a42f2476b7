"""Traced values in Python: copied, asked for attributes, kept too long; the memory of results."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import grad, jit, register_dataclass, value_and_grad, vjp, vmap
from nnjit.errors import GraphError

X = np.array([1.0, 2.0, 3.0])
TWICE = np.array([1, 1])

# fmt: off
CHANGES: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "set":      (lambda x: x[1].set(5.0),                    [1.0, 5.0, 3.0]),
    "add":      (lambda x: x[TWICE].add(1.0),                [1.0, 4.0, 3.0]),
    "multiply": (lambda x: x[1:].multiply(2.0),              [1.0, 4.0, 6.0]),
    "max":      (lambda x: x[np.array([2, 0])].max(2.5),     [2.5, 2.0, 3.0]),
    "min":      (lambda x: x[X > 1].min(np.array([0.0, 9])), [1.0, 0.0, 3.0]),
}
# fmt: on


@pytest.mark.parametrize("name", CHANGES)
def test_elements_change_alike_in_arrays_and_traced(name: str) -> None:
    change, expected = CHANGES[name]
    np.testing.assert_array_equal(change(nnp.at(X)), expected)
    np.testing.assert_array_equal(jit(lambda x: change(x.at))(X), expected)
    np.testing.assert_array_equal(jit(lambda x: change(nnp.at(x)))(X), expected)


@pytest.mark.parametrize("name", ["multiply", "max", "min"])
def test_a_place_that_is_there_twice_is_refused(name: str) -> None:
    for at in (nnp.at(X), None):
        with pytest.raises(GraphError, match="a place occurs twice"):
            getattr(at[TWICE], name)(2.0) if at else jit(lambda x: getattr(x.at[TWICE], name)(2.0))(X)


def test_the_derivative_goes_to_the_larger_one() -> None:
    np.testing.assert_array_equal(grad(lambda x: nnp.sum(x.at[1:].max(2.5)))(X), [1.0, 0.0, 1.0])


def test_a_copy_of_a_traced_value_is_itself() -> None:
    slope = grad(lambda x: nnp.sum(copy.deepcopy({"y": [x * x]})["y"][0] * copy.copy(x)))(X)
    np.testing.assert_allclose(slope, 3 * X**2)


def test_a_traced_value_has_no_item_yet() -> None:
    assert jit(lambda x: (hasattr(x, "item"), hasattr(x, "tolist"), hasattr(x, "shape")))(X) == (0, 0, 1)


@pytest.mark.parametrize("use", [grad, jit, lambda f: lambda x: vjp(f, x)], ids=["grad", "jit", "vjp"])
def test_a_traced_value_that_leaks_is_named(use: Callable[..., Any]) -> None:
    kept: list[Any] = []
    grad(lambda x: kept.append(x * 2) or nnp.sum(x))(X)
    with pytest.raises(GraphError, match=r"argument f64\[3\] is used after the call .* has_aux=True"):
        use(lambda y: nnp.sum(y * kept[0]))(X)


def test_closures_over_an_outer_trace_are_no_leak() -> None:
    def outer(x: Any) -> Any:
        inner = grad(lambda y: nnp.sum(y * y * x))
        return nnp.sum(inner(x)) + nnp.sum(jit(lambda y: x * y)(2.0))

    np.testing.assert_allclose(grad(outer)(X), 4 * X + 2)


def test_results_own_their_memory() -> None:
    constant = np.ones(3)
    results = [
        grad(nnp.sum)(X),
        *value_and_grad(lambda x: nnp.sum(x.reshape(3, 1).T))(X),
        grad(lambda x: (nnp.sum(x * constant), (x, constant)), has_aux=True)(X)[1][0],
        grad(lambda x: (nnp.sum(x * constant), (x, constant)), has_aux=True)(X)[1][1],
        grad(lambda x: nnp.sum(x * constant))(X),
        jit(lambda x: x)(X),
        jit(lambda x: constant)(X),
    ]
    for result in results:
        assert result.flags.writeable
        assert not np.shares_memory(result, X)
        assert not np.shares_memory(result, constant)


def test_an_ordered_dict_keeps_its_order() -> None:
    given = OrderedDict([("b", X), ("a", 2 * X)])
    slope = grad(lambda d: nnp.sum(d["b"] * 2 + d["a"]))(given)
    assert list(slope) == ["b", "a"]
    assert isinstance(slope, OrderedDict)
    np.testing.assert_array_equal(slope["b"], [2, 2, 2])
    turned = jit(lambda d: OrderedDict(b=d["a"], a=d["b"]))
    for order in (given, OrderedDict(reversed(given.items()))):
        np.testing.assert_array_equal(turned(order)["a"], X)


def test_a_number_in_a_list_is_no_weaker_than_an_array() -> None:
    for values in (
        [np.float32(2), 1.0],
        [np.int32(2), 1],
        [np.float32(2), np.float32(1)],
        [np.float32(2), True],
    ):
        expected = np.array(values)
        traced = jit(lambda x, rest=values[1]: nnp.array([x, rest]))(np.asarray(values[0]))
        assert traced.dtype == nnp.array(values).dtype == expected.dtype
        np.testing.assert_array_equal(traced, expected)


def test_options_of_numpy_that_are_none_are_dropped() -> None:
    np.testing.assert_array_equal(jit(lambda x: np.vstack([x, x], dtype=None))(X), np.vstack([X, X]))


@dataclass(frozen=True)
class Layer:
    w: Any
    b: Any
    activation: str = "tanh"


register_dataclass(Layer, static=["activation"])


def applied(layer: Layer, x: Any) -> Any:
    return getattr(nnp, layer.activation)(x * layer.w + layer.b)


def test_a_dataclass_is_a_structure() -> None:
    layer = Layer(2.0 * X, 0.5)
    slope = grad(lambda layer: nnp.sum(applied(layer, X)))
    for found in (slope(layer), jit(slope)(layer)):
        assert isinstance(found, Layer)
        assert found.activation == "tanh"
        derivative = 1 - np.tanh(2 * X * X + 0.5) ** 2
        np.testing.assert_allclose(found.w, X * derivative, atol=1e-14)
        np.testing.assert_allclose(found.b, derivative.sum(), atol=1e-14)
    moved = vmap(applied, in_axes=(Layer(0, None), 0))(layer, X)
    np.testing.assert_allclose(moved, np.tanh(2 * X * X + 0.5))


def test_another_static_field_compiles_anew() -> None:
    compiled = jit(applied)
    np.testing.assert_allclose(compiled(Layer(X, 0.0), X), np.tanh(X * X))
    np.testing.assert_allclose(compiled(Layer(X, 0.0, "exp"), X), np.exp(X * X))


def test_dataclasses_that_cannot_be_structures_say_why() -> None:
    @dataclass
    class Counted:
        x: Any
        count: int = field(init=False, default=0)

    for cls, options, message in (
        (dict, {}, "expected a dataclass, got <class 'dict'>"),
        (Layer, {"static": ["c"]}, r"Layer has no field c; it has \['w', 'b', 'activation'\]"),
        (Counted, {}, "Counted.__init__ does not take count"),
    ):
        with pytest.raises(GraphError, match=message):
            register_dataclass(cls, **options)
