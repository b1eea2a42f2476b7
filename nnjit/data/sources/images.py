"""`images`: image files in one folder per class, or listed with their labels in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.files import locate, path_of
from nnjit.data.images.decoding import Colour, check_pillow, read_images
from nnjit.data.images.listing import list_classes, list_column
from nnjit.data.source import Source, sources
from nnjit.data.sources.table import Name
from nnjit.data.target import ProblemType
from nnjit.errors import ConfigPath, DataError, counted

_LONGEST_SIDE = 2**14
_Side = Annotated[int, Field(ge=1, le=_LONGEST_SIDE)]
_OF_TABLE = ("path", "target")


@sources.register
class Images(Source):
    """Images (n, H, W, C) of bytes, with 1 grey channel or 3 colour channels.

    Without `file`, `folder` has one sub-folder per class, named after it; classes and files are sorted by
    name. With `file`, a table lists the files with their labels or values. Hidden files are skipped; any
    other that is not a complete image is an error. Images are turned by their EXIF orientation, transparency
    becomes white, and an animation counts as its first picture.
    """

    type: Literal["images"] = "images"
    folder: str | None = None
    """The folder of the images, with one sub-folder per class; a relative path starts at the working
    directory. With `file`, relative image names start there; null means the folder of that file."""
    file: str | None = None
    """A table of image files and labels, in any format of `table`; null if each class has a folder."""
    path: Name | None = None
    """The column of `file` with the image names, by name, or by position from 0."""
    target: Name | None = None
    """The column of `file` with the labels or values, by name, or by position from 0."""
    task: ProblemType | Literal["auto"] = "auto"
    """Type of `target`: classes, values, or (auto) what the loss takes, as for a table."""
    size: _Side | tuple[_Side, _Side] | None = None
    """[height, width] to which all images are resized, whatever their aspect ratio, or one number for both;
    null if all have the same size."""
    colour: Colour = "auto"
    """`grey` is one channel, `rgb` three; `auto` is grey if all files are stored in grey."""
    scale: Literal["none", "standard", "min_max", "unit"] = "unit"
    """How pixels are scaled: by default all are divided by the largest in the training part, usually 255;
    `none` leaves them unchanged, from 0 to 255; `standard` and `min_max` scale each pixel separately."""

    @model_validator(mode="after")
    def _names_its_images(self) -> Self:
        given = [name for name in _OF_TABLE if getattr(self, name) is not None]
        if self.file is None and self.folder is None:
            raise ValueError("give folder, with one sub-folder per class, or file, path and target")
        if self.file is None and (given or self.task != "auto"):
            raise ValueError(f"{', '.join(given) or 'task'}: needs file, a table of images and labels")
        if self.file is not None and len(given) < len(_OF_TABLE):
            raise ValueError("file needs path and target, its columns of images and of labels")
        return self

    def load(self, folder: Path) -> Dataset:
        check_pillow()
        return self._of_folders(folder) if self.file is None else self._of_table(folder, self.file)

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {} if self.file is None else {"file": locate(folder, self.file)}

    @property
    def height_and_width(self) -> tuple[int, int] | None:
        """The size to resize to; None if images keep theirs."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def _of_folders(self, start: Path) -> Dataset:
        assert self.folder is not None  # as validated
        folder = path_of(start, self.folder, ("folder",))
        found = list_classes(folder)
        labels = np.array(found.labels)
        made = self._made(found.paths, labels, "classification", str(folder), "class", ("folder",))
        return replace(made, notes=found.notes)

    def _of_table(self, start: Path, file: str) -> Dataset:
        from nnjit.data.tables.reading import Reading, read_table
        from nnjit.data.tables.roles import named
        from nnjit.data.tables.targets import read_targets

        located = locate(start, file)
        folder = located.parent if self.folder is None else path_of(start, self.folder, ("folder",))
        table = read_table(located, Reading())
        assert self.path is not None  # as validated
        assert self.target is not None
        [column], [target] = (
            named(self.path, "path", table.columns),
            named(self.target, "target", table.columns),
        )
        table.numbers(target)
        has_target = table.text(target).is_not_null().to_numpy()
        lost = int((~has_target).sum())
        if lost == len(table):
            raise DataError(f'{located}: column "{target}" has no value', ("target",))
        table = table.rows(has_target) if lost else table
        paths = list_column(table, column, folder)
        found = read_targets(table, [target], None if self.task == "auto" else self.task, self._takes)
        labels = found.y if found.classes is None else np.array(found.classes)[found.y]
        problem_type: ProblemType = "regression" if found.classes is None else "classification"
        made = self._made(paths, labels, problem_type, located.name, target, ("file",))
        notes = (f"{located}: {counted(lost, 'row')} without a target left out",) if lost else ()
        return replace(made, notes=(*table.notes, *notes))

    def _made(
        self,
        paths: tuple[Path, ...],
        y: np.ndarray,
        problem_type: ProblemType,
        name: str,
        target: str,
        option: ConfigPath,
    ) -> Dataset:
        x = read_images(paths, size=self.height_and_width, colour=self.colour, option=option)
        kind = "grey" if x.shape[-1] == 1 else "colour"
        description = f"images of {name}: {len(x)} of {x.shape[1]}×{x.shape[2]} in {kind}"
        return make_dataset(x, y, problem_type=problem_type, description=description, targets=(target,))
