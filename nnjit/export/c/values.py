"""Typed C expressions, as text with parentheses only where C or a reader needs them."""

from __future__ import annotations

from typing import NamedTuple

# fmt: off
C_TYPES = {  # in memory; a boolean is a byte, as in nnjit
    "f32": "float", "f64": "double", "i32": "int32_t", "i64": "int64_t", "u32": "uint32_t", "b1": "uint8_t",
    "int": "int",
}
# fmt: on
INDEX = "int"  # the type of indices and lengths, which is not a dtype of the graph
ORDER = ("b1", INDEX, "u32", "i32", "i64", "f32", "f64")  # the later of two types is the result's
FLOATS = ("f32", "f64")

# How tightly an expression's outermost operator binds.
ATOM, UNARY, PRODUCT, SUM, COMPARISON, BITS, AND, OR, CHOICE = range(9, 0, -1)


class Value(NamedTuple):
    """An expression.

    Args:
        type: the short name of its dtype (of its elements' for a pointer), or `INDEX`.
        level: how tightly its outermost operator binds.
        constant: its value if it is a known index.
        base: the array or parameter that a pointer points into; None for other values.
        offset: of a pointer from its base, in elements.
    """

    text: str
    type: str
    level: int = ATOM
    constant: int | None = None
    base: str | None = None
    offset: Value | None = None

    def within(self, level: int) -> str:
        """The text as an operand that must bind as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"


def index(value: int) -> Value:
    """A known index."""
    return Value(str(value), INDEX, ATOM if value >= 0 else UNARY, value)


def pointer(base: str, type: str, offset: Value | None = None) -> Value:
    """The address of an array's element at `offset`."""
    offset = index(0) if offset is None else offset
    if offset.constant == 0:
        return Value(base, type, base=base, offset=offset)
    return Value(f"{base} + {offset.within(PRODUCT)}", type, SUM, base=base, offset=offset)


def joint(*values: Value) -> str:
    """The type of an operation's result."""
    return max((v.type for v in values), key=ORDER.index)


def converted(value: Value, type: str) -> Value:
    """A value as another type."""
    if type == "b1":
        return value if value.type == "b1" else Value(f"{value.within(SUM)} != 0", "b1", COMPARISON)
    if value.type == type:
        return value
    if value.constant is not None:
        return Value(number(value.constant, type), type, value.level)
    return Value(f"({C_TYPES[type]}){value.within(UNARY)}", type, UNARY)


def number(value: float, type: str) -> str:
    """A finite number as a literal of a type."""
    if type not in FLOATS:
        return str(int(value))
    text = repr(float(value)) if isinstance(value, int) else str(value)
    return f"{text}f" if type == "f32" else text


def binary(operator: str, x: Value, y: Value) -> Value:
    """Write an operator, one of + - * /; for known indices, its result.

    The graph's integers wrap around; in C, only unsigned ones do.
    """
    type = joint(x, y)
    if type == INDEX and (folded := _folded(operator, x, y)) is not None:
        return folded
    if type in ("i32", "i64"):
        unsigned = f"uint{type[1:]}_t"
        parts = (f"({unsigned}){v.within(UNARY)}" for v in (x, y))
        return Value(f"({C_TYPES[type]})({f' {operator} '.join(parts)})", type, UNARY)
    level = SUM if operator in "+-" else PRODUCT
    return Value(f"{x.within(level)} {operator} {y.within(level + 1)}", type, level)


def _folded(operator: str, x: Value, y: Value) -> Value | None:
    """The result for known indices, or if one of them changes nothing."""
    a, b = x.constant, y.constant
    if a is not None and b is not None:
        return index({"+": a + b, "-": a - b, "*": a * b}[operator])
    if operator == "*" and 0 in (a, b):
        return index(0)
    if (operator == "+" and a == 0) or (operator == "*" and a == 1):
        return y
    if (operator in "+-" and b == 0) or (operator == "*" and b == 1):
        return x
    return None
