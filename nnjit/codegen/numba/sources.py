"""Find the files of nnjit that shape machine code, besides the generated source itself.

They are the modules of the packages that compile kernels or define functions that kernels call (`COMPILED`),
and the modules of nnjit that these import in turn: `primitives/philox.py` is compiled into kernels,
`ir/types.py` names dtypes. Two kinds of import do not count:

- Of the packages around a module: their `__init__` runs too, but cannot change what the module defines.
- Inside functions: they are for plain twins, which run without the JIT.

So all compiled programs stay valid if a loss, a pass or the report is edited: anything there that
matters to a program is in the program's source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

COMPILED = ("library", "maths", "numba", "runtime")
_IMPORT = re.compile(r"^(?:from|import) (nnjit\.[\w.]+)(?: import (\([^)]*\)|.*))?", re.MULTILINE)


def sources(package: Path) -> Mapping[str, str]:
    """The text of each file that shapes machine code, by its path below `package`, the folder of nnjit."""
    waiting = [path for room in COMPILED for path in (package / "codegen" / room).glob("*.py")]
    found: dict[Path, str] = {}
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = path.read_text(encoding="utf-8")
            waiting += _imported(found[path], package)
    return {path.relative_to(package).as_posix(): found[path] for path in sorted(found)}


def _imported(text: str, package: Path) -> Iterator[Path]:
    """The files of the modules that a text imports at its top level."""
    for match in _IMPORT.finditer(text):
        module, names = match.groups()
        place = package.joinpath(*module.split(".")[1:])
        if not place.is_dir():
            yield place.with_suffix(".py")
            continue
        yield place / "__init__.py"
        files = (place / f"{name}.py" for name in re.findall(r"\w+", names or ""))
        yield from (file for file in files if file.is_file())
