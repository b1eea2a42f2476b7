"""Examine a folder: nothing yet, a run to resume, or one that has ended."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from nnjit.durable import is_temporary
from nnjit.errors import RunError
from nnjit.runs import file_names
from nnjit.runs.reading import parse, read_json
from nnjit.runs.status import Status
from nnjit.runs.study_kind import KINDS
from nnjit.runs.writing import json_bytes, write_atomically

_SUFFIXES = {".csv", ".html", ".json", ".npz", ".png", ".py", ".safetensors", ".yaml"}


def is_begun(folder: Path) -> bool:
    """Whether a folder holds a run or a study."""
    return any((folder / name).is_file() for name in (file_names.CONFIG, file_names.CHECKPOINT))


def holds_run(folder: Path) -> bool:
    """Whether a run can be resumed in a folder. A folder without a run must be empty.

    Raises:
        RunError: there are other files.
    """
    if not folder.is_dir():
        return False
    others = [p for p in folder.iterdir() if p.name != file_names.LOCK and not is_temporary(p.name)]
    if others and not is_begun(folder):
        raise RunError(
            f"{folder} holds files but no run: there is no {file_names.CONFIG}; choose another folder"
        )
    return True  # empty if a run was killed right after it began


def has_ended(folder: Path) -> bool:
    """Whether the run in a folder has ended with all its results.

    A run that is out of time has not, since it can be resumed; nor has one with missing or damaged results,
    which a resumed run writes again.
    """
    path = folder / file_names.METRICS
    with suppress(RunError):  # metrics are missing, or damaged and will be rewritten
        return parse(path, read_json(path), _has_finished) and all(map(_is_complete, _runs(folder)))
    return False


def _has_finished(content: dict[str, Any]) -> bool:
    statuses = [Status(entry["status"]) for entry in (content, *content.get("runs", ()))]
    return statuses[0].is_finished and Status.OUT_OF_TIME not in statuses


def _runs(folder: Path) -> list[Path]:
    """The folders of the members of a study, or of the run itself."""
    return [path for kind in KINDS for path in (folder / kind).glob("[0-9]*")] or [folder]


def _is_complete(folder: Path) -> bool:
    """Whether all results of a run, or of members in one file, exist and can be read."""
    if (folder / file_names.MEMBERS).is_file():
        from nnjit.runs.members import read_members

        with suppress(RunError):
            return all(entry.record.metrics is not None for entry in read_members(folder)[1])
        return False
    from nnjit.runs.data import DataEntry
    from nnjit.runs.diagnosis import read_diagnosis
    from nnjit.runs.explanation import Explanation
    from nnjit.runs.history import read_history
    from nnjit.runs.model import ModelEntry
    from nnjit.runs.predictions import read_predictions
    from nnjit.runs.weights import read_tensors

    try:
        outputs = [output.name for output in DataEntry.read(folder).outputs] or [""]
        for read in (ModelEntry.read, Explanation.read, read_history, read_diagnosis):
            read(folder)
        for name in (file_names.BEST, file_names.LAST):
            read_tensors(folder / name)
        return all(read_predictions(folder, output) is not None for output in outputs)
    except (RunError, ValueError):
        return False


def check_files(folder: Path) -> None:
    """Raise a RunError if a run or study folder has a folder with the name of a file to write."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_dir():
            raise RunError(f"{path} is a folder, but training writes a file of this name; move it away")


def mark_unfinished(folder: Path) -> None:
    """Mark a run that is about to continue as not ended in `metrics.json`, if it exists.

    The other entries stay, and still describe the weights in the folder.
    """
    with suppress(RunError):
        content = read_json(folder / file_names.METRICS) | {"status": Status.INTERRUPTED}
        write_atomically(folder / file_names.METRICS, json_bytes(content))
