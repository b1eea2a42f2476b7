"""List image files, from one sub-folder per class or from a column of a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.data.files import path_of, unreadable
from nnjit.errors import DataError, counted

if TYPE_CHECKING:
    from nnjit.data.tables.table import Table


@dataclass(frozen=True)
class Listing:
    """Image files, ordered by class and name.

    Args:
        labels: the class of each file.
        notes: what was found but is not used, in sentences.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_classes(folder: Path) -> Listing:
    """List the files in the sub-folders of a folder, named after the classes; skip hidden ones.

    Raises:
        DataError: the folder is missing or has no sub-folders, or a sub-folder has no files or has folders.
    """
    if not folder.is_dir():
        problem = "a file; expected a folder" if folder.exists() else "no such folder; correct the path"
        raise DataError(f"{folder}: {problem}", ("folder",))
    entries = _entries(folder)
    classes = [entry for entry in entries if entry.is_dir()]
    if not classes:
        given = f"; its files ({len(entries)}) have no class" if entries else ""
        raise DataError(
            f"{folder}: no sub-folders; expected one per class, with its images{given}; for names and "
            "labels in a table, set file, path and target",
            ("folder",),
        )
    files = {each: _files(each, folder) for each in classes}
    beside = len(entries) - len(classes)
    return Listing(
        paths=tuple(path for paths in files.values() for path in paths),
        labels=tuple(each.name for each, paths in files.items() for _ in paths),
        notes=(f"{folder}: {counted(beside, 'file')} next to the class folders not used",) if beside else (),
    )


def list_column(table: Table, column: str, folder: Path) -> tuple[Path, ...]:
    """The files that a column of a table names; relative names start at `folder`.

    Raises:
        DataError: a name is missing, or there is no such file.
    """
    names = table.text(column).to_list()
    for row, name in enumerate(names):
        where = f'{table.name}: {table.where(row)}, column "{column}"'
        if name is None:
            raise DataError(f"{where} names no image; fill it in, or omit the row", ("path",))
        if not path_of(folder, name, ("path",)).is_file():
            raise DataError(f'{where}: no such image: "{name}"; looked for {folder / name}', ("path",))
    return tuple(path_of(folder, name) for name in names)


def list_images(folder: Path) -> tuple[Path, ...]:
    """The files in a folder, sorted by name, without hidden ones; raise DataError if there are none."""
    entries = _entries(folder)
    if not entries:
        raise DataError(f"{folder}: no images in this folder")
    return tuple(entries)


def _files(folder: Path, outer: Path) -> list[Path]:
    entries = _entries(folder)
    inner = next((entry for entry in entries if entry.is_dir()), None)
    if inner is not None:
        raise DataError(
            f"{inner}: a folder inside a class folder, which may hold only images; if the classes are in "
            f"{folder}, set folder to it",
            ("folder",),
        )
    if not entries:
        raise DataError(
            f"{folder}: the folder of this class has no images; add some, or remove it", ("folder",)
        )
    return entries


def _entries(folder: Path) -> list[Path]:
    """The contents of a folder, sorted by name, without hidden entries."""
    try:
        found = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise unreadable(folder, error, "folder") from None
    return sorted(found, key=lambda entry: entry.name)  # paths compare without regard to case on Windows
