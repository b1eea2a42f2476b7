"""Resolve the option `class_weights` into a weight for each class of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.errors import ConfigError, did_you_mean
from nnjit.experiment.options import ClassWeights


def class_weights(
    wanted: ClassWeights, classes: Sequence[str] | None, y: numpy.ndarray, w: numpy.ndarray
) -> tuple[float, ...] | None:
    """The weight of each class; None if all classes count equally.

    `balanced` gives class k the weight n / (K nₖ), for n rows in K classes, nₖ of them in class k; if rows
    have weights, n and nₖ are sums of these. So every class has the same total weight, as with scikit-learn's
    `compute_class_weight`. A class that the mapping omits has weight 1, as there; so does one without rows.

    Args:
        wanted: the option `class_weights`.
        classes: the labels of the data; None if its targets are values.
        y, w: (n,) the class and weight of each training row.

    Raises:
        ConfigError: the targets are values, or the data has no such class; the path starts at the option.
    """
    if wanted is None:
        return None
    if classes is None:
        raise ConfigError("the targets are values, which have no classes; weight rows with data.weights")
    if wanted == "balanced":
        counts = numpy.bincount(y, w, len(classes))
        balanced = counts.sum() / (len(classes) * numpy.where(counts > 0, counts, 1.0))
        return tuple(numpy.where(counts > 0, balanced, 1.0).tolist())
    for label in wanted:
        if label not in classes:
            raise ConfigError(f'the data has no class "{label}"{did_you_mean(label, classes)}')
    return tuple(float(wanted.get(label, 1.0)) for label in classes)


def class_weight_of_rows(weights: Any, y: Any, dtype: Any) -> Any:
    """The weight (B,) of each row's class, for class indices y (B,)."""
    return np.sum(np.one_hot(y, len(weights), dtype) * np.astype(weights, dtype), axis=1)
