"""How much the rows of each class count in the cost, as numbers for the classes of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from nnjit.data import Part
from nnjit.errors import ConfigError, did_you_mean

ClassWeights = Mapping[str, float] | Literal["balanced"] | None


def class_weights(
    wanted: ClassWeights, classes: Sequence[str] | None, train: Part
) -> tuple[float, ...] | None:
    """The weight of each class; None where all count alike.

    Balanced, that of class k is n / (K nₖ), for n rows in K classes, nₖ of them in k; where rows have
    weights, n and nₖ are their sums. So all classes together weigh the same, as in scikit-learn's
    `compute_class_weight`. A class that a mapping leaves out has the weight 1, as there.

    Args:
        wanted: the option `training.class_weights`.
        classes: the labels of the data; None where its targets are values.

    Raises:
        ConfigError: the targets are values, or the data has no such class; its path starts at the option.
    """
    if wanted is None:
        return None
    if classes is None:
        raise ConfigError("the targets are values, which have no classes; weigh rows with data.weights")
    if wanted == "balanced":
        counts = np.bincount(train.y, train.w, len(classes))
        return tuple((counts.sum() / (len(classes) * counts)).tolist())
    for label in wanted:
        if label not in classes:
            raise ConfigError(f'the data has no class "{label}"{did_you_mean(label, classes)}')
    return tuple(float(wanted.get(label, 1.0)) for label in classes)
