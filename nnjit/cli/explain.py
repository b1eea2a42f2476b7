"""`nnjit explain`: what a config's network computes, line by line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnjit.cli.options import ConfigFile, Settings, read_config
from nnjit.cli.outcome import ending

if TYPE_CHECKING:
    from nnjit.training.explanation import Explanation, KernelPlace, Section, Update
    from nnjit.training.setup import Setup

WIDTH = 110

# fmt: off
_Graph = Annotated[bool, typer.Option("--graph", help="Print the graph of the whole training step too.")]
_Kernels = Annotated[bool, typer.Option("--kernels", help="Print the source of the kernels too.")]
# fmt: on


def explain(
    config: ConfigFile = None, settings: Settings = None, graph: _Graph = False, kernels: _Kernels = False
) -> None:
    """Show the formulas and kernels of a YAML file's network.

    The recurrences of every layer, forwards and backwards, with their shapes; the optimizer's update; the
    graph of the forward pass; the kernels of a training step in the order they run.

    Layers are numbered; z, a, δ, W and b are the lecture's, and n is the number of examples. The data is
    read, since shapes depend on it, but nothing is compiled or trained.

    Exit status: 0 done, 2 something given is wrong.
    """
    with ending():
        given = read_config(config, settings)
        with given.located():
            from nnjit.training.setup import set_up

            setup = set_up(given.experiment, Path())
        typer.echo("\n".join(_page(setup, graph=graph, kernels=kernels)))


def _page(setup: Setup, *, graph: bool, kernels: bool) -> Iterator[str]:
    from nnjit.training.explanation import explain, step_text

    epoch = setup.engine.written_epoch() if setup.task.optimizer.full_batch is None else None
    explanation = explain(setup, () if epoch is None else epoch.kernels)
    yield from _title(f"The network {setup.experiment.name}", first=True)
    yield from _columns(_layer_rows(explanation))
    for section in explanation.sections:
        yield from _title(section.title)
        yield from _columns(_line_rows(section))
    yield from _title("Update")
    yield from _update_lines(explanation.update)
    yield from _title("The forward pass as a graph")
    yield explanation.graph
    if graph:
        yield from _title("The training step as a graph")
        yield step_text(setup.task)
    if epoch is None:
        yield "\nA training leaves the kernels of the cost and its gradient in `kernels/` of its run."
        return
    yield from _title("The kernels of a training step, in the order they run")
    yield from _columns([_kernel_row(kernel) for kernel in explanation.kernels])
    yield f"source: {epoch.path}"
    if kernels:
        yield from _title("The source of the kernels")
        yield epoch.path.read_text(encoding="utf-8").rstrip()


def _title(words: str, *, first: bool = False) -> list[str]:
    return [*([] if first else [""]), words, "─" * len(words)]


def _layer_rows(explanation: Explanation) -> list[list[str]]:
    from nnjit.training.explanation import shape_text

    return [[str(p.number), p.name, p.type, f"n × {shape_text(p.shape)}"] for p in explanation.layers]


def _line_rows(section: Section) -> list[list[str]]:
    from nnjit.nn.typeset import text, typeset
    from nnjit.training.explanation import shape_text

    return [
        [text(typeset(line.left)), f"= {text(typeset(line.right))}", shape_text(line.shape), line.note]
        for line in section.lines
    ]


def _update_lines(update: Update) -> Iterator[str]:
    yield from update.equations
    yield from textwrap.wrap(update.note, WIDTH)
    yield from _columns([[name, f"= {value}"] for name, value in update.settings])


def _kernel_row(kernel: KernelPlace) -> list[str]:
    what = kernel.product or f"{kernel.operations} operation{'s' * (kernel.operations > 1)}"
    return [kernel.name, kernel.zone, what, ", ".join(kernel.parts)]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their cells below each other; a long last cell runs on below itself."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)] if rows else []
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for row in rows:
        head = "".join(f"{cell:<{w}}  " for cell, w in zip(row, widths, strict=False))
        last = textwrap.wrap(row[-1], max(WIDTH - indent, 40), break_long_words=False) or [""]
        lines += [head + last[0], *(" " * indent + more for more in last[1:])]
    return [line.rstrip() for line in lines]
