"""NumPy's names for arrays and traced values: `import nnjit.numpy as np` in a program to differentiate.

Functions of arrays return arrays; if an argument is traced, they return a node of the graph. Importing this
module gives nodes their operators.
"""

# ruff: noqa: I001  # many names a line

from numpy import (
    arange, array_equal, bool_, diag_indices, e, empty, eye, finfo, float32, float64, geomspace, identity,
    indices, inf, int32, int64, ix_, logspace, nan, ndarray, newaxis, ones, pi, tri, tril_indices,
    triu_indices, unravel_index, zeros,
)  # fmt: skip

from nnjit.ir.graph import FUNCTIONS as _FUNCTIONS
from nnjit.ir.graph import METHODS as _METHODS
from nnjit.ir.graph import OPERATORS as _OPERATORS
from nnjit.ir.graph import PROPERTIES as _PROPERTIES
from nnjit.numpy.promotion import (
    Array, astype, broadcast_to,
)  # fmt: skip
from nnjit.numpy.elementwise import (
    abs, absolute, add, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, bitwise_and, bitwise_or,
    bitwise_xor, cbrt, ceil, clip, cos, cosh, divide, equal, erf, exp, exp2, expm1, floor, floor_divide, fmod,
    gammaln, greater, greater_equal, hypot, invert, isfinite, less, less_equal, log, log10, log1p, log2,
    logaddexp, logical_and, logical_not, logical_or, maximum, minimum, mod, multiply, negative, nonzero,
    not_equal, power, relu, remainder, rint, sigmoid, sign, sin, sinh, softplus, sqrt, square, stop_gradient,
    subtract, tan, tanh, true_divide, trunc, where,
)  # fmt: skip
from nnjit.numpy.special import (
    around, conj, conjugate, copysign, deg2rad, degrees, digamma, divmod, fabs, fix, float_power, fmax, fmin,
    heaviside, i0, imag, isclose, isinf, isnan, log_sigmoid, logaddexp2, logical_xor, logit, modf, nan_to_num,
    positive, rad2deg, radians, real, reciprocal, round, signbit, sinc, xlogy,
)  # fmt: skip
from nnjit.numpy.shaping.arranging import (
    flip, fliplr, flipud, repeat, roll, rot90, tile,
)  # fmt: skip
from nnjit.numpy.shaping.axes import (
    expand_dims, matrix_transpose, moveaxis, ndim, ravel, reshape, shape, size, squeeze, swapaxes, transpose,
    unstack,
)  # fmt: skip
from nnjit.numpy.shaping.creation import (
    array, asarray, atleast_1d, atleast_2d, atleast_3d, broadcast_arrays, empty_like, full, full_like,
    linspace, meshgrid, one_hot, ones_like, random_uniform, zeros_like,
)  # fmt: skip
from nnjit.numpy.shaping.diagonals import (
    diag, diagflat, diagonal, trace, tril, triu,
)  # fmt: skip
from nnjit.numpy.shaping.joining import (
    append, array_split, column_stack, concat, concatenate, dsplit, dstack, hsplit, hstack, split, stack,
    vsplit, vstack,
)  # fmt: skip
from nnjit.numpy.shaping.padding import (
    pad,
)  # fmt: skip
from nnjit.numpy.indexing.reading import (
    getitem, take, take_along_axis,
)  # fmt: skip
from nnjit.numpy.indexing.sorting import (
    argpartition, argsort, partition, sort,
)  # fmt: skip
from nnjit.numpy.indexing.writing import (
    at, put_along_axis,
)  # fmt: skip
from nnjit.numpy.reduction.exponentials import (
    log_softmax, logsumexp, softmax,
)  # fmt: skip
from nnjit.numpy.reduction.extrema import (
    amax, amin, argmax, argmin, max, min, ptp,
)  # fmt: skip
from nnjit.numpy.reduction.missing import (
    nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar,
)  # fmt: skip
from nnjit.numpy.reduction.moments import (
    average, std, var,
)  # fmt: skip
from nnjit.numpy.reduction.quantiles import (
    median, nanmedian, nanpercentile, nanquantile, percentile, quantile,
)  # fmt: skip
from nnjit.numpy.reduction.running import (
    cumprod, cumsum, cumulative_prod, cumulative_sum,
)  # fmt: skip
from nnjit.numpy.reduction.sums import (
    all, allclose, any, count_nonzero, mean, norm, prod, sum,
)  # fmt: skip
from nnjit.numpy.linear.convolution import (
    convolve, correlate, sliding_window_view, windows,
)  # fmt: skip
from nnjit.numpy.linear.products import (
    cross, dot, einsum, inner, kron, matmul, matvec, outer, tensordot, vdot, vecdot, vecmat,
)  # fmt: skip
from nnjit.numpy.numerical.calculus import (
    diff, ediff1d, gradient, interp, trapezoid, unwrap,
)  # fmt: skip
from nnjit.numpy.numerical.covariance import (
    corrcoef, cov,
)  # fmt: skip
from nnjit.numpy.numerical.polynomials import (
    polyadd, polyder, polyfit, polyint, polymul, polysub, polyval, vander,
)  # fmt: skip
from nnjit.numpy.functional import (
    apply_along_axis, piecewise, select, vectorize,
)  # fmt: skip
from nnjit.numpy.indexing.searching import (
    bincount, digitize, searchsorted,
)  # fmt: skip
from nnjit.numpy.shaping.editing import (
    delete, insert,
)  # fmt: skip
from nnjit.numpy.shaping.blocks import (
    block, c_, r_,
)  # fmt: skip
from nnjit.numpy import fft as _fft  # noqa: F401  # its name is an attribute from then on
from nnjit.numpy import linalg as _linalg
from nnjit.numpy.promotion import operator as _operator
from nnjit.numpy.shaping.axes import transpose_method as _transpose_method

_ARITHMETIC = {
    "add": add, "sub": subtract, "mul": multiply, "div": divide, "pow": power, "neg": negative, "abs": abs,
    "mod": remainder, "floordiv": floor_divide,
}  # fmt: skip
_OPERATORS.update({name: _operator(function) for name, function in _ARITHMETIC.items()})
_OPERATORS.update(
    matmul=matmul, lt=less, le=less_equal, gt=greater, ge=greater_equal, eq=equal, ne=not_equal,
    invert=invert, xor=bitwise_xor, **{"and": bitwise_and, "or": bitwise_or}, getitem=getitem,
    transpose=transpose, reshape=reshape, sum=sum, mean=mean, max=max, astype=astype,
)  # fmt: skip
# The array API's names, also in NumPy.
acos, acosh, asin, asinh, atan, atan2, atanh = arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh
pow, bitwise_invert, permute_dims, copy = power, invert, transpose, positive

_PROPERTIES.update(imag=imag, mT=matrix_transpose, real=real)
_METHODS.update(
    all=all, any=any, argmax=argmax, argmin=argmin, argpartition=argpartition, argsort=argsort, at=at,
    clip=clip, conj=positive, conjugate=positive, copy=positive, cumprod=cumprod, cumsum=cumsum,
    diagonal=diagonal, dot=dot, flatten=ravel, min=min, nonzero=nonzero, prod=prod, ptp=ptp, ravel=ravel,
    repeat=repeat, round=around, searchsorted=searchsorted, squeeze=squeeze, std=std, swapaxes=swapaxes,
    take=take, trace=trace, var=var, transpose=_transpose_method,
)  # fmt: skip
_OWN = {n: f for n, f in globals().items() if str(getattr(f, "__module__", "")).startswith("nnjit.numpy")}
_FUNCTIONS.update({n: f for n, f in _OWN.items() if callable(f) and not n.startswith("_")})
del _FUNCTIONS["put_along_axis"]  # NumPy's writes into its argument
_FUNCTIONS.update({f"linalg.{n}": getattr(_linalg, n) for n in _linalg.__all__})
_FUNCTIONS.update(
    expit=sigmoid, log_expit=log_sigmoid, psi=digamma,
    **{"lib.stride_tricks.sliding_window_view": sliding_window_view},
)  # fmt: skip

__all__ = [
    "Array", "abs", "absolute", "acos", "acosh", "add", "all", "allclose", "amax", "amin", "any", "append",
    "apply_along_axis", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "argmax", "argmin", "argpartition", "argsort", "around", "array", "array_equal", "array_split",
    "asarray", "asin", "asinh", "astype", "at", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d",
    "atleast_3d", "average", "bincount", "bitwise_and", "bitwise_invert", "bitwise_or", "bitwise_xor",
    "block", "bool_", "broadcast_arrays", "broadcast_to", "c_", "cbrt", "ceil", "clip", "column_stack",
    "concat", "concatenate", "conj", "conjugate", "convolve", "copy", "copysign", "corrcoef", "correlate",
    "cos", "cosh", "count_nonzero", "cov", "cross", "cumprod", "cumsum", "cumulative_prod",
    "cumulative_sum", "deg2rad", "degrees", "delete", "diag", "diag_indices", "diagflat", "diagonal",
    "diff", "digamma", "digitize", "divide", "divmod", "dot", "dsplit", "dstack", "e", "ediff1d", "einsum",
    "empty", "empty_like", "equal", "erf", "exp", "exp2", "expand_dims", "expm1", "eye", "fabs", "finfo",
    "fix", "flip", "fliplr", "flipud", "float32", "float64", "float_power", "floor", "floor_divide", "fmax",
    "fmin", "fmod", "full", "full_like", "gammaln", "geomspace", "getitem", "gradient", "greater",
    "greater_equal", "heaviside", "hsplit", "hstack", "hypot", "i0", "identity", "imag", "indices", "inf",
    "inner", "insert", "int32", "int64", "interp", "invert", "isclose", "isfinite", "isinf", "isnan", "ix_",
    "kron", "less", "less_equal", "linspace", "log", "log1p", "log2", "log10", "log_sigmoid", "log_softmax",
    "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logit",
    "logspace", "logsumexp", "matmul", "matrix_transpose", "matvec", "max", "maximum", "mean", "median",
    "meshgrid", "min", "minimum", "mod", "modf", "moveaxis", "multiply", "nan", "nan_to_num", "nanargmax",
    "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndarray", "ndim", "negative", "newaxis",
    "nonzero", "norm", "not_equal", "one_hot", "ones", "ones_like", "outer", "pad", "partition",
    "percentile", "permute_dims", "pi", "piecewise", "polyadd", "polyder", "polyfit", "polyint", "polymul",
    "polysub", "polyval", "positive", "pow", "power", "prod", "ptp", "put_along_axis", "quantile", "r_",
    "rad2deg", "radians", "random_uniform", "ravel", "real", "reciprocal", "relu", "remainder", "repeat",
    "reshape", "rint", "roll", "rot90", "round", "searchsorted", "select", "shape", "sigmoid", "sign",
    "signbit", "sin", "sinc", "sinh", "size", "sliding_window_view", "softmax", "softplus", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "subtract", "sum", "swapaxes", "take",
    "take_along_axis", "tan", "tanh", "tensordot", "tile", "trace", "transpose", "trapezoid", "tri", "tril",
    "tril_indices", "triu", "triu_indices", "true_divide", "trunc", "unravel_index", "unstack", "unwrap",
    "vander", "var", "vdot", "vecdot", "vecmat", "vectorize", "vsplit", "vstack", "where", "windows",
    "xlogy", "zeros", "zeros_like",
]  # fmt: skip
