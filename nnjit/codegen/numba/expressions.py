"""Lower expressions of generated source to LLVM code, with Numba's types and operators but without inference.

Each operation follows Numba's own rules for the types of its operands, so the code is what Numba would have
compiled. Looking up a rule takes 50 µs, so the few operations that kernels consist of are written directly.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numba.core import typing
from numba.core.errors import NumbaError
from numba.core.registry import CPUDispatcher

from nnjit.codegen.numba.types import (
    Builder,
    Descriptor,
    Dispatcher,
    LlvmValue,
    NumbaType,
    Signature,
    TargetContext,
    TypingContext,
)

NUMBERS = {np.bool_: types.boolean} | {
    np.dtype(name).type: getattr(types, name) for name in ("int32", "int64", "uint32", "float32", "float64")
}
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.USub: operator.neg, ast.Not: operator.not_,
}  # fmt: skip
SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


class Unsupported(NumbaError):
    """The function uses something that only Numba's own compiler supports."""


@dataclass(frozen=True)
class Value:
    """A value in code being written.

    Args:
        type: its type in Numba.
        data: the value in LLVM's code; for a variable, its address.
        known: the value itself if it is a constant, else None.
    """

    type: NumbaType
    data: LlvmValue
    known: bool | int | float | None = None


class Expressions:
    """Writes the expressions of one function.

    Args:
        kernel: returns the descriptor of one of the program's functions for given argument types.
        rules: what Numba knows about types.
        context: Numba's lowering for this processor and function.
        builder: writes the instructions.
        outside: the function's globals.
    """

    def __init__(
        self,
        kernel: Callable[[Dispatcher, tuple[NumbaType, ...]], Descriptor],
        rules: TypingContext,
        context: TargetContext,
        builder: Builder,
        outside: Mapping[str, Any],
    ) -> None:
        self.kernel, self.rules, self.context = kernel, rules, context
        self.builder, self.outside = builder, outside
        self.variables: dict[str, Value] = {}  # by name
        self.found: dict[tuple[Any, ...], tuple[Signature, Any]] = {}  # results of `_rule`

    def value(self, node: ast.expr) -> Value:
        """Write the instructions of an expression."""
        method = getattr(self, f"_value_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unsupported(ast.unparse(node))
        value: Value = method(node)
        return value

    def _value_constant(self, node: ast.Constant) -> Value:
        return self._constant(node.value)

    def _constant(self, value: Any) -> Value:
        kinds = {bool: types.boolean, int: types.int64, float: types.float64}
        kind = kinds.get(type(value))
        if kind is None:
            raise Unsupported(repr(value))
        return Value(kind, self.context.get_constant(kind, value), value)

    def _value_name(self, node: ast.Name) -> Value:
        if node.id not in self.variables:
            raise Unsupported(node.id)
        variable = self.variables[node.id]
        return Value(variable.type, self.builder.load(variable.data))

    def _value_attribute(self, node: ast.Attribute) -> Value:
        return self._constant(self._outer(node))

    def _value_subscript(self, node: ast.Subscript) -> Value:
        place, kind = self.place(node)
        return Value(kind, self.builder.load(place))

    def _value_binop(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if left.type == right.type and type(node.op) in (ast.Add, ast.Sub, ast.Mult):
            name = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}[type(node.op)]
            if left.type == types.int64:
                return Value(left.type, getattr(self.builder, name)(left.data, right.data, flags=["nsw"]))
            if isinstance(left.type, types.Float):
                return Value(left.type, getattr(self.builder, f"f{name}")(left.data, right.data))
        return self._apply(self._operator(node.op), (left, right))

    def _value_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(value.known, (int, float)):
            return self._constant(-value.known)
        return self._apply(self._operator(node.op), (value,))

    def _value_compare(self, node: ast.Compare) -> Value:
        if len(node.ops) > 1:
            raise Unsupported(ast.unparse(node))
        left, right, op = self.value(node.left), self.value(node.comparators[0]), node.ops[0]
        if isinstance(left.type, types.Float) and isinstance(right.known, int):
            right = self.cast(right, left.type)  # Numba compares both as f64, which is the same
        if left.type == right.type and type(op) in SIGNS:
            if left.type == types.int64:
                return Value(types.boolean, self.builder.icmp_signed(SIGNS[type(op)], left.data, right.data))
            if isinstance(left.type, types.Float):
                compare = (
                    self.builder.fcmp_unordered if isinstance(op, ast.NotEq) else self.builder.fcmp_ordered
                )
                return Value(types.boolean, compare(SIGNS[type(op)], left.data, right.data))
        return self._apply(self._operator(op), (left, right))

    def _value_boolop(self, node: ast.BoolOp) -> Value:
        """All operands are computed, since none has a side effect."""
        join = self.builder.and_ if isinstance(node.op, ast.And) else self.builder.or_
        return Value(types.boolean, functools.reduce(join, [self.truth(v) for v in node.values]))

    def _value_ifexp(self, node: ast.IfExp) -> Value:
        condition, b = self.truth(node.test), self.builder
        arms, blocks = [], [b.append_basic_block(name) for name in ("then", "else", "endif")]
        b.cbranch(condition, *blocks[:2])
        for block, arm in zip(blocks[:2], (node.body, node.orelse), strict=True):
            b.position_at_end(block)
            value = self.value(arm)
            arms.append((value, b.block))
            b.branch(blocks[2])
        b.position_at_end(blocks[2])
        kind = arms[0][0].type
        if arms[1][0].type != kind:
            raise Unsupported(ast.unparse(node))
        chosen = b.phi(arms[0][0].data.type)
        for value, block in arms:
            chosen.add_incoming(value.data, block)
        return Value(kind, chosen)

    def _value_call(self, node: ast.Call) -> Value:
        function = self._outer(node.func)
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise Unsupported(ast.unparse(node))
        arguments = tuple(self.value(a) for a in node.args)
        if function in NUMBERS and len(arguments) == 1:
            return self.cast(arguments[0], NUMBERS[function])
        if isinstance(function, CPUDispatcher) and function.py_func.__globals__ is self.outside:
            kinds = tuple(a.type for a in arguments)
            kernel = self.kernel(function, kinds)
            signature = typing.signature(kernel.restype, *kinds)
            data = self.context.call_internal(self.builder, kernel, signature, [a.data for a in arguments])
            return Value(kernel.restype, data)
        return self._apply(function, arguments)

    # -- pieces

    def truth(self, node: ast.expr) -> LlvmValue:
        """Write the instructions of a condition."""
        value = self.value(node)
        if value.type != types.boolean:
            raise Unsupported(ast.unparse(node))
        return value.data

    def place(self, node: ast.Subscript) -> tuple[LlvmValue, NumbaType]:
        """The address of an element, and the element's type."""
        view, index = self.value(node.value), self.value(node.slice)
        if not isinstance(view.type, types.CPointer) or not isinstance(view.type.dtype, types.Number):
            raise Unsupported(ast.unparse(node))
        return self.builder.gep(view.data, [self.cast(index, types.int64).data]), view.type.dtype

    def cast(self, value: Value, kind: NumbaType) -> Value:
        """A value in another of Numba's types."""
        if value.type == kind:
            return value
        if value.known is not None and kind in (types.float32, types.float64):
            known = float(np.float32(value.known)) if kind == types.float32 else float(value.known)
            return Value(kind, self.context.get_constant(kind, known), known)
        return Value(kind, self.context.cast(self.builder, value.data, value.type, kind))

    def _operator(self, op: ast.AST) -> Callable[..., Any]:
        """The function of the module `operator` for an operator."""
        if type(op) not in OPERATORS:
            raise Unsupported(type(op).__name__)
        return OPERATORS[type(op)]

    def _outer(self, node: ast.expr) -> Any:
        """The value of a global name, or of an attribute of a global module."""
        if isinstance(node, ast.Name) and node.id not in self.variables:
            builtins = {"min": min, "max": max, "abs": abs}
            if node.id in self.outside or node.id in builtins:
                return self.outside.get(node.id, builtins.get(node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(self._outer(node.value), node.attr)
        raise Unsupported(ast.unparse(node))

    def _apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        """Call anything Numba can call: an operator, an intrinsic, or a compiled function."""
        kinds = tuple(a.type for a in arguments)
        if function in (min, max) and kinds == (types.int64,) * 2:
            (x, y), sign = (a.data for a in arguments), "<" if function is min else ">"
            return Value(types.int64, self.builder.select(self.builder.icmp_signed(sign, x, y), x, y))
        signature, write = self._rule(function, kinds)
        given = [self.cast(a, t).data for a, t in zip(arguments, signature.args, strict=True)]
        return Value(signature.return_type, write(self.builder, given))

    def _rule(self, function: Any, arguments: tuple[NumbaType, ...]) -> tuple[Signature, Any]:
        """Numba's signature of a function for these argument types, and the function that writes a call."""
        key = (function, arguments)
        if key not in self.found:
            kind = self.rules.resolve_value_type(function)
            signature = self.rules.resolve_function_type(kind, arguments, {})
            if signature is None or len(signature.args) != len(arguments):
                raise Unsupported(f"{function} of {arguments}")
            self.found[key] = signature, self.context.get_function(kind, signature)
        return self.found[key]
