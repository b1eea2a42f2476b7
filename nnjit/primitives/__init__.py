"""The primitives: every operation of a graph with its meaning, type rule, derivative rules and lowering."""

from nnjit.primitives.define import PRIMITIVES
from nnjit.primitives.elementwise import (
    abs_,
    add,
    cast,
    cos,
    div,
    equal,
    erf,
    exp,
    expm1,
    floor,
    isfinite,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mul,
    neg,
    not_equal,
    pow_,
    relu,
    select,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    stop_gradient,
    sub,
    tanh,
)  # fmt: skip
from nnjit.primitives.linalg import matmul
from nnjit.primitives.random import random_uniform
from nnjit.primitives.reduction import reduce_max, reduce_min, reduce_sum
from nnjit.primitives.shaping import broadcast, concat, full, full_like, reshape, slice_, transpose

__all__ = [
    "PRIMITIVES", "abs_", "add", "broadcast", "cast", "concat", "cos", "div", "equal", "erf", "exp", "expm1",
    "floor", "full", "full_like", "isfinite", "less", "less_equal", "log", "log1p", "logical_and",
    "logical_not", "logical_or", "matmul", "maximum", "minimum", "mul", "neg", "not_equal", "pow_",
    "random_uniform", "reduce_max", "reduce_min", "reduce_sum", "relu", "reshape", "select", "sigmoid",
    "sign", "sin", "slice_", "softplus", "sqrt", "stop_gradient", "sub", "tanh", "transpose",
]  # fmt: skip
