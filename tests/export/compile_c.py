"""Compile the C of many graphs in one call of gcc, and predict with it."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from nnjit.export.c.document import Document

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(GCC is None, reason="gcc is not installed")
FLAGS = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2")
Predict = Callable[[str, np.ndarray, tuple[int, ...]], np.ndarray]
"""(name, inputs, shape of the outputs) -> outputs."""


def compiled(made: Mapping[str, Document], folder: Path) -> Predict:
    """The predictions of files by name.

    All files are joined into one, with numbered names, so gcc starts once.
    """
    texts = [_numbered(document, k) for k, document in enumerate(made.values())]
    (folder / "all.c").write_text("\n".join(texts), encoding="utf-8")
    library, numbers = compiled_files([folder / "all.c"], folder), {name: k for k, name in enumerate(made)}

    def predict(name: str, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        x, y = np.ascontiguousarray(x), np.full(shape, np.nan, x.dtype)
        call = getattr(library, f"predict_batch_{numbers[name]}")
        call(len(x), x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
        return y

    return predict


def compiled_files(files: Sequence[Path], folder: Path) -> ctypes.CDLL:
    """Compile C files to a library."""
    return ctypes.CDLL(_compiled(files, folder / "predict.so", "-shared", "-fPIC"))


def executable(files: Sequence[Path], folder: Path) -> str:
    """Compile C files to a program; return its path."""
    return _compiled(files, folder / "main")


def _compiled(files: Sequence[Path], target: Path, *flags: str) -> str:
    assert GCC is not None
    subprocess.run([GCC, *FLAGS, *flags, "-o", str(target), *map(str, files), "-lm"], check=True)
    return str(target)


def _numbered(document: Document, number: int) -> str:
    """Join a file and its header, and number what it defines."""
    header = re.sub(r"(?s)#ifdef __cplusplus.*?#endif\n|#(ifndef|define|endif)[^\n]*\n", "", document.header)
    text = document.source.replace('#include "predict.h"', header)
    defined = re.findall(r"^(?:static )?(?:const )?\w+ \*?(?:const )?(\w+)[(\[]", text, re.MULTILINE)
    names = "|".join({*defined, r"PREDICT_\w+"})
    return re.sub(rf"\b({names})\b", rf"\1_{number}", text)
