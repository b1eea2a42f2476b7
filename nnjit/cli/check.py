"""`nnjit check`: compare the gradient of a config's network with finite differences."""

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

    In float64, on up to eight training rows, it compares every element of every weight and bias (50 drawn by
    the seed if there are more than 200) with central differences, and the compiled gradient with the
    interpreted one. Elements at a kink of the cost, as from relu, are skipped and counted.

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
    if checked.frozen:
        yield f"frozen, so without a gradient: {', '.join(checked.frozen)}"
    wrong = [t for t in checked.tensors if not (t.is_right and t.is_compiled_right)]
    for tensor in wrong:
        yield from _verdict(tensor)
    if not wrong:
        yield "every derivative agrees with differences, and compiled code with the interpreter"


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
        yield f"FAILED {tensor.name}: the compiled gradient differs from the interpreted one"


def _index(element: Element) -> str:
    return f"[{', '.join(map(str, element.index))}]"


def _values(element: Element) -> str:
    return f"the gradient says {element.derivative:.9g}, differences of the cost {element.difference:.9g}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align words left, numbers right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEAD))]
    return [_aligned(row, widths) for row in rows]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    words = [f"{cell:<{w}}" for cell, w in zip(row[:2], widths[:2], strict=True)]
    numbers = [f"{cell:>{w}}" for cell, w in zip(row[2:-1], widths[2:-1], strict=True)]
    return "  ".join([*words, *numbers, row[-1]]).rstrip()
