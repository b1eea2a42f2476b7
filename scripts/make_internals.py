"""Update the code blocks of `docs/internals.md`: one network at each stage, from its config to LLVM.

python scripts/make_internals.py

Each block after `<!-- made: NAME -->` is rewritten; the rest of the page is unchanged.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnjit import config
from nnjit.config.reading import read_text

if TYPE_CHECKING:
    from nnjit.training.setup.setup import Setup

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "internals.md"
CONFIG = """\
name: xor
data: {type: inline, x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0]}
model:
  - {type: dense, units: 16, activation: tanh}
  - {type: dense, units: 1, activation: sigmoid}
loss: squared_error
optimizer: {type: gradient_descent, learning_rate: 0.5}
training: {batch_size: full}
"""
NOTE = "# needs a program around it: this is one function of it\n"
BLOCK = re.compile(r"(<!-- made: (\w+) -->\n```\w*\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
PLAIN = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
"""The target processor of the LLVM text, which makes it the same on every x86-64 machine."""


def texts() -> dict[str, str]:
    """The text of each stage but LLVM, by its name on the page."""
    from nnjit.training.loop.explanation import explain, step_text

    setup = prepared()
    epoch = setup.compiled.written_epoch()
    step = step_text(setup.compiled).splitlines()
    source = epoch.program.source
    return {
        "config": CONFIG,
        "forward": explain(setup, ()).graph + "\n",
        "recurrences": recurrences(),
        "backward": between(step, "sub_1", "concat_1"),
        "update": between(step, "concat_1", "sub_4"),
        "kernels": "".join(
            f"{kernel.name}  {kernel.zone}: {kernel.product or f'{kernel.operations} operations'}\n"
            for kernel in explain(setup, epoch.kernels).kernels
        ),
        "rows": NOTE + function(source, "rows_1"),
        "flat": NOTE + function(source, "flat_2"),
    }


def prepared() -> Setup:
    """The experiment with its step traced and written, but not compiled."""
    from nnjit.training.setup.setup import set_up

    return set_up(config.resolve(read_text(CONFIG, "internals.md").data), Path())


def recurrences() -> str:
    """The section *Backward* of `nnjit explain`."""
    from nnjit.nn.notation.typeset import text
    from nnjit.training.loop.explanation import explain

    setup = prepared()
    [section] = [s for s in explain(setup, ()).sections if s.title == "Backward"]
    rows = [(text(line.left), text(line.right), line.shape) for line in section.lines]
    left, right = (max(len(row[k]) for row in rows) for k in (0, 1))
    return "".join(f"{a:<{left}}  = {b:<{right}}  {shape}\n" for a, b, shape in rows)


def between(lines: list[str], first: str, last: str) -> str:
    """The lines of a printed graph from one node to another."""
    names = [line.partition(":")[0] for line in lines]
    return "\n".join(lines[names.index(first) : names.index(last) + 1]) + "\n"


def function(source: str, name: str) -> str:
    """The source of one function of a program."""
    [found] = re.findall(rf"^def {name}\(.*?(?=^\n\n|\Z)", source, re.MULTILINE | re.DOTALL)
    return str(found).rstrip() + "\n"


def llvm() -> str:
    """The first iteration of the update's vector loop, compiled in another process for `PLAIN`."""
    variables = os.environ | PLAIN | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, __file__, "--llvm"]
    return subprocess.run(command, env=variables, check=True, capture_output=True, encoding="utf-8").stdout


def compiled_llvm() -> str:
    """The first iteration of the update's vector loop, compiled for this process's target."""
    from numba import types

    setup = prepared()
    names: dict[str, Any] = {}
    exec(compile(setup.compiled.written_epoch().program.source, "internals", "exec"), names)
    f32, f64 = (types.Array(t, 1, "C", aligned=True) for t in (types.float32, types.float64))
    kernel = names["flat_2"]
    kernel.compile((f32, f32, f32, f32, f64))
    [text] = kernel.inspect_llvm().values()
    [body] = re.findall(r"^vector\.body:.*?(?=^$|^\S+:)", text, re.MULTILINE | re.DOTALL)
    body = re.sub(r"%arg\.(\w+?)_?\.4\b", r"%\1", body)
    body = re.sub(r"(?:reassoc|nnan|ninf|nsz|arcp|contract|afn|nuw|nsw|inbounds) ", "", body)
    body = re.sub(r" *;.*|, align \d+|, !\S+ !\d+", "", body)
    return body[: body.index("store")] + re.findall("store.*\n", body)[0] + "  …\n"


def written(page: str, made: dict[str, str]) -> str:
    """The page with these texts in its blocks; other blocks are unchanged."""
    return BLOCK.sub(lambda m: m[1] + made.get(m[2], m[3]) + m[4], page)


if __name__ == "__main__":
    if sys.argv[1:] == ["--llvm"]:
        print(compiled_llvm(), end="")
    else:
        PAGE.write_text(
            written(PAGE.read_text(encoding="utf-8"), texts() | {"llvm": llvm()}), encoding="utf-8"
        )
