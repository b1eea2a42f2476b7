"""Translate expressions of generated Python to C: the scalar work of kernels, indices, and views."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np

from nnjit.export.c.library import Unsupported, Used
from nnjit.export.c.values import (
    AND,
    ATOM,
    BITS,
    CHOICE,
    COMPARISON,
    FLOATS,
    INDEX,
    OR,
    SUM,
    UNARY,
    Value,
    binary,
    converted,
    index,
    joint,
    number,
    pointer,
)

# fmt: off
ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
BITWISE = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
SPECIAL = {"np.inf": "INFINITY", "np.nan": "NAN"}
# fmt: on
DTYPES = ("f32", "f64", "i32", "i64", "u32", "b1")
FALSE = Value("0", "b1")


class Expressions:
    """Translates the expressions of one function.

    Args:
        names: name -> value.
        used: collects the library functions that they call.
        memory: the arrays of a program, in the order of its table: (name, dtype).
    """

    def __init__(self, names: dict[str, Value], used: Used, memory: Sequence[tuple[str, str]] = ()) -> None:
        self.names, self.used, self.memory = names, used, memory

    def value(self, node: ast.expr) -> Value:
        """Translate an expression.

        Raises:
            Unsupported: C cannot express it.
        """
        match node:
            case ast.Name(name):
                return self.names[name]
            case ast.Constant(bool() as truth):
                return Value(str(int(truth)), "b1")
            case ast.Constant(int() as known):
                return index(known)
            case ast.Constant(float() as known):
                return Value(number(known, "f64"), "f64")
            case ast.Attribute() if (text := ast.unparse(node)) in SPECIAL:
                return Value(SPECIAL[text], "f64")
            case ast.UnaryOp(operator, operand):
                return self._unary(operator, self.value(operand))
            case ast.BinOp(left, operator, right):
                return self._binary(operator, self.value(left), self.value(right))
            case ast.Compare(left, [operator], [right]):
                return self._compared(operator, self.value(left), self.value(right))
            case ast.BoolOp(operator, parts):
                return self._joined(operator, [converted(self.value(p), "b1") for p in parts])
            case ast.IfExp(condition, yes, no):
                if (extremum := self._extremum(condition, yes, no)) is not None:
                    return extremum
                return self._chosen(converted(self.value(condition), "b1"), self.value(yes), self.value(no))
            case ast.Subscript(view, at):
                return self.element(view, at)
            case ast.Call(function, arguments):
                return self._call(ast.unparse(function), arguments)
        raise Unsupported(ast.unparse(node))

    def element(self, view: ast.expr, at: ast.expr) -> Value:
        """An element of a view."""
        start = self.value(view)
        assert start.base is not None
        assert start.offset is not None
        whole = binary("+", start.offset, self.value(at))
        return Value(f"{start.base}[{whole.text}]", start.type)

    def length(self, node: ast.expr) -> int:
        """A known index or length."""
        found = self.value(node).constant
        if found is None:
            raise Unsupported(f"{ast.unparse(node)}, which depends on the input")
        return found

    # -- operators

    def _unary(self, operator: ast.unaryop, x: Value) -> Value:
        if isinstance(operator, ast.Not):
            return Value(f"!{converted(x, 'b1').within(ATOM)}", "b1", UNARY)
        if x.constant is not None:
            return index(-x.constant)
        if x.type not in (*FLOATS, INDEX):
            return binary("-", Value("0", x.type), x)
        return Value(f"-{x.within(ATOM)}", x.type, UNARY)

    def _binary(self, operator: ast.operator, x: Value, y: Value) -> Value:
        if type(operator) in ARITHMETIC:
            return binary(ARITHMETIC[type(operator)], x, y)
        if isinstance(operator, ast.FloorDiv):
            return Value(f"{self.used.add('floor_divide')}({x.text}, {y.text})", "i64")
        if type(operator) in BITWISE:
            text = f" {BITWISE[type(operator)]} ".join(v.within(UNARY) for v in (x, y))
            return Value(text, joint(x, y), BITS)
        raise Unsupported(type(operator).__name__)

    def _compared(self, operator: ast.cmpop, x: Value, y: Value) -> Value:
        if x.text == y.text and x.type not in FLOATS and isinstance(operator, ast.NotEq):
            return FALSE  # the test for NaN; gcc warns of it for integers
        if joint(x, y) in FLOATS:
            x, y = (converted(v, joint(x, y)) if v.constant is not None else v for v in (x, y))
        return Value(f"{x.within(SUM)} {COMPARISONS[type(operator)]} {y.within(SUM)}", "b1", COMPARISON)

    def _joined(self, operator: ast.boolop, parts: list[Value]) -> Value:
        is_or = isinstance(operator, ast.Or)
        parts = [p for p in parts if p is not FALSE or not is_or]
        if len(parts) == 1:
            return parts[0]
        text = (" || " if is_or else " && ").join(p.within(COMPARISON) for p in parts)
        return Value(text, "b1", OR if is_or else AND)

    def _extremum(self, condition: ast.expr, yes: ast.expr, no: ast.expr) -> Value | None:
        """The larger or smaller of two numbers, or NaN if either is NaN; None if the choice is neither."""
        x, y = (ast.unparse(node) for node in (yes, no))
        found = {f"{x} > {y} or {x} != {x}": "larger", f"{x} < {y} or {x} != {x}": "smaller"}
        values, name = (self.value(yes), self.value(no)), found.get(ast.unparse(condition))
        if name is None or (type := joint(*values)) not in FLOATS:
            return None
        return Value(f"{self.used.add(name, type)}({', '.join(v.text for v in values)})", type)

    def _chosen(self, condition: Value, yes: Value, no: Value) -> Value:
        parts = (v.within(CHOICE + 1) for v in (condition, yes, no))
        return Value("{} ? {} : {}".format(*parts), joint(yes, no), CHOICE)

    # -- calls

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        if name in DTYPES:
            return self._cast(name, arguments[0])
        if name == "min":
            return index(min(map(self.length, arguments)))
        if name == "part":
            view, first, _, size = arguments
            return self._moved(self.value(view), binary("*", self.value(first), self.value(size)))
        if name.endswith("_at"):
            _, number, start, _ = arguments
            array, dtype = self.memory[self.length(number)]
            return pointer(array, dtype, self.value(start))
        return self.used.called(name, map(self.value, arguments))

    def _moved(self, view: Value, distance: Value) -> Value:
        assert view.base is not None
        assert view.offset is not None
        return pointer(view.base, view.type, binary("+", view.offset, distance))

    def _cast(self, type: str, node: ast.expr) -> Value:
        known = _known(node)
        if known is None:
            return converted(self.value(node), type)
        if not np.isfinite(known):
            return Value(f"-{SPECIAL['np.inf']}" if known < 0 else SPECIAL[ast.unparse(node)], type, UNARY)
        if type == "i64":
            return Value(_least("INT64", known) or f"INT64_C({int(known)})", type)
        if type == "i32" and (least := _least("INT32", known)):
            return Value(least, type)
        text = number(known, type) + ("u" if type == "u32" else "")
        return Value(text, type, UNARY if text.startswith("-") else ATOM)


def _known(node: ast.expr) -> float | None:
    """The number that a node is; None if it is not a number."""
    match node:
        case ast.UnaryOp(ast.USub(), inner):
            known = _known(inner)
            return None if known is None else -known
        case ast.Constant(bool()):
            return None
        case ast.Constant(int() | float() as value):
            return value
        case ast.Attribute():
            return {"np.inf": np.inf, "np.nan": np.nan}.get(ast.unparse(node))
    return None


def _least(name: str, value: float) -> str | None:
    """The least integer of a type, which has no literal."""
    return f"{name}_MIN" if value == -(2 ** (int(name[3:]) - 1)) else None
