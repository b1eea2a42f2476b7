"""Export the network of a run in one of the formats."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from nnjit.errors import RunError, UserError, did_you_mean, shell_word
from nnjit.export.formats import FORMATS, Format
from nnjit.export.network import Network
from nnjit.training import Run, Study


def export(run: Run | Study, to: str, output: str | Path) -> Sequence[Path]:
    """Write the network of a run to a new file or folder; return the files written.

    Args:
        to: one of `FORMATS`.
        output: the path of the file or folder.

    Raises:
        UserError: there is no such format, `output` exists, the run is a study, or the format cannot express
            a layer.
    """
    format, path = check(to, Path(output)), Path(output)
    if isinstance(run, Study):
        raise RunError(_one_of(run))
    writer = format.writer()
    network = Network.of(run)
    folder = path if format.is_folder else path.parent
    is_new = not path.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return writer(network, path)
    except BaseException:
        if format.is_folder and is_new:
            shutil.rmtree(path, ignore_errors=True)
        raise


def check(to: str, path: Path) -> Format:
    """Return the format of a name; raise a UserError if there is none, or if the path is taken."""
    if to not in FORMATS:
        raise UserError(f'--to: unknown format "{to}"{did_you_mean(to, FORMATS)}')
    format = FORMATS[to]
    is_empty = path.is_dir() and format.is_folder and not any(path.iterdir())
    if not is_empty and (path.exists() or path.is_symlink()):
        raise RunError(f"--output: {path} exists already; choose another path, or remove it")
    return format


def _one_of(study: Study) -> str:
    """Refuse a study, and suggest one of its runs."""
    first = shell_word(study.runs[0].folder)
    return f"{study.path} is a study of several {study.kind}; give the folder of one of them, such as {first}"
