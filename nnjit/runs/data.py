"""`data.json`: a description of the training data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import SPLITS

LEAST_SIDE = 5  # pixels along a side of an image


@dataclass(frozen=True)
class OutputEntry:
    """One of several outputs.

    Args:
        target: name of the target that it is compared with.
        classes: None if the target is values.
        columns: [first, end) of its target among the data's targets.
        weight: weight of its loss in the sum.
        class_weights: weight of each class in its loss; None if all are equal.
        has_labels: whether its values are 0 or 1, independent labels.
    """

    KEYS: ClassVar[Mapping[str, str]] = {"has_labels": "labels"}

    name: str
    target: str
    classes: tuple[str, ...] | None
    columns: tuple[int, int]
    loss: str = ""
    weight: float = 1.0
    class_weights: tuple[float, ...] | None = None
    has_labels: bool = False

    def to_json(self) -> dict[str, Any]:
        content = {name: value for name, value in vars(self).items() if name != "has_labels"}
        return content | ({"labels": True} if self.has_labels else {})

    def __post_init__(self) -> None:
        start, stop = self.columns
        if start >= stop:
            raise ValueError(f"columns: [{start}, {stop}) are not a range")


@dataclass(frozen=True)
class DataEntry(JsonFile):
    """A description of the training data.

    Args:
        problem_type: "classification", "regression" or "several"; `task` in the file.
        features: names of the input columns; () for images.
        classes: None if the targets are values.
        codes: the categories of each feature that holds category indices.
        examples: number of examples in each part of the data.
        scaling: of the inputs and targets, as plain data.
        magnitude: the root mean square of the largest input feature; nan if not measured.
        is_weighted: whether metrics weight each example.
        class_weights: weight of each class in the loss; empty if all are equal.
        outputs: of a model with several outputs.
        warnings: what the user should know about the data before trusting the metrics.
        columns: for a table, the kind of each column and what its encoding has learned, as plain data.
        notes: findings about the data.
        naive: for a series, the errors of forecasts that need no training: by name ("last value"), part and
            error ("mae", "mse"); one value per target, in its own unit.
        threshold: the probability above which predictions are the second of two classes; None means 1/2.
        has_labels: whether the targets are values 0 or 1, independent labels.
        class_counts: number of rows of each class in each part; empty if the targets are values.
    """

    file_name: ClassVar[str] = file_names.DATA
    KEYS: ClassVar[Mapping[str, str]] = {
        "problem_type": "task", "is_weighted": "weighted", "has_labels": "labels"
    }  # fmt: skip
    ABSENT: ClassVar[Mapping[str, Any]] = {"scaling": {}}

    description: str
    problem_type: str
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    examples: Mapping[str, int]
    scaling: Mapping[str, Any]
    magnitude: float
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_weighted: bool = False
    class_weights: Mapping[str, float] = field(default_factory=dict)
    outputs: tuple[OutputEntry, ...] = ()
    warnings: tuple[str, ...] = ()
    columns: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    naive: Mapping[str, Mapping[str, Mapping[str, tuple[float, ...]]]] = field(default_factory=dict)
    class_counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    threshold: float | None = None
    has_labels: bool = False

    def __post_init__(self) -> None:
        for name, counts in self.class_counts.items():
            if len(counts) != len(self.classes or ()):
                raise ValueError(f"class_counts.{name}: not one count per class")
        if self.threshold is not None and not (0 < self.threshold < 1 and len(self.classes or ()) == 2):
            raise ValueError(f"threshold: {self.threshold:g} without two classes")

    def to_json(self) -> dict[str, Any]:
        return {
            "description": self.description,
            "task": self.problem_type,
            "features": self.features,
            **({"columns": self.columns} if self.columns else {}),
            "targets": self.targets,
            "classes": self.classes,
            **({"labels": True} if self.has_labels else {}),
            **({} if self.threshold is None else {"threshold": self.threshold}),
            **({"codes": self.codes} if self.codes else {}),
            "examples": self.examples,
            **({"class_counts": self.class_counts} if self.class_counts else {}),
            "scaling": self.scaling,
            "magnitude": self.magnitude,
            **({"weighted": True} if self.is_weighted else {}),
            **({"class_weights": self.class_weights} if self.class_weights else {}),
            **({"outputs": [output.to_json() for output in self.outputs]} if self.outputs else {}),
            **({"warnings": self.warnings} if self.warnings else {}),
            **({"notes": self.notes} if self.notes else {}),
            **({"naive": self.naive} if self.naive else {}),
        }

    @classmethod
    def arranged(cls, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The file's entries by field of the class; a missing part has no examples."""
        examples = content.get("examples")
        found = dict.fromkeys(SPLITS, 0) | examples if isinstance(examples, dict) else examples
        return {**content, "examples": found}


def image_shape(input_shape: Sequence[int], features: Sequence[str]) -> tuple[int, ...] | None:
    """The shape of image inputs, (H, W), (H, W, 1) or (H, W, 3); None if they are not images.

    >>> image_shape((64,), [f"pixel_{k}" for k in range(64)]), image_shape((28, 28, 1), ())
    ((8, 8), (28, 28, 1))
    >>> image_shape((4,), ("length", "width", "height", "mass"))
    >>> image_shape((24, 8), tuple("abcdefgh"))  # windows of a series
    """
    if len(input_shape) == 1 and all(name.startswith("pixel") for name in features):
        side = math.isqrt(input_shape[0])
        return (side, side) if side**2 == input_shape[0] and side >= LEAST_SIDE else None
    if features:
        return None
    is_image = len(input_shape) == 2 or (len(input_shape) == 3 and input_shape[2] in (1, 3))
    return tuple(input_shape) if is_image and min(input_shape[:2]) >= LEAST_SIDE else None
