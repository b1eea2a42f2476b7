"""Targets in the shape of a model's output, so that losses and metrics can compare the two."""

from __future__ import annotations

import numpy

import nnjit.numpy as np
from nnjit.errors import DataError, GraphError
from nnjit.nn.array import Array, Shape

# The share of Σt² that rounding may leave of a variance that is 0.
ROUNDING = 1e-12
# How far from 1 the sum of given probabilities may be; text files round them.
ROUNDED = 1e-2
# How far beyond 0 or 1 a target may be, since scaling in float32, and undoing it, leaves some.
UNSCALED = 1e-4


def is_classes(target: Array) -> bool:
    """Whether a target holds class indices: whole numbers, shape (B,)."""
    return bool(target.dtype.kind in "iu" and target.ndim == 1)


def is_labels(output: Array, target: Array) -> bool:
    """Whether there are several outputs, each to be compared with a value of its own."""
    return not is_classes(target) and output.ndim == 2 and output.shape[1] != 1


def as_columns(x: Array, name: str) -> Array:
    """`x` with shape (B, O); one of shape (B,) gets O = 1."""
    if x.ndim not in (1, 2):
        raise GraphError(f"{name} takes values of shape (B, O), got {show(x)}")
    return x if x.ndim == 2 else np.expand_dims(x, 1)


def as_values(output: Array, target: Array, name: str) -> tuple[Array, Array]:
    """`output` and `target` as (B, O) of the output's dtype.

    Class indices become one-hot rows, or with one output the numbers 0 and 1.
    """
    out = as_columns(output, name)
    width = out.shape[1]
    if is_classes(target) and width != 1:
        return out, np.one_hot(target, width, out.dtype)
    values = as_columns(target, name)
    if values.shape[1] != width:
        raise GraphError(f"{name}: output {show(output)} and target {show(target)} do not fit")
    return out, np.astype(values, out.dtype)


def decided(x: Array, name: str) -> Array:
    """The class that each row says, shape (B,): class indices themselves; one column says whether > 1/2."""
    if is_classes(x):
        return x
    rows = as_columns(x, name)
    return np.argmax(rows, axis=1) if rows.shape[1] != 1 else np.astype(np.sum(rows, axis=1) > 0.5, "i32")


def check_width(output_shape: Shape, classes: int | None, name: str) -> None:
    """Raise a GraphError where an output cannot be compared with `classes` classes (None: with values)."""
    if len(output_shape) != 1:
        raise GraphError(f"{name} takes an output of shape (O,), got {output_shape}; end with a flatten")
    (width,) = output_shape
    if classes is not None and width != classes and not (width == 1 and classes == 2):
        outputs = f"{width} output" + "s" * (width > 1)
        raise GraphError(f"{name}: the model has {outputs}, the data {classes} classes; set units: {classes}")


def needs_classes(classes: int | None, name: str) -> None:
    """Raise a GraphError where the data has no classes."""
    if classes is None:
        raise GraphError(
            f"{name} needs data with classes, but its targets are values; choose binary_cross_entropy "
            "where each is a yes or no, squared_error elsewhere, or set task: classification"
        )


def show(x: Array) -> str:
    """The shape of `x` for a message, e.g. `(B, 10)`."""
    return f"({', '.join(map(str, x.shape))}{',' * (x.ndim == 1)})"


def check_shares(target: numpy.ndarray, name: str, mend: str) -> None:
    """Raise a DataError where target values (n, O), whose scaling may be undone, are not from 0 to 1."""
    bad = target[(target < -UNSCALED) | (target > 1 + UNSCALED)]
    if bad.size:
        raise DataError(f"{name}, but there is {bad[0]:g}; {mend}")


def check_labels(target: numpy.ndarray, name: str) -> None:
    """Raise a DataError where target values (n, O), with a scaling undone, are not 0 or 1."""
    bad = target[numpy.minimum(abs(target), abs(target - 1)) > UNSCALED]
    if bad.size:
        raise DataError(
            f"{name} needs classes, or targets that are 0 or 1, but there is {bad[0]:g}; choose a metric of "
            "values, such as mae or r2, or set task: classification"
        )


def check_sums(target: numpy.ndarray, name: str, mend: str = "") -> None:
    """Raise a DataError where a row of target values (n, O) does not sum to 1."""
    sums = target.sum(axis=1)
    worst = sums[abs(sums - 1).argmax()]
    if abs(worst - 1) > ROUNDED:
        raise DataError(f"{name} needs targets whose rows sum to 1, but one sums to {worst:g}{mend}")
