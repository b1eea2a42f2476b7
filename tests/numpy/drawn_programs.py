"""Draw small programs of `nnjit.numpy` functions: a few arrays, some operations, one number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnjit.numpy as nnp

Step = Callable[[Sequence[Any]], Any]

UNARY: dict[str, Callable[[Any], Any]] = {  # all bounded, or of slow growth, so that values stay moderate
    "sin": nnp.sin,
    "cos": nnp.cos,
    "tanh": nnp.tanh,
    "arctan": nnp.arctan,
    "sigmoid": nnp.sigmoid,
    "erf": nnp.erf,
    "softplus": nnp.softplus,
    "arcsinh": nnp.arcsinh,
    "abs": nnp.abs,
    "relu": nnp.relu,
    "negative": nnp.negative,
    "log1p of square": lambda x: nnp.log1p(x * x),
    "root": lambda x: nnp.sqrt(1.5 + x * x),
    "sinc": nnp.sinc,
    "exp of negative": lambda x: nnp.exp(-nnp.abs(x)),
    "clip": lambda x: nnp.clip(x, -0.7, 0.9),
    "cube": lambda x: x**3 / 9,
    "power": lambda x: (1.2 + nnp.abs(x)) ** 0.7,
    "reciprocal": lambda x: 1 / (2 + x * x),
    "where": lambda x: nnp.where(x > 0.1, x, 0.3 * x),
    "floor beside": lambda x: x + 0.1 * nnp.floor(x),
    "remainder": lambda x: nnp.remainder(x, 1.7),
    "expm1": lambda x: nnp.expm1(nnp.tanh(x)),
    "i0": lambda x: nnp.log(nnp.i0(x)),
    "piecewise": lambda x: nnp.piecewise(x, [x < 0.2], [lambda v: v * v, lambda v: nnp.sin(v) - 0.1586]),
    "vectorize": lambda x: nnp.vectorize(lambda v: v * nnp.cos(v))(x),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {  # of shapes that broadcast
    "add": nnp.add,
    "subtract": nnp.subtract,
    "multiply": lambda x, y: nnp.tanh(x) * y,
    "divide": lambda x, y: x / (1.5 + y * y),
    "maximum": nnp.maximum,
    "minimum": nnp.minimum,
    "hypot": nnp.hypot,
    "arctan2": lambda x, y: nnp.arctan2(x, 1.2 + nnp.abs(y)),
    "logaddexp": nnp.logaddexp,
    "power": lambda x, y: (1.1 + nnp.abs(x)) ** nnp.tanh(y),
    "where": lambda x, y: nnp.where(x < y, x, 2.0 * y),
    "outer": lambda x, y: nnp.outer(nnp.ravel(x)[:3], nnp.ravel(y)[:3]),
    "inner": lambda x, y: nnp.dot(nnp.ravel(x)[:1], nnp.ravel(y)[:1]),
    "concatenate": lambda x, y: nnp.concatenate([nnp.ravel(x), nnp.ravel(y)]),
    "kron": lambda x, y: nnp.kron(nnp.ravel(x)[:2], nnp.ravel(y)[:2]),
}
OF_LINE: dict[str, Callable[[Any, int], Any]] = {  # along an axis
    "sum": lambda x, a: nnp.sum(x, axis=a),
    "mean": lambda x, a: nnp.mean(x, axis=a),
    "max": lambda x, a: nnp.max(x, axis=a),
    "min": lambda x, a: nnp.min(x, axis=a, keepdims=True),
    "std": lambda x, a: nnp.std(_rising(x, a), axis=a),
    "cumsum": lambda x, a: nnp.cumsum(x, axis=a),
    "sort": lambda x, a: nnp.sort(x, axis=a),
    "median": lambda x, a: nnp.median(x, axis=a),
    "flip": lambda x, a: nnp.flip(x, axis=a),
    "roll": lambda x, a: nnp.roll(x, 1, axis=a),
    "diff": lambda x, a: nnp.diff(x, axis=a),
    "softmax": lambda x, a: nnp.softmax(x, axis=a),
    "logsumexp": lambda x, a: nnp.logsumexp(x, axis=a),
    "repeat": lambda x, a: nnp.repeat(x, 2, axis=a),
    "first": lambda x, a: nnp.take(x, 0, axis=a),
    "but the first": lambda x, a: x[(slice(None),) * a + (slice(1, None),)],
    "every other": lambda x, a: x[(slice(None),) * a + (slice(None, None, -2),)],
    "stack": lambda x, a: nnp.stack([x, 2.0 * x], axis=a),
    "prod": lambda x, a: nnp.prod(nnp.tanh(x), axis=a),
    "quantile": lambda x, a: nnp.quantile(x, 0.3, axis=a),
    "swap": lambda x, a: nnp.swapaxes(x, 0, a),
    "expand": lambda x, a: nnp.expand_dims(x, a) if x.ndim < 4 else x,
    "norm": lambda x, a: nnp.linalg.norm(x + 0.1, axis=a),
    "set": lambda x, a: nnp.at(nnp.moveaxis(x, a, 0))[0].set(0.5),
    "sum of some": lambda x, a: nnp.sum(x, axis=a, where=nnp.sin(x) > 0.1, initial=0.5),
    "largest of some": lambda x, a: nnp.max(x, axis=a, where=nnp.cos(x) > 0.1, initial=-2.0),
    "mean of some": lambda x, a: nnp.mean(x, axis=a, where=_every_other(x, a)),
    "nanquantile": lambda x, a: nnp.nanquantile(x, 0.6, axis=a, method="hazen"),
    "partition": lambda x, a: nnp.partition(x, 0, axis=a),
    "delete": lambda x, a: nnp.delete(x, 0, axis=a),
    "insert": lambda x, a: nnp.insert(x, [0, 1], 0.3, axis=a),
    "cumulative_sum": lambda x, a: nnp.cumulative_sum(x, axis=a, include_initial=True),
    "unwrap": lambda x, a: nnp.unwrap(9 * x, axis=a),
    "rfft": lambda x, a: nnp.fft.rfft(x, axis=a) if x.ndim < 4 else x,
    "pad": lambda x, a: nnp.pad(x, {a: 1}, mode="reflect", reflect_type="odd"),
    "apply": lambda x, a: nnp.apply_along_axis(lambda v: v[:1] * nnp.sum(v), a, x),
    "gram": lambda x, a: nnp.tensordot(x, x, ((a,), (a,))),
}


@dataclass(frozen=True)
class Program:
    """A program: its arguments, and its steps in words and as functions of all earlier values."""

    arguments: tuple[np.ndarray, ...]
    words: tuple[str, ...]
    steps: tuple[Step, ...]

    def __call__(self, *arguments: Any) -> Any:
        values = list(arguments)
        for step in self.steps:
            values.append(step(values))
        return sum((nnp.mean(nnp.sin(v)) for v in values[-2:] if nnp.size(v)), nnp.sum(arguments[0]) * 0.0)


def drawn(seed: int) -> Program:
    """The program of a seed."""
    rng = np.random.default_rng(seed)
    arguments = [rng.normal(size=rng.integers(1, 4, rng.integers(0, 4))) for _ in range(2)]
    values, words, steps = list(arguments), [], []
    for _ in range(rng.integers(2, 7)):
        word, step = _step(rng, values)
        value = step(values)
        if np.size(value) > 200 or np.ndim(value) > 4:
            continue
        values.append(value)
        words.append(word)
        steps.append(step)
    return Program(tuple(arguments), tuple(words), tuple(steps))


def _step(rng: np.random.Generator, values: Sequence[np.ndarray]) -> tuple[str, Step]:
    i, j = (int(k) for k in rng.integers(0, len(values), 2))
    x, y = values[i], values[j]
    kind = rng.integers(3)
    if kind == 0 and x.ndim and x.size:
        axis = int(rng.integers(x.ndim))
        name = _choice(rng, OF_LINE)
        return f"{name}({i}, {axis})", lambda values: OF_LINE[name](values[i], axis)
    if kind == 1 and x.size and y.size:
        name = _choice(rng, BINARY)
        if _fit(x, y) or name in ("outer", "inner", "concatenate", "kron"):
            return f"{name}({i}, {j})", lambda values: BINARY[name](values[i], values[j])
    name = _choice(rng, UNARY)
    return f"{name}({i})", lambda values: UNARY[name](values[i])


def _every_other(x: Any, axis: int) -> Any:
    """A mask of every other element along an axis, including the first."""
    return nnp.arange(x.shape[axis]).reshape((-1, *(1,) * (x.ndim - 1 - axis))) % 2 == 0


def _rising(x: Any, axis: int) -> Any:
    """`x` with distinct elements along an axis: a deviation of 0 has no derivative to compare."""
    return x + nnp.arange(x.shape[axis]).reshape((-1, *(1,) * (x.ndim - 1 - axis)))


def _choice(rng: np.random.Generator, table: dict[str, Any]) -> str:
    return list(table)[int(rng.integers(len(table)))]


def _fit(x: np.ndarray, y: np.ndarray) -> bool:
    pairs = zip(x.shape[::-1], y.shape[::-1], strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)
