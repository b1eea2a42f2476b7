"""Initializers: the values of a param before the first step.

Called as `initializer(rng, shape, fan_in, fan_out)`, each returns float64; the model casts. A unit reads
`fan_in` values, and `fan_out` units read a value (see `fans`).

Like PyTorch and the papers, nnjit draws from the whole normal distribution; Keras truncates it at two
standard deviations.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, Self

import numpy
from pydantic import Field, model_validator

from nnjit.nn.array import Shape
from nnjit.registry import Number, Options, Registry


class Initializer(Options, ABC):
    """A rule for a param's initial values."""

    type: str

    @abstractmethod
    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        """A float64 array of `shape`."""


initializers: Registry[Initializer] = Registry("initializer")


def fans(shape: Shape) -> tuple[int, int]:
    """`(fan_in, fan_out)` of a param: its last two axes are inputs and outputs, any before them a window.

    >>> fans((64, 10)), fans((3, 3, 16, 32)), fans((7,))
    ((64, 10), (144, 288), (7, 7))
    """
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@initializers.register
class Zeros(Initializer):
    """0 everywhere; the default of biases."""

    type: Literal["zeros"] = "zeros"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return numpy.zeros(shape)


@initializers.register
class Constant(Initializer):
    """`value` everywhere."""

    type: Literal["constant"] = "constant"
    value: Number
    """The value of every element."""

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return numpy.full(shape, self.value)


@initializers.register
class Normal(Initializer):
    """Normal with a given mean and standard deviation."""

    type: Literal["normal"] = "normal"
    mean: Number = 0.0
    """Mean of the distribution."""
    std: Number = Field(0.05, gt=0)
    """Standard deviation, > 0."""

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return rng.normal(self.mean, self.std, shape)


@initializers.register
class Uniform(Initializer):
    """Uniform in [low, high)."""

    type: Literal["uniform"] = "uniform"
    low: Number = -0.05
    """Lower end."""
    high: Number = 0.05
    """Upper end, above `low`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"expected low < high, got low {self.low:g} and high {self.high:g}")
        if math.isinf(self.high - self.low):
            raise ValueError(f"from low {self.low:g} to high {self.high:g} is beyond the range of float64")
        return self

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return rng.uniform(self.low, self.high, shape)


@initializers.register
class GlorotUniform(Initializer):
    """Uniform of variance 2 / (fan_in + fan_out). Glorot & Bengio 2010; also called Xavier."""

    type: Literal["glorot_uniform"] = "glorot_uniform"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return _uniform(rng, shape, variance=2 / (fan_in + fan_out))


@initializers.register
class GlorotNormal(Initializer):
    """Normal of variance 2 / (fan_in + fan_out). Glorot & Bengio 2010; also called Xavier."""

    type: Literal["glorot_normal"] = "glorot_normal"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return _normal(rng, shape, variance=2 / (fan_in + fan_out))


@initializers.register
class HeUniform(Initializer):
    """Uniform of variance 2 / fan_in. He et al. 2015, arXiv:1502.01852; also called Kaiming."""

    type: Literal["he_uniform"] = "he_uniform"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return _uniform(rng, shape, variance=2 / fan_in)


@initializers.register
class HeNormal(Initializer):
    """Normal of variance 2 / fan_in. He et al. 2015, arXiv:1502.01852; also called Kaiming."""

    type: Literal["he_normal"] = "he_normal"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return _normal(rng, shape, variance=2 / fan_in)


@initializers.register
class LecunUniform(Initializer):
    """Uniform of variance 1 / fan_in. LeCun et al. 1998, "Efficient BackProp"."""

    type: Literal["lecun_uniform"] = "lecun_uniform"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return _uniform(rng, shape, variance=1 / fan_in)


@initializers.register
class LecunNormal(Initializer):
    """Normal of variance 1 / fan_in. LeCun et al. 1998, "Efficient BackProp"."""

    type: Literal["lecun_normal"] = "lecun_normal"

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        return _normal(rng, shape, variance=1 / fan_in)


@initializers.register
class Orthogonal(Initializer):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer.

    The matrix is Q of a random normal matrix, with signs that make it uniform over all orthogonal matrices.
    Axes before the last count as one. Saxe et al. 2014, arXiv:1312.6120.
    """

    type: Literal["orthogonal"] = "orthogonal"
    gain: Number = Field(1.0, gt=0)
    """Factor of the matrix, > 0."""

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        columns = shape[-1] if shape else 1
        rows = math.prod(shape[:-1])
        q, r = numpy.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q *= numpy.sign(numpy.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


def _uniform(rng: numpy.random.Generator, shape: Shape, *, variance: float) -> numpy.ndarray:
    limit = math.sqrt(3 * variance)
    return rng.uniform(-limit, limit, shape)


def _normal(rng: numpy.random.Generator, shape: Shape, *, variance: float) -> numpy.ndarray:
    return rng.normal(0, math.sqrt(variance), shape)


if TYPE_CHECKING:
    AnyInitializer = Initializer
else:
    AnyInitializer = initializers.field()  # the type of an option that holds an initializer


class Altered(Initializer):
    """Another initializer's values; in rows `start` to `end`, each times `factor` plus `amount`."""

    type: Literal["altered"] = "altered"
    first: AnyInitializer
    start: int
    end: int
    factor: Number = 1.0
    amount: Number = 0.0

    def __call__(self, rng: numpy.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> numpy.ndarray:
        values = self.first(rng, shape, fan_in, fan_out)
        values[self.start : self.end] = values[self.start : self.end] * self.factor + self.amount
        return values
