"""Primitives, and nodes: a `Node` is a value that is still to be computed, an application of a primitive.

A node behaves like a NumPy array, so that a program written for arrays builds a graph. `nnjit.numpy` defines
what its operators, its methods and NumPy's own functions do with it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, overload

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir.context import Origin, is_tracing, place
from nnjit.ir.types import ArrayType, Shape, array_type, static

Value: TypeAlias = "Node | np.ndarray"
Kind = Literal[
    "input",
    "constant",
    "elementwise",
    "view",
    "reshape",
    "reduce",
    "concat",
    "matmul",
    "counter",
    "gather",
    "scan",
    "routine",
    "call",
]
Rule: TypeAlias = Callable[..., Any]
Partial: TypeAlias = "Callable[..., Node | float]"
Push: TypeAlias = "Callable[..., Node | None]"
Pull: TypeAlias = "Callable[..., Sequence[Node | None]]"

ARRAYS = (bool, int, float, np.ndarray, np.generic)
MEND = "compose it of the functions of nnjit.numpy, or give it a rule with nnjit.custom_jvp or custom_vjp"
IN_PLACE = (
    "use nnjit.numpy.where, the functional x.at[i].set(v) (of an array nnjit.numpy.at(x)[i].set(v)), or "
    "nnjit.numpy.stack and concatenate"
)

# `nnjit.numpy` fills these: Python's operators on nodes, the methods of arrays, and NumPy's own functions by
# name (`sum`, `linalg.norm`), for programs that call those on nodes.
OPERATORS: dict[str, Callable[..., Node]] = {}
METHODS: dict[str, Callable[..., Any]] = {}
PROPERTIES: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True, eq=False)
class Primitive:
    """An operation and every rule about it; calling it evaluates arrays, or builds a node.

    Args:
        name: what the graph prints.
        kind: how it is lowered.
        infer: (types of the arguments, **params) -> type of the result; raises GraphError.
        evaluate: (arrays, **params) -> array, with NumPy; the meaning of the operation.
        partials: for an elementwise operation, per argument (out, *args) -> the partial derivative; 1 or
            -1 if it is that everywhere, None if it is zero everywhere.
        transposes: for an operation linear in an argument, (g, *args, **params) -> the argument's cotangent.
        jointly: whether it is linear in all those arguments together (a sum), or in each alone (a product).
        jvp: (out, args, tangents, **params) -> tangent, and
        vjp: (g, out, args, **params) -> cotangents, for the few operations that are neither.
        expression: the scalar Python expression that a kernel computes, over `{0}`, `{1}`, …; `{t}` is the
            dtype's short name, `{flat}` the index of the element.
            For a reduction, how two values combine, and
        identity: the value that a reduction begins with.
        lift: (n, **params) -> the params of the same operation with one more leading axis, of length n, in
            every argument; None if they are the same.
    """

    name: str
    kind: Kind
    infer: Callable[..., ArrayType]
    evaluate: Callable[..., np.ndarray]
    partials: tuple[Partial | int | None, ...] | None = None
    transposes: tuple[Rule | None, ...] | None = None
    jointly: bool = False
    jvp: Push | None = None
    vjp: Pull | None = None
    expression: str | None = None
    lift: Rule | None = None
    identity: str | None = None

    @overload
    def __call__(self, *args: Node, **params: Any) -> Node: ...
    @overload
    def __call__(self, *args: Value, **params: Any) -> Any: ...
    def __call__(self, *args: Value, **params: Any) -> Any:
        """The result for arrays; a node if an argument is a node."""
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
        origin: what built it, the program or the pass of a derivative, for pictures.
    """

    primitive: Primitive
    inputs: tuple[Node, ...]
    params: Mapping[str, Any]
    type: ArrayType
    scope: str = ""
    origin: Origin = "value"

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
    def size(self) -> int:
        return math.prod(static(self.shape))

    @property
    def at(self) -> Any:
        """`x.at[i].set(v)`, `.add(v)` and the like: a copy of `x` with other elements at `i`."""
        return METHODS["at"](self)

    @property
    def T(self) -> Node:  # noqa: N802  # NumPy's name
        return self._op("transpose")

    def reshape(self, *shape: Any, **options: Any) -> Node:
        new = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return self._op("reshape", new, **options)

    def sum(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
        return self._op("sum", axis=axis, keepdims=keepdims, **options)

    def mean(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
        return self._op("mean", axis=axis, keepdims=keepdims, **options)

    def max(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Node:
        return self._op("max", axis=axis, keepdims=keepdims, **options)

    def astype(self, dtype: Any, **options: Any) -> Node:
        return self._op("astype", dtype, **options)

    def _op(self, name: str, *args: Any, **options: Any) -> Node:
        return OPERATORS[name](self, *args, **options)

    if not TYPE_CHECKING:  # a checker knows the methods above alone

        def __getattr__(self, name: str) -> Any:
            if name in ("item", "tolist"):
                raise AttributeError(self._no_number_yet("as an array"))
            if name in PROPERTIES:
                return PROPERTIES[name](self)
            if name not in METHODS:
                raise AttributeError(f"a traced value {self.type} has no attribute {name}")
            return partial(METHODS[name], self)

    # -- what NumPy asks

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        if method != "__call__":
            raise TypeError(f"numpy.{ufunc.__name__}.{method} has no rule in nnjit; {MEND}")
        if "out" in options:
            raise TypeError(f"{self.type} is a traced value: an array cannot take it in place; {IN_PLACE}")
        return _numpy(ufunc, args, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return _numpy(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            f"{self.type} is a traced value, which no array can hold yet; {IN_PLACE}. Functions of other "
            "libraries that make arrays of their arguments cannot take it: use those of nnjit.numpy"
        )

    # fmt: off
    def __add__(self, other: Any) -> Node: return self._op("add", other)
    def __radd__(self, other: Any) -> Node: return OPERATORS["add"](other, self)
    def __sub__(self, other: Any) -> Node: return self._op("sub", other)
    def __rsub__(self, other: Any) -> Node: return OPERATORS["sub"](other, self)
    def __mul__(self, other: Any) -> Node: return self._op("mul", other)
    def __rmul__(self, other: Any) -> Node: return OPERATORS["mul"](other, self)
    def __truediv__(self, other: Any) -> Node: return self._op("div", other)
    def __rtruediv__(self, other: Any) -> Node: return OPERATORS["div"](other, self)
    def __floordiv__(self, other: Any) -> Node: return self._op("floordiv", other)
    def __rfloordiv__(self, other: Any) -> Node: return OPERATORS["floordiv"](other, self)
    def __mod__(self, other: Any) -> Node: return self._op("mod", other)
    def __rmod__(self, other: Any) -> Node: return OPERATORS["mod"](other, self)
    def __pow__(self, other: Any) -> Node: return self._op("pow", other)
    def __rpow__(self, other: Any) -> Node: return OPERATORS["pow"](other, self)
    def __divmod__(self, other: Any) -> tuple[Node, Node]: return self // other, self % other
    def __rdivmod__(self, other: Any) -> tuple[Node, Node]: return other // self, other % self
    def __matmul__(self, other: Any) -> Node: return self._op("matmul", other)
    def __rmatmul__(self, other: Any) -> Node: return OPERATORS["matmul"](other, self)
    def __neg__(self) -> Node: return self._op("neg")
    def __pos__(self) -> Node: return self
    def __abs__(self) -> Node: return self._op("abs")
    def __and__(self, other: Any) -> Node: return self._op("and", other)
    def __rand__(self, other: Any) -> Node: return self._op("and", other)
    def __or__(self, other: Any) -> Node: return self._op("or", other)
    def __ror__(self, other: Any) -> Node: return self._op("or", other)
    def __xor__(self, other: Any) -> Node: return self._op("xor", other)
    def __rxor__(self, other: Any) -> Node: return self._op("xor", other)
    def __invert__(self) -> Node: return self._op("invert")
    def __lt__(self, other: Any) -> Node: return self._op("lt", other)
    def __le__(self, other: Any) -> Node: return self._op("le", other)
    def __gt__(self, other: Any) -> Node: return self._op("gt", other)
    def __ge__(self, other: Any) -> Node: return self._op("ge", other)
    def __getitem__(self, index: Any) -> Node: return self._op("getitem", index)
    # fmt: on

    def __eq__(self, other: object) -> Any:
        """Elementwise against numbers and arrays, and in a trace against nodes too. Outside, two nodes are
        equal if they are the same node, since graphs are sets and lists of nodes.
        """
        return self._op("eq", other) if _is_elementwise(other) else self is other

    def __ne__(self, other: object) -> Any:
        return self._op("ne", other) if _is_elementwise(other) else self is not other

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a traced value {self.type} has no truth value yet: use nnjit.numpy.where instead of `if` (or "
            "nnjit.cond, where one side alone may be computed), nnjit.scan or a loop over a known range "
            "instead of `while`, nnjit.numpy.logical_and, _or, _not instead of `and`, `or`, `not`, and "
            "maximum, minimum, sort of nnjit.numpy instead of Python's"
        )

    def _no_number(self, mend: str) -> NoReturn:
        raise TypeError(self._no_number_yet(mend))

    def _no_number_yet(self, mend: str) -> str:
        return (
            f"a traced value {self.type} is not a number yet: keep it inside the traced function ({mend}), "
            "or return it beside the result (has_aux=True); where its derivative is not wanted, compute it "
            "outside"
        )

    def __float__(self) -> NoReturn:
        self._no_number(
            "with nnjit.numpy.sin and its like instead of functions of `math`, and with nnjit.numpy.stack or "
            "x.at[i].set(v) instead of storing it in an array"
        )

    def __int__(self) -> NoReturn:
        self._no_number("with nnjit.numpy.astype, floor or rint where whole numbers are needed")

    def __index__(self) -> NoReturn:
        self._no_number("with a loop over a known range, and nnjit.numpy.take instead of a list")

    def __round__(self, digits: int = 0) -> NoReturn:
        self._no_number("with nnjit.numpy.round")

    def __complex__(self) -> NoReturn:
        self._no_number("where there are no complex numbers")

    def __format__(self, how: str) -> str:
        return format(repr(self), how) if not how else self._no_number("and print what is returned")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"len() of a traced value without axes, {self.type}")
        return static(self.shape[:1])[0]

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(f"{self.type} is a traced value and cannot be assigned to in place; {IN_PLACE}")

    def __iter__(self) -> Iterator[Node]:
        if not self.shape:
            raise TypeError("iteration over a traced scalar")
        return (self[i] for i in range(static(self.shape[:1])[0]))

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: Any) -> Node:
        return self  # its identity is the value's

    def __repr__(self) -> str:
        return f"<{self.primitive.name} {self.type}>"


def _is_elementwise(other: object) -> bool:
    return isinstance(other, ARRAYS) or (isinstance(other, Node) and is_tracing())


def _numpy(function: Any, args: Any, options: Any) -> Any:
    """Apply `nnjit.numpy`'s function of the name of one of NumPy's."""
    module = getattr(function, "__module__", None) or ""
    name = f"{module.removeprefix('numpy').strip('.')}.{function.__name__}".removeprefix(".")
    known = FUNCTIONS.get(name) or FUNCTIONS.get(function.__name__ if isinstance(function, np.ufunc) else "")
    if known is None:
        is_numpys = not isinstance(function, np.ufunc) or getattr(np, name, None) is function
        raise TypeError(f"{'numpy.' if is_numpys else 'the ufunc '}{name} has no rule in nnjit; {MEND}")
    valid = _options_of(known)
    options = {name: value for name, value in options.items() if value is not None or name in valid}
    if unknown := sorted(options.keys() - set(valid)):
        mend = IN_PLACE if "out" in unknown else f"valid: {', '.join(valid)}"
        raise TypeError(f"numpy.{name} of a traced value takes no {'=, '.join(unknown)}=; {mend}")
    return known(*args, **options)


@cache
def _options_of(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _only_evaluated_by_binding(*_: Any, **__: Any) -> Any:
    raise GraphError("the graph has an input that was not given")


input_p = Primitive("input", "input", lambda type: type, _only_evaluated_by_binding)
constant_p = Primitive("constant", "constant", lambda value: type_of(value.array), lambda value: value.array)


@dataclass(frozen=True)
class ConstantValue:
    """An array as a hashable parameter of a node: two are equal if dtype, shape and bits are."""

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
    """A node of a known array; a Python float is f64 if no dtype is given."""
    array = np.array(value, dtype=dtype)  # type: ignore[call-overload]  # any dtype NumPy takes
    kind = array_type(array.dtype, array.shape)
    return Node(constant_p, (), {"value": ConstantValue(array)}, kind, *place())


def apply(primitive: Primitive, *args: Value, **params: Any) -> Node:
    """A node that applies `primitive`; arrays among the arguments become constants."""
    nodes = tuple(a if isinstance(a, Node) else constant(a) for a in args)
    type = primitive.infer(*(n.type for n in nodes), **params)
    return Node(primitive, nodes, params, type, *place())


def type_of(value: Value) -> ArrayType:
    """The type of a node, an array or a number."""
    if isinstance(value, Node):
        return value.type
    array = np.asarray(value)
    return array_type(array.dtype, array.shape)
