"""Primitives, nodes and graphs: an immutable DAG of applications of primitives, not a tape.

A `Node` is a value that is still to be computed. Differentiating, simplifying and compiling are
functions from graphs to graphs (or to source), and all walk a graph through `topological`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir.types import ArrayType, B, Dim, Shape, array_type, static

Value: TypeAlias = "Node | np.ndarray"
Kind = Literal[
    "input", "constant", "elementwise", "view", "reshape", "reduce", "concat", "matmul", "counter", "call"
]
Rule: TypeAlias = Callable[..., Any]

_scope: ContextVar[str] = ContextVar("scope", default="")
OPERATORS: dict[str, Callable[..., Node]] = {}  # Python's operators on nodes; the numpy room fills it


@dataclass(frozen=True, eq=False)
class Primitive:
    """An operation and every rule about it; calling it evaluates arrays, or builds a node.

    Args:
        name: what the graph prints.
        kind: how it is lowered.
        infer: (types of the arguments, **params) -> type of the result; raises GraphError.
        evaluate: (arrays, **params) -> array, with NumPy; the meaning of the operation.
        partials: for an elementwise operation, per argument (out, *args) -> the partial derivative; 1 or
            -1 where it is that everywhere, None where it is zero everywhere.
        transposes: for an operation linear in an argument, (g, *args, **params) -> the argument's cotangent.
        jointly: whether it is linear in all those arguments together (a sum), or in each alone (a product).
        jvp: (out, args, tangents, **params) -> tangent, and
        vjp: (g, out, args, **params) -> cotangents, for the few that are neither.
        expression: the scalar Python expression that a kernel computes, over `{0}`, `{1}`, …; `{t}` is the
            dtype's short name, `{flat}` the index of the element.
            For a reduction, how two figures combine, and
        identity: the figure that a reduction begins with.
        lift: (n, **params) -> the params of the same operation with one more leading axis, of length n, in
            every argument; None where they are the same.
    """

    name: str
    kind: Kind
    infer: Callable[..., ArrayType]
    evaluate: Callable[..., np.ndarray]
    partials: tuple[Rule | int | None, ...] | None = None
    transposes: tuple[Rule | None, ...] | None = None
    jointly: bool = False
    jvp: Rule | None = None
    vjp: Rule | None = None
    expression: str | None = None
    lift: Rule | None = None
    identity: str | None = None

    def __call__(self, *args: Value, **params: Any) -> Any:
        """The result for arrays; a node where an argument is a node."""
        if any(isinstance(a, Node) for a in args):
            return apply(self, *args, **params)
        self.infer(*(type_of(a) for a in args), **params)
        return self.evaluate(*args, **params)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Node:
    """One application of a primitive; its identity is the value's.

    Args:
        scope: the layer or part of the step that it belongs to, for messages.
    """

    __array_ufunc__ = None  # NumPy's operators on the left give way to ours

    primitive: Primitive
    inputs: tuple[Node, ...]
    params: Mapping[str, Any]
    type: ArrayType
    scope: str = ""

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> np.dtype:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.ndim

    @property
    def T(self) -> Node:  # noqa: N802  # NumPy's name
        return self._op("transpose")

    def reshape(self, *shape: Any) -> Node:
        return self._op("reshape", shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Node:
        return self._op("sum", axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Node:
        return self._op("mean", axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Node:
        return self._op("max", axis=axis, keepdims=keepdims)

    def astype(self, dtype: Any) -> Node:
        return self._op("astype", dtype)

    def _op(self, name: str, *args: Any, **options: Any) -> Node:
        return OPERATORS[name](self, *args, **options)

    # fmt: off
    def __add__(self, other: Any) -> Node: return self._op("add", other)
    def __radd__(self, other: Any) -> Node: return OPERATORS["add"](other, self)
    def __sub__(self, other: Any) -> Node: return self._op("sub", other)
    def __rsub__(self, other: Any) -> Node: return OPERATORS["sub"](other, self)
    def __mul__(self, other: Any) -> Node: return self._op("mul", other)
    def __rmul__(self, other: Any) -> Node: return OPERATORS["mul"](other, self)
    def __truediv__(self, other: Any) -> Node: return self._op("div", other)
    def __rtruediv__(self, other: Any) -> Node: return OPERATORS["div"](other, self)
    def __pow__(self, other: Any) -> Node: return self._op("pow", other)
    def __rpow__(self, other: Any) -> Node: return OPERATORS["pow"](other, self)
    def __matmul__(self, other: Any) -> Node: return self._op("matmul", other)
    def __rmatmul__(self, other: Any) -> Node: return OPERATORS["matmul"](other, self)
    def __neg__(self) -> Node: return self._op("neg")
    def __abs__(self) -> Node: return self._op("abs")
    def __lt__(self, other: Any) -> Node: return self._op("lt", other)
    def __le__(self, other: Any) -> Node: return self._op("le", other)
    def __gt__(self, other: Any) -> Node: return self._op("gt", other)
    def __ge__(self, other: Any) -> Node: return self._op("ge", other)
    def __getitem__(self, index: Any) -> Node: return self._op("getitem", index)
    # fmt: on

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a traced value {self.type} has no truth value yet; use nnjit.numpy.where instead of `if`"
        )

    def __float__(self) -> NoReturn:
        raise TypeError(f"a traced value {self.type} is not a number yet; keep it inside the traced function")

    def __iter__(self) -> Iterator[Node]:
        if not self.shape:
            raise TypeError("iteration over a traced scalar")
        return (self[i] for i in range(static(self.shape[:1])[0]))

    def __repr__(self) -> str:
        return f"<{self.primitive.name} {self.type}>"


@dataclass(frozen=True, eq=False)
class Graph:
    """A function: the nodes it takes, in order, and those it returns. Names are for people."""

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", tuple(f"x{i}" for i in range(len(self.inputs))))

    @property
    def nodes(self) -> list[Node]:
        """Every node that an output needs, arguments first."""
        return topological(self.outputs)

    def __str__(self) -> str:
        from nnjit.ir.printing import format_graph

        return format_graph(self)

    __repr__ = __str__


def _only_evaluated_by_binding(*_: Any, **__: Any) -> Any:
    raise GraphError("the graph has an input that was not given")


input_p = Primitive("input", "input", lambda type: type, _only_evaluated_by_binding)
constant_p = Primitive("constant", "constant", lambda value: type_of(value.array), lambda value: value.array)


@dataclass(frozen=True)
class ConstantValue:
    """An array as a hashable parameter of a node: two are equal where dtype, shape and bits are."""

    array: np.ndarray

    @cached_property
    def key(self) -> tuple[str, tuple[int, ...], bytes]:
        return self.array.dtype.str, self.array.shape, self.array.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConstantValue) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def new_input(type: ArrayType, scope: str = "") -> Node:
    """A fresh input of a graph."""
    return Node(input_p, (), {"type": type}, type, scope)


def constant(value: Any, dtype: object = None) -> Node:
    """A node of a known array; a Python float is f64 where no dtype is given."""
    array = np.array(value, dtype=dtype)  # type: ignore[call-overload]  # any dtype NumPy takes
    kind = array_type(array.dtype, array.shape)
    return Node(constant_p, (), {"value": ConstantValue(array)}, kind, _scope.get())


def apply(primitive: Primitive, *args: Value, **params: Any) -> Node:
    """A node that applies `primitive`; arrays among the arguments become constants."""
    nodes = tuple(a if isinstance(a, Node) else constant(a) for a in args)
    type = primitive.infer(*(n.type for n in nodes), **params)
    return Node(primitive, nodes, params, type, _scope.get())


def type_of(value: Value) -> ArrayType:
    """The type of a node, an array or a number."""
    if isinstance(value, Node):
        return value.type
    array = np.asarray(value)
    return array_type(array.dtype, array.shape)


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Nodes that are built inside carry `name`; an inner scope wins."""
    token = _scope.set(name)
    try:
        yield
    finally:
        _scope.reset(token)


def topological(outputs: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node that `outputs` need, arguments before their users, without recursion.

    Args:
        stop: nodes whose arguments are not followed (they are in the list themselves).
    """
    order: list[Node] = []
    seen: set[Node] = set()
    ends = set(stop)
    stack: list[tuple[Node, bool]] = [(node, False) for node in reversed(list(outputs))]
    while stack:
        node, is_expanded = stack.pop()
        if is_expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in ends:
                stack.extend((n, False) for n in reversed(node.inputs))
    return order


def rebuild(
    outputs: Sequence[Node],
    replace: Mapping[Node, Node],
    rewrite: Callable[[Node], Node] = lambda node: node,
) -> tuple[Node, ...]:
    """`outputs` with some nodes replaced, and `rewrite` applied to every other one after its arguments."""
    new = dict(replace)
    for node in topological(outputs, stop=replace):
        if node not in new:
            new[node] = rewrite(with_inputs(node, tuple(new[n] for n in node.inputs)))
    return tuple(new[n] for n in outputs)


def with_inputs(node: Node, inputs: tuple[Node, ...]) -> Node:
    """`node` applied to other arguments; itself where they are the same."""
    if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
        return node
    type = node.primitive.infer(*(n.type for n in inputs), **node.params)
    return Node(node.primitive, inputs, node.params, type, node.scope)


def consumers(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """For every node among `nodes`, the nodes among them that use it."""
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        users.setdefault(node, [])
        for argument in dict.fromkeys(node.inputs):
            users.setdefault(argument, []).append(node)
    return users


__all__ = [
    "OPERATORS", "B", "ConstantValue", "Dim", "Graph", "Node", "Primitive", "Value", "apply", "constant",
    "constant_p", "consumers", "input_p", "new_input", "rebuild", "scope", "topological", "type_of",
    "with_inputs",
]  # fmt: skip
