"""Primitives and nodes. A `Node` applies a primitive: a value not computed yet.

A node behaves like a NumPy array, so a program written for arrays builds a graph. `nnjit.numpy` defines
its operators, its methods, and how NumPy's own functions treat it.
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
    "loop",
    "routine",
    "call",
]
Rule: TypeAlias = Callable[..., Any]
Partial: TypeAlias = "Callable[..., Node | float]"
Push: TypeAlias = "Callable[..., Node | None]"
Pull: TypeAlias = "Callable[..., Sequence[Node | None]]"

ARRAYS = (bool, int, float, np.ndarray, np.generic)
MEND = "compose it from functions of nnjit.numpy, or give it a rule with nnjit.custom_jvp or custom_vjp"
IN_PLACE = (
    "use nnjit.numpy.where, the functional x.at[i].set(v) (of an array nnjit.numpy.at(x)[i].set(v)), or "
    "nnjit.numpy.stack and concatenate"
)

# Filled by `nnjit.numpy`: Python's operators on nodes, array methods, and NumPy's own functions by name
# (`sum`, `linalg.norm`), for programs that call them on nodes.
OPERATORS: dict[str, Callable[..., Node]] = {}
METHODS: dict[str, Callable[..., Any]] = {}
PROPERTIES: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True, eq=False)
class Primitive:
    """An operation and its rules; a call evaluates arrays, or builds a node if given one.

    Args:
        name: as printed in a graph.
        kind: selects how it is lowered.
        infer: (types of the arguments, **params) -> type of the result; raises GraphError.
        evaluate: (arrays, **params) -> array, in NumPy; this defines the operation.
        partials: of an elementwise operation, per argument (out, *args) -> the partial derivative; 1 or
            -1 if it is constant, None if zero.
        transposes: for each linear argument, (g, *args, **params) -> the argument's cotangent.
        jointly: whether it is linear in those arguments together (a sum) or in each alone (a product).
        jvp: (out, args, tangents, **params) -> tangent, and
        vjp: (g, out, args, **params) -> cotangents, for the few operations with neither of the above.
        expression: the scalar Python expression that a kernel computes, over `{0}`, `{1}`, …; `{t}` is the
            dtype's short name, `{flat}` the element's index.
            Of a reduction: how two values combine, and
        identity: the value a reduction starts from.
        lift: (n, **params) -> the params after adding a leading axis of length n to every argument;
            None if they stay the same.
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
        """Evaluate arrays; build a node if an argument is a node."""
        if any(isinstance(a, Node) for a in args):
            return apply(self, *args, **params)
        self.infer(*(type_of(a) for a in args), **params)
        return self.evaluate(*args, **params)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Node:
    """One application of a primitive. Two nodes are the same value only if they are the same object.

    Args:
        scope: its layer or part of the step, for messages.
        origin: the program or derivative pass that built it, for drawings.
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
        """Functional updates: `x.at[i].set(v)`, `.add(v)`, … return a copy of `x` changed at `i`."""
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

    if not TYPE_CHECKING:  # type checkers see only the methods above

        def __getattr__(self, name: str) -> Any:
            if name in ("item", "tolist"):
                raise AttributeError(self._no_number_yet("as an array"))
            if name in PROPERTIES:
                return PROPERTIES[name](self)
            if name not in METHODS:
                raise AttributeError(f"a traced value {self.type} has no attribute {name}")
            return partial(METHODS[name], self)

    # -- NumPy's protocols

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
            f"{self.type} is a traced value, which an array cannot hold; {IN_PLACE}. Functions of other "
            "libraries that convert their arguments to arrays cannot take it: use those of nnjit.numpy"
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
        """Compare elementwise with numbers and arrays, and in a trace with nodes too.

        Outside a trace, nodes are equal only if identical, since graphs keep them in sets and lists.
        """
        return self._op("eq", other) if _is_elementwise(other) else self is other

    def __ne__(self, other: object) -> Any:
        return self._op("ne", other) if _is_elementwise(other) else self is not other

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a traced value {self.type} has no truth value yet: use nnjit.numpy.where instead of `if` (or "
            "nnjit.cond, if one side alone may be computed), nnjit.while_loop or a loop over a known range "
            "instead of `while`, nnjit.numpy.logical_and, _or, _not instead of `and`, `or`, `not`, and "
            "maximum, minimum, sort of nnjit.numpy instead of Python's"
        )

    def _no_number(self, mend: str) -> NoReturn:
        raise TypeError(self._no_number_yet(mend))

    def _no_number_yet(self, mend: str) -> str:
        return (
            f"a traced value {self.type} is not a number yet: keep it inside the traced function ({mend}), "
            "or return it with the result (has_aux=True); if you do not need its derivative, compute it "
            "outside"
        )

    def __float__(self) -> NoReturn:
        self._no_number(
            "with nnjit.numpy.sin etc. instead of functions of `math`, and with nnjit.numpy.stack or "
            "x.at[i].set(v) instead of storing it in an array"
        )

    def __int__(self) -> NoReturn:
        self._no_number("with nnjit.numpy.astype, floor or rint if you need whole numbers")

    def __index__(self) -> NoReturn:
        self._no_number("with nnjit.fori_loop instead of `range`, and nnjit.numpy.take instead of a list")

    def __round__(self, digits: int = 0) -> NoReturn:
        self._no_number("with nnjit.numpy.round")

    def __complex__(self) -> NoReturn:
        self._no_number("complex numbers are not supported")

    def __format__(self, how: str) -> str:
        return format(repr(self), how) if not how else self._no_number("and print the returned value")

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
        return self  # a copy would be another value

    def __repr__(self) -> str:
        return f"<{self.primitive.name} {self.type}>"


def _is_elementwise(other: object) -> bool:
    return isinstance(other, ARRAYS) or (isinstance(other, Node) and is_tracing())


def _numpy(function: Any, args: Any, options: Any) -> Any:
    """Apply the `nnjit.numpy` function with the same name as NumPy's `function`."""
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
        raise TypeError(f"numpy.{name} of a traced value does not take {'=, '.join(unknown)}=; {mend}")
    return known(*args, **options)


@cache
def _options_of(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _only_evaluated_by_binding(*_: Any, **__: Any) -> Any:
    raise GraphError("the graph has an input without a value")


input_p = Primitive("input", "input", lambda type: type, _only_evaluated_by_binding)
constant_p = Primitive("constant", "constant", lambda value: type_of(value.array), lambda value: value.array)


@dataclass(frozen=True)
class ConstantValue:
    """An array as a hashable node parameter; equal if dtype, shape and bits are."""

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
    """A node holding a known array; a Python float is f64 unless `dtype` is given."""
    array = np.array(value, dtype=dtype)  # type: ignore[call-overload]  # any dtype NumPy takes
    kind = array_type(array.dtype, array.shape)
    return Node(constant_p, (), {"value": ConstantValue(array)}, kind, *place())


def apply(primitive: Primitive, *args: Value, **params: Any) -> Node:
    """Apply `primitive`, as a node; array arguments become constants."""
    nodes = tuple(a if isinstance(a, Node) else constant(a) for a in args)
    type = primitive.infer(*(n.type for n in nodes), **params)
    return Node(primitive, nodes, params, type, *place())


def type_of(value: Value) -> ArrayType:
    """The type of a node, an array or a number."""
    if isinstance(value, Node):
        return value.type
    array = np.asarray(value)
    return array_type(array.dtype, array.shape)
