"""Report a run to MLflow: its server or its file store, as set by `MLFLOW_TRACKING_URI`."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnjit.progress.follower import Course
from nnjit.runs import file_names
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.status import Status
from nnjit.tracking.tracker import Row, Tracker

STORE = "mlruns"  # the file store, in the working directory
FOLDER_TAG = "nnjit.folder"  # the run folder of an MLflow run
MOST_METRICS, MOST_PARAMS, LONGEST = 1000, 100, 6000  # MLflow's limits per call, and per value
ENDED = {Status.INTERRUPTED: "KILLED", Status.DIVERGED: "FAILED"}  # all others are FINISHED


class MLflow(Tracker):
    """Writes each epoch's metrics, the options as params, and config, report and pictures as artifacts.

    A resumed run continues its MLflow run.
    """

    name = "mlflow"

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        from mlflow.exceptions import MlflowException

        self.failures = (OSError, MlflowException)

    def start(self, course: Course) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Param

        self._client = MlflowClient(tracking_uri=tracking_uri())
        self._folder = course.run_folder.absolute()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or course.name
        found = self._client.get_experiment_by_name(name)
        experiment = self._client.create_experiment(name) if found is None else found.experiment_id
        self._run = self._earlier(experiment) if course.done else ""
        if self._run:
            self._client.update_run(self._run, status="RUNNING")
            return
        member = "" if course.member is None else "/".join(self._folder.parts[-3:])
        tags = {FOLDER_TAG: str(self._folder), "mlflow.source.name": "nnjit"}
        run = self._client.create_run(experiment, run_name=member or self._folder.name, tags=tags)
        self._run = run.info.run_id
        params = [Param(name, value[:LONGEST]) for name, value in flat(self.options)]
        for k in range(0, len(params), MOST_PARAMS):
            self._client.log_batch(self._run, params=params[k : k + MOST_PARAMS])
        self._client.log_artifact(self._run, str(self._folder / file_names.CONFIG))

    def _earlier(self, experiment: str) -> str:
        """The MLflow run of this run folder; empty if there is none."""
        found = self._client.search_runs([experiment], order_by=["attributes.start_time DESC"])
        mine = (run for run in found if run.data.tags.get(FOLDER_TAG) == str(self._folder))
        return next((str(run.info.run_id) for run in mine), "")

    def write(self, rows: Sequence[Row]) -> None:
        from mlflow.entities import Metric

        found = [Metric(n, v, int(1000 * when), e) for e, when, values in rows for n, v in values.items()]
        for k in range(0, len(found), MOST_METRICS):
            self._client.log_batch(self._run, metrics=found[k : k + MOST_METRICS])

    def finish(self, metrics: RunMetrics | None, pictures: Mapping[str, bytes]) -> None:
        for split, found in (metrics.splits if metrics else {}).items():
            for name, value in {"loss": found.loss, **found.metrics}.items():
                self._client.log_metric(self._run, f"final_{split}_{name}", value)
        with tempfile.TemporaryDirectory() as folder:
            for name, png in pictures.items():
                (Path(folder) / f"{name}.png").write_bytes(png)
            if pictures:
                self._client.log_artifacts(self._run, folder, "pictures")
        report = self._folder / file_names.REPORT
        if report.is_file():
            self._client.log_artifact(self._run, str(report))
        ended = "FAILED" if metrics is None else ENDED.get(metrics.status, "FINISHED")
        self._client.set_terminated(self._run, status=ended)


def tracking_uri() -> str:
    """The address of the runs; allows MLflow's file store, which it no longer opens by default."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or Path(STORE).absolute().as_uri()
    if uri.startswith("file:") or "://" not in uri:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return uri


def flat(options: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each option by path, such as `model.layers.0.units`; null and empty ones are omitted.

    >>> list(flat({"seed": 0, "model": [{"type": "dense", "bias": None}], "metrics": []}))
    [('seed', '0'), ('model.0.type', 'dense')]
    """
    inner: Iterator[tuple[Any, Any]] | None = None
    if isinstance(options, Mapping):
        inner = iter(options.items())
    elif isinstance(options, (list, tuple)):
        if len(options) > 20:  # inline data, for instance
            yield name, json.dumps(options, default=str)
            return
        inner = iter(enumerate(options))
    elif options is not None:
        yield name, str(options)
    for key, value in inner or ():
        yield from flat(value, f"{name}.{key}" if name else str(key))
