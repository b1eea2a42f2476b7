"""Predict and evaluate the rows of files: tables in any format, NumPy arrays, or images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data import Source
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.known.known_data import as_columns, blaming, place_in, unseen
from nnjit.data.known.known_images import holds_images, images_in, labelled_images_in
from nnjit.data.series.windows import Windows
from nnjit.data.sources.npz import read_array
from nnjit.data.sources.series import Series
from nnjit.data.sources.table import Table as TableSource
from nnjit.data.storage.array_file import read_npy
from nnjit.data.tables.reading import Reading, read_blocks, read_table
from nnjit.data.tables.table import Table
from nnjit.data.tables.writing import Columns, Labels
from nnjit.errors import DataError
from nnjit.runs.predictions import Predictions
from nnjit.training.graphs.decoding import Decoded
from nnjit.training.inputs import Where
from nnjit.training.run import Run

if TYPE_CHECKING:
    from nnjit.training.evaluation import Evaluation

BLOCK = 2**16
"""Rows predicted at once."""
ROW = "row"
"""The column with the number of each row, counted from 1 as in messages."""
FILE = "file"
"""The column with the file of each image."""

_IMAGES = 2**8  # images decoded at once
_ARRAYS = (".npy", ".npz")
_UNWEIGHTED = "the training weighted its rows; here all count equally"
_OWN_MARKS = ("missing_marks",)  # options of a table that apply to any format


@dataclass
class FilePrediction:
    """The predictions for the rows of a file.

    Args:
        reading: the format of the file.
        probabilities: whether to predict the probability of each class too.
        with_inputs: whether the columns of the file precede the predictions.
        is_text: whether numbers in a text file stay text.
        unseen: the number of rows with a category unknown to the training, by column, in the blocks so far.
        notes: remarks on the file.
    """

    run: Run
    path: Path
    reading: Reading
    probabilities: bool = False
    with_inputs: bool = False
    is_text: bool = True
    unseen: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Columns]:
        """Yield row numbers and predictions, in blocks and in the order of the file.

        A column of predictions is named after the target, with the prefix `predicted_` if a column of the
        file in the output has this name; a probability after target and class, `species=Adelie`.

        Raises:
            DataError: the file cannot be read, lacks a column, or has a value that the network cannot take.
        """
        done = 0
        for given, rows, where, numbers in self._read():
            for start in range(0, len(rows), BLOCK):
                stop = min(start + BLOCK, len(rows))
                x = rows[start:stop]
                x = self.run.known.shaped(x) if isinstance(rows, EncodedRows) else x
                found = {name: column[start:stop] for name, column in given.items()}
                with blaming(str(self.path)):
                    own = np.arange(done + 1, done + 1 + len(x)) if numbers is None else numbers[start:stop]
                    made = self._columns(own, x, partial(_later, where, start), found)
                yield made
                done += stop - start

    def _read(self) -> Iterator[tuple[Columns, EncodedRows | Windows | np.ndarray, Where, np.ndarray | None]]:
        """Yield the given columns, the inputs, the names of rows in messages, and the row numbers.

        Row numbers are None if the rows are all rows of the file, in order.
        """
        if holds_images(self.run.experiment.data, self.path):
            yield from self._read_images()
            return
        if self.path.suffix.lower() in _ARRAYS:
            x = _inputs(self.path)
            yield self._array_columns(x), x, lambda row: f"{self.path}: row {row + 1}", None
            return
        if isinstance(self.run.experiment.data, Series):
            yield from self._windows(self.run.experiment.data)
            return
        known = self.run.known
        for table in read_blocks(self.path, self.reading):
            encoded = known.encode(table)
            self.notes = self.notes or table.notes
            self.unseen.update(unseen(encoded))
            yield self._given(table), encoded, place_in(table), None

    def _windows(self, source: Series) -> Iterator[tuple[Columns, Windows, Where, np.ndarray]]:
        """Yield the windows of a series, each with the number, time and group of its last row."""
        from nnjit.data.known.series import window_blocks

        tables = read_blocks(self.path, self.reading)
        for found, carried, done in window_blocks(source, self.run.known, tables):
            self.notes = self.notes or found.table.notes
            self.unseen.update(unseen(found.encoded, carried))
            names = found.table.columns if self.with_inputs else found.names
            ending = found.table.select(names).taken(found.last)
            given = as_columns(ending, None if self.is_text else self.run.known.encoder)
            yield given, found.x, found.where, found.last + 1 + done - carried

    def _read_images(self) -> Iterator[tuple[Columns, np.ndarray, Where, None]]:
        if self.with_inputs:
            raise DataError(f"{self.path}: images have no columns; omit --with-inputs")
        paths = images_in(self.path)
        for start in range(0, len(paths), _IMAGES):
            chosen = paths[start : start + _IMAGES]
            names = np.array([str(path) for path in chosen])
            yield {FILE: names}, self.run.read_images(chosen), partial(_name, names), None

    def _given(self, table: Table) -> Columns:
        if not self.with_inputs:
            return {}
        return as_columns(table, None if self.is_text else self.run.known.encoder)

    def _array_columns(self, x: np.ndarray) -> Columns:
        if not self.with_inputs:
            return {}
        if x.ndim != 2 or x.shape[1] != len(self.run.features):
            raise DataError(f"{self.path}: the rows do not form a table of columns; omit --with-inputs")
        return {name: x[:, k] for k, name in enumerate(self.run.features)}

    def _columns(self, numbers: np.ndarray, x: np.ndarray, where: Where, given: Columns) -> Columns:
        predicted = self.run.forward(x, where)
        decoder = self.run.decoder
        scores = _by_output(decoder.scores(predicted)) if self.probabilities else {}
        if ROW in given:
            raise DataError(f'a column is called "{ROW}", like the column of row numbers; rename it')
        decided = decision_columns(
            self.run, _by_output(decoder.decide(predicted)), scores, taken={ROW: 0, **given}
        )
        return {ROW: numbers, **given, **decided}


def decision_columns(
    run: Run,
    decided: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray],
    *,
    taken: Mapping[str, object],
) -> dict[str, np.ndarray | Labels]:
    """Columns of predictions, named after their targets.

    Args:
        decided, scores: those of each output by name, "" for a single output.
        taken: the names of other columns, which give these the prefix `predicted_`.

    Raises:
        DataError: a name is taken even with the prefix.
    """
    columns: dict[str, np.ndarray | Labels] = {}
    for output, (targets, classes) in _outputs(run).items():
        values = decided[output]
        if classes is not None:
            columns[_free(targets[0], taken)] = Labels(values, classes)
            if output in scores:
                named = {f"{targets[0]}={label}": scores[output][:, k] for k, label in enumerate(classes)}
                columns |= {_free(name, taken): column for name, column in named.items()}
        else:
            columns |= {_free(name, taken): values[:, k] for k, name in enumerate(targets)}
    return columns


def evaluate_file(run: Run, path: Path, reading: Reading) -> tuple[Evaluation, tuple[str, ...]]:
    """Evaluate a run on the rows of a file; return the evaluation, and remarks on the file.

    An npz file has the arrays of the run's data: `x`, and `y` or the names of the targets. A folder of images
    has a sub-folder for each class.

    Raises:
        DataError: as for predictions; or the file lacks a target, or has a class unknown to the training.
    """
    if holds_images(run.experiment.data, path):
        listing = labelled_images_in(path)
        found = run.evaluation(list(listing.paths), np.array(listing.labels))
        return found, (*listing.notes, *found.notes)
    if path.suffix.lower() not in _ARRAYS:
        table = read_table(path, reading)
        is_unlike = run.data.is_weighted and run.known.weights is None
        found = run.evaluation(table)
        return found, (*table.notes, *found.notes, *((_UNWEIGHTED,) if is_unlike else ()))
    if path.suffix.lower() == ".npy":
        raise DataError(f"{path} has no targets; give an npz file of x and y, or a table")
    names = [output.target for output in run.data.outputs] or ["y"]
    y = {name: _array(path, name) for name in names}
    weights = getattr(run.experiment.data, "weights", None) if run.data.is_weighted else None
    of_rows = _array(path, weights) if isinstance(weights, str) else None
    with blaming(str(path)):
        found = run.evaluation(_inputs(path), y if run.data.outputs else y["y"], weights=of_rows)
    return found, found.notes


def evaluation_columns(run: Run, predictions: Mapping[str, Predictions]) -> Columns:
    """Row numbers, targets, predictions and the probabilities of classes."""
    targets = {name: one.target for name, one in predictions.items()}
    true = decision_columns(run, targets, {}, taken={ROW: 0})
    scores = {name: one.probability for name, one in predictions.items() if one.probability is not None}
    decided = {name: one.prediction for name, one in predictions.items()}
    rows = next(iter(predictions.values())).rows
    assert rows is not None  # an evaluation knows them
    return {ROW: rows + 1, **true, **decision_columns(run, decided, scores, taken=true)}


def reading_for(source: Source, path: Path, chosen: frozenset[str] = frozenset()) -> Reading:
    """The format of a new file: that of the training's file if it has the same suffix, else detected.

    Args:
        source: the data of the training.
        chosen: options of the source that apply to the new file.
    """
    if not isinstance(source, TableSource | Series):
        return Reading()
    is_alike = source.file is not None and Path(source.file).suffix.lower() == path.suffix.lower()
    names = frozenset(Reading.model_fields) if is_alike else chosen.union(_OWN_MARKS)
    return Reading(**{name: getattr(source, name) for name in names})


def _array(path: Path, name: str) -> np.ndarray:
    """Read the array of an npy file, or the array with this name from an npz file."""
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    if path.suffix.lower() == ".npy":
        return read_npy(path, ())
    return read_array(path, name)


def _inputs(path: Path) -> np.ndarray:
    """Read the inputs (n, ...) from a file of arrays; as in training, (n,) holds one number per example."""
    x = _array(path, "x")
    return x[:, None] if x.ndim == 1 else x


def _name(names: np.ndarray, row: int) -> str:
    return str(names[row])


def _later(where: Where, start: int, row: int) -> str:
    """The name of a row, counted from row `start`."""
    return where(start + row)


def _outputs(run: Run) -> dict[str, tuple[tuple[str, ...], tuple[str, ...] | None]]:
    """The target columns of each output by name, "" for a single one, and their classes."""
    data = run.data
    if not data.outputs:
        return {"": (data.targets, data.classes)}
    return {o.name: (data.targets[slice(*o.columns)], o.classes) for o in data.outputs}


def _by_output(decoded: Decoded) -> Mapping[str, np.ndarray]:
    return decoded if isinstance(decoded, dict) else {"": decoded}


def _free(name: str, taken: Mapping[str, object]) -> str:
    if name in taken:
        name = f"predicted_{name}"
    if name in taken:
        raise DataError(f'a column is called "{name}", like the predictions; rename or remove it')
    return name
