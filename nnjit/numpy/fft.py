"""Real Fourier transforms under the names of `numpy.fft`.

Complex numbers are not supported, so a spectrum has a last axis of length 2: real and imaginary parts. With
`s = rfft(x)`, `numpy.fft.rfft(x)` is `s[..., 0] + 1j * s[..., 1]`.

A transform is split into products of small matrices. A large prime factor q of a length n costs n q products.

Reference: Cooley & Tukey 1965, "An algorithm for the machine calculation of complex Fourier series".
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.fft import rfftfreq

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import add, multiply, negative, subtract
from nnjit.numpy.linear.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.shaping.arranging import flip
from nnjit.numpy.shaping.axes import axis_last, length_of, moveaxis, one_axis, reshape, shape, swapaxes
from nnjit.numpy.shaping.joining import concatenate, stack
from nnjit.numpy.shaping.padding import pad

Norm = Literal["backward", "ortho", "forward"] | None
LARGEST = 32  # transforms of at most this many elements are one matrix product


def rfft(x: Array, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The spectrum Σⱼ xⱼ exp(-2πijk/n), k = 0 … n/2, of real numbers: (real, imaginary) is the last axis.

    Args:
        x: shape (…, m, …).
        n: the number of elements along `axis` to transform, m if None; `x` is cut off or padded with zeros.
        axis: of `x`; there the result has n // 2 + 1 elements. Its last axis, of length 2, is new.
        norm: divides the sum by 1 ("backward", None), √n ("ortho") or n ("forward").

    Raises:
        GraphError: there are no elements, or `norm` is unknown.

    >>> import numpy
    >>> abs(rfft(numpy.array([1.0, 0.0, -1.0, 0.0]))).round(9).tolist()
    [[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]]
    """
    array = _floats("rfft", x)
    place = one_axis(axis, array.ndim)
    line = axis_last(array, place)
    size = _size("rfft", length_of(line, -1) if n is None else n)
    parts = _transform(_resized(line, size), None)
    half = stack([part[..., : size // 2 + 1] for part in parts], -1)
    return moveaxis(multiply(half, _factor("rfft", size, norm, is_inverse=False)), -2, place)


def irfft(a: Array, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The real numbers with the spectrum `a`: the inverse of `rfft`.

    The imaginary part of the first element is ignored, as is that of the last one for even `n`.

    Args:
        a: real and imaginary parts as the last axis, of length 2: shape (…, m, …, 2).
        n: the result's length along `axis`, 2 (m - 1) if None.
        axis: of the result, which lacks the last axis of two: -1 is the last but one of `a`.
        norm: divides the sum by n ("backward", None), √n ("ortho") or 1 ("forward").

    Raises:
        GraphError: the last axis is not of length 2, there are no elements, or `norm` is unknown.

    >>> import numpy
    >>> irfft(rfft(numpy.array([1.0, 2.0, 4.0])), n=3).round(9).tolist()
    [1.0, 2.0, 4.0]
    """
    array = _floats("irfft", a)
    if array.ndim < 2 or shape(array)[-1] != 2:
        raise GraphError(
            f"irfft: {type_of(array)} has no last axis of real and imaginary parts; for a complex array z it "
            "is numpy.stack([z.real, z.imag], -1)"
        )
    place = one_axis(axis, array.ndim - 1)
    size = _size("irfft", 2 * (length_of(array, place) - 1) if n is None else n)
    count = size // 2 + 1
    real, imaginary = (_resized(axis_last(array[..., k], place), count) for k in range(2))
    mask = np.ones(count, array.dtype)
    mask[0] = 0
    mask[size // 2] = size % 2 and mask[size // 2]
    imaginary = multiply(imaginary, mask)
    tail = slice(1, size - count + 1)
    real = concatenate([real, flip(real[..., tail], -1)], -1)
    imaginary = concatenate([imaginary, negative(flip(imaginary[..., tail], -1))], -1)
    out = _transform(real, negative(imaginary))[0]
    return moveaxis(multiply(out, _factor("irfft", size, norm, is_inverse=True)), -1, place)


def _floats(name: str, x: Array) -> Any:
    array = as_array(x)
    if array.dtype.kind == "c":
        raise GraphError(
            f"{name}: complex numbers are not supported; give (real, imaginary) as the last axis"
        )
    if array.ndim == 0:
        raise GraphError(f"{name}: {type_of(array)} has no axis to transform")
    return array if array.dtype.kind == "f" else astype(array, "f64")


def _size(name: str, size: int) -> int:
    if size < 1:
        raise GraphError(f"{name}: expected n of at least 1, got {size}")
    return size


def _factor(name: str, size: int, norm: Norm, *, is_inverse: bool) -> float:
    whole = {None: is_inverse, "backward": is_inverse, "ortho": 0.5, "forward": not is_inverse}
    if norm not in whole:
        raise GraphError(f'{name}: unknown norm {norm!r}; valid: "backward", "ortho", "forward"')
    return float(size ** -whole[norm])


def _resized(x: Any, size: int) -> Any:
    """`x` with `size` elements along its last axis, cut off or padded with zeros."""
    length = length_of(x, -1)
    return x[..., :size] if length >= size else pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size - length)])


def _transform(real: Any, imaginary: Any | None) -> tuple[Any, Any]:
    """The spectrum along the last axis; without imaginary parts, the numbers are real.

    Every r-th element forms a part; the parts' spectra are rotated, then transformed across the r parts.
    """
    size = length_of(real, -1)
    count = _parts(size)
    if count == size:
        return _dense(real, imaginary)
    rest = size // count
    cut = (*shape(real)[:-1], rest, count)
    parts = [None if x is None else swapaxes(reshape(x, cut), -1, -2) for x in (real, imaginary)]
    real, imaginary = _transform(*parts)
    cosines, sines = _circle(np.outer(np.arange(count), np.arange(rest)), size, real.dtype)
    real, imaginary = (
        add(multiply(real, cosines), multiply(imaginary, sines)),
        subtract(multiply(imaginary, cosines), multiply(real, sines)),
    )
    across = _dense(swapaxes(real, -1, -2), swapaxes(imaginary, -1, -2))
    first, second = (reshape(swapaxes(x, -1, -2), (*shape(x)[:-2], size)) for x in across)
    return first, second


def _parts(size: int) -> int:
    """How many parts to split a transform into; `size` if it is one matrix product."""
    if size <= LARGEST:
        return size
    small = (k for k in range(LARGEST, 1, -1) if size % k == 0)
    large = (k for k in range(LARGEST + 1, math.isqrt(size) + 1) if size % k == 0)
    return next(small, next(large, size))


def _dense(real: Any, imaginary: Any | None) -> tuple[Any, Any]:
    """The transform along the last axis, as products with matrices of cosines and sines."""
    size = length_of(real, -1)
    cosines, sines = _circle(np.outer(np.arange(size), np.arange(size)), size, real.dtype)
    if imaginary is None:
        return matmul(real, cosines), negative(matmul(real, sines))
    return (
        add(matmul(real, cosines), matmul(imaginary, sines)),
        subtract(matmul(imaginary, cosines), matmul(real, sines)),
    )


def _circle(steps: np.ndarray, size: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of this many steps of 2π / size."""
    angles = 2 * np.pi / size * (steps % size)  # small angles are exact to an ulp
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


__all__ = ["irfft", "rfft", "rfftfreq"]
