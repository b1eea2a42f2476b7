"""NumPy's names for arrays and traced values: `import nnjit.numpy as np` in a program to differentiate.

A function of arrays alone returns an array; where an argument is traced, it returns a node of the graph.
Importing this gives nodes their operators.
"""

from numpy import (
    arange,
    array,
    array_equal,
    asarray,
    e,
    empty,
    eye,
    finfo,
    float32,
    float64,
    full,
    identity,
    inf,
    int32,
    int64,
    linspace,
    logspace,
    nan,
    ndarray,
    newaxis,
    ones,
    pi,
    zeros,
)  # fmt: skip

from nnjit.ir.graph import FUNCTIONS as _FUNCTIONS
from nnjit.ir.graph import METHODS as _METHODS
from nnjit.ir.graph import OPERATORS as _OPERATORS
from nnjit.numpy.elementwise import (
    abs,
    add,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
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
    invert,
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
from nnjit.numpy.linalg import (
    dot,
    matmul,
)  # fmt: skip
from nnjit.numpy.promotion import (
    Array,
    astype,
    broadcast_to,
)  # fmt: skip
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
    moveaxis,
    one_hot,
    random_uniform,
    ravel,
    reshape,
    shape,
    squeeze,
    stack,
    swapaxes,
    transpose,
)  # fmt: skip

_OPERATORS.update(
    add=add, sub=subtract, mul=multiply, div=divide, pow=power, matmul=matmul, neg=negative, abs=abs,
    lt=less, le=less_equal, gt=greater, ge=greater_equal, eq=equal, ne=not_equal, invert=invert,
    getitem=getitem, transpose=transpose, reshape=reshape, sum=sum, mean=mean, max=max, astype=astype,
    xor=bitwise_xor, **{"and": bitwise_and, "or": bitwise_or},
)  # fmt: skip
_METHODS.update(
    argmax=argmax, argmin=argmin, clip=clip, dot=dot, flatten=ravel, min=min, ravel=ravel, squeeze=squeeze,
    swapaxes=swapaxes, transpose=lambda x, *axes: transpose(x, axes or None),
)  # fmt: skip
_FUNCTIONS.update(
    {n: f for n, f in globals().items() if getattr(f, "__module__", "").startswith("nnjit.") and callable(f)}
)
_FUNCTIONS.update(absolute=abs, concat=concatenate, expit=sigmoid, amax=max, amin=min)

__all__ = [
    "Array", "abs", "add", "arange", "argmax", "argmin", "array", "array_equal", "asarray", "astype",
    "bitwise_and", "bitwise_or", "bitwise_xor", "broadcast_to", "clip", "concatenate", "cos",
    "count_nonzero", "divide", "dot", "e", "empty", "equal", "erf", "exp", "expand_dims", "expm1", "eye",
    "finfo", "float32", "float64", "floor", "full", "getitem", "greater", "greater_equal", "identity",
    "inf", "int32", "int64", "invert", "isfinite", "less", "less_equal", "linspace", "log", "log1p",
    "log_softmax", "logical_and", "logical_not", "logical_or", "logspace", "logsumexp", "matmul", "max",
    "maximum", "mean", "min", "minimum", "moveaxis", "multiply", "nan", "ndarray", "negative", "newaxis",
    "norm", "not_equal", "one_hot", "ones", "ones_like", "pi", "power", "random_uniform", "ravel", "relu",
    "reshape", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "sqrt", "square", "squeeze",
    "stack", "stop_gradient", "subtract", "sum", "swapaxes", "tanh", "transpose", "where", "zeros",
    "zeros_like",
]  # fmt: skip
