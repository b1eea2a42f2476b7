"""Open a run folder, and predict and evaluate with the trained network in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data import Dataset, Scaling
from nnjit.errors import DataError, GraphError, RunError, UserError, counted, shortened
from nnjit.experiment import Experiment
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import damaged, parse
from nnjit.training.contents import FolderContents, RunContents
from nnjit.training.description import described, encoder_of
from nnjit.training.graphs.decoding import Classes, Decoder, with_names
from nnjit.training.inputs import Inputs, Where
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.task import make_task

if TYPE_CHECKING:
    from nnjit.data.encoding.encoder import TableEncoder
    from nnjit.data.known.known_data import KnownData
    from nnjit.data.known.series import NewWindows
    from nnjit.data.tables.table import Table
    from nnjit.training.evaluation import Evaluation
    from nnjit.training.setup.outputs import DataDescription


_FRAMES = ("polars", "pandas", "pyarrow", "nnjit")  # the libraries whose frames are tables
_MOST_NAMES = 4


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A finished training.

    It can be pickled with its weights, its metrics and its description of the data, so it predicts and
    evaluates in another process even without its folder; only `history` is read from there.

    Args:
        path: the run folder; None if the training wrote nothing.
        experiment: the trained experiment.
        compiled: its compiled graphs.
        decoder: decodes predictions into classes or values.
        features: the names of the input columns; () for images.
        encoder: turns a table into inputs; None if the run was trained on arrays.
        contents: the contents of the run; None if they are the files of its folder.
    """

    path: Path | None
    experiment: Experiment
    compiled: CompiledTask
    decoder: Decoder
    features: tuple[str, ...]
    encoder: TableEncoder | None = None
    contents: RunContents | None = None

    @cached_property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of `history.csv` by name, each of shape (epochs,)."""
        return self.contents_or_folder.history()

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`metrics.json`: the final loss and metrics of each split, and the times."""
        return self.contents_or_folder.metrics()

    @cached_property
    def theta(self) -> np.ndarray:
        """All weights as one vector: trained params, layer state, and frozen arrays.

        `metrics["weights"]` says whether they are the best or the last.
        """
        return self.contents_or_folder.theta(self.compiled.task.model)

    @property
    def folder(self) -> Path:
        """The run folder.

        Raises:
            RunError: there is none, because the training wrote nothing.
        """
        if self.path is None:
            raise RunError("this run is only in memory; save it first, such as run = run.save('runs/1')")
        return self.path

    def save(self, folder: str | Path) -> Run:
        """Write the run folder, or a copy of it, and return the run in it.

        Raises:
            RunError: the folder exists already or cannot be written.
        """
        path = Path(folder)
        if path.exists():
            raise RunError(f"{path} exists already, and a run is never overwritten; choose another folder")
        self.contents_or_folder.save(path)
        return replace(self, path=path, contents=None)

    def report(self) -> Path:
        """Write `report.html` and `loss_curve.png` into the run folder, and return the path of the page."""
        from nnjit.report import write_report

        write_report(self.folder)
        return self.folder / file_names.REPORT

    @property
    def contents_or_folder(self) -> RunContents:
        """The contents of the run, in memory or in its folder."""
        return FolderContents(self.folder) if self.contents is None else self.contents

    @property
    def classes(self) -> Classes:
        """The names of the classes, in the order of the probabilities; None if the run predicts values.

        For several outputs, a dict by output, of those that have classes.
        """
        return self.decoder.known_classes

    def predict(self, x: Any, *, names: bool = False) -> Any:
        """Predict inputs (n, …) in the data's own units; n may be 0.

        Args:
            x: rows (n, …); or a polars or pandas DataFrame, or a dict of columns, with the columns of the
                data by name; other columns are ignored. For a series, each window of the rows is predicted,
                the last one from the last rows. If the run was trained on images, a list of files.
            names: whether to return class names, as in `classes`, instead of indices.

        Returns:
            Class indices or names (n,), or values (n, O) in the target's own unit; for several outputs, a
            dict of these by output.

        Raises:
            GraphError: the rows do not have the shape that the model was trained on.
            DataError: a value is not a number, not finite, missing, or not accepted by a layer; or a column
                is missing. The message names row and column.
        """
        if names:
            self._check_classes()
        decided = self.decoder.decide(self._predicted(x))
        return with_names(decided, self.classes) if names else decided

    def predict_probabilities(self, x: Any) -> Any:
        """Predict the probabilities (n, K) of the classes, in the order of `classes`; inputs as in `predict`.

        For several outputs, a dict by output, of those that have classes.
        """
        self._check_classes()
        return self.decoder.scores(self._predicted(x))

    def evaluate(self, x: Any, y: Any = None, *, weights: Any = None) -> dict[str, float]:
        """Measure loss and metrics on new data, as on the test part.

        Args:
            x: a table as for `predict` that also has the targets, and the weights if the run had a column of
                them; rows without a target are left out. Or rows (n, …), with `y`.
            y: the targets: (n,) class names or indices, or values (n,) or (n, O) in their own unit; for
                several outputs, a dict of these by target.
            weights: (n,) how much each row counts, numbers >= 0.

        Returns:
            `examples`, `loss` and the metrics by name, as in `metrics["splits"]["test"]`.

        Raises:
            DataError: as for `predict`; or a target is missing, or is a class unknown to the training.
        """
        return self.evaluation(x, y, weights=weights).values.to_json()

    def evaluation(self, x: Any, y: Any = None, *, weights: Any = None) -> Evaluation:
        """Like `evaluate`, but with the predictions for the rows."""
        # A training imports this file but evaluates in its own way.
        from nnjit.training.evaluation import evaluate

        read, data = self.with_targets(x, y, weights)
        return evaluate(self.experiment, self._description, self.theta, read, data)

    def with_targets(self, x: Any, y: Any = None, weights: Any = None) -> tuple[np.ndarray, Dataset]:
        """Convert arguments of `evaluate` to inputs for the network, and the data with its targets."""
        from nnjit.data.known.targets import arrays_with_targets

        if y is None:
            if weights is not None:
                raise DataError("weights are given without y; give both, or a table that holds them")
            if not self._is_table(x):
                raise DataError("no targets are given; give y, or a table with a column of them")
            data, where = self._with_targets(_table(x))
            read = self._inputs.read(self.known.shaped(data.x[:]), where)
        else:
            rows, named = self._rows(x)
            read = self._inputs.read(rows, named)
            targets = y if isinstance(y, Mapping) else np.asarray(y)
            counts = None if weights is None else np.asarray(weights)
            data = arrays_with_targets(self.known, read, targets, counts)
            read = read if data.source_rows is None else read[data.source_rows]
        return read, data

    @cached_property
    def known(self) -> KnownData:
        """The run's knowledge of its data."""
        from nnjit.data.known.known_data import KnownData

        data, source = self.data, self.experiment.data
        weights = getattr(source, "weights", None) if self.encoder is not None else None
        return KnownData(
            self.features, self.compiled.task.model.input_shape, data.targets, data.classes,
            self._description.targets, self.encoder, weights,
        )  # fmt: skip

    @cached_property
    def data(self) -> DataEntry:
        """`data.json`: the description of the data."""
        return self.contents_or_folder.data()

    def _check_classes(self) -> None:
        if not self.decoder.has_classes:
            raise GraphError("this run predicts values, not classes; use predict")

    def forward(self, x: Any, where: Where | None = None) -> np.ndarray:
        """The network's outputs (n, O), for `decoder`, for inputs (n, …) in the data's own units.

        Args:
            where: the index of a row -> its name in messages; None counts from 1.
        """
        return self.compiled.predict(self.theta, self._inputs.read(x, where))

    def read_images(self, paths: Sequence[Path]) -> np.ndarray:
        """Read the pixels of images, in the shape of the training's images."""
        from nnjit.data.known.known_images import read_known_images

        return read_known_images(self.experiment.data, self.compiled.task.model.input_shape, paths)

    def _predicted(self, x: Any) -> np.ndarray:
        return self.forward(*self._rows(x))

    def _rows(self, x: Any) -> tuple[Any, Where | None]:
        """Inputs in the shape of examples, and the names of rows in messages if they have any."""
        from nnjit.data.known.known_images import are_images

        if are_images(self.experiment.data, x):
            paths = [Path(each) for each in x]
            return self.read_images(paths), lambda row: str(paths[row])
        if not self._is_table(x):
            return x, None
        from nnjit.data.known.known_data import place_in

        table = _table(x)
        if self.experiment.data.is_series:
            windows = self.windows(table)
            return windows.x[:], windows.where
        return self.known.shaped(self.known.encode(table)[:]), place_in(table)

    def windows(self, table: Table) -> NewWindows:
        """The windows of new rows of a series; `forward` makes a forecast for each."""
        from nnjit.data.known.series import windows_of

        return windows_of(self.experiment.data, self.known, table)

    def _with_targets(self, table: Table) -> tuple[Dataset, Where]:
        """The rows or windows of a table with their targets, and the names of rows in messages."""
        from nnjit.data.known.series import windows_with_targets
        from nnjit.data.known.targets import table_with_targets

        if self.experiment.data.is_series:
            return windows_with_targets(self.experiment.data, self.known, table)
        return table_with_targets(self.known, table)

    def _is_table(self, x: Any) -> bool:
        """Whether inputs are a table with named columns; other libraries' frames count as arrays."""
        is_frame = type(x).__module__.partition(".")[0] in _FRAMES or self.encoder is not None
        return isinstance(x, Mapping) or (is_frame and hasattr(x, "columns"))

    @cached_property
    def _inputs(self) -> Inputs:
        model = self.compiled.task.model
        return Inputs(model, self.features, self.decoder.scaling, self.theta.dtype.name)

    @cached_property
    def _model(self) -> ModelEntry:
        return self.contents_or_folder.model()

    @cached_property
    def _description(self) -> DataDescription:
        shape = self.compiled.task.model.input_shape
        return described(self.data, shape, self.decoder.scaling, self.encoder)

    def __reduce__(self) -> tuple[Any, ...]:
        carried = {name: getattr(self, name) for name in ("metrics", "theta")}
        carried |= {} if self.contents is None else {"contents": self.contents.carried()}
        path = None if self.path is None else self.path.absolute()
        return _restored, (path, self.experiment, self.data, self._model, carried)

    def _repr_html_(self) -> str:
        from nnjit.progress.html import run_html

        return run_html(repr(self), self.metrics["splits"], lambda: self.history)

    def __repr__(self) -> str:
        metrics = RunMetrics.from_json(self.metrics)
        shape = " × ".join(map(str, self.compiled.task.model.input_shape))
        inputs = counted(len(self.features), "input") if self.features else f"{shape} inputs"
        parameters = counted(metrics.parameters, "parameter")
        split = next((name for name in ("test", "validation", "train") if name in metrics.splits), "")
        values = metrics.splits[split].to_json() if split else {}
        shown = ", ".join(f"{k} {v:.4g}" for k, v in values.items() if k != "examples")
        return (
            f"Run {self.experiment.name}: {inputs} → {self._aim()}; {parameters}\n"
            f"  {split or 'no result'}{': ' if shown else ''}{shown}; {counted(metrics.epochs, 'epoch')}\n"
            f"  {self._place}"
        )

    @property
    def _place(self) -> str:
        if self.contents is not None:
            return self.contents.place
        return "in memory" if self.path is None else str(self.path)

    def _aim(self) -> str:
        """The targets, in words."""
        if self.data.outputs:
            return ", ".join(output.target for output in self.data.outputs[:_MOST_NAMES])
        names = self.data.targets if self.data.classes is None else self.data.classes
        words = ", ".join(shortened(name, 20) for name in names[:_MOST_NAMES])
        more = ", …" if len(names) > _MOST_NAMES else ""
        if self.data.classes is None:
            return words + more
        return f"{self.data.targets[0]}, {counted(len(names), 'class')} ({words}{more})"


def open_run(path: Path, experiment: Experiment) -> Run:
    """Open the run in `path`, whose config is `experiment`. The training data is not needed.

    Raises:
        RunError: the folder is not that of a finished run, or its files do not belong together.
    """
    return replace(make_run(path, experiment, DataEntry.read(path), ModelEntry.read(path)), path=path)


def _restored(
    path: Path | None, experiment: Experiment, data: DataEntry, model: ModelEntry, carried: Mapping[str, Any]
) -> Run:
    """Restore a pickled run."""
    run = replace(make_run(path or Path(), experiment, data, model), path=path)
    run.__dict__.update(carried, data=data, _model=model)  # else read from its folder
    return run


def make_run(
    place: Path,
    experiment: Experiment,
    data: DataEntry,
    model: ModelEntry,
    contents: RunContents | None = None,
) -> Run:
    """Make the run of an experiment from these files.

    Args:
        place: their folder, for messages.

    Raises:
        RunError: the files do not belong together.
    """
    scaling = parse(place / file_names.DATA, dict(data.scaling), Scaling.from_json)
    if not scaling.fits(model.input_shape, len(data.targets)):
        raise damaged(place / file_names.DATA, f"its scaling is not that of the inputs in {file_names.MODEL}")
    encoder = encoder_of(place, data)
    if encoder is not None and encoder.features != data.features:
        raise damaged(place / file_names.DATA, "its columns do not give its features")
    try:
        task, outputs = make_task(experiment, described(data, model.input_shape, scaling, encoder))
    except UserError as error:
        names = f"{file_names.CONFIG}, {file_names.MODEL} and {file_names.DATA}"
        raise RunError(f"{place}: {names} are not from one training: {error.message}; restore them") from None
    shapes = [(n.name, n.output_shape) for n in task.model.nodes]
    if shapes != [(layer.name, layer.output_shape) for layer in model.layers]:
        raise damaged(place / file_names.MODEL, f"its layers are not those of {file_names.CONFIG}")
    compiled = CompiledTask(task)
    return Run(None, experiment, compiled, outputs.decoder, data.features, encoder, contents)


def _table(x: Any) -> Table:
    from nnjit.data.tables.frames import table_of
    from nnjit.data.tables.table import Table

    return x if isinstance(x, Table) else table_of(x)
