"""Describe the training data of a run, from its folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.data import Scaling, Target
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry, OutputEntry
from nnjit.runs.reading import parse
from nnjit.training.setup.outputs import DataDescription

if TYPE_CHECKING:
    from nnjit.data.encoding.encoder import TableEncoder


def described(
    data: DataEntry, input_shape: tuple[int, ...], scaling: Scaling, encoder: TableEncoder | None
) -> DataDescription:
    """Describe the data as the setup of a training needs it."""
    weights = {o.name: o.class_weights for o in data.outputs if o.class_weights is not None}
    if data.class_weights and data.classes is not None:
        weights[""] = tuple(data.class_weights[name] for name in data.classes)
    return DataDescription(
        input_shape=input_shape,
        output_size=len(data.targets if data.classes is None else data.classes),
        classes=data.classes,
        scaling=scaling,
        targets=tuple(map(_target, data.outputs)),
        target_names=data.targets,
        class_weights=weights,
        columns=() if encoder is None or len(input_shape) > 1 else encoder.inputs,
        threshold=data.threshold,
    )


def encoder_of(path: Path, data: DataEntry) -> TableEncoder | None:
    """The encoder of a table; None for a run on arrays."""
    if not data.columns:
        return None
    from nnjit.data.encoding.encoder import TableEncoder

    return parse(path / file_names.DATA, data.columns, TableEncoder.from_json)


def _target(output: OutputEntry) -> Target:
    start, stop = output.columns
    return Target(output.target, start, stop - start, output.classes)
