"""Expressions of NumPy as text: names, numbers, types and shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnjit.export.numpy.rows import ATOM, CALL
from nnjit.ir import Node, Shape
from nnjit.primitives.scan import Loop


@dataclass(frozen=True)
class Text:
    """An expression in NumPy.

    Args:
        binding: how tightly it binds.
        shape: its compact shape.
        is_literal: whether it is a number without its own type.
    """

    code: str
    binding: int
    shape: Shape
    is_literal: bool = False


def literal(value: np.generic) -> str:
    """A number without its own type."""
    number = value.item()
    if isinstance(number, float) and not math.isfinite(number):
        return {math.inf: "np.inf", -math.inf: "-np.inf"}.get(number, "np.nan")
    return str(value) if isinstance(number, float) else repr(number)


def dtype_name(node: Node) -> str:
    """NumPy's name of a node's type."""
    return "np.bool_" if node.dtype.kind == "b" else f"np.{node.dtype.name}"


def axes_of(node: Node) -> str:
    """The axes of a reduction: one, or a tuple."""
    axes = node.params["axes"]
    return str(axes[0]) if len(axes) == 1 else str(axes)


def as_matrix(code: str, node: Node) -> str:
    """An array as a matrix with the same last axis."""
    return code if node.ndim == 2 else f"{code}.reshape(-1, {node.shape[-1]})"


def flat_record(recorded: Sequence[Text], loop: Loop) -> str:
    """The recorded values of a step side by side, each flat."""
    axes = 1 + loop.is_batched
    codes = []
    for text, node in zip(recorded, loop.recorded, strict=True):
        lead = ["-1"] * loop.is_batched
        base = text.code if text.binding >= ATOM and text.binding != CALL else f"({text.code})"
        flat = f"{base}.reshape({', '.join([*lead, str(node.type.row_size)])})"
        codes.append(text.code if node.ndim == axes else flat)
    return codes[0] if len(codes) == 1 else f"np.concatenate([{', '.join(codes)}], axis=-1)"
