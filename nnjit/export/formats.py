"""The formats of an export by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from nnjit.errors import UserError
from nnjit.export.network import Network

Writer = Callable[[Network, Path], Sequence[Path]]
"""Writes a network to a path and returns the files written."""


@dataclass(frozen=True)
class Format:
    """One format.

    Args:
        module: has the function `write`, a `Writer`; imported on first use.
        is_folder: whether an export is a folder, which exists when `write` is called, or a file.
        needs: a library that writing needs and nnjit does not; "" for none.
        extra: the extra of the package that installs the library.
        has_note: whether the module also has `note(files)`, a remark on what was written.
    """

    module: str
    is_folder: bool
    needs: str = ""
    extra: str = ""
    has_note: bool = False

    def writer(self) -> Writer:
        """The function that writes. Raises a UserError if its library is not installed."""
        if self.needs and find_spec(self.needs) is None:
            mend = f'pip install "nnjit[{self.extra}]"'
            raise UserError(f"this export needs {self.needs}, which is not installed; {mend}")
        found: Writer = import_module(self.module).write
        return found

    def note(self, files: Sequence[Path]) -> str:
        """A remark on what was written, or ""."""
        return str(import_module(self.module).note(files)) if self.has_note else ""


# fmt: off
FORMATS: dict[str, Format] = {
    "numpy": Format("nnjit.export.numpy", is_folder=True),
    "onnx":  Format("nnjit.export.onnx",  is_folder=False, needs="onnx", extra="onnx"),
    "torch": Format("nnjit.export.torch", is_folder=True),
    "c":     Format("nnjit.export.c",     is_folder=True, has_note=True),
}
# fmt: on
