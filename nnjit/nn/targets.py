"""Bring targets into the shape of a model's output for losses and metrics, and check them."""

from __future__ import annotations

import numpy

import nnjit.numpy as np
from nnjit.errors import DataError, GraphError
from nnjit.nn.array import Array, Shape

# The advice for data whose option `task` states what its targets are.
OR_CLASSES = ", or set task: classification"
# A variance below this fraction of Σt² is 0 up to rounding.
VARIANCE_TOLERANCE = 1e-12
# The largest error of a sum of probabilities: text files round them.
SUM_TOLERANCE = 1e-2
# How far a target may be outside 0 to 1: scaling in float32 and back leaves an error.
SCALING_TOLERANCE = 1e-4


def is_classes(target: Array) -> bool:
    """Whether a target holds class indices: whole numbers, shape (B,)."""
    return bool(target.dtype.kind in "iu" and target.ndim == 1)


def are_labels(output: Array, target: Array) -> bool:
    """Whether targets are labels: several values, one for each output."""
    return not is_classes(target) and output.ndim == 2 and output.shape[1] != 1


def as_columns(x: Array, name: str) -> Array:
    """`x` with shape (B, O); O = 1 for shape (B,)."""
    if x.ndim not in (1, 2):
        raise GraphError(f"{name} takes values of shape (B, O), got {shape_text(x)}")
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
        raise GraphError(f"{name}: output {shape_text(output)} and target {shape_text(target)} do not fit")
    return out, np.astype(values, out.dtype)


def as_classes(x: Array, name: str) -> Array:
    """The class of each row, (B,): its index, its largest column, or whether a single column is > 1/2."""
    if is_classes(x):
        return x
    rows = as_columns(x, name)
    return np.argmax(rows, axis=1) if rows.shape[1] != 1 else np.astype(np.sum(rows, axis=1) > 0.5, "i32")


def check_width(output_shape: Shape, classes: int | None, name: str) -> None:
    """Raise a GraphError if an output cannot be compared with `classes` classes (None: with values)."""
    if len(output_shape) != 1:
        raise GraphError(f"{name} takes an output of shape (O,), got {output_shape}; end with a flatten")
    (width,) = output_shape
    if classes is not None and width != classes and not (width == 1 and classes == 2):
        outputs = "1 output" if width == 1 else f"{width} outputs"
        raise GraphError(f"{name}: the model has {outputs}, the data {classes} classes; set units: {classes}")


def check_classes(classes: int | None, name: str) -> None:
    """Raise a GraphError if the data has no classes."""
    if classes is None:
        raise GraphError(
            f"{name} needs data with classes, but its targets are values; choose binary_cross_entropy "
            f"where each is a yes or no, squared_error elsewhere{OR_CLASSES}"
        )


def shape_text(x: Array) -> str:
    """The shape of `x` for a message, e.g. `(B, 10)`."""
    return f"({x.shape[0]},)" if x.ndim == 1 else f"({', '.join(map(str, x.shape))})"


def check_fractions(target: numpy.ndarray, needs: str, mend: str) -> None:
    """Raise a DataError if target values (n, O), perhaps unscaled, are not from 0 to 1."""
    bad = target[(target < -SCALING_TOLERANCE) | (target > 1 + SCALING_TOLERANCE)]
    if bad.size:
        raise DataError(f"{needs}, but there is {bad[0]:g}; {mend}")


def check_zero_or_one(target: numpy.ndarray, name: str) -> None:
    """Raise a DataError if target values (n, O), perhaps unscaled, are not 0 or 1."""
    bad = target[numpy.minimum(abs(target), abs(target - 1)) > SCALING_TOLERANCE]
    if bad.size:
        raise DataError(
            f"{name} needs classes, or targets that are 0 or 1, but there is {bad[0]:g}; choose a metric of "
            f"values, such as mae or r2{OR_CLASSES}"
        )


def check_sums(target: numpy.ndarray, name: str, mend: str = "") -> None:
    """Raise a DataError if a row of target values (n, O) does not sum to 1."""
    sums = target.sum(axis=1)
    worst = sums[abs(sums - 1).argmax()]
    if abs(worst - 1) > SUM_TOLERANCE:
        raise DataError(f"{name} needs targets whose rows sum to 1, but one sums to {worst:g}{mend}")
