"""Report a run to TensorBoard: event files in the run's folder `tensorboard`."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from nnjit.progress.follower import Course
from nnjit.runs import file_names
from nnjit.runs.metrics import SPLITS, RunMetrics
from nnjit.tracking.tracker import Row, Tracker

FOLDER = "tensorboard"
RGBA = 4  # colour space of an image summary


class TensorBoard(Tracker):
    """Writes each epoch's losses, metrics and rates, the config as text, and the report's pictures.

    The parts of the data share a chart: `train_loss` is called `loss/train`.
    """

    name = "tensorboard"

    def start(self, course: Course) -> None:
        from tensorboardX import SummaryWriter

        again = {"purge_step": course.done + 1} if course.done else {}
        # File names contain the second: a session begun in the same one would replace the other's file.
        suffix = f".{course.done}"
        self._writer: Any = SummaryWriter(str(course.run_folder / FOLDER), filename_suffix=suffix, **again)
        config = (course.run_folder / file_names.CONFIG).read_text(encoding="utf-8")
        self._writer.add_text("config", "    " + config.replace("\n", "\n    "))
        self._epoch = course.done

    def write(self, rows: Sequence[Row]) -> None:
        for epoch, when, values in rows:
            self._epoch = epoch
            for column, value in values.items():
                self._writer.add_scalar(tag(column), value, epoch, walltime=when)
        self._writer.flush()

    def finish(self, metrics: RunMetrics | None, pictures: Mapping[str, bytes]) -> None:
        for split, found in (metrics.splits if metrics else {}).items():
            for name, value in {"loss": found.loss, **found.metrics}.items():
                self._writer.add_scalar(f"final/{split}_{name}", value, self._epoch)
        for name, png in pictures.items():
            self._writer.file_writer.add_summary(_image(f"report/{name}", png), self._epoch)
        self._writer.close()


def tag(column: str) -> str:
    """The tag of a history column.

    >>> tag("validation_loss"), tag("train_kind_accuracy"), tag("learning_rate")
    ('loss/validation', 'kind_accuracy/train', 'learning_rate')
    """
    split, _, name = column.partition("_")
    return f"{name}/{split}" if split in SPLITS else column


def _image(tag: str, png: bytes) -> Any:
    """An image summary of a PNG file, without decoding it."""
    from tensorboardX.proto.summary_pb2 import Summary

    width, height = struct.unpack(">II", png[16:24])
    image = Summary.Image(height=height, width=width, colorspace=RGBA, encoded_image_string=png)
    return Summary(value=[Summary.Value(tag=tag, image=image)])
