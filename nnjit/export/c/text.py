"""Write comments, strings and arrays in C."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import numpy as np

from nnjit.export.c.values import C_TYPES
from nnjit.ir.types import SHORT

WIDTH = 110


def comment(paragraphs: Sequence[str]) -> str:
    """Write a comment of paragraphs; comment marks inside are broken up."""
    lines: list[str] = []
    for paragraph in paragraphs:
        plain = "".join(c if c.isprintable() else " " for c in paragraph)
        plain = plain.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").replace("??", "? ?")
        lines += textwrap.wrap(plain, WIDTH - 3, break_on_hyphens=False) or [""]
    if len(lines) == 1:
        return f"/* {lines[0]} */\n"
    return "\n".join(f" * {line}".rstrip() for line in lines).replace(" *", "/*", 1) + "\n */\n"


def string(text: str) -> str:
    """Return a string literal of a text's UTF-8 bytes."""
    return '"' + "".join(map(_character, text.encode("utf-8"))) + '"'


def _character(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return f"\\{character}"
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def array(name: str, values: np.ndarray) -> str:
    """Write the definition of a constant array; every literal restores all bits of its number."""
    dtype = SHORT[values.dtype]
    head = f"static const {C_TYPES[dtype]} {name}[{values.size}] = {{"
    return f"{head}\n{_rows(_literals(values.ravel(), dtype))}\n}};\n"


def _literals(values: np.ndarray, dtype: str) -> Iterable[str]:
    if dtype == "b1":
        return map(str, values.astype(int).tolist())
    if dtype == "i64":
        return (f"INT64_C({v})" if v != np.iinfo(np.int64).min else "INT64_MIN" for v in values.tolist())
    if dtype == "i32":
        return (str(v) if v != np.iinfo(np.int32).min else "INT32_MIN" for v in values.tolist())
    if dtype == "u32":
        return (f"{v}u" for v in values.tolist())
    suffix = "f" if dtype == "f32" else ""
    return (_float(str(v), suffix) for v in values)


def _float(text: str, suffix: str) -> str:
    special = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}
    return special.get(text) or text + suffix


def _rows(literals: Iterable[str]) -> str:
    """Wrap literals into lines."""
    lines, line = [], "   "
    for literal in literals:
        if len(line) + len(literal) + 2 > WIDTH:
            lines.append(line)
            line = "   "
        line += f" {literal},"
    return "\n".join([*lines, line]).removesuffix(",")
