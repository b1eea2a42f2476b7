"""The table of operations: one row for every primitive and every function of `nnjit.numpy`, and its graphs.

A row's name begins with the operation it tests; further words distinguish its rows. Samples stay away from
kinks, so every derivative can be compared with differences; ties and edges have their own tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special
from numpy.lib.stride_tricks import sliding_window_view

import nnjit.numpy as nnp
from nnjit import primitives as p
from nnjit.autodiff import flatten, pull_back, push_forward
from nnjit.ir import ArrayType, B, Graph, Shape, array_type, new_input, with_rows

Sampler = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.5, 2.0, shape)


def above_minus_one(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-0.5, 2.0, shape)


def not_near_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    x = rng.standard_normal(shape)
    return x + np.where(x < 0, -0.2, 0.2)


def between_whole(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.floor(3 * rng.standard_normal(shape)) + rng.uniform(0.1, 0.9, shape)


def near_whole(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.floor(3 * rng.standard_normal(shape)) + rng.uniform(-0.4, 0.4, shape)


def inside_one(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-0.8, 0.8, shape)


def inside_two(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.2, 1.8, shape)


def above_one(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(1.3, 3.0, shape)


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape))
    return rng.permutation(size).reshape(shape) * 0.1 - 0.04 * size


def whole(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-3, 4, shape)


def index3(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 3, shape)


def one_to_three(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(1, 4, shape)


def truth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape) < 0.5


@dataclass(frozen=True)
class Arg:
    """An argument: its shape, the source of its values, and its dtype ("float": the one under test)."""

    shape: Shape
    sample: Sampler = normal
    dtype: str = "float"

    def type(self, dtype: str) -> ArrayType:
        return array_type(dtype if self.dtype == "float" else self.dtype, self.shape)


@dataclass(frozen=True)
class Row:
    """An operation: its form in nnjit, its form in NumPy or SciPy, and its arguments.

    Args:
        stops: whether its derivative is zero by definition.
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    args: tuple[Arg, ...]
    stops: bool = False

    def sample(self, rows: int, dtype: str = "f64", seed: int = 0) -> list[np.ndarray]:
        """An array for every argument."""
        rng = np.random.default_rng([seed, rows])
        return [np.asarray(a.sample(rng, with_rows(a.shape, rows)), a.type(dtype).dtype) for a in self.args]


X, Y = Arg((B, 3)), Arg((B, 3))
WIDE = Arg((B, 2, 3))
WIDE_DISTINCT = Arg((B, 2, 3), distinct)
APART, POSITIVE, DISTINCT = (Arg((B, 3), s) for s in (not_near_zero, positive, distinct))
INSIDE, INSIDE_TWO = Arg((B, 3), inside_one), Arg((B, 3), inside_two)
INT, BOOL = Arg((B, 3), whole, "i32"), Arg((B, 3), truth, "b1")
INDEX, COUNT = Arg((B,), index3, "i32"), Arg((B, 3), one_to_three, "i32")
PLACES, MANY_PLACES = Arg((B, 2), index3, "i32"), Arg((B, 4, 2), index3, "i64")
KEY = Arg((), lambda rng, shape: np.asarray(7), "u32")


def _max(axis: int | tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.max(x, axis=axis)


def _softmax(x: np.ndarray) -> np.ndarray:
    return scipy.special.softmax(x, axis=-1)


def _uniform(key: np.ndarray, step: np.ndarray, y: np.ndarray) -> np.ndarray:
    index = np.arange(3 * len(y), dtype=np.uint64).reshape(len(y), 3)
    from nnjit.primitives.philox import philox_array  # tests/codegen/test_maths.py has known answers

    return (philox_array(index, step, key ^ np.uint32(5)) >> np.uint32(8)) * 2.0**-24


def _scattered(x: np.ndarray, i: np.ndarray) -> np.ndarray:
    return (x[:, :, None] * (i[:, :, None] == np.arange(3))).sum(1)


# fmt: off
PRIMITIVE_ROWS = (
    Row("neg",          p.neg,                       np.negative,            (X,)),
    Row("abs",          p.abs_,                      np.abs,                 (APART,)),
    Row("sign",         p.sign,                      np.sign,                (APART,)),
    Row("side",         p.side,                      np.sign,                (APART,)),
    Row("floor",        p.floor,                     np.floor,               (Arg((B, 3), between_whole),)),
    Row("sqrt",         p.sqrt,                      np.sqrt,                (POSITIVE,)),
    Row("exp",          p.exp,                       np.exp,                 (X,)),
    Row("expm1",        p.expm1,                     np.expm1,               (X,)),
    Row("log",          p.log,                       np.log,                 (POSITIVE,)),
    Row("log1p",        p.log1p,                     np.log1p,               (Arg((B, 3), above_minus_one),)),
    Row("sin",          p.sin,                       np.sin,                 (X,)),
    Row("cos",          p.cos,                       np.cos,                 (X,)),
    Row("tanh",         p.tanh,                      np.tanh,                (X,)),
    Row("sigmoid",      p.sigmoid,                   scipy.special.expit,    (X,)),
    Row("softplus",     p.softplus,                  lambda x: np.log(1 + np.exp(x)), (X,)),
    Row("erf",          p.erf,                       scipy.special.erf,      (X,)),
    Row("exp2",         p.exp2,                      np.exp2,                (X,)),
    Row("log2",         p.log2,                      np.log2,                (POSITIVE,)),
    Row("log10",        p.log10,                     np.log10,               (POSITIVE,)),
    Row("cbrt",         p.cbrt,                      np.cbrt,                (APART,)),
    Row("tan",          p.tan,                       np.tan,                 (INSIDE,)),
    Row("arcsin",       p.arcsin,                    np.arcsin,              (INSIDE,)),
    Row("arccos",       p.arccos,                    np.arccos,              (INSIDE,)),
    Row("arctan",       p.arctan,                    np.arctan,              (X,)),
    Row("sinh",         p.sinh,                      np.sinh,                (X,)),
    Row("cosh",         p.cosh,                      np.cosh,                (X,)),
    Row("arcsinh",      p.arcsinh,                   np.arcsinh,             (X,)),
    Row("arccosh",      p.arccosh,                   np.arccosh,             (Arg((B, 3), above_one),)),
    Row("arctanh",      p.arctanh,                   np.arctanh,             (INSIDE,)),
    Row("gammaln",      p.gammaln,                   scipy.special.gammaln,  (POSITIVE,)),
    Row("gamma",        p.gamma,                     scipy.special.gamma,    (POSITIVE,)),
    Row("erfc",         p.erfc,                      scipy.special.erfc,     (X,)),
    Row("erfcx",        p.erfcx,                     scipy.special.erfcx,    (X,)),
    Row("erfinv",       p.erfinv,                    scipy.special.erfinv,   (INSIDE,)),
    Row("erfcinv",      p.erfcinv,                   scipy.special.erfcinv,  (INSIDE_TWO,)),
    Row("expi",         p.expi,                      scipy.special.expi,     (APART,)),
    Row("entr",         p.entr,                      scipy.special.entr,     (POSITIVE,)),
    Row("xlogy",        p.xlogy,                     scipy.special.xlogy,    (X, POSITIVE)),
    Row("xlog1py",      p.xlog1py,                   scipy.special.xlog1py,  (X, INSIDE)),
    Row("rel_entr",     p.rel_entr,                  scipy.special.rel_entr, (POSITIVE, INSIDE_TWO)),
    Row("xdivy",        p.xdivy,                     np.divide,              (X, APART)),
    Row("expm1mx",      p.expm1mx,                   lambda x: np.expm1(x) - x, (APART,)),
    Row("ceil",         p.ceil,                      np.ceil,                (Arg((B, 3), between_whole),)),
    Row("trunc",        p.trunc,                     np.trunc,               (Arg((B, 3), between_whole),)),
    Row("rint",         p.rint,                      np.rint,                (Arg((B, 3), near_whole),)),
    Row("arctan2",      p.arctan2,                   np.arctan2,             (APART, X)),
    Row("hypot",        p.hypot,                     np.hypot,               (APART, X)),
    Row("root",         p.root,                      np.sqrt,                (POSITIVE,)),
    Row("corner",       p.corner,                    lambda x: 1 / x,        (APART,)),
    Row("logaddexp",    p.logaddexp,                 np.logaddexp,           (X, Y)),
    Row("remainder",    p.remainder,                 np.remainder,           (X, APART)),
    Row("fmod",         p.fmod,                      np.fmod,                (X, APART)),
    Row("floor_divide", p.floor_divide,              np.floor_divide,        (INT, COUNT)),
    Row("relu",         p.relu,                      lambda x: x * (x > 0),  (APART,)),
    Row("add",          p.add,                       np.add,                 (X, Y)),
    Row("sub",          p.sub,                       np.subtract,            (X, Y)),
    Row("mul",          p.mul,                       np.multiply,            (X, Y)),
    Row("div",          p.div,                       np.divide,              (X, APART)),
    Row("pow",          p.pow_,                      np.power,               (POSITIVE, Y)),
    Row("maximum",      p.maximum,                   np.maximum,             (X, Y)),
    Row("minimum",      p.minimum,                   np.minimum,             (X, Y)),
    Row("less",         p.less,                      np.less,                (INT, INT)),
    Row("less_equal",   p.less_equal,                np.less_equal,          (INT, INT)),
    Row("equal",        p.equal,                     np.equal,               (INT, INT)),
    Row("not_equal",    p.not_equal,                 np.not_equal,           (INT, INT)),
    Row("isfinite",     p.isfinite,                  np.isfinite,            (X,)),
    Row("logical_and",  p.logical_and,               np.logical_and,         (BOOL, BOOL)),
    Row("logical_or",   p.logical_or,                np.logical_or,          (BOOL, BOOL)),
    Row("logical_not",  p.logical_not,               np.logical_not,         (BOOL,)),
    Row("bitwise_and",  p.bitwise_and,               np.bitwise_and,         (INT, INT)),
    Row("bitwise_or",   p.bitwise_or,                np.bitwise_or,          (INT, INT)),
    Row("bitwise_xor",  p.bitwise_xor,               np.bitwise_xor,         (INT, INT)),
    Row("stop_gradient", p.stop_gradient,            lambda x: x,            (X,), stops=True),
    Row("select",       p.select,                    np.where,               (BOOL, X, Y)),
    Row("cast",         lambda x: p.cast(x, dtype=np.dtype("f8")), lambda x: x.astype("f8"), (X,)),
    Row("cast of bool", lambda x: p.cast(x, dtype=np.dtype("f4")), lambda x: x.astype("f4"), (BOOL,)),
    Row("cast to i32",  lambda x: p.cast(x, dtype=np.dtype("i4")), lambda x: x.astype("i4"), (X,)),
    Row("broadcast",    lambda x: p.broadcast(x, shape=(B, 2, 3), axes=(0, 2)),
                        lambda x: np.repeat(x[:, None], 2, 1),               (X,)),
    Row("broadcast to rows", lambda x, y: p.mul(p.broadcast(x, shape=(B, 3), axes=(1,)), y), np.multiply,
                                                                             (Arg((3,)), Y)),
    Row("broadcast of a number", lambda x, y: p.mul(p.broadcast(x, shape=(B, 3), axes=()), y), np.multiply,
                                                                             (Arg(()), Y)),
    Row("transpose",    lambda x: p.transpose(x, perm=(0, 2, 1)), lambda x: x.transpose(0, 2, 1), (WIDE,)),
    Row("transpose without rows", lambda x: p.transpose(x, perm=(2, 0, 1)), lambda x: x.transpose(2, 0, 1),
                                                                             (Arg((2, 3, 4)),)),
    Row("slice",   lambda x: p.slice_(x, starts=(0, 1, 0), shape=(B, 1, 2)), lambda x: x[:, 1:, :2], (WIDE,)),
    Row("slice of leading rows", lambda x: p.slice_(x, starts=(1, 0), shape=(3, 2)), lambda x: x[1:4],
                                                                             (Arg((5, 2)),)),
    Row("reshape",      lambda x: p.reshape(x, shape=(B, 3, 2)), lambda x: x.reshape(-1, 3, 2), (WIDE,)),
    Row("reshape of a transpose", lambda x: p.reshape(p.transpose(x, perm=(0, 2, 1)), shape=(B, 6)),
                        lambda x: x.transpose(0, 2, 1).reshape(-1, 6),       (WIDE,)),
    Row("concat",       lambda x, y: p.concat(x, y, x, axis=1), lambda x, y: np.concatenate([x, y, x], 1),
                                                                             (X, Arg((B, 2)))),
    Row("concat of vectors", lambda x, y: p.concat(x, y, axis=0), lambda x, y: np.concatenate([x, y]),
                                                                             (Arg((3,)), Arg((4,)))),
    Row("concat of matrices", lambda x, y: p.concat(x, y, axis=0), lambda x, y: np.concatenate([x, y]),
                                                                             (Arg((1, 2)), Arg((3, 2)))),
    Row("reduce_sum",   lambda x: p.reduce_sum(x, axes=(1,)),   lambda x: x.sum(1),      (X,)),
    Row("reduce_sum over rows", lambda x: p.reduce_sum(x, axes=(0,)), lambda x: x.sum(0), (X,)),
    Row("reduce_sum over all", lambda x: p.reduce_sum(x, axes=(0, 1)), np.sum,           (X,)),
    Row("reduce_sum in the middle", lambda x: p.reduce_sum(x, axes=(1,)), lambda x: x.sum(1), (WIDE,)),
    Row("reduce_sum of two axes", lambda x: p.reduce_sum(x, axes=(0, 2)), lambda x: x.sum((0, 2)), (WIDE,)),
    Row("reduce_max",   lambda x: p.reduce_max(x, axes=(1,)),   _max(1),                 (DISTINCT,)),
    Row("reduce_max over rows", lambda x: p.reduce_max(x, axes=(0,)), _max(0),           (DISTINCT,)),
    Row("reduce_min",   lambda x: p.reduce_min(x, axes=(2,)),   lambda x: x.min(2),      (WIDE_DISTINCT,)),
    Row("reduce_min over all", lambda x: p.reduce_min(x, axes=(0, 1)), np.min,           (DISTINCT,)),
    Row("matmul",       lambda x, y: p.matmul(x, y, ta=False, tb=False), np.matmul,      (X, Arg((3, 2)))),
    Row("matmul with a transpose", lambda x, y: p.matmul(x, y, ta=False, tb=True), lambda x, y: x @ y.T,
                                                                             (X, Arg((2, 3)))),
    Row("matmul over rows", lambda x, y: p.matmul(x, y, ta=True, tb=False), lambda x, y: x.T @ y,
                                                                             (X, Arg((B, 2)))),
    Row("matmul of a transpose", lambda x, y: p.matmul(x, y, ta=True, tb=False), lambda x, y: x.T @ y,
                                                                             (Arg((3, 2)), Arg((3, 4)))),
    Row("matmul of transposes", lambda x, y: p.matmul(x, y, ta=True, tb=True), lambda x, y: x.T @ y.T,
                                                                             (Arg((3, 2)), Arg((4, 3)))),
    Row("matmul of sequences", lambda x, y: p.matmul(x, y, ta=False, tb=False), np.matmul,
                                                                             (WIDE, Arg((3, 4)))),
    Row("matmul over sequences", lambda x, y: p.matmul(x, y, ta=True, tb=False),
                        lambda x, y: np.einsum("bti,bto->io", x, y),         (WIDE, Arg((B, 2, 4)))),
    Row("batch_matmul", lambda x, y: p.batch_matmul(x, y, ta=False, tb=False), np.matmul,
                                                                             (WIDE, Arg((B, 3, 2)))),
    Row("batch_matmul of transposes", lambda x, y: p.batch_matmul(x, y, ta=True, tb=True),
        lambda x, y: x.swapaxes(1, 2) @ y.swapaxes(1, 2),                   (Arg((2, 3, 2)), Arg((2, 4, 3)))),
    Row("windows", lambda x: p.windows(x, first=1, sizes=(3,), strides=(2,), dilations=(1,)) * 2.0,
                        lambda x: 2 * np.stack([x[:, k : k + 3] for k in (0, 2, 4)], 1), (Arg((B, 8, 2)),)),
    Row("windows of two axes",
        lambda x: p.windows(x, first=1, sizes=(2, 2), strides=(1, 3), dilations=(2, 1)) * 2.0,
        lambda x: 2 * sliding_window_view(x, (3, 2), (1, 2))[:, :, ::3, :, ::2].transpose(0, 1, 2, 4, 5, 3),
                                                                             (Arg((B, 4, 6, 2)),)),
    Row("overlap_add", lambda x: p.overlap_add(x, first=1, lengths=(5,), strides=(1,), dilations=(2,)),
        lambda x: sum(np.pad(x[:, :, k], ((0, 0), (2 * k, 2 - 2 * k), (0, 0))) for k in range(2)),
                                                                             (Arg((B, 3, 2, 2)),)),
    Row("overlap_add to one", lambda x: p.overlap_add(x, first=1, lengths=(1,), strides=(1,), dilations=(1,)),
                        lambda x: x[:, 0],                                   (Arg((B, 1, 1)),)),
    Row("reverse",      lambda x: p.reverse(x, along=(1, 2)) * 2.0, lambda x: 2 * x[:, ::-1, ::-1], (WIDE,)),
    Row("gather", lambda x, i: p.gather(x, i, axis=1), lambda x, i: np.take_along_axis(x, i, 1),
                                                                             (X, PLACES)),
    Row("gather of rows", lambda x, i: p.gather(p.broadcast(x, shape=(B, 3, 2), axes=(1, 2)), i, axis=1),
                        lambda x, i: np.take_along_axis(x[None], i, 1),      (Arg((3, 2)), MANY_PLACES)),
    Row("gather by the batch", lambda x, i: p.gather(x, i, axis=0), lambda x, i: np.take_along_axis(x, i, 0),
                                                          (Arg((3, 2)), Arg((B, 2), index3, "i64"))),
    Row("scatter_add", lambda x, i: p.scatter_add(x, i, axis=1, size=3), _scattered,
                                                                             (X, Arg((B, 3), index3, "i64"))),
    Row("random_uniform",
        lambda key, step, y: p.random_uniform(key, step, shape=(B, 3), stream=5, dtype=y.dtype),
        _uniform,                                                            (KEY, KEY, X)),
)

NUMPY_ROWS = (
    Row("subtract",     lambda x, y: nnp.subtract(x, y), np.subtract,        (X, Arg((3,)))),
    Row("multiply",     lambda x, y: nnp.multiply(x, y), np.multiply,        (Arg((B, 1)), Arg((1, 3)))),
    Row("divide",       lambda x, y: nnp.divide(x, y), np.divide,            (Arg(()), APART)),
    Row("divide of whole numbers", nnp.divide, np.divide,            (INT, COUNT)),
    Row("negative",     nnp.negative, np.negative,                           (X,)),
    Row("power",        lambda x: nnp.power(x, 3), lambda x: x**3,           (X,)),
    Row("power 13",     lambda x: x**13.0, lambda x: x**13.0,                (X,)),
    Row("power -1",     lambda x: x**-1, lambda x: x**-1.0,                  (APART,)),
    Row("power 0.5",    lambda x: x**0.5, np.sqrt,                           (POSITIVE,)),
    Row("power 2.5",    lambda x: x**2.5, lambda x: x**2.5,                  (POSITIVE,)),
    Row("power of 2",   lambda x: 2.0**x, lambda x: 2.0**x,                  (X,)),
    Row("square",       nnp.square, np.square,                               (X,)),
    Row("where",        lambda c, x, y: nnp.where(c, x, y), np.where,        (BOOL, X, Arg((3,)))),
    Row("clip",         lambda x: nnp.clip(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7), (X,)),
    Row("greater",      nnp.greater, np.greater,                             (INT, INT)),
    Row("greater_equal", nnp.greater_equal, np.greater_equal,                (INT, INT)),
    Row("zeros_like",   nnp.zeros_like, np.zeros_like,                       (X,)),
    Row("ones_like",    nnp.ones_like, np.ones_like,                         (X,)),
    Row("astype",       lambda x, y: nnp.astype(x, "f32") * nnp.astype(y, "f32"),
                        lambda x, y: x.astype("f4") * y.astype("f4"),        (INT, BOOL)),
    Row("broadcast_to", lambda x, y: nnp.broadcast_to(x, nnp.shape(y)) * y, np.multiply, (Arg((2, 1)), WIDE)),
    Row("sum",     lambda x: nnp.sum(x, axis=-1, keepdims=True), lambda x: x.sum(-1, keepdims=True), (WIDE,)),
    Row("max",          lambda x: nnp.max(x, axis=(0, -1)), _max((0, 2)),    (WIDE_DISTINCT,)),
    Row("min",          lambda x: nnp.min(x, axis=1), lambda x: x.min(1),    (DISTINCT,)),
    Row("mean",         lambda x: nnp.mean(x, axis=(0, 2)), lambda x: x.mean((0, 2)), (WIDE,)),
    Row("mean over last", lambda x: x.mean(axis=1), lambda x: x.mean(1),     (X,)),
    Row("argmax",       lambda x: nnp.argmax(x, 1), lambda x: x.argmax(1).astype("i4"), (X,)),
    Row("argmin",       lambda x: nnp.argmin(x, -2), lambda x: x.argmin(-2).astype("i4"), (WIDE,)),
    Row("logsumexp",  lambda x: nnp.logsumexp(x, axis=1), lambda x: scipy.special.logsumexp(x, axis=1), (X,)),
    Row("softmax",      nnp.softmax, _softmax,                               (X,)),
    Row("log_softmax",  nnp.log_softmax, lambda x: np.log(_softmax(x)),      (X,)),
    Row("norm",         nnp.norm, lambda x: np.sqrt((x * x).sum()),          (X,)),
    Row("count_nonzero", nnp.count_nonzero, np.count_nonzero,                (INT,)),
    Row("concatenate", lambda x, y: nnp.concatenate([x, y], axis=-1), lambda x, y: np.concatenate([x, y], -1),
                                                                             (X, Arg((B, 1)))),
    Row("stack",        lambda x, y: nnp.stack([x, y], axis=1), lambda x, y: np.stack([x, y], 1), (X, Y)),
    Row("expand_dims",  lambda x: nnp.expand_dims(x, -2), lambda x: np.expand_dims(x, -2), (X,)),
    Row("squeeze",      lambda x: nnp.squeeze(x, 1), lambda x: np.squeeze(x, 1), (Arg((B, 1, 3)),)),
    Row("reshape -1", lambda x: nnp.reshape(x, (nnp.shape(x)[0], -1)), lambda x: x.reshape(-1, 6), (WIDE,)),
    Row("ravel",        nnp.ravel, np.ravel,                                 (Arg((2, 3)),)),
    Row("getitem",      lambda x: x[:, 1, None, :2], lambda x: x[:, 1, None, :2], (WIDE,)),
    Row("getitem from the end", lambda x: x[..., -2:], lambda x: x[..., -2:], (WIDE,)),
    Row("getitem of a row", lambda x: x[-1], lambda x: x[-1],                (Arg((4, 3)),)),
    Row("one_hot", lambda i: nnp.one_hot(i, 3), lambda i: np.eye(3, dtype="f4")[i], (INDEX,)),
    Row("dot",          lambda x, y: nnp.dot(x, y), np.dot,                  (Arg((B, 3)), Arg((3,)))),
    Row("dot of vectors", lambda x, y: nnp.dot(x, y), np.dot,                (Arg((4,)), Arg((4,)))),
    Row("matmul of a vector", lambda x, y: x @ y, np.matmul,                 (Arg((3,)), Arg((3, 2)))),
    Row("matmul transposed", lambda x, y: nnp.matmul(nnp.transpose(x), y), lambda x, y: x.T @ y, (X, Y)),
)
# fmt: on
ROWS = PRIMITIVE_ROWS + NUMPY_ROWS


@dataclass(frozen=True)
class Graphs:
    """The graphs derived from a row.

    Args:
        value: (args) -> values.
        gradient: (args, u) -> Jᵀu for each float argument.
        tangent: (args, t) -> J t for each value.
        second: (args, u, t) -> H t, forward over reverse, and again, reverse over reverse: ∂(⟨Jᵀu, t⟩).
    """

    value: Graph
    gradient: Graph
    tangent: Graph
    second: Graph


def derive(row: Row, dtype: str) -> Graphs:
    """The graphs of a row; derivatives with respect to its float arguments."""
    inputs = tuple(new_input(a.type(dtype)) for a in row.args)
    outputs = tuple(flatten(row.function(*inputs))[0])
    wrt = [n for n in inputs if n.type.is_float]
    floats = [n for n in outputs if n.type.is_float]
    u = tuple(new_input(n.type) for n in floats)
    t = tuple(new_input(n.type) for n in wrt)
    back = pull_back(floats, wrt, u)
    inner = [nnp.sum(g * s) for g, s in zip(back, t, strict=True)]
    twice = pull_back(inner, wrt, [p.full_like(n, 1) for n in inner])
    return Graphs(
        value=Graph(inputs, outputs),
        gradient=Graph((*inputs, *u), tuple(back)),
        tangent=Graph((*inputs, *t), tuple(push_forward(floats, wrt, t))),
        second=Graph((*inputs, *u, *t), (*push_forward(back, wrt, t), *twice)),
    )


def sample_types(types: Sequence[ArrayType], rows: int, seed: int) -> list[np.ndarray]:
    """Normal numbers of given types."""
    rng = np.random.default_rng([seed, rows, 1])
    return [rng.standard_normal(with_rows(t.shape, rows)).astype(t.dtype) for t in types]
