"""`explanation.json`: the formulas of a network, its update, its graph, and the kernels compiled from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile

Tag = Literal["", "var", "sup", "sub"]

Segments = tuple[tuple[Tag, str], ...]
"""A typeset formula: segments of (tag, text), with tag "" for plain text."""


@dataclass(frozen=True)
class TypesetLine:
    """An equation, left = right.

    Args:
        shape: such as `n × 16`; empty if it holds for any shape.
    """

    left: Segments
    right: Segments
    shape: str
    note: str = ""

    @property
    def is_words(self) -> bool:
        """Whether the right side is plain text, which may wrap anywhere."""
        return [tag for tag, _ in self.right] == [""]


@dataclass(frozen=True)
class Section:
    """Lines under a title."""

    title: str
    lines: tuple[TypesetLine, ...]


@dataclass(frozen=True)
class NumberedLayer:
    """A layer's number in the lines; 0 is the data.

    Args:
        is_frozen: whether it has params that are not trained.
    """

    number: int
    name: str
    type: str
    shape: tuple[int, ...]
    is_frozen: bool = False


@dataclass(frozen=True)
class Update:
    """How the gradient determines the next params.

    Args:
        equations: in order of application; g is the gradient, θ the params.
        note: a remark from the optimizer's documentation.
        settings: (option, value) of optimizer, schedule and averaging.
    """

    equations: tuple[str, ...]
    note: str
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class KernelSummary:
    """One kernel of the training step.

    Args:
        name: of its function in the source.
        zone: when it runs.
        product: `m × n × k` of a matrix product; empty for a kernel of loops.
        parts: the layers whose operations it contains.
        operations: number of operations.
    """

    name: str
    zone: str
    product: str
    parts: tuple[str, ...]
    operations: int


@dataclass(frozen=True)
class Explanation(JsonFile):
    """The computations of a run.

    Args:
        graph: the forward pass, a typed line per node.
        kernels: kernels of the training step in order of execution; empty if it was not compiled.
    """

    file_name: ClassVar[str] = file_names.EXPLANATION

    layers: tuple[NumberedLayer, ...]
    sections: tuple[Section, ...]
    update: Update
    graph: str
    kernels: tuple[KernelSummary, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "layers": [vars(layer) for layer in self.layers],
            "sections": [
                {"title": s.title, "lines": [vars(line) for line in s.lines]} for s in self.sections
            ],
            "update": vars(self.update),
            "graph": self.graph,
            "kernels": [vars(kernel) for kernel in self.kernels],
        }
