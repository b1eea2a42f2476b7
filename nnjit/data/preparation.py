"""From a source to what a training takes: split, scaled, in one type, contiguous.

Memory: a part is written once, in the type of the training, a block of rows at a time. Where nothing is
split, scaled or converted, the training part is the source's own array.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nnjit.data.dataset import Dataset, ProblemType, block_rows, place
from nnjit.data.labels import check_several
from nnjit.data.scaling import Affine, Scaling, fitted
from nnjit.data.source import Source
from nnjit.data.splits import split_rows
from nnjit.data.target import Target
from nnjit.data.weights import as_type
from nnjit.errors import DataError


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the data, scaled.

    Args:
        x: (n, ...) of the type of the training, C-contiguous and writable.
        y: (n,) int32 index of the class, or (n, O) values of the type of the training.
        w: (n,) weights > 0 of the type of the training; 1 where all rows count alike.
        rows: (n,) the rows of the data that it holds; None where it holds all.
    """

    x: np.ndarray
    y: np.ndarray
    w: np.ndarray
    rows: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """The data of a training: its parts, and what they mean.

    Args:
        input_shape: shape of one row of x.
        output_size: how many numbers the network has to give: the number of classes, or of target values.
        is_weighted: whether the data says how much each row counts.
        several: what the columns of the targets are, where there are several outputs.
        codes: of a feature whose values are numbers of categories, these in their order.
    """

    classes: tuple[str, ...] | None
    features: tuple[str, ...]
    targets: tuple[str, ...]
    description: str
    train: Part
    validation: Part | None
    test: Part | None
    scaling: Scaling
    input_shape: tuple[int, ...]
    output_size: int
    is_weighted: bool
    several: tuple[Target, ...] = ()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def prepare(
    source: Source,
    *,
    seed: int,
    dtype: str,
    folder: Path,
    tasks: Mapping[str, ProblemType | None] | None = None,
) -> Prepared:
    """Load, split and scale the data of a source, whose seed is the given one where it has none of its own.

    The arguments are those of `load` and `prepared`.
    """
    return prepared(source, load(source.seeded(seed), folder, tasks), seed=seed, dtype=dtype)


def load(source: Source, folder: Path, tasks: Mapping[str, ProblemType | None] | None = None) -> Dataset:
    """The data of a source.

    Args:
        folder: where relative paths in the options start.
        tasks: the targets by name, for several outputs; None for the one target of the source.

    Raises:
        DataError: with `path` as seen from the source, e.g. `("file",)`; or there are not two classes.
    """
    data = loaded(source, folder, tasks)
    if data.classes is not None:
        check_several(data.classes, source=data.description)
    for target in data.several:
        if target.classes is not None:
            check_several(target.classes, source=data.description, target=target.name)
    return data


def loaded(source: Source, folder: Path, tasks: Mapping[str, ProblemType | None] | None) -> Dataset:
    """The same, where a single class is enough."""
    return source.load(folder) if tasks is None else source.load_several(folder, tasks)


def prepared(
    source: Source, data: Dataset, *, seed: int, dtype: str, held: Mapping[str, Dataset] | None = None
) -> Prepared:
    """Split and scale the data of a source.

    Rows keep the order of the data within each part.

    Args:
        seed: decides which rows are held out, where the split has no seed.
        dtype: type of the training, "float32" or "float64".
        held: other data for the parts "validation" and "test", fitted to this one.

    Raises:
        DataError: with `path` as seen from the source, e.g. `("split", "validation")`.
    """
    held = held or {}
    has_values = data.classes is None and not (data.several and all(t.classes for t in data.several))
    if not has_values and source.scale_target != "none":
        raise DataError(
            "the targets are classes, which cannot be scaled; remove this option", ("scale_target",)
        )
    is_class = data.classes is not None
    drawn = seed if source.split.seed is None else source.split.seed
    rows = split_rows(source.split, len(data.x), data.labels, seed=drawn, names=data.label_names)
    scaling = Scaling(
        fitted(source.scale, lambda: _blocks(data.x, rows.train)),
        _of_values(fitted(source.scale_target, lambda: _blocks(data.y, rows.train)), data.several),
    )

    def part(data: Dataset, rows: np.ndarray | None) -> Part:
        x = _gathered("x", data.x, rows, scaling.inputs, dtype, data.features)
        y = _gathered("y", data.y, rows, scaling.targets, "int32" if is_class else dtype, data.targets)
        weights = np.ones(len(data.x), dtype) if data.weights is None else as_type(data.weights, dtype)
        return Part(x, y, weights if rows is None else weights[rows], rows)

    def held_out(name: str, rows: np.ndarray | None) -> Part | None:
        if name in held:
            return part(held[name], None)
        return None if rows is None else part(data, rows)

    return Prepared(
        classes=data.classes,
        features=data.features,
        targets=data.targets,
        description="; ".join([data.description, *(f"{k}: {d.description}" for k, d in held.items())]),
        train=part(data, rows.train),
        validation=held_out("validation", rows.validation),
        test=held_out("test", rows.test),
        scaling=scaling,
        input_shape=data.x.shape[1:],
        output_size=_output_size(data),
        is_weighted=any(d.weights is not None for d in (data, *held.values())),
        several=data.several,
        codes=data.codes,
    )


def _of_values(affine: Affine | None, several: tuple[Target, ...]) -> Affine | None:
    """The scaling of targets, which leaves the indices of classes as they are."""
    if affine is None or not several:
        return affine
    is_class = np.repeat([t.classes is not None for t in several], [t.size for t in several])
    shift, scale = np.where(is_class, 0.0, affine.shift), np.where(is_class, 1.0, affine.scale)
    return Affine(affine.method, shift, scale)


def _output_size(data: Dataset) -> int:
    return data.y.shape[1] if data.classes is None else len(data.classes)


def _blocks(array: np.ndarray, rows: np.ndarray | None) -> Iterator[np.ndarray]:
    return (block.astype(np.float64) for _, block in _selected(array, rows))


def _selected(array: np.ndarray, rows: np.ndarray | None) -> Iterator[tuple[slice, np.ndarray]]:
    """The given rows of an array (all where None), a block at a time, each with its place among them."""
    step = block_rows(array)
    count = len(array) if rows is None else len(rows)
    for start in range(0, count, step):
        here = slice(start, min(start + step, count))
        yield here, array[here] if rows is None else array[rows[here]]


def _gathered(
    name: str,
    array: np.ndarray,
    rows: np.ndarray | None,
    affine: Affine | None,
    dtype: str,
    columns: tuple[str, ...],
) -> np.ndarray:
    if rows is None and affine is None and array.dtype == dtype:
        return np.require(array, requirements=["C_CONTIGUOUS", "ALIGNED", "WRITEABLE"])
    out = np.empty((len(array) if rows is None else len(rows), *array.shape[1:]), dtype)
    for here, block in _selected(array, rows):
        with np.errstate(over="ignore"):  # reported below, with its place
            out[here] = affine.apply(block) if affine else block
        is_bad = ~np.isfinite(out[here])
        if is_bad.any():
            at = tuple(int(k) for k in np.argwhere(is_bad)[0])
            row = here.start + at[0] if rows is None else int(rows[here][at[0]])
            raise DataError(
                f"{name} in {place((row, *at[1:]), columns)} (counted from 1) is {block[at]}, beyond the "
                f"range of {dtype}{' once scaled' if affine else ''}; use dtype: float64 or smaller units"
            )
    return out
