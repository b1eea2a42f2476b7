"""`nnjit check`: compare the gradient of a config's training with differences of its cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nnjit.cli.exit_status import FAILED, exit_status
from nnjit.cli.options import ConfigFile, File, Settings, read_config
from nnjit.cli.streams import say

if TYPE_CHECKING:
    from nnjit.experiment import Experiment
    from nnjit.training.gradient_check import Element, GradientCheck, TensorCheck

HEAD = ("tensor", "shape", "checked", "kinks", "largest error", "compiled", "")


def check(file: File = None, config: ConfigFile = None, settings: Settings = None) -> None:
    """Check the gradient of a YAML file's network.

    Up to eight rows of the training data, float64: of every weight and bias, each element (50 drawn by the
    seed where there are more than 200) is compared with central differences, and the compiled gradient with
    the interpreted one. An element where the cost has a corner, as relu gives it, is skipped and counted.

    Exit status: 0 the gradient is right, 1 it is not, 2 something given is wrong.
    """
    with exit_status():
        given = read_config(file, config, settings)
        with given.located():
            checked = _checked(given.experiment)
        say("\n".join(_page(checked)))
    if not checked.is_right:
        raise typer.Exit(FAILED)


def _checked(experiment: Experiment) -> GradientCheck:
    from nnjit.training.gradient_check import check_gradient
    from nnjit.training.setup.setup import set_up

    setup = set_up(experiment.model_copy(update={"dtype": "float64"}), Path())
    return check_gradient(setup, setup.initial_state(Path()).theta)


def _page(checked: GradientCheck) -> Iterator[str]:
    cost = f"the cost of {checked.rows} examples, {checked.cost:.6g}"
    yield f"the gradient of {cost}, in float64; errors are relative"
    yield from _table([HEAD, *(_row(tensor) for tensor in checked.tensors)])
    wrong = [t for t in checked.tensors if not (t.is_right and t.is_compiled_right)]
    for tensor in wrong:
        yield from _verdict(tensor)
    if not wrong:
        yield "every derivative is that of differences, and compiled code gives what the interpreter gives"


def _row(tensor: TensorCheck) -> Sequence[str]:
    size = math.prod(tensor.shape)
    return (
        tensor.name,
        " × ".join(map(str, tensor.shape)),
        f"{len(tensor.elements) - tensor.kinks} of {size}",
        str(tensor.kinks),
        "-" if tensor.worst is None else f"{tensor.worst.error:.1e}",
        f"{tensor.compiled_error:.1e}",
        _word(tensor),
    )


def _word(tensor: TensorCheck) -> str:
    if not (tensor.is_right and tensor.is_compiled_right):
        return "FAILED"
    return "ok" if tensor.worst is not None else "skipped: kinks"


def _verdict(tensor: TensorCheck) -> Iterator[str]:
    if not tensor.is_right and tensor.worst is not None:
        yield f"FAILED {tensor.name}{_index(tensor.worst)}: {_values(tensor.worst)}"
    if not tensor.is_compiled_right:
        yield f"FAILED {tensor.name}: the compiled gradient is not the interpreted one"


def _index(element: Element) -> str:
    return f"[{', '.join(map(str, element.index))}]"


def _values(element: Element) -> str:
    return f"the gradient says {element.derivative:.9g}, differences of the cost {element.difference:.9g}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Words aligned left, numbers right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEAD))]
    return [_aligned(row, widths) for row in rows]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    words = [f"{cell:<{w}}" for cell, w in zip(row[:2], widths[:2], strict=True)]
    numbers = [f"{cell:>{w}}" for cell, w in zip(row[2:-1], widths[2:-1], strict=True)]
    return "  ".join([*words, *numbers, row[-1]]).rstrip()
