"""`data.json`: the data that was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import SPLITS


@dataclass(frozen=True)
class OutputEntry:
    """One of several outputs.

    Args:
        target: the name of the target that it is compared with.
        classes: None if the target is values.
        columns: [first, end) of its target among the data's targets.
        weight: of its loss in the sum.
        class_weights: of each class in its loss; None if all count alike.
    """

    name: str
    target: str
    classes: tuple[str, ...] | None
    columns: tuple[int, int]
    loss: str = ""
    weight: float = 1.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        start, stop = self.columns
        if start >= stop:
            raise ValueError(f"columns: [{start}, {stop}) are none")


@dataclass(frozen=True)
class DataEntry(JsonFile):
    """The data that was trained on.

    Args:
        problem_type: "classification", "regression" or "several"; `task` in the file.
        features: names of the input columns; () for images.
        classes: None if the targets are values.
        codes: the categories of each feature that is their numbers.
        examples: how many each part of the data has.
        scaling: of the inputs and targets, as plain data.
        magnitude: the root mean square of the largest input feature; nan if it was not measured.
        is_weighted: whether metrics count each example by a weight of its own.
        class_weights: of each class in the loss; empty if all count alike.
        outputs: of a model with several outputs.
        warnings: what the user should know about the data before believing the metrics.
        columns: of a table, the kind of each and what its encoding has learned, as plain data.
        notes: what was found out about the data rather than given.
        naive: of a series, the errors of forecasts that need no training: by their name ("last value"), the
            part and the error ("mae", "mse"), those of each target in its own unit.
    """

    file_name: ClassVar[str] = file_names.DATA
    KEYS: ClassVar[Mapping[str, str]] = {"problem_type": "task", "is_weighted": "weighted"}
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

    def to_json(self) -> dict[str, Any]:
        return {
            "description": self.description,
            "task": self.problem_type,
            "features": self.features,
            **({"columns": self.columns} if self.columns else {}),
            "targets": self.targets,
            "classes": self.classes,
            **({"codes": self.codes} if self.codes else {}),
            "examples": self.examples,
            "scaling": self.scaling,
            "magnitude": self.magnitude,
            **({"weighted": True} if self.is_weighted else {}),
            **({"class_weights": self.class_weights} if self.class_weights else {}),
            **({"outputs": [vars(output) for output in self.outputs]} if self.outputs else {}),
            **({"warnings": self.warnings} if self.warnings else {}),
            **({"notes": self.notes} if self.notes else {}),
            **({"naive": self.naive} if self.naive else {}),
        }

    @classmethod
    def arranged(cls, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The entries of the file by the fields of the class; a part that there is not has no examples."""
        examples = content.get("examples")
        found = dict.fromkeys(SPLITS, 0) | examples if isinstance(examples, dict) else examples
        return {**content, "examples": found}
