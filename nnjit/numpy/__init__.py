"""NumPy's names for arrays and traced values: `import nnjit.numpy as np` in a program to differentiate.

A function of arrays alone returns an array; where an argument is traced, it returns a node of the graph.
Importing this gives nodes their operators.
"""

from numpy import arange, array, asarray, eye, float32, float64, int32, linspace, ndarray, ones, pi, zeros

from nnjit.ir.graph import OPERATORS as _OPERATORS
from nnjit.numpy.elementwise import (
    abs,
    add,
    clip,
    cos,
    divide,
    equal,
    erf,
    exp,
    expm1,
    floor,
    greater,
    greater_equal,
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
    multiply,
    negative,
    not_equal,
    ones_like,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    square,
    stop_gradient,
    subtract,
    tanh,
    where,
    zeros_like,
)  # fmt: skip
from nnjit.numpy.linalg import dot, matmul
from nnjit.numpy.promotion import Array, astype, broadcast_to
from nnjit.numpy.reduction import (
    argmax,
    argmin,
    count_nonzero,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    softmax,
    sum,
)  # fmt: skip
from nnjit.numpy.shaping import (
    concatenate,
    expand_dims,
    getitem,
    one_hot,
    random_uniform,
    ravel,
    reshape,
    shape,
    squeeze,
    stack,
    transpose,
)  # fmt: skip

_OPERATORS.update(
    add=add, sub=subtract, mul=multiply, div=divide, pow=power, matmul=matmul, neg=negative, abs=abs,
    lt=less, le=less_equal, gt=greater, ge=greater_equal, getitem=getitem, transpose=transpose,
    reshape=reshape, sum=sum, mean=mean, max=max, astype=astype,
)  # fmt: skip

__all__ = [
    "Array", "abs", "add", "arange", "argmax", "argmin", "array", "asarray", "astype", "broadcast_to", "clip",
    "concatenate", "cos", "count_nonzero", "divide", "dot", "equal", "erf", "exp", "expand_dims", "expm1",
    "eye", "float32", "float64", "floor", "getitem", "greater", "greater_equal", "int32", "isfinite", "less",
    "less_equal", "linspace", "log", "log1p", "log_softmax", "logical_and", "logical_not", "logical_or",
    "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum", "multiply", "ndarray", "negative",
    "norm", "not_equal", "one_hot", "ones", "ones_like", "pi", "power", "random_uniform", "ravel", "relu",
    "reshape", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "sqrt", "square", "squeeze", "stack",
    "stop_gradient", "subtract", "sum", "tanh", "transpose", "where", "zeros", "zeros_like",
]  # fmt: skip
