"""`nnjit explain`: print what a network computes, line by line."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.exit_status import exit_status
from nnjit.cli.options import ConfigFile, File, Settings, read_config
from nnjit.cli.streams import say
from nnjit.errors import counted

if TYPE_CHECKING:
    from nnjit.runs.explanation import Explanation, KernelSummary, Section, Update
    from nnjit.training.setup.setup import Setup

WIDTH = 110

# fmt: off
_Graph = Annotated[bool, typer.Option("--graph", help="Print the graph of the whole training step too.")]
_Kernels = Annotated[bool, typer.Option("--kernels", help="Print the source of the kernels too.")]
# fmt: on


def explain(
    file: File = None,
    config: ConfigFile = None,
    settings: Settings = None,
    graph: _Graph = False,
    kernels: _Kernels = False,
) -> None:
    """Show the formulas and kernels of a YAML file's network.

    It prints the recurrences of every layer, forwards and backwards, with shapes; the optimizer's update; the
    graph of the forward pass; and the kernels of a training step in the order they run.

    Layers are numbered; z, a, δ, W and b are the lecture's, and n is the number of examples. The data is
    read, since shapes depend on it, but nothing is compiled or trained.

    Exit status: 0 done, 2 something given is wrong.
    """
    with exit_status():
        given = read_config(file, config, settings)
        with given.located():
            from nnjit.training.setup.setup import set_up

            setup = set_up(given.experiment, Path())
        say("\n".join(_page(setup, graph=graph, kernels=kernels)))


def _page(setup: Setup, *, graph: bool, kernels: bool) -> Iterator[str]:
    from nnjit.training.loop.explanation import explain, step_text

    epoch = setup.compiled.written_epoch() if setup.task.optimizer.full_batch is None else None
    explanation = explain(setup, () if epoch is None else epoch.kernels)
    yield from _title(f"The network {setup.experiment.name}", first=True)
    yield from _columns(_layer_rows(explanation))
    if setup.model.frozen_table.size:
        yield f"{setup.model.table.size:,} params are trained, {setup.model.frozen_params:,} are frozen"
    for section in explanation.sections:
        yield from _title(section.title)
        yield from _lines(section)
    yield from _title("Update")
    yield from _update_lines(explanation.update)
    yield from _title("The forward pass as a graph")
    yield explanation.graph
    if graph:
        yield from _title("The training step as a graph")
        yield step_text(setup.compiled)
    if epoch is None:
        yield "\nTraining leaves the kernels of the cost and its gradient in `kernels/` of the run folder."
        return
    yield from _title("The kernels of a training step, in the order they run")
    yield from _columns([_kernel_row(kernel) for kernel in explanation.kernels])
    yield f"source: {epoch.path}"
    if kernels:
        yield from _title("The source of the kernels")
        yield epoch.program.source.rstrip()


def _title(words: str, *, first: bool = False) -> list[str]:
    return [*([] if first else [""]), words, "─" * len(words)]


def _layer_rows(explanation: Explanation) -> list[list[str]]:
    from nnjit.training.loop.explanation import shape_text

    return [
        [str(p.number), p.name, f"{p.type}, frozen" if p.is_frozen else p.type, f"n × {shape_text(p.shape)}"]
        for p in explanation.layers
    ]


def _lines(section: Section) -> Iterator[str]:
    """The lines of a section: left = right and the shape; a long one continues below, then its note."""
    from nnjit.nn.notation.typeset import text

    lefts = [text(line.left) for line in section.lines]
    indent = max(map(len, lefts)) + 4  # two spaces before the sign, and one after it
    room = WIDTH - indent - 2 - max(len(line.shape) for line in section.lines)
    rights = [_broken(text(line.right), room, is_words=line.is_words) for line in section.lines]
    width = max(len(part) for right in rights for part in right)
    for line, left, (first, *more) in zip(section.lines, lefts, rights, strict=True):
        yield f"{left:<{indent - 4}}  = {first:<{width}}  {line.shape}".rstrip()
        notes = textwrap.wrap(f"({line.note})", WIDTH - indent) if line.note else []
        yield from (" " * indent + part for part in (*more, *notes))


def _broken(formula: str, width: int, *, is_words: bool) -> list[str]:
    """A formula broken into lines that begin with an operator; words break anywhere."""
    joint = formula if is_words else re.sub(" (?![+⊙|])", "\N{NO-BREAK SPACE}", formula)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in textwrap.wrap(joint, width)]


def _update_lines(update: Update) -> Iterator[str]:
    yield from update.equations
    yield from textwrap.wrap(update.note, WIDTH)
    yield from _columns([[name, f"= {value}"] for name, value in update.settings])


def _kernel_row(kernel: KernelSummary) -> list[str]:
    work = kernel.product or counted(kernel.operations, "operation")
    return [kernel.name, kernel.zone, work, ", ".join(kernel.parts)]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with aligned cells; a long last cell continues below."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)] if rows else []
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for row in rows:
        start = "".join(f"{cell:<{w}}  " for cell, w in zip(row, widths, strict=False))
        last = textwrap.wrap(row[-1], max(WIDTH - indent, 40), break_long_words=False) or [""]
        lines += [start + last[0], *(" " * indent + more for more in last[1:])]
    return [line.rstrip() for line in lines]
