"""Explain a training: its formulas in the lecture's notation, its update, its graph and its kernels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nnjit.ir import Dim
from nnjit.nn.formula import symbol, words
from nnjit.nn.notation.functions import function_lines
from nnjit.nn.notation.line import Line, numbers
from nnjit.nn.notation.lines import backward_lines, forward_lines, word_lines
from nnjit.nn.notation.typeset import typeset
from nnjit.optim import Clip, Penalty
from nnjit.optim.stated import Stated
from nnjit.passes import optimize
from nnjit.registry import Options
from nnjit.runs.explanation import Explanation, KernelSummary, NumberedLayer, Section, TypesetLine, Update
from nnjit.training.graphs.full_batch import cost_graph
from nnjit.training.graphs.step import prediction_graph
from nnjit.training.graphs.task import Task
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.outputs import Outputs
from nnjit.training.setup.setup import Setup

if TYPE_CHECKING:
    from nnjit.codegen import KernelEntry

ZONES = {"rows": "over the rows", "flat": "once a batch"}


def explain(setup: Setup, kernels: Iterable[KernelEntry]) -> Explanation:
    """Explain an experiment whose training step has these kernels."""
    task = setup.task
    return Explanation(
        layers=_layers(task),
        sections=_sections(task, setup.outputs),
        update=_update(setup),
        graph=str(optimize(prediction_graph(task))),
        kernels=tuple(_kernel(entry, task) for entry in kernels),
    )


def step_text(compiled: CompiledTask) -> str:
    """The graph of the whole training step after the passes, as one typed line per node.

    A full-batch method has no step; the text is the graph of the cost and its gradient.
    """
    graph = compiled.step if compiled.has_steps else cost_graph(compiled.task)
    return str(optimize(graph))


def shape_text(shape: Iterable[Dim] | None) -> str:
    """Format a shape as `n × 16`; `1` for a single number; empty for any shape.

    >>> shape_text((3, 4))
    '3 × 4'
    """
    return "" if shape is None else " × ".join(_length(d) for d in shape) or "1"


def _length(length: Dim) -> str:
    return str(length) if isinstance(length, int) else "n"


def _layers(task: Task) -> tuple[NumberedLayer, ...]:
    of_layer = numbers(task.model)
    data = NumberedLayer(0, "input", "the data", task.model.input_shape)
    rest = [
        NumberedLayer(of_layer[n.name], n.name, n.layer.type, n.output_shape, n.is_frozen)
        for n in task.model.nodes
    ]
    return (data, *rest)


def _sections(task: Task, outputs: Outputs) -> tuple[Section, ...]:
    titled = {
        "Forward": forward_lines(task.model),
        "Cost": [*outputs.cost_lines(task.model), *_penalty_lines(task.penalty)],
        "Derivatives of the functions": function_lines(task.model),
        "Backward": backward_lines(task.model, task.loss),
    }
    titled["Words"] = word_lines(task.model, [line for lines in titled.values() for line in lines])
    return tuple(Section(title, tuple(map(_typeset, lines))) for title, lines in titled.items() if lines)


def _typeset(line: Line) -> TypesetLine:
    return TypesetLine(typeset(line.left), typeset(line.right), shape_text(line.shape), line.note)


def _penalty_lines(penalty: Penalty) -> list[Line]:
    terms = [f"{f:g} {what}" for f, what in ((penalty.l1, "Σ|w|"), (penalty.l2, "Σ w²")) if f]
    slopes = [f"{f:g} {what}" for f, what in ((penalty.l1, "sign w"), (2 * penalty.l2, "w")) if f]
    if not terms:
        return []
    note = f"the penalty of the weights; it adds {' + '.join(slopes)} to their gradient"
    return [Line(symbol("P"), words(" + ".join(terms)), (), note)]


def _update(setup: Setup) -> Update:
    """The optimizer's update; a full-batch optimizer may use a different method, without a schedule."""
    experiment, optimizer = setup.experiment, setup.experiment.optimizer
    method = type(optimizer.full_batch or optimizer)
    settings = [("optimizer", optimizer.type), *_settings(optimizer)]
    named = {
        "schedule": None if optimizer.full_batch else experiment.schedule,
        "averaging": experiment.averaging,
    }
    for name, options in named.items():
        if options is not None:
            (equation,) = _equations(type(options))
            settings.append((name, f"{options.type}: {equation[0].lower()}{equation[1:]}"))
            settings += _settings(options)
    equations = (*_clip_equations(experiment.clip), *_equations(method))
    return Update(equations, _addition(method), tuple(settings))


def _settings(options: Options) -> list[tuple[str, str]]:
    """The options of a part of the config, except its type and those that are off (null)."""
    given = options.model_dump(exclude={"type"}, exclude_none=True)
    return [(name, _option(value)) for name, value in given.items()]


def _option(value: object) -> str:
    """A value in YAML, a mapping without braces."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_option(entry)}" for key, entry in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _clip_equations(clip: Clip) -> list[str]:
    equations = []
    if clip.value is not None:
        equations.append(f"g ← max(-{clip.value:g}, min(g, {clip.value:g}))")
    if clip.norm is not None:
        equations.append(f"g ← g min(1, {clip.norm:g} / (‖g‖ + 1e-6))")
    return equations


def _equations(cls: type[Stated]) -> list[str]:
    """The equations of a class as plain text."""
    return [equation.replace("`", "") for equation in cls.equations]


def _addition(cls: type[Stated]) -> str:
    """The second paragraph of a class's docstring, up to the reference; empty with `python -OO`."""
    paragraphs = (cls.__doc__ or "").split("\n\n")[1:2]
    return " ".join(" ".join(paragraphs).partition("Reference:")[0].replace("`", "").split())


def _kernel(entry: KernelEntry, task: Task) -> KernelSummary:
    names = {"loss", *(node.name for node in task.model.nodes)}
    ordered = sorted(entry.parts, key=lambda part: part[1])
    parts = [f"{scope} backward" if late and scope in names else scope for scope, late in ordered]
    product = "" if entry.product is None else " × ".join(_lengths(axis) for axis in entry.product)
    count = sum(entry.operations.values())
    return KernelSummary(entry.name, ZONES[entry.zone], product, tuple(dict.fromkeys(parts)), count)


def _lengths(factors: Sequence[Dim]) -> str:
    """The length of an axis: `n`, `64`, or `n·64` if it holds examples and positions."""
    return "·".join(_length(d) for d in factors)
