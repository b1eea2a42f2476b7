"""Load the data of a source, then split, scale and convert it for training.

Memory: each part is written once, in the training type, a block of rows at a time. If nothing is split,
scaled or converted, the training part is the source's own array. Rows on disk stay there: their part scales
them on reading. Rows of a table on disk are encoded and scaled once, into a temporary file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.dataset import Dataset, InputRows
from nnjit.data.encoding.rows import Indexed
from nnjit.data.fitting import Block, Center, fit_affine, fit_center
from nnjit.data.labels import check_several
from nnjit.data.padding import Padding, find_padding
from nnjit.data.scaling import Affine, Scaling
from nnjit.data.series.naive import Errors, errors_by_part
from nnjit.data.source import Source
from nnjit.data.splits import Rows, split_rows
from nnjit.data.storage.disk_rows import DiskRows, RowArray, in_memory
from nnjit.data.storage.gathering import gather, selected
from nnjit.data.storage.parts import AnyPart, DiskPart, Part
from nnjit.data.target import ProblemTypes, Takes, Target
from nnjit.data.weights import as_type
from nnjit.errors import DataError

if TYPE_CHECKING:
    from nnjit.data.encoding.encoder import InputColumn, TableEncoder
    from nnjit.data.source import Data


@dataclass(frozen=True, eq=False)
class Prepared:
    """The data of a run: its parts, and descriptions of their columns.

    Args:
        input_shape: shape of one row of x.
        output_size: number of network outputs: classes, or target values.
        is_weighted: whether the data has row weights.
        target_layout: the targets that share the columns of y, if several.
        center: location of the target values, in their own unit; None if the targets are classes.
        warnings: what the user should know about the parts.
        encoder: makes inputs from a table; None for arrays.
        notes: findings about the data.
        times: for a series, the times of the targets, by the data that parts come from.
        naive: for a series, the errors of naive forecasts, by name and part.
    """

    classes: tuple[str, ...] | None
    features: tuple[str, ...]
    targets: tuple[str, ...]
    description: str
    train: AnyPart
    validation: AnyPart | None
    test: AnyPart | None
    scaling: Scaling
    input_shape: tuple[int, ...]
    output_size: int
    is_weighted: bool
    target_layout: tuple[Target, ...] = ()
    center: Center | None = None
    warnings: tuple[str, ...] = ()
    encoder: TableEncoder | None = None
    notes: tuple[str, ...] = ()
    times: Mapping[str, np.ndarray] = field(default_factory=dict)
    naive: Mapping[str, Mapping[str, Errors]] = field(default_factory=dict)

    @property
    def codes(self) -> Mapping[str, tuple[str, ...]]:
        """The categories, in order, of each feature that holds category indices."""
        return {} if self.encoder is None else self.encoder.codes

    @property
    def columns(self) -> tuple[InputColumn, ...]:
        """The position of each table column's inputs; () for arrays and for the channels of a series."""
        return () if self.encoder is None or len(self.input_shape) > 1 else self.encoder.inputs


def prepare(
    source: Source,
    *,
    seed: int,
    dtype: str,
    folder: Path,
    problem_types: ProblemTypes | None = None,
    takes: Takes = "either",
) -> Prepared:
    """Load, split and scale the data of a source; `seed` applies if the source has no seed.

    For the arguments, see `load` and `split_and_scale`.
    """
    data = load(source.seeded(seed), folder, problem_types, takes)
    return split_and_scale(source, data, seed=seed, dtype=dtype)


def load(
    source: Source, folder: Path, problem_types: ProblemTypes | None = None, takes: Takes = "either"
) -> Data:
    """Load the data of a source.

    Args:
        folder: where relative paths in the options start.
        problem_types: the targets of several outputs; None for the source's single target.
        takes: what the loss of a single output takes.

    Raises:
        DataError: with `path` relative to the source, e.g. `("file",)`; or there is only one class.
    """
    data = source.load_once(folder, problem_types, takes)
    if data.classes is not None:
        check_several(data.classes, source=data.description)
    for target in data.target_layout:
        if target.classes is not None:
            check_several(target.classes, source=data.description, target=target.name)
    return data


def split_and_scale(
    source: Source,
    data: Data,
    *,
    seed: int,
    dtype: str,
    held_out: Mapping[str, Dataset] | None = None,
    padding: Sequence[Padding] = (),
    indexed: Indexed = frozenset(),
) -> Prepared:
    """Split, encode and scale the data of a source. See `split_and_encode` and `scale` for arguments."""
    made, rows = split_and_encode(source, data, seed=seed, indexed=indexed)
    return scale(source, made, rows, dtype=dtype, held_out=held_out, padding=padding)


def split_and_encode(
    source: Source, data: Data, *, seed: int, indexed: Indexed = frozenset()
) -> tuple[Dataset, Rows]:
    """Draw the rows of each part, and fit the encoder of a table to the training rows.

    Args:
        seed: draws the held-out rows if the split has no seed.
        indexed: the category columns of a table that become indices.

    Raises:
        DataError: with `path` relative to the source, e.g. `("split", "validation")`.
    """
    _check_scalable(source, data)
    rows = data.split_rows
    if rows is None:
        rows = split_rows(source.split, len(data.y), data.labels, seed=seed, names=data.label_names)
    return data.encoded(rows.train, indexed), rows


def scale(
    source: Source,
    data: Dataset,
    rows: Rows,
    *,
    dtype: str,
    held_out: Mapping[str, Dataset] | None = None,
    padding: Sequence[Padding] = (),
) -> Prepared:
    """Scale the parts of the data. Within each part, rows keep the order of the data.

    Args:
        rows: the rows of each part.
        dtype: training type, "float32" or "float64".
        held_out: separate data for "validation" and "test", aligned with `data`.
        padding: the steps of sequences that scaling ignores and leaves unchanged.

    Raises:
        DataError: with `path` relative to the source, e.g. `("scale",)`.
    """
    held_out = held_out or {}
    scaling = _fit_scaling(source, data, rows, padding)

    def part(name: str, rows: np.ndarray | None) -> AnyPart | None:
        if name in held_out:
            return _part(held_out[name], None, scaling, dtype)
        return None if rows is None else _part(data, rows, scaling, dtype)

    of_parts = {"train": data, "validation": data, "test": data, **held_out}
    return Prepared(
        classes=data.classes,
        features=data.features,
        targets=data.targets,
        description="; ".join([data.description, *(f"{k}: {d.description}" for k, d in held_out.items())]),
        train=_part(data, rows.train, scaling, dtype),
        validation=part("validation", rows.validation),
        test=part("test", rows.test),
        scaling=scaling,
        input_shape=data.x.shape[1:],
        output_size=data.output_size,
        is_weighted=any(d.weights is not None for d in (data, *held_out.values())),
        target_layout=data.target_layout,
        center=_fit_center(data.y, rows, scaling, dtype) if data.has_values else None,
        warnings=(rows.warning,) if rows.warning else (),
        encoder=data.encoder,
        notes=tuple(dict.fromkeys(note for each in (data, *held_out.values()) for note in each.notes)),
        times={name: each.times for name, each in of_parts.items() if each.times is not None},
        naive=errors_by_part(of_parts, rows, held_out),
    )


def _check_scalable(source: Source, data: Data) -> None:
    if source.scale_target != "none" and not data.has_values:
        raise DataError(
            "the targets are classes, which cannot be scaled; remove this option", ("scale_target",)
        )


def _fit_scaling(source: Source, data: Dataset, rows: Rows, padding: Sequence[Padding]) -> Scaling:
    is_scaled = None if data.encoder is None else data.encoder.is_scaled
    if data.windows is None:
        inputs = _fit(source, "scale", data.x, rows.train, padding, is_scaled, data.weights)
    else:  # each row once, however many windows contain it
        inputs = _fit(source, "scale", data.windows.covered(rows.train), None, (), is_scaled)
    targets = _fit(source, "scale_target", data.y, rows.train, (), weights=data.weights)
    targets = _without_classes(targets, data.target_layout)
    return Scaling(inputs, targets, padding)


def _fit(
    source: Source,
    option: str,
    array: InputRows,
    rows: np.ndarray | None,
    padding: Sequence[Padding],
    is_scaled: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Affine | None:
    """Fit the scaling that an option asks for to the training part of inputs or targets.

    Args:
        rows: rows of the training part; None for all.
        is_scaled: (I,) which columns are scaled; None for all.
        weights: (n,) row weights of the array; None if all are equal.
    """

    def blocks() -> Iterator[Block]:
        for block in _blocks(array, rows, padding, weights=weights):
            if is_scaled is not None:
                block.values[:, ~is_scaled] = 0.0  # no method shifts or scales zeros
            yield block

    try:
        affine = fit_affine(getattr(source, option), blocks, array.dtype, padding)
    except DataError as error:
        raise DataError(error.message, (option,)) from None
    if affine is None or is_scaled is None:
        return affine
    shift, scale = np.where(is_scaled, affine.shift, 0.0), np.where(is_scaled, affine.scale, 1.0)
    return Affine(affine.method, shift, scale)


def _fit_center(y: RowArray, rows: Rows, scaling: Scaling, dtype: str) -> Center:
    """Locate the target values of the training part; unless scaled, they are rounded to `dtype`."""
    own = (y.dtype,) if scaling.targets else (y.dtype, np.dtype(dtype))
    return fit_center(lambda: _blocks(y, rows.train, (), most=2048), *own)


def _without_classes(affine: Affine | None, layout: tuple[Target, ...]) -> Affine | None:
    """The scaling of several targets, with class indices unchanged."""
    if affine is None or not layout:
        return affine
    is_class = np.repeat([t.classes is not None for t in layout], [t.size for t in layout])
    shift, scale = np.where(is_class, 0.0, affine.shift), np.where(is_class, 1.0, affine.scale)
    return Affine(affine.method, shift, scale)


def _part(data: Dataset, rows: np.ndarray | None, scaling: Scaling, dtype: str) -> AnyPart:
    y_dtype = dtype if data.classes is None else "int32"
    scale_x = scaling.transform_inputs if scaling.changes_inputs else None
    scale_y = scaling.transform_targets if scaling.targets else None
    x = gather("x", data.x, rows, scale_x, dtype, data.features)
    y = gather("y", data.y, rows, scale_y, y_dtype, data.targets)
    w, source_rows = _weights(data, rows, dtype, x), _source_rows(data, rows)
    if isinstance(x, DiskRows):
        return DiskPart(x, y, w, rows, source_rows)
    return Part(x, in_memory(y), w, rows, source_rows)


def _source_rows(data: Dataset, rows: np.ndarray | None) -> np.ndarray | None:
    """The source rows of a part; None for all."""
    if data.source_rows is None or rows is None:
        return rows if data.source_rows is None else data.source_rows
    return np.asarray(data.source_rows[rows])


def _weights(data: Dataset, rows: np.ndarray | None, dtype: str, x: RowArray) -> np.ndarray:
    if data.weights is not None:
        weights = as_type(data.weights, dtype)
        return weights if rows is None else weights[rows]
    if isinstance(x, DiskRows):
        return np.broadcast_to(np.ones((), dtype), (len(x),))
    return np.ones(len(x), dtype)


def _blocks(
    array: InputRows,
    rows: np.ndarray | None,
    padding: Sequence[Padding],
    most: int | None = None,
    weights: np.ndarray | None = None,
) -> Iterator[Block]:
    chosen = weights if weights is None or rows is None else weights[rows]
    for here, block in selected(array, rows, most):
        counts = ~find_padding(block, padding) if padding else True
        yield Block(block.astype(np.float64), counts, None if chosen is None else chosen[here])
