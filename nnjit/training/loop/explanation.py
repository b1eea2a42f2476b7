"""What a training computes, in the lecture's notation and as it was compiled: for `explain` and the report.

It is data: formulas of the recurrences, docstrings' equations of the update, and the kernels in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nnjit.codegen import KernelEntry
from nnjit.ir import Dim
from nnjit.nn.formula import symbol, words
from nnjit.nn.notation.functions import function_lines
from nnjit.nn.notation.line import Line, numbers
from nnjit.nn.notation.lines import backward_lines, forward_lines, word_lines
from nnjit.nn.notation.recurrence import statement
from nnjit.nn.notation.typeset import typeset
from nnjit.optim import Clip, Penalty
from nnjit.passes import optimize
from nnjit.registry import Options
from nnjit.training.graphs.full_batch import cost_graph
from nnjit.training.graphs.step import Task, prediction_graph, step_graph
from nnjit.training.setup.outputs import Outputs
from nnjit.training.setup.setup import Setup

ZONES = {"rows": "over the rows", "flat": "once a batch"}


@dataclass(frozen=True)
class Section:
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class LayerPlace:
    """The number that a layer has in the lines; 0 is the data."""

    number: int
    name: str
    type: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Update:
    """How the gradient becomes the next params.

    Args:
        equations: in the order in which they act; g is the gradient, θ the params.
        note: what the optimizer's documentation adds to them.
        settings: its options.
    """

    equations: tuple[str, ...]
    note: str
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class KernelPlace:
    """One kernel: its function in the source, when it runs, and what it computes.

    Args:
        product: `m × n × k` of a product; empty of a kernel of loops.
    """

    name: str
    zone: str
    product: str
    parts: tuple[str, ...]
    operations: int


@dataclass(frozen=True)
class Explanation:
    """The whole of it.

    Args:
        graph: the forward pass, a typed line for each node.
        kernels: those of the training step; empty where it was not compiled.
    """

    layers: tuple[LayerPlace, ...]
    sections: tuple[Section, ...]
    update: Update
    graph: str
    kernels: tuple[KernelPlace, ...]


def explain(setup: Setup, kernels: Iterable[KernelEntry]) -> Explanation:
    """The explanation of an experiment, whose training step has these kernels."""
    task = setup.task
    return Explanation(
        layers=_layers(task),
        sections=_sections(task, setup.outputs),
        update=_update(setup),
        graph=str(optimize(prediction_graph(task))),
        kernels=tuple(_kernel(entry, task) for entry in kernels),
    )


def step_text(task: Task) -> str:
    """The graph of the whole training step, after the passes: a typed line for each node.

    A full-batch method has no step, and then it is the graph of the cost and its gradient.
    """
    graph = step_graph(task)[0] if task.optimizer.full_batch is None else cost_graph(task)
    return str(optimize(graph))


def to_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation for a file, its formulas as runs of plain text (""), letters, "sup" and "sub"."""
    return {
        "layers": [vars(layer) for layer in explanation.layers],
        "sections": [
            {"title": section.title, "lines": [_line_json(line) for line in section.lines]}
            for section in explanation.sections
        ],
        "update": vars(explanation.update),
        "graph": explanation.graph,
        "kernels": [vars(kernel) for kernel in explanation.kernels],
    }


def shape_text(shape: Iterable[Dim] | None) -> str:
    """`n × 16`; of a single number, `1`; of anything, nothing.

    >>> shape_text((3, 4))
    '3 × 4'
    """
    return "" if shape is None else " × ".join(_length(d) for d in shape) or "1"


def _length(length: Dim) -> str:
    return str(length) if isinstance(length, int) else "n"


def _line_json(line: Line) -> dict[str, Any]:
    sides = {"left": typeset(line.left), "right": typeset(line.right)}
    return {**sides, "shape": shape_text(line.shape), "note": line.note}


def _layers(task: Task) -> tuple[LayerPlace, ...]:
    places = numbers(task.model)
    data = LayerPlace(0, "input", "the data", task.model.input_shape)
    rest = (LayerPlace(places[n.name], n.name, n.layer.type, n.output_shape) for n in task.model.nodes)
    return (data, *rest)


def _sections(task: Task, outputs: Outputs) -> tuple[Section, ...]:
    titled = {
        "Forward": forward_lines(task.model),
        "Cost": [*outputs.cost_lines(task.model), *_penalty_lines(task.penalty)],
        "Derivatives of the functions": function_lines(task.model),
        "Backward": backward_lines(task.model, task.loss),
    }
    titled["Words"] = word_lines(task.model, [line for lines in titled.values() for line in lines])
    return tuple(Section(title, tuple(lines)) for title, lines in titled.items() if lines)


def _penalty_lines(penalty: Penalty) -> list[Line]:
    terms = [f"{f:g} {what}" for f, what in ((penalty.l1, "Σ|w|"), (penalty.l2, "Σ w²")) if f]
    slopes = [f"{f:g} {what}" for f, what in ((penalty.l1, "sign w"), (2 * penalty.l2, "w")) if f]
    if not terms:
        return []
    note = f"the penalty of the weights; it adds {' + '.join(slopes)} to their gradient"
    return [Line(symbol("P"), words(" + ".join(terms)), (), note)]


def _update(setup: Setup) -> Update:
    """The optimizer's, which over the full batch may be another method, and has no schedule there."""
    experiment, optimizer = setup.experiment, setup.experiment.optimizer
    method = type(optimizer.full_batch or optimizer)
    settings = [("optimizer", optimizer.type), *_settings(optimizer)]
    named = {
        "schedule": None if optimizer.full_batch else experiment.schedule,
        "averaging": experiment.averaging,
    }
    for name, options in named.items():
        if options is not None:
            said = statement(options)
            settings.append((name, f"{options.type}: {said[0].lower()}{said[1:]}"))
            settings += _settings(options)
    equations = (*_clip_equations(experiment.clip), *_optimizer_equations(method))
    return Update(equations, _addition(method), tuple(settings))


def _settings(options: Options) -> list[tuple[str, str]]:
    """The options of a part of the config, but for its type."""
    return [(name, _option(value)) for name, value in options.model_dump(exclude={"type"}).items()]


def _option(value: object) -> str:
    """A value as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _clip_equations(clip: Clip) -> list[str]:
    equations = []
    if clip.value is not None:
        equations.append(f"g ← max(-{clip.value:g}, min(g, {clip.value:g}))")
    if clip.norm is not None:
        equations.append(f"g ← g min(1, {clip.norm:g} / (‖g‖ + 1e-6))")
    return equations


def _optimizer_equations(cls: type[Options]) -> list[str]:
    """Those of its docstring."""
    return [part.strip() for part in statement(cls).split(";")]


def _addition(cls: type[Options]) -> str:
    """The second paragraph of its docstring, without the reference."""
    paragraphs = (cls.__doc__ or "").split("\n\n")[1:2]
    return " ".join(" ".join(paragraphs).partition("Reference:")[0].replace("`", "").split())


def _kernel(entry: KernelEntry, task: Task) -> KernelPlace:
    names = {"loss", *(node.name for node in task.model.nodes)}
    ordered = sorted(entry.parts, key=lambda part: part[1])
    parts = [f"{scope} backward" if late and scope in names else scope for scope, late in ordered]
    product = "" if entry.product is None else " × ".join(_lengths(axis) for axis in entry.product)
    count = sum(entry.operations.values())
    return KernelPlace(entry.name, ZONES[entry.zone], product, tuple(dict.fromkeys(parts)), count)


def _lengths(factors: Sequence[Dim]) -> str:
    """The length of an axis: `n`, `64`, or of one that holds examples and places, `n·64`."""
    return "·".join(_length(d) for d in factors)
